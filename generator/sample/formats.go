package sample

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// formatMaker returns what makes texts of a known format, nil for others. It
// gets the text's node for the lengths to keep to.
func formatMaker(format string, n *text) maker {
	switch strings.ToLower(format) {
	case "uuid":
		return uuid
	case "date-time":
		return dateTime
	case "date":
		return date
	case "time":
		return clock
	case "duration":
		return duration
	case "email", "idn-email":
		return shortEmail(n)
	case "uri", "url", "iri", "uri-reference":
		return shortAddress(n)
	case "hostname", "idn-hostname":
		return hostname
	case "ipv4", "ip":
		return ipv4
	case "ipv6":
		return ipv6
	case "byte", "base64":
		return encoded(n)
	case "json-pointer":
		return func(dst []byte, c run) []byte { return appendUnique(append(dst, '/'), 6, c) }
	case "regex":
		return func(dst []byte, c run) []byte { return append(appendUnique(append(dst, '^'), 4, c), '$') }
	default:
		return nil
	}
}

func uuid(dst []byte, c run) []byte {
	const hex = "0123456789abcdef"
	hi, lo := c.r.Uint64(), c.r.Uint64()
	hi = hi&^0xf000 | 0x4000     // version 4 (RFC 9562)
	lo = lo&^(3<<62) | (2 << 62) // variant 10
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		v := hi
		if i >= 16 {
			v = lo
		}
		dst = append(dst, hex[v>>(60-4*(i%16))&15])
	}
	return dst
}

func two(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

func date(dst []byte, c run) []byte {
	dst = appendInt(dst, int64(2024+c.r.IntN(4)))
	dst = two(append(dst, '-'), 1+c.r.IntN(12))
	return two(append(dst, '-'), 1+c.r.IntN(28))
}

func clock(dst []byte, c run) []byte {
	dst = two(dst, c.r.IntN(24))
	dst = two(append(dst, ':'), c.r.IntN(60))
	dst = two(append(dst, ':'), c.r.IntN(60))
	return append(dst, 'Z')
}

func dateTime(dst []byte, c run) []byte {
	return clock(append(date(dst, c), 'T'), c)
}

func duration(dst []byte, c run) []byte {
	return append(appendInt(append(dst, "PT"...), int64(1+c.r.IntN(59))), 'M')
}

func hostname(dst []byte, c run) []byte {
	dst = append(dst, "host-"...)
	return append(appendUnique(dst, 6, c), ".example.com"...)
}

func ipv4(dst []byte, c run) []byte {
	// RFC 5737 keeps 203.0.113.0/24 for documentation.
	return appendInt(append(dst, "203.0.113."...), int64(c.r.IntN(256)))
}

func ipv6(dst []byte, c run) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, "2001:db8::"...) // documentation (RFC 3849)
	for range 4 {
		dst = append(dst, hex[1+c.r.IntN(15)])
	}
	return dst
}

// shortEmail keeps to maxLength by shortening what is before the @.
func shortEmail(n *text) maker {
	if n.max < 0 || n.max >= 30 {
		return email
	}
	return func(dst []byte, c run) []byte {
		dst = appendUnique(dst, max(1, min(12, n.max-6)), c)
		return append(dst, "@ex.io"...)
	}
}

func shortAddress(n *text) maker {
	if n.max < 0 || n.max >= 28 {
		return func(dst []byte, c run) []byte {
			at := len(dst)
			dst = address(dst, c)
			return appendUnique(dst, max(0, n.min-(len(dst)-at)), c)
		}
	}
	return func(dst []byte, c run) []byte {
		return appendUnique(append(dst, "http://a.io/"...), max(0, min(8, n.max-12)), c)
	}
}

// encoded makes base64 (RFC 4648, padded) of about the least length.
func encoded(n *text) maker {
	groups := max(4, (n.min+3)/4)
	if n.max >= 0 {
		groups = min(groups, n.max/4)
	}
	return func(dst []byte, c run) []byte { return appendUnique(dst, 4*groups, c) }
}

// formatCheck returns what tells whether a text has a format; nil for formats
// that servers do not enforce.
func formatCheck(format string) func(string) bool {
	switch strings.ToLower(format) {
	case "uuid":
		return uuidPattern.MatchString
	case "email":
		return emailPattern.MatchString
	case "date-time":
		return func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil }
	case "date":
		return func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }
	case "ipv4":
		return func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }
	case "ipv6":
		return func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }
	case "uri":
		return func(s string) bool { u, err := url.Parse(s); return err == nil && u.Scheme != "" }
	case "hostname":
		return func(s string) bool { return s != "" && len(s) <= 253 && !strings.ContainsAny(s, " /:@") }
	case "byte":
		return func(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil }
	default:
		return nil
	}
}

var (
	uuidPattern  = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	emailPattern = regexp.MustCompile(`^[^@]+@[^@<>",\s]+$`)
)
