package render

import (
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

func responseTypes(g *goFile, op *model.Op) {
	marker := strings.ToLower(op.GoName[:1]) + op.GoName[1:] + "Response"
	g.P("// %sResponse is one of the responses of %s.", op.GoName, op.GoName)
	g.P("type %sResponse interface {\n\trest.Response\n\t%s()\n}\n", op.GoName, marker)
	for _, r := range op.Results {
		g.P("// %s is the response with status %d.", r.GoName, r.Status)
		fields := resultFields(r)
		if len(fields) == 0 {
			g.P("type %s struct{}\n", r.GoName)
		} else {
			g.P("type %s struct {", r.GoName)
			for _, f := range fields {
				g.P("\t%s", f)
			}
			g.P("}\n")
		}
		g.P("func (%s) %s() {}\n", r.GoName, marker)
		respond(g, r, len(fields) > 0)
	}
}

func resultFields(r *model.Result) (fields []string) {
	if r.Location {
		fields = append(fields, "Location string")
	}
	if r.ETag {
		fields = append(fields, "ETag string")
	}
	for _, h := range r.Headers {
		fields = append(fields, h.GoName+" string // header "+quoteComment(h.Name)+"; \"\" leaves it out")
	}
	switch {
	case r.Content:
		fields = append(fields, "Body *blob.Content")
	case r.Raw:
		fields = append(fields, "Body []byte")
	case r.Ref != nil:
		fields = append(fields, "Body "+r.Ref.Go())
	}
	return fields
}

func respond(g *goFile, r *model.Result, named bool) {
	receiver := r.GoName
	if named {
		receiver = "r " + receiver
	}
	g.P("// Respond writes the response.")
	g.P("func (%s) Respond(w *rest.Writer) {", receiver)
	if r.Location {
		g.P("\tw.Header().Set(\"Location\", r.Location)")
	}
	if r.ETag {
		g.P("\tw.Header().Set(\"ETag\", r.ETag)")
	}
	for _, h := range r.Headers {
		g.P("\tif r.%s != \"\" {\n\t\tw.Header().Set(%s, r.%s)\n\t}", h.GoName, strconv.Quote(h.Name), h.GoName)
	}
	status := statusConstant(r.Status)
	switch {
	case r.Content:
		g.P("\tr.Body.Respond(w)")
	case r.Raw:
		g.P("\tw.Bytes(%s, %s, r.Body)", status, strconv.Quote(r.Media))
	case r.Ref == nil:
		g.P("\tw.Empty(%s)", status)
	case r.Media == "application/json":
		g.P("\tw.JSON(%s, r.Body)", status)
	default:
		g.P("\tw.JSONAs(%s, %s, r.Body)", status, strconv.Quote(r.Media))
	}
	g.P("}\n")
}

func statusConstant(status int) string {
	name := map[int]string{
		200: "OK", 201: "Created", 202: "Accepted", 203: "NonAuthoritativeInfo", 204: "NoContent", 205: "ResetContent",
		206: "PartialContent", 301: "MovedPermanently", 302: "Found", 303: "SeeOther", 304: "NotModified",
		307: "TemporaryRedirect", 308: "PermanentRedirect",
	}[status]
	if name == "" {
		return strconv.Itoa(status)
	}
	return "http.Status" + name
}

// errorFunc prints the function that turns a problem into a declared error body.
func errorFunc(g *goFile, e *model.ErrorShape) {
	g.P("// %s gives a problem the shape that the API declares for errors.", e.Func)
	g.P("func %s(p *problem.Problem) (mediaType string, body any) {", e.Func)
	if e.Type == nil {
		g.P("\treturn %s, p\n}\n", strconv.Quote(e.Media))
		return
	}
	g.P("\treturn %s, %s{", strconv.Quote(e.Media), e.Type.Name)
	errorMembers(g, e.Fields)
	g.P("\t}\n}\n")
}

func errorMembers(g *goFile, fields []*model.ErrorField) {
	for _, f := range fields {
		value := map[string]string{
			"status": "int64(p.Status)", "title": "p.Title", "detail": "p.Message()", "code": "p.Code()", "value": f.Value,
		}[f.Source]
		opens, closes := "{", "}"
		switch f.Source {
		case "list":
			opens, closes = "{{", "}}"
			fallthrough
		case "object":
			opens = f.Field.Ref.Go() + opens
			switch {
			case f.Field.Presence == model.OptionalNullable:
				opens, closes = "wire.Some("+opens, closes+")"
			case f.Field.Pointer():
				opens = "&" + opens
			}
			g.P("\t\t%s: %s", f.Field.Name, opens)
			errorMembers(g, f.Fields)
			g.P("\t\t%s,", closes)
		default:
			g.P("\t\t%s: %s,", f.Field.Name, present(f.Field, value))
		}
	}
}

// present wraps a value for a field that holds it by pointer or wire.Nullable.
func present(f *model.Field, value string) string {
	switch {
	case f.Presence == model.OptionalNullable:
		return "wire.Some(" + converted(f.Ref, value) + ")"
	case f.Pointer():
		return "new(" + converted(f.Ref, value) + ")"
	}
	return value
}

// converted makes an untyped constant carry the type of the value it becomes.
func converted(r *model.Ref, value string) string {
	if len(value) > 0 && (value[0] >= '0' && value[0] <= '9' || value[0] == '-') {
		return typed(r, value)
	}
	return value
}
