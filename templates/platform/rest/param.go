package rest

import (
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Param is a parameter of a request, outside of its body. The constraints of the
// embedded Check are about its value.
type Param struct {
	wire.Check
	values []string
	header bool
}

// Set tells whether the parameter was sent.
func (p *Param) Set() bool { return len(p.values) > 0 }

// Required is Set, and reports a parameter that was not sent.
func (p *Param) Required() bool {
	if !p.Set() {
		p.Unreadable("is required")
	}
	return p.Set()
}

// one returns the value of a parameter that has one. It is text that every store
// can hold.
func (p *Param) one() (string, bool) {
	switch {
	case len(p.values) == 0:
		return "", false
	case len(p.values) > 1:
		p.Unreadable("must be given once")
		return "", false
	case strings.IndexByte(p.values[0], 0) >= 0:
		p.Unreadable("must not contain U+0000")
		return "", false
	case !utf8.ValidString(p.values[0]):
		p.Unreadable("must be valid UTF-8")
		return "", false
	default:
		return p.values[0], true
	}
}

// Cut takes off what stands before the value of a path parameter of the styles
// label (".") and matrix (";name=").
func (p *Param) Cut(prefix string) *Param {
	if len(p.values) != 1 || prefix == "" {
		return p
	}
	value, ok := strings.CutPrefix(p.values[0], prefix)
	if !ok {
		p.Unreadable("must begin with " + prefix)
		p.values = p.values[:0]
		return p
	}
	p.values[0] = value
	return p
}

// String returns the value as it was sent, less its escapes.
func (p *Param) String() string {
	s, _ := p.one()
	return s
}

// UUID returns the value as a UUID, RFC 9562: sent in either case, returned in
// lower case, so that keys compare.
func (p *Param) UUID() string {
	s, ok := p.one()
	if ok {
		p.Format(s, wire.UUID)
	}
	return strings.ToLower(s)
}

// Int64 returns the value as an integer.
func (p *Param) Int64() int64 { return p.integer(64) }

// Int32 returns the value as an integer of 32 bits.
func (p *Param) Int32() int32 {
	return int32(p.integer(32))
}

func (p *Param) integer(bits int) int64 {
	s, ok := p.one()
	if !ok {
		return 0
	}
	if !wire.IsNumber(s) {
		p.Unreadable("must be an integer")
		return 0
	}
	v, fault := wire.ParseInteger(s, bits)
	if fault != "" {
		p.Unreadable(fault)
	}
	return v
}

// Float64 returns the value as a number.
func (p *Param) Float64() float64 { return p.float(64) }

// Float32 returns the value as a number of single precision.
func (p *Param) Float32() float32 { return float32(p.float(32)) }

func (p *Param) float(bits int) float64 {
	s, ok := p.one()
	if !ok {
		return 0
	}
	if !wire.IsNumber(s) {
		p.Unreadable("must be a number")
		return 0
	}
	v, err := strconv.ParseFloat(s, bits)
	if err != nil {
		p.Unreadable("is out of range")
		return 0
	}
	return v
}

// Bool returns the value as a boolean: true or false.
func (p *Param) Bool() bool {
	s, ok := p.one()
	if ok && s != "true" && s != "false" {
		p.Unreadable("must be true or false")
	}
	return s == "true"
}

// Time returns the value as an RFC 3339 date and time, in UTC and whole microseconds.
func (p *Param) Time() time.Time {
	s, ok := p.one()
	if !ok {
		return time.Time{}
	}
	t, ok := wire.ParseTime(s)
	if !ok {
		p.Unreadable("must be " + wire.DateTime.String())
	}
	return t
}

// Items yields the elements of an array. With an empty separator they are
// repeated parameters (OpenAPI's explode), else parts of one value. Spaces around those
// of a header mean nothing.
func (p *Param) Items(separator string) iter.Seq[*Param] {
	return func(yield func(*Param) bool) {
		values := p.values
		if separator != "" {
			if p.header && len(values) > 1 { // its lines are one list: RFC 9110, section 5.3
				p.values = []string{strings.Join(values, separator)}
			}
			s, ok := p.one()
			if !ok || s == "" {
				return
			}
			values = strings.Split(s, separator)
		}
		for i, value := range values {
			if p.header {
				value = strings.Trim(value, " \t")
			}
			item := &Param{Check: p.At(i), values: []string{value}}
			proceed := yield(item)
			if item.Failed() {
				p.Spoil()
			}
			if !proceed {
				return
			}
		}
	}
}

// ItemCount bounds the number of elements of an array. A negative maximum means no bound.
func (p *Param) ItemCount(n, least, most int) { p.Check.Items(n, least, most) }
