package model

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// RE2 translates a pattern of ECMA-262, in Unicode mode, into one of Go's regexp
// package; false when it needs what RE2 cannot do: looking around, references back.
func RE2(pattern string) (string, bool) {
	t := &translation{in: pattern}
	for t.at < len(t.in) && !t.failed {
		t.next()
	}
	out := t.out.String()
	if t.failed {
		return "", false
	}
	if _, err := regexp.Compile(out); err != nil {
		return "", false
	}
	return out, true
}

// translation is a walk over a pattern.
type translation struct {
	in     string
	at     int
	out    strings.Builder
	class  bool // inside [ ]
	failed bool
}

// space and notSpace are the white space of ECMA-262, as members of a class.
const space = `\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

func (t *translation) next() {
	rest := t.in[t.at:]
	switch c := rest[0]; {
	case c == '\\':
		t.escape(rest)
	case t.class:
		t.member(rest)
	case c == '[':
		t.open(rest)
	case strings.HasPrefix(rest, "(?"):
		t.group(rest)
	default:
		_, n := utf8.DecodeRuneInString(rest)
		t.put(n, rest[:n])
	}
}

// put writes a translation of the next n bytes.
func (t *translation) put(n int, text string) {
	t.at += n
	t.out.WriteString(text)
}

// member translates one character of a class.
func (t *translation) member(rest string) {
	switch rest[0] {
	case ']':
		t.class = false
		t.put(1, "]")
	case '[': // RE2 would see a class by name in [:
		t.put(1, `\[`)
	default:
		_, n := utf8.DecodeRuneInString(rest)
		t.put(n, rest[:n])
	}
}

// open translates the beginning of a class: [] matches nothing, [^] anything.
func (t *translation) open(rest string) {
	switch {
	case strings.HasPrefix(rest, "[]"):
		t.put(2, `[^\x00-\x{10FFFF}]`)
	case strings.HasPrefix(rest, "[^]"):
		t.put(3, `[\x00-\x{10FFFF}]`)
	case strings.HasPrefix(rest, "[^"):
		t.class = true
		t.put(2, "[^")
	default:
		t.class = true
		t.put(1, "[")
	}
}

// group translates what follows "(?".
func (t *translation) group(rest string) {
	switch {
	case strings.HasPrefix(rest, "(?:"):
		t.put(3, "(?:")
	case strings.HasPrefix(rest, "(?="), strings.HasPrefix(rest, "(?!"), strings.HasPrefix(rest, "(?<="), strings.HasPrefix(rest, "(?<!"):
		t.failed = true
	case strings.HasPrefix(rest, "(?<"):
		t.put(3, "(?P<")
	default: // not ECMA-262: what Go makes of it stands
		t.put(2, "(?")
	}
}

// escape translates what begins with a backslash.
func (t *translation) escape(rest string) {
	if len(rest) < 2 {
		t.failed = true
		return
	}
	r, n := utf8.DecodeRuneInString(rest[1:])
	n++
	switch {
	case r == 'u' && t.unicode(rest):
	case r == 'c' && len(rest) > 2 && isLetter(rest[2]):
		t.put(3, hexRune(rune(rest[2]%32)))
	case r == 'x' && len(rest) > 3 && isHex(rest[2]) && isHex(rest[3]):
		t.put(4, `\x`+rest[2:4])
	case r == '0' && (len(rest) == 2 || rest[2] < '0' || rest[2] > '9'):
		t.put(2, `\x00`)
	case r == 's' && t.class:
		t.put(2, space)
	case r == 's':
		t.put(2, "["+space+"]")
	case r == 'S' && !t.class:
		t.put(2, "[^"+space+"]")
	case r == 'S': // a class within a class has no form in RE2 beside other members
		t.put(2, `\S`)
	case r == 'b' && t.class:
		t.put(2, `\x08`)
	case strings.ContainsRune("dDwWbBfnrtv", r):
		t.put(2, rest[:2])
	case (r == 'p' || r == 'P') && strings.HasPrefix(rest[2:], "{"):
		t.property(rest)
	case r >= '1' && r <= '9' || r == 'k':
		t.failed = true // a reference back
	case r == '-' && t.class:
		t.put(2, `\-`)
	case strings.ContainsRune(`\.+*?()|[]{}^$`, r):
		t.put(2, rest[:2])
	default:
		t.put(n, regexp.QuoteMeta(string(r)))
	}
}

// unicode translates \uXXXX, a pair of them that is one character, and \u{X}.
func (t *translation) unicode(rest string) bool {
	if strings.HasPrefix(rest, `\u{`) {
		end := strings.IndexByte(rest, '}')
		if end < 4 || strings.Trim(rest[3:end], "0123456789abcdefABCDEF") != "" {
			return false
		}
		t.put(end+1, `\x{`+rest[3:end]+`}`)
		return true
	}
	high, ok := hex4(rest)
	if !ok {
		return false
	}
	if high >= 0xd800 && high < 0xdc00 {
		if low, ok := hex4(rest[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			t.put(12, hexRune(0x10000+(high-0xd800)<<10+(low-0xdc00)))
			return true
		}
	}
	if high >= 0xd800 && high < 0xe000 {
		t.failed = true // half a character: no text of ours holds one
		return true
	}
	t.put(6, hexRune(high))
	return true
}

// property translates \p{…}: RE2 has the general categories and scripts, by
// another spelling of some.
func (t *translation) property(rest string) {
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		t.failed = true
		return
	}
	name := rest[3:end]
	if _, value, ok := strings.Cut(name, "="); ok { // Script=Greek, gc=L
		name = value
	}
	switch short := map[string]string{
		"Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Titlecase_Letter": "Lt", "Number": "N", "Decimal_Number": "Nd",
		"Punctuation": "P", "punct": "P", "Symbol": "S", "Separator": "Z", "Mark": "M", "Other": "C", "Control": "Cc", "Alphabetic": "L",
	}[name]; {
	case name == "Any":
		name = `\x00-\x{10FFFF}`
		if !t.class {
			name = "[" + name + "]"
		}
		t.put(end+1, name)
		return
	case short != "":
		name = short
	}
	t.put(end+1, rest[:2]+"{"+name+"}")
}

func hexRune(r rune) string {
	const digits = "0123456789abcdef"
	var b []byte
	for ; r > 0 || b == nil; r >>= 4 {
		b = append([]byte{digits[r&15]}, b...)
	}
	return `\x{` + string(b) + `}`
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		if !isHex(s[i]) {
			return 0, false
		}
		d := rune(s[i])
		switch {
		case d <= '9':
			d -= '0'
		case d >= 'a':
			d -= 'a' - 10
		default:
			d -= 'A' - 10
		}
		r = r<<4 | d
	}
	return r, true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
