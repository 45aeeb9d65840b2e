package wire

import "time"

// ParseTime reads an RFC 3339 date-time. The result is in UTC, in whole
// microseconds. A leap second is the first instant after it.
func ParseTime(s string) (t time.Time, ok bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return time.Time{}, false
	}
	year, month, day, ok := parseDate(s[:10])
	if !ok {
		return time.Time{}, false
	}
	c, ok := parseClock(s[11:])
	if !ok {
		return time.Time{}, false
	}
	t = time.Date(year, time.Month(month), day, c.hour, c.minute-c.offset, c.second, c.nanos, time.UTC)
	if c.second == 60 && (t.Minute() != 0 || t.Hour() != 0) {
		return time.Time{}, false // leap seconds end a UTC day
	}
	return t.Truncate(time.Microsecond), true
}

// parseDate reads full-date: ten bytes, 2006-01-02.
func parseDate(s string) (year, month, day int, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	century, ok1 := twoDigits(s, 99)
	year, ok2 := twoDigits(s[2:], 99)
	month, ok3 := twoDigits(s[5:], 12)
	day, ok4 := twoDigits(s[8:], 31)
	if !ok1 || !ok2 || !ok3 || !ok4 || month == 0 || day == 0 {
		return 0, 0, 0, false
	}
	year += 100 * century
	if day > 28 && day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return 0, 0, 0, false
	}
	return year, month, day, true
}

// clock is a time of day; offset is how many minutes it is ahead of UTC.
type clock struct{ hour, minute, second, nanos, offset int }

// parseClock reads full-time: 15:04:05.999Z, 15:04:05+01:00.
func parseClock(s string) (c clock, ok bool) {
	if len(s) < len("15:04:05Z") || s[2] != ':' || s[5] != ':' {
		return clock{}, false
	}
	var ok1, ok2, ok3 bool
	c.hour, ok1 = twoDigits(s, 23)
	c.minute, ok2 = twoDigits(s[3:], 59)
	c.second, ok3 = twoDigits(s[6:], 60)
	if !ok1 || !ok2 || !ok3 {
		return clock{}, false
	}
	s = s[8:]
	if s[0] == '.' {
		end := scanDigits(s, 1)
		if end == 1 || end == len(s) {
			return clock{}, false
		}
		scale := 100_000_000
		for _, digit := range []byte(s[1:end]) {
			c.nanos += int(digit-'0') * scale
			scale /= 10
		}
		s = s[end:]
	}
	c.offset, ok = parseOffset(s)
	return c, ok
}

// parseOffset reads Z or +01:00, in minutes.
func parseOffset(s string) (int, bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, ok1 := twoDigits(s[1:], 23)
	minutes, ok2 := twoDigits(s[4:], 59)
	offset := 60*hours + minutes
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2
}

// twoDigits reads the two digits that s begins with.
func twoDigits(s string, limit int) (int, bool) {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	v := int(s[0]-'0')*10 + int(s[1]-'0')
	return v, v <= limit
}

func isDate(s string) bool {
	_, _, _, ok := parseDate(s)
	return ok
}

func isTime(s string) bool {
	c, ok := parseClock(s)
	if !ok || c.second < 60 {
		return ok
	}
	const day = 24 * 60
	return (c.hour*60+c.minute-c.offset+2*day)%day == day-1
}

// isDuration checks the ISO 8601 durations of RFC 3339, appendix A: P1Y2M3DT4H5M6S
// with leading and trailing parts left out, or weeks alone.
func isDuration(s string) bool {
	if len(s) < 3 || s[0] != 'P' {
		return false
	}
	s = s[1:]
	if end := scanDigits(s, 0); end > 0 && s[end:] == "W" {
		return true
	}
	s, ok := durationParts(s, "YMD")
	if !ok || s == "" {
		return ok
	}
	if s[0] != 'T' || len(s) == 1 {
		return false
	}
	s, ok = durationParts(s[1:], "HMS")
	return ok && s == ""
}

// durationParts reads numbers that are followed by the units, in their order
// and without gaps, and returns what follows.
func durationParts(s, units string) (rest string, ok bool) {
	next := -1
	for s != "" && isDigit(s[0]) {
		end := scanDigits(s, 0)
		if end == len(s) {
			return "", false
		}
		at := -1
		for i := range len(units) {
			if units[i] == s[end] {
				at = i
			}
		}
		if at < 0 || next >= 0 && at != next {
			return "", false
		}
		next = at + 1
		s = s[end+1:]
	}
	return s, true
}
