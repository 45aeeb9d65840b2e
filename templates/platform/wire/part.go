package wire

import (
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// File is a file that came with a form.
type File struct {
	Name string `json:"name"` // as the client calls it: no path to trust
	Type string `json:"type"` // media type, "" if the client did not say
	Data []byte `json:"data"`
}

// NewPart returns a decoder for a JSON text that was made from one part of a
// request: its errors go to errs, and are about what in and names say. A number
// that stands for a file is its index in files. Call Release when the decoder
// is no longer needed.
func NewPart(errs *Errors, text []byte, files []File, in string, names ...string) *Decoder {
	d := NewDecoder(text)
	d.errs, d.in, d.files = errs, in, files
	for _, name := range names {
		d.path = append(d.path, step{key: name, index: -1})
	}
	return d
}

// File reads a file of a form.
func (d *Decoder) File() File {
	if c := d.next(); d.files == nil || !isDigit(c) {
		d.wrong("a file")
		return File{}
	}
	i := d.Int64()
	if i < 0 || i >= int64(len(d.files)) {
		d.Unreadable("must be a file")
		return File{}
	}
	return d.files[i]
}

// FileSize bounds the number of bytes of a file. A negative maximum means no bound.
func (c *Check) FileSize(f File, least, most int) {
	if !c.bad {
		c.size(len(f.Data), least, most, "byte", "have", "")
	}
}

// MediaType requires that a file is of one of the media types; image/* stands
// for all images. A file of no type is taken to be.
func (c *Check) MediaType(f File, allowed ...string) {
	if c.bad || f.Type == "" {
		return
	}
	have, _, _ := strings.Cut(f.Type, ";")
	have = strings.ToLower(strings.TrimSpace(have))
	for _, a := range allowed {
		main, all := strings.CutSuffix(a, "*")
		if a == have || all && strings.HasPrefix(have, strings.TrimSuffix(main, "*")) || a == "*/*" {
			return
		}
	}
	c.Fail("must be of the media type " + strings.Join(allowed, " or ") + ", not " + have)
}

// Valid tells whether a text is one JSON value, within the bounds on nesting.
func Valid(text []byte) bool {
	d := NewDecoder(text)
	defer d.Release()
	d.Skip()
	d.End()
	return d.syntax == nil
}

// AppendString appends a text as a JSON string. Bytes that are not UTF-8 become
// U+FFFD.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// Mark returns where the value at hand begins; see [Decoder.Since].
func (d *Decoder) Mark() int {
	d.space()
	return d.pos
}

// Since returns the text that was read since a mark.
func (d *Decoder) Since(mark int) string { return d.text[mark:d.pos] }

// Sound tells whether nothing is wrong with the value just read, nor inside it.
func (d *Decoder) Sound() bool { return !d.bad && !d.failed && !d.part && d.syntax == nil }

// Fault reports a fault of the value just read or, with names, of a part of it.
func (c *Check) Fault(message string, names ...string) {
	if c.bad {
		return
	}
	c.part = true
	c.errs.Add(problem.FieldError{In: c.in, Pointer: pointer(c.path) + Pointer(names...), Message: message})
}
