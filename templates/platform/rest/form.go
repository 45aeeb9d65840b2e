package rest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Media types of forms.
const (
	urlencodedForm = "application/x-www-form-urlencoded"
	multipartForm  = "multipart/form-data"
)

// maxParts bounds the parts of a multipart form.
const maxParts = 1000

// Media returns which of the media types the body is of: the first one if the
// request does not say, or says something that only a range among them covers.
func (r *Request) Media(declared ...string) string {
	have, _, err := mime.ParseMediaType(r.http.Header.Get("Content-Type"))
	if err != nil || have == "" {
		return declared[0]
	}
	main, _, _ := strings.Cut(have, "/")
	best, specific := declared[0], -1
	for _, d := range declared {
		plain, _, _ := strings.Cut(d, ";")
		plain = strings.ToLower(strings.TrimSpace(plain))
		score := -1
		switch plain {
		case have:
			score = 2
		case main + "/*":
			score = 1
		case "*/*":
			score = 0
		}
		if score > specific {
			best, specific = d, score
		}
	}
	return best
}

// Form reads the request's body, which must be there, as JSON or as a form with
// the given fields, whichever it is. A body without a Content-Type is taken for
// the first media type.
func (r *Request) Form(fields Fields, decode func(*wire.Decoder), declared ...string) {
	switch have, parameters, _ := mime.ParseMediaType(orElse(r.http.Header.Get("Content-Type"), declared[0])); have {
	case urlencodedForm:
		if r.RequireBody() {
			t := newTree(fields, 0)
			r.form = r.pairs(r.form, string(r.text()), "form")
			for _, p := range r.form {
				if !t.add(p.name, p.value, false) {
					r.refuse(problem.BadRequest("the form has too many fields"))
					break
				}
			}
			r.formTree(t, nil, decode)
		}
	case multipartForm:
		if r.RequireBody() {
			if t, files, ok := r.parts(fields, parameters["boundary"]); ok {
				r.formTree(t, files, decode)
			}
		}
	default:
		r.Body(decode)
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// formTree decodes what a form's fields amount to.
func (r *Request) formTree(t *tree, files []wire.File, decode func(*wire.Decoder)) {
	if r.fault != nil {
		return
	}
	text := t.json(nil, func(name, message string) {
		r.errs.Add(problem.FieldError{In: "body", Pointer: wire.Pointer(name), Message: message})
	})
	r.decode(wire.NewPart(&r.errs, text, files, "body"), decode)
}

// decode reads a value that was put together from a part of the request.
func (r *Request) decode(d *wire.Decoder, read func(*wire.Decoder)) {
	defer d.Release()
	read(d)
	d.End()
	if err := d.Syntax(); err != nil {
		r.refuse(problem.BadRequest(err.Error()))
	}
}

// parts takes a multipart form apart. Files are told by number in the tree.
func (r *Request) parts(fields Fields, boundary string) (t *tree, files []wire.File, ok bool) {
	t = newTree(fields, 0)
	files = []wire.File{}
	if boundary == "" {
		r.refuse(problem.BadRequest("the multipart form has no boundary"))
		return nil, nil, false
	}
	reader := multipart.NewReader(bytes.NewReader(r.text()), boundary)
	for n := 0; ; n++ {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return t, files, true
		}
		if err != nil || n == maxParts {
			r.refuse(problem.BadRequest("the multipart form is malformed, or has too many parts"))
			return nil, nil, false
		}
		data, err := io.ReadAll(part) // no longer than the body, which is bounded
		if err != nil || part.FormName() == "" {
			r.refuse(problem.BadRequest("a part of the multipart form is malformed, or has no name"))
			return nil, nil, false
		}
		contentType := part.Header.Get("Content-Type")
		media, _, _ := strings.Cut(contentType, ";")
		f := fields.named(strings.TrimSuffix(part.FormName(), "[]"))
		var added bool
		if f != nil && f.Kind == Binary {
			added = t.add(part.FormName(), strconv.Itoa(len(files)), true)
			files = append(files, wire.File{Name: part.FileName(), Type: contentType, Data: data})
		} else {
			added = t.add(part.FormName(), string(data), isJSON(strings.ToLower(strings.TrimSpace(media))))
		}
		if !added {
			r.refuse(problem.BadRequest("the form has too many fields"))
			return nil, nil, false
		}
	}
}

// RequireBody refuses a request without a body, and tells whether it has one.
func (r *Request) RequireBody() bool {
	if len(r.text()) > 0 {
		return r.fault == nil
	}
	r.refuse(problem.BadRequest("a request body is required"))
	return false
}

// Text returns the body as a value of its own: a text, in UTF-8.
func (r *Request) Text() *Param {
	p := r.param("body", "")
	p.Whole(&r.errs, "body")
	if r.HasBody() {
		p.values = append(p.values, string(r.text()))
	}
	return p
}
