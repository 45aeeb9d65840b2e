package wire

import (
	"encoding/json"
	"strings"
)

// Skip reads any value and drops it. Its syntax is checked all the same.
func (d *Decoder) Skip() {
	d.space()
	if d.pos == len(d.text) {
		d.fail("the text ends where a value is expected")
		return
	}
	switch c := d.text[d.pos]; c {
	case '{':
		d.skipObject()
	case '[':
		d.skipArray()
	case '"':
		d.quoted()
	case 't':
		d.word("true")
	case 'f':
		d.word("false")
	case 'n':
		d.word("null")
	default:
		end := -1
		if c == '-' || isDigit(c) {
			end = scanNumber(d.text, d.pos)
		}
		if end < 0 {
			d.fail("a value is expected")
			return
		}
		d.pos = end
	}
}

func (d *Decoder) skipObject() {
	if !d.enter() {
		return
	}
	for n := 0; d.more('}', n); n++ {
		if _, ok := d.name(); !ok {
			return
		}
		d.Skip()
	}
}

func (d *Decoder) skipArray() {
	if !d.enter() {
		return
	}
	for n := 0; d.more(']', n); n++ {
		d.Skip()
	}
}

// Raw reads any value, and returns its text without insignificant white space.
func (d *Decoder) Raw() json.RawMessage {
	if d.next() == 0 {
		return nil
	}
	start := d.pos
	d.Skip()
	if d.syntax != nil {
		return nil
	}
	return compact(d.text[start:d.pos])
}

// Compact returns a copy of a valid JSON text without insignificant white space.
func Compact(text []byte) json.RawMessage { return compact(string(text)) }

// compact copies a valid JSON text without the white space between its tokens.
func compact(text string) json.RawMessage {
	out := make(json.RawMessage, 0, len(text))
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			out = append(out, c)
			i++
			c = text[i]
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		out = append(out, c)
	}
	return out
}

// KindIs requires that a raw value is of one of the JSON Schema types named:
// object, array, string, number, integer, boolean, null.
func (d *Decoder) KindIs(raw json.RawMessage, kinds ...string) {
	if d.bad {
		return
	}
	have := kindOf(raw)
	for _, kind := range kinds {
		if kind == have || kind == "number" && have == "integer" {
			return
		}
	}
	if have == "integer" {
		have = "number"
	}
	d.Unreadable("must be " + choice(kinds) + ", not " + articled(have))
}

// kindOf returns the JSON Schema type of a valid raw value.
func kindOf(raw json.RawMessage) string {
	d := newDecoder(string(raw))
	defer d.Release()
	kind := d.Kind()
	if kind != "number" {
		return kind
	}
	if _, digits, exponent := decimal(d.text[d.pos:]); digits == "" || exponent >= 0 {
		return "integer"
	}
	return kind
}

// choice renders "a string, an object or null".
func choice(kinds []string) string {
	var text strings.Builder
	for i, kind := range kinds {
		switch {
		case i == 0:
		case i == len(kinds)-1:
			text.WriteString(" or ")
		default:
			text.WriteString(", ")
		}
		text.WriteString(articled(kind))
	}
	return text.String()
}
