package model

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
)

// KeyPart is a part of the keys that the store makes: a text, or random characters.
type KeyPart struct {
	Text   string
	From   string // what the characters are taken from; "": Text stands as it is
	Length int
}

// Bounds of the keys that are made.
const (
	minKeyBits   = 60  // of chance, so that no two are ever alike
	maxKeyLength = 200 // characters
	keyLength    = 32  // of a run that may have any length
	maxTries     = 4   // at making a run longer
)

// uuidLike has the form of every key that is made where the schema asks for no other.
const uuidLike = "0197f3a0-8c1e-7abc-9def-0123456789ab"

// What keys are made of, by preference.
const (
	HexDigits  = "0123456789abcdef"
	PlainChars = "0123456789abcdefghijklmnopqrstuvwxyz"
	upperChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// keyForm decides what keys the store makes so that they satisfy a schema: nil parts
// for UUIDs; not ok when it finds none.
func keyForm(s *Schema) (parts []KeyPart, ok bool) {
	if acceptsUUID(s) {
		return nil, true
	}
	switch {
	case s.Const != nil || s.Enum != nil || stringFormat(s.Format):
		return nil, false
	case s.Pattern == "" && s.Format == "uuid": // a bound that no UUID keeps
		return nil, false
	case s.Pattern == "":
		length := max(keyLength, s.MinLength)
		if s.MaxLength != nil {
			length = max(0, min(length, *s.MaxLength))
		}
		parts = []KeyPart{{From: PlainChars, Length: length}}
		return parts, fitting(parts, s, nil)
	}
	expr, ok := RE2(s.Pattern)
	if !ok {
		return nil, false
	}
	matches, err := regexp.Compile(expr)
	if err != nil {
		return nil, false
	}
	if fitsLength(len(uuidLike), s) && matches.MatchString(uuidLike) && matches.MatchString(strings.Map(digitsAside, uuidLike)) {
		return nil, true
	}
	if s.Format == "uuid" {
		return nil, false
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, false
	}
	parts = merge(keyParts(tree.Simplify()))
	if fitting(parts, s, matches) {
		return parts, true
	}
	tries := 0
	for i := range parts { // what may be longer than it has to be
		if parts[i].From == "" || tries == maxTries {
			continue
		}
		tries++
		was := parts[i].Length
		parts[i].Length = keyLength
		if s.MaxLength != nil {
			parts[i].Length = max(1, min(keyLength, *s.MaxLength-(keyWidth(parts)-keyLength)))
		}
		if fitting(parts, s, matches) {
			return parts, true
		}
		parts[i].Length = was
	}
	return nil, false
}

// digitsAside turns the digits that a UUID has by chance into others.
func digitsAside(r rune) rune {
	switch {
	case r >= '1' && r <= '6':
		return r + ('a' - '1')
	case r >= 'a' && r <= 'f':
		return r - ('a' - '1')
	}
	return r
}

// fitting reports whether all keys of the form satisfy a schema, and no two are alike.
func fitting(parts []KeyPart, s *Schema, matches *regexp.Regexp) bool {
	if width := keyWidth(parts); width > maxKeyLength || !fitsLength(width, s) {
		return false
	}
	bits := 0.0
	var first, last strings.Builder
	for _, p := range parts {
		if p.From == "" {
			first.WriteString(p.Text)
			last.WriteString(p.Text)
			continue
		}
		bits += float64(p.Length) * math.Log2(float64(len(p.From)))
		first.WriteString(strings.Repeat(p.From[:1], p.Length))
		last.WriteString(strings.Repeat(p.From[len(p.From)-1:], p.Length))
	}
	return bits >= minKeyBits && (matches == nil || matches.MatchString(first.String()) && matches.MatchString(last.String()))
}

func fitsLength(n int, s *Schema) bool {
	return n >= s.MinLength && (s.MaxLength == nil || n <= *s.MaxLength)
}

// keyParts makes a form of an expression. What may repeat does so as often as a good
// key needs, what may be left out is.
func keyParts(re *syntax.Regexp) []KeyPart {
	switch re.Op {
	case syntax.OpLiteral:
		return []KeyPart{{Text: string(re.Rune)}}
	case syntax.OpCharClass:
		if from := characters(re.Rune); from != "" {
			return []KeyPart{{From: from, Length: 1}}
		}
		return []KeyPart{{Text: string(re.Rune[:1])}}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []KeyPart{{From: HexDigits, Length: 1}}
	case syntax.OpCapture:
		return keyParts(re.Sub[0])
	case syntax.OpAlternate:
		best := keyParts(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			if other := keyParts(sub); chance(other) > chance(best) {
				best = other
			}
		}
		return best
	case syntax.OpConcat:
		var out []KeyPart
		for _, sub := range re.Sub {
			out = append(out, keyParts(sub)...)
		}
		return out
	case syntax.OpPlus:
		return repeated(re.Sub[0])
	case syntax.OpStar:
		if re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL {
			return nil // .* around what matters
		}
		return repeated(re.Sub[0])
	}
	return nil // an assertion, or what may be left out
}

// repeated is a run of one character class, or whatever it is once.
func repeated(re *syntax.Regexp) []KeyPart {
	parts := keyParts(re)
	if len(parts) == 1 && parts[0].From != "" {
		parts[0].Length = keyLength
	}
	return parts
}

func keyWidth(parts []KeyPart) int {
	n := 0
	for _, p := range parts {
		n += len([]rune(p.Text)) + p.Length
	}
	return n
}

// chance counts the characters that are random.
func chance(parts []KeyPart) int {
	n := 0
	for _, p := range parts {
		if p.From != "" {
			n += p.Length
		}
	}
	return n
}

// characters are those of a class that keys are made of, "" for none. Where letters of
// both cases will do, the small ones do.
func characters(class []rune) string {
	within := func(set string) string {
		return strings.Map(func(r rune) rune {
			for i := 0; i < len(class); i += 2 {
				if r >= class[i] && r <= class[i+1] {
					return r
				}
			}
			return -1
		}, set)
	}
	from := within(PlainChars)
	if len(from) <= 10 { // no small letters
		from += within(upperChars)
	}
	return from
}

// merge joins parts that stand side by side and are alike.
func merge(parts []KeyPart) []KeyPart {
	var out []KeyPart
	for _, p := range parts {
		if n := len(out) - 1; n >= 0 && out[n].From == p.From {
			out[n].Text += p.Text
			out[n].Length += p.Length
			continue
		}
		out = append(out, p)
	}
	return out
}
