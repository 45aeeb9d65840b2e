package wire

import (
	"sync"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// maxDepth bounds the nesting of arrays and objects.
const maxDepth = 200

// Decoder reads one JSON text from its start to its end. Each method that reads
// a value also makes it the value that the constraints of the embedded [Check]
// are about. A Decoder is for one goroutine.
type Decoder struct {
	Check
	text   string
	pos    int
	depth  int
	keys   []string // names seen in the objects that are open, outermost first
	size   int      // number of properties of the object read last
	own    Errors
	syntax *SyntaxError
	files  []File // that came with the form
	trials *int   // bytes that unions may still try variants on
}

// decoders holds idle decoders: their stacks are worth keeping.
//
//nolint:gochecknoglobals // a pool holds no state that anyone can observe
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// NewDecoder returns a decoder for a JSON text. Strings that it returns share
// one copy of the text. Call Release when the decoder is no longer needed.
func NewDecoder(text []byte) *Decoder { return newDecoder(string(text)) }

func newDecoder(text string) *Decoder {
	d := decoders.Get().(*Decoder) //nolint:forcetypeassert // the pool holds nothing else
	d.text = text
	d.errs, d.in = &d.own, "body"
	return d
}

// Release gives the decoder back; it must not be used afterwards. What it
// returned stays valid.
func (d *Decoder) Release() {
	clear(d.keys[:cap(d.keys)])
	clear(d.path[:cap(d.path)])
	*d = Decoder{keys: d.keys[:0], Check: Check{path: d.path[:0]}}
	decoders.Put(d)
}

// Decode reads a whole JSON text with read. It returns the field errors, or a
// *[SyntaxError] if the text is not valid JSON.
func Decode(text []byte, read func(*Decoder)) ([]problem.FieldError, error) {
	d := NewDecoder(text)
	defer d.Release()
	read(d)
	d.End()
	if err := d.Syntax(); err != nil {
		return nil, err
	}
	return d.Errors(), nil
}

// Errors returns what is wrong with the values read so far, nil if nothing is.
func (d *Decoder) Errors() []problem.FieldError { return d.own.List() }

// Syntax returns a *[SyntaxError] if the text turned out not to be JSON.
func (d *Decoder) Syntax() error {
	if d.syntax == nil {
		return nil
	}
	return d.syntax
}

// End requires that nothing but white space follows the value that was read.
func (d *Decoder) End() {
	d.space()
	if d.syntax == nil && d.pos < len(d.text) {
		d.fail("more text follows the value")
	}
}

// fail ends the decoding: the text is not JSON.
func (d *Decoder) fail(reason string) { d.failAtByte(d.pos, reason) }

func (d *Decoder) failAtByte(offset int, reason string) {
	if d.syntax == nil {
		d.syntax = &SyntaxError{Offset: offset, Reason: reason}
	}
	d.pos = len(d.text) // every later read finds the end, and stays silent
	d.bad = true
}

// space moves to the next byte that is not white space.
func (d *Decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// next moves to the value at hand and returns its first byte, 0 at the end of
// the text.
func (d *Decoder) next() byte {
	d.bad, d.part, d.failed = false, false, false
	d.space()
	if d.pos == len(d.text) {
		d.fail("the text ends where a value is expected")
		return 0
	}
	return d.text[d.pos]
}

// wrong reports that the value at hand is not what the schema wants, and skips it.
func (d *Decoder) wrong(want string) {
	if d.syntax != nil {
		return
	}
	kind := d.kind()
	d.Skip()
	switch kind {
	case "":
	case "null":
		d.Unreadable("must be " + want + ", not null")
	default:
		d.Unreadable("must be " + want + ", not " + articled(kind))
	}
	d.bad = true
}

// Kind tells what the value at hand is without reading it: object, array,
// string, number, boolean, null, or "" where there is none.
func (d *Decoder) Kind() string {
	d.space()
	return d.kind()
}

func (d *Decoder) kind() string {
	if d.pos == len(d.text) {
		return ""
	}
	switch c := d.text[d.pos]; c {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		if c == '-' || isDigit(c) {
			return "number"
		}
		return ""
	}
}

func articled(kind string) string {
	switch kind {
	case "null":
		return kind
	case "object", "array", "integer":
		return "an " + kind
	default:
		return "a " + kind
	}
}

// Null reads a null, and tells whether there was one. Any other value is left
// where it is.
func (d *Decoder) Null() bool {
	if d.next() != 'n' {
		return false
	}
	return d.word("null")
}

// word reads one of the three literal names.
func (d *Decoder) word(name string) bool {
	end := d.pos + len(name)
	if end > len(d.text) || d.text[d.pos:end] != name {
		d.fail("a value is expected")
		return false
	}
	d.pos = end
	return true
}

// Bool reads a boolean.
func (d *Decoder) Bool() bool {
	switch d.next() {
	case 't':
		return d.word("true")
	case 'f':
		d.word("false")
		return false
	default:
		d.wrong("a boolean")
		return false
	}
}
