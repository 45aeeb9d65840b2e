package render

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// bodyFields prints the fields of a request that hold its body.
func bodyFields(g *goFile, op *model.Op) {
	for _, b := range op.Bodies() {
		if len(op.Others) > 0 {
			g.P("%s", comment("\t", b.GoName, "is set when the request is "+strings.Join(b.Reads, " or ")+"."))
		}
		g.P("\t%s %s%s", b.GoName, bodyType(b), rawTag(bodyType(b)))
	}
}

// rawTag is the tag of a field of raw JSON: absent is not null, in calls between
// services too.
func rawTag(goType string) string {
	if goType == "json.RawMessage" {
		return " `json:\",omitzero\"`"
	}
	return ""
}

func bodyType(b *model.OpBody) string {
	switch {
	case b.Ref == nil:
		return "[]byte"
	case b.Required || b.Ref.Nilable():
		return b.Ref.Go()
	}
	return "*" + b.Ref.Go()
}

// decodeBodies prints the reading of the body: by its media type where there are
// several that become values of different types.
func decodeBodies(g *goFile, op *model.Op) {
	switch required := op.Body != nil && op.Operation.Body.Required; {
	case op.Body == nil:
	case len(op.Others) == 0 && !required && op.Body.Ref != nil:
		g.P("\tif r.HasBody() {")
		decodeBody(g, op.Body, false)
		g.P("\t}")
	case len(op.Others) == 0:
		decodeBody(g, op.Body, required)
	default:
		if !required {
			g.P("\tif !r.HasBody() {\n\t\treturn in\n\t}")
		}
		g.P("\tswitch r.Media(%s) {", quoted(op.Consumes))
		for _, b := range op.Bodies() {
			g.P("\tcase %s:", quoted(b.Reads))
			decodeBody(g, b, required)
		}
		g.P("\t}")
	}
}

// decodeBody prints the reading of a body into its field. Required says that its
// absence has to be refused here.
func decodeBody(g *goFile, b *model.OpBody, required bool) {
	dst := "in." + b.GoName
	pointer := strings.HasPrefix(bodyType(b), "*")
	switch {
	case b.Ref == nil:
		if required {
			g.P("\tr.RequireBody()")
		}
		g.P("\t%s = r.Bytes()", dst)
	case b.Text:
		if required {
			g.P("\tr.RequireBody()")
		}
		g.P("\tif p := r.Text(); p.Set() {")
		value := dst
		if pointer {
			g.P("\t\t%s = new(%s)", dst, paramReading(b.Ref, "p"))
			value = "*" + dst
		} else {
			g.P("\t\t%s = %s", dst, paramReading(b.Ref, "p"))
		}
		for _, line := range checks(b.Ref, value, "p") {
			g.P("\t\t%s", line)
		}
		g.P("\t}")
	case b.Ref.Kind == model.RefStruct:
		if pointer {
			g.P("%s = new(%s)", dst, b.Ref.Go())
		}
		readBody(g, b, dst+".DecodeJSON")
	default:
		var inner goFile
		readInto(&inner, b.Ref, dst, pointer)
		readBody(g, b, "func(d *wire.Decoder) {\n"+inner.b.String()+"}")
	}
}

// readBody prints the call that decodes JSON or, where it may come instead, a form.
func readBody(g *goFile, b *model.OpBody, decode string) {
	if b.Form == nil {
		g.P("r.Body(%s)", decode)
		return
	}
	g.P("r.Form(%s, %s, %s)", b.Form.Var, decode, quoted(b.Reads))
}

// formDecl prints the variable that says how a form's fields are read.
func formDecl(g *goFile, f *model.FormPlan) {
	g.P("// %s says how the fields of a form are read as JSON.", f.Var)
	g.P("var %s = rest.Fields{", f.Var)
	formFields(g, f.Fields)
	g.P("}\n")
}

func formFields(g *goFile, fields []*model.FormField) {
	for _, f := range fields {
		var parts []string
		add := func(name, value string) { parts = append(parts, name+": "+value) }
		if f.Name != "" {
			add("Name", strconv.Quote(f.Name))
		}
		if f.Kind != "Text" {
			add("Kind", "rest."+f.Kind)
		}
		if f.List {
			add("List", "true")
		}
		if f.Split != "" {
			add("Split", strconv.Quote(f.Split))
		}
		if f.Null && f.Kind != "Text" {
			add("Null", "true")
		}
		if len(f.Fields) == 0 {
			g.P("\t{%s},", strings.Join(parts, ", "))
			continue
		}
		g.P("\t{%s, Fields: rest.Fields{", strings.Join(parts, ", "))
		formFields(g, f.Fields)
		g.P("\t}},")
	}
}

// formText is a URL-encoded form with the members of an object; false for a form
// of another kind. Placeholders in braces stay as they are.
func formText(b *model.OpBody, members map[string]json.RawMessage) (string, bool) {
	if b.Form == nil || !strings.HasPrefix(strings.ToLower(b.Media), model.URLEncodedForm) {
		return "", false
	}
	var out []string
	add := func(f *model.FormField, value json.RawMessage) {
		text := string(value)
		var plain string
		if json.Unmarshal(value, &plain) == nil {
			text = plain
		}
		if !strings.HasPrefix(text, "{") || strings.ContainsAny(text, ":\"") {
			text = url.QueryEscape(text)
		}
		out = append(out, url.QueryEscape(f.Name)+"="+text)
	}
	for _, f := range b.Form.Fields {
		value, ok := members[f.Name]
		if !ok {
			continue
		}
		var items []json.RawMessage
		if f.List && json.Unmarshal(value, &items) == nil {
			if f.Split != "" {
				return "", false
			}
			for _, item := range items {
				add(f, item)
			}
			continue
		}
		add(f, value)
	}
	return strings.Join(out, "&"), true
}
