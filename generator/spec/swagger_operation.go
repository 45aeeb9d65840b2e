package spec

import (
	"fmt"
	"slices"
	"strings"
)

const urlencoded = "application/x-www-form-urlencoded"

// swaggerOperation is one operation of a Swagger document while it is put right.
type swaggerOperation struct {
	s            *swagger
	path, method string
	op           map[string]any
}

func (o *swaggerOperation) warn(message, hint string, keys ...string) {
	o.s.warn(append([]string{"paths", o.path, o.method}, keys...), message, hint)
}

// prepare writes into the operation what it has from its path and the document.
func (o *swaggerOperation) prepare(shared []map[string]any) {
	for _, key := range []string{"consumes", "produces"} {
		if list, _ := o.op[key].([]any); len(list) == 0 && o.s.tree[key] != nil {
			o.op[key] = o.s.tree[key]
		}
	}
	var kept []any
	seen, body, form, file := map[string]bool{}, "", false, false
	for _, p := range append(o.s.inlined(o.op["parameters"]), shared...) {
		in, _ := p["in"].(string)
		name, _ := p["name"].(string)
		key := in + " " + name
		switch {
		case seen[key]:
			continue // the operation's own wins over its path's
		case in == "body" && (body != "" || form), in == "formData" && body != "":
			o.warn(fmt.Sprintf("parameter %.60q is left out: the operation has a body already", name), "a request has one body: keep one `in: body`, or only `in: formData`", "parameters")
			continue
		}
		seen[key] = true
		switch in {
		case "body":
			body = key
		case "formData":
			form = true
			file = file || p["type"] == "file"
		}
		if p["type"] == "array" && in != "body" {
			o.list(p, in, name)
		}
		kept = append(kept, p)
	}
	o.op["parameters"] = kept
	o.consume(body != "", form, file)
	o.respond()
}

// list says how the items of a list stand in a request: Swagger's default is not
// that of OpenAPI 3, and some of its formats OpenAPI 3 does not have.
func (o *swaggerOperation) list(p map[string]any, in, name string) {
	format, _ := p["collectionFormat"].(string)
	if format == "" {
		format = "csv"
	}
	p["collectionFormat"] = format
	repeats := in == "query" || in == "formData"
	if repeats && listStyles[format] != "" {
		if in == "formData" {
			o.s.lists = append(o.s.lists, formList{o.path, o.method, name, format})
		}
		return
	}
	if format == "csv" {
		return
	}
	o.warn(fmt.Sprintf("collectionFormat %.20q in %s has no like in OpenAPI 3: parameter %.60q is read as one text", format, in, name), "write csv, or multi in a query", "parameters")
	for key := range p {
		if !slices.Contains([]string{"name", "in", "description", "required"}, key) && !strings.HasPrefix(key, "x-") {
			delete(p, key)
		}
	}
	p["type"] = "string"
}

// consume says which media types a request's body has.
func (o *swaggerOperation) consume(body, form, file bool) {
	types := texts(o.op["consumes"])
	switch {
	case form && file:
		if len(types) > 0 && !slices.ContainsFunc(types, isMultipart) {
			o.warn("a form with files travels as multipart/form-data, whatever `consumes` says", "write `consumes: [multipart/form-data]`", "consumes")
		}
		types = []string{"multipart/form-data"}
	case form:
		forms := slices.DeleteFunc(slices.Clone(types), func(t string) bool {
			return !isMultipart(t) && !strings.HasPrefix(strings.ToLower(t), urlencoded)
		})
		if len(forms) == 0 {
			forms = []string{urlencoded}
		}
		types = forms
	case body && len(types) == 0:
		types = []string{"application/json"}
	}
	o.op["consumes"] = types
	if !form || !slices.ContainsFunc(types, isMultipart) {
		return
	}
	for _, l := range o.s.lists {
		if l.path == o.path && l.method == o.method && l.format != "multi" {
			o.warn(fmt.Sprintf("list %.60q of a multipart form is read from parts of one name, not as %s", l.name, l.format), "write `collectionFormat: multi`", "parameters")
		}
	}
}

// respond drops the examples that would make a media type of their own.
func (o *swaggerOperation) respond() {
	types := texts(o.op["produces"])
	if len(types) == 0 {
		types = []string{"application/json"}
	}
	for _, response := range object(o.op["responses"]) {
		r := object(response)
		for mediaType := range object(r["examples"]) {
			if r["schema"] == nil || !slices.Contains(types, mediaType) {
				delete(object(r["examples"]), mediaType)
			}
		}
	}
}

func isMultipart(mediaType string) bool {
	return strings.HasPrefix(strings.ToLower(mediaType), "multipart/form-data")
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
