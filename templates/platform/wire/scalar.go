package wire

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// String reads a string. One that holds U+0000 is refused: JSON allows it, but not
// every store can hold it.
func (d *Decoder) String() string {
	if d.next() != '"' {
		d.wrong("a string")
		return ""
	}
	s, _ := d.quoted()
	if strings.IndexByte(s, 0) >= 0 {
		d.Unreadable("must not contain U+0000")
		return ""
	}
	return s
}

// UUID reads a UUID, RFC 9562, in either case, and returns it in lower case, so
// that keys compare.
func (d *Decoder) UUID() string {
	s := d.String()
	d.Format(s, UUID)
	return strings.ToLower(s)
}

// Time reads an RFC 3339 date and time. The result is in UTC, in whole
// microseconds: what the stores keep.
func (d *Decoder) Time() time.Time {
	s := d.String()
	if d.bad {
		return time.Time{}
	}
	t, ok := ParseTime(s)
	if !ok {
		d.Unreadable("must be " + DateTime.String())
	}
	return t
}

// Bytes reads a string that holds standard base64, RFC 4648 section 4.
func (d *Decoder) Bytes() []byte {
	s := d.String()
	if d.bad {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		d.Unreadable("must be " + Byte.String())
		return nil
	}
	return b
}

// Int64 reads an integer. As in JSON Schema, 1.0 and 1e2 are integers.
func (d *Decoder) Int64() int64 { return d.integer(64) }

// Int32 reads an integer of 32 bits.
func (d *Decoder) Int32() int32 {
	return int32(d.integer(32))
}

func (d *Decoder) integer(bits int) int64 {
	text, ok := d.number("an integer")
	if !ok {
		return 0
	}
	v, fault := ParseInteger(text, bits)
	if fault != "" {
		d.Unreadable(fault)
	}
	return v
}

// Float64 reads a number.
func (d *Decoder) Float64() float64 { return d.float(64) }

// Float32 reads a number of single precision.
func (d *Decoder) Float32() float32 { return float32(d.float(32)) }

func (d *Decoder) float(bits int) float64 {
	text, ok := d.number("a number")
	if !ok {
		return 0
	}
	v, err := strconv.ParseFloat(text, bits)
	if err != nil {
		d.Unreadable("is out of range")
		return 0
	}
	return v
}

// number reads the text of a number.
func (d *Decoder) number(want string) (string, bool) {
	if c := d.next(); c != '-' && !isDigit(c) {
		d.wrong(want)
		return "", false
	}
	end := scanNumber(d.text, d.pos)
	if end < 0 {
		d.fail("a number is malformed")
		return "", false
	}
	text := d.text[d.pos:end]
	d.pos = end
	return text, true
}

// quoted reads the string that begins at the quote at hand.
func (d *Decoder) quoted() (string, bool) {
	start, ascii := d.pos+1, true
	for i := start; i < len(d.text); i++ {
		switch c := d.text[i]; {
		case c == '"':
			s := d.text[start:i]
			if !ascii && !utf8.ValidString(s) {
				d.failAtByte(start, "a string is not valid UTF-8")
				return "", false
			}
			d.pos = i + 1
			return s, true
		case c == '\\':
			return d.unescape(start, i)
		case c < ' ':
			d.failAtByte(i, "a control character stands in a string")
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	d.failAtByte(len(d.text), "the text ends inside a string")
	return "", false
}

// unescape finishes a string that holds an escape, the first one at i.
func (d *Decoder) unescape(start, i int) (string, bool) {
	buf := make([]byte, 0, i-start+32)
	buf = append(buf, d.text[start:i]...)
	for i < len(d.text) {
		switch c := d.text[i]; {
		case c == '"':
			if !utf8.Valid(buf) {
				d.failAtByte(start, "a string is not valid UTF-8")
				return "", false
			}
			d.pos = i + 1
			return string(buf), true
		case c < ' ':
			d.failAtByte(i, "a control character stands in a string")
			return "", false
		case c != '\\':
			buf = append(buf, c)
			i++
		default:
			r, n := escape(d.text[i:])
			if n == 0 {
				d.failAtByte(i, "an escape sequence is invalid")
				return "", false
			}
			buf = utf8.AppendRune(buf, r)
			i += n
		}
	}
	d.failAtByte(len(d.text), "the text ends inside a string")
	return "", false
}

// escape reads the escape sequence that s begins with. It returns the number of
// bytes read, 0 if there is no valid one: half of a surrogate pair is none, for
// no UTF-8 text could hold it.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if s[1] != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, s[1])
		if i < 0 {
			return 0, 0
		}
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r, ok := hex4(s)
	if !ok || !utf16.IsSurrogate(r) {
		if !ok {
			return 0, 0
		}
		return r, 6
	}
	low, ok := hex4(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 reads \uXXXX.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		c := s[i]
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
