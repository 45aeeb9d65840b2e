package sample

import (
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
)

// maker appends one candidate for a text, unquoted.
type maker func(dst []byte, c run) []byte

// text makes strings: a candidate is made, checked and quoted in place.
type text struct {
	make     maker
	min, max int // in code points; max -1 means unbounded
	re       expression
	format   func(string) bool
	fallback []byte // a known good value, as JSON
}

func (n *text) append(dst []byte, c run) []byte {
	start := len(dst)
	for range checkAttempts {
		dst = n.make(append(dst[:start], '"'), c)
		if n.fits(dst[start+1:]) {
			return closeQuote(dst, start+1)
		}
	}
	return append(dst[:start], n.fallback...)
}

func (n *text) fits(v []byte) bool {
	if count := utf8.RuneCount(v); count < n.min || (n.max >= 0 && count > n.max) {
		return false
	}
	if n.re != nil && !n.re.MatchString(string(v)) {
		return false
	}
	return n.format == nil || n.format(string(v))
}

// text compiles a string schema: the first way of making candidates that
// yields a good one is kept.
func (c *compiler) text(s *model.Schema, p place) (node, error) {
	n := &text{min: s.MinLength, max: -1}
	if s.MaxLength != nil {
		n.max = *s.MaxLength
	}
	if n.max >= 0 && n.max < n.min {
		return nil, cannot(p, "maxLength is below minLength")
	}
	if n.min > maxText {
		return nil, cannot(p, "minLength %d is more than %d", n.min, maxText)
	}
	var makers []maker
	if m := formatMaker(s.Format, n); m != nil {
		makers = append(makers, m)
	}
	if s.Pattern != "" {
		re, m, err := pattern(s.Pattern, p.name, n)
		if err != nil {
			return nil, cannot(p, "%v", err)
		}
		n.re = re
		makers = append(makers, m)
	}
	n.format = formatCheck(s.Format)
	makers = append(makers, named(p.name, n.min, n.max))
	for _, m := range makers {
		n.make = m
		if n.settle(c) {
			return n, nil
		}
	}
	return nil, cannot(p, "no text satisfies format %q, pattern %q and the lengths together", s.Format, s.Pattern)
}

// maxText bounds a generated text, in code points.
const maxText = 1 << 16

// settle looks for a candidate that fits, to keep as the fallback. Format
// checks that no candidate needs at run time are dropped.
func (n *text) settle(c *compiler) bool {
	good := 0
	for range 4 * checkAttempts {
		v := n.make(nil, run{r: c.trial})
		if !n.fits(v) {
			continue
		}
		good++
		if n.fallback == nil {
			n.fallback = quote(nil, string(v))
		}
	}
	if good == 4*checkAttempts && n.re == nil {
		n.format = nil
	}
	return good > 0
}

// closeQuote ends a string whose raw text begins at dst[at], escaping it if it
// needs to be.
func closeQuote(dst []byte, at int) []byte {
	for _, b := range dst[at:] {
		if b < 0x20 || b == '"' || b == '\\' {
			raw := string(dst[at:])
			return quote(dst[:at-1], raw)
		}
	}
	return append(dst, '"')
}

// quote appends s as a JSON string (RFC 8259).
func quote(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
