package render

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// apiFile is api.gen.go: the messages of a service, with their decoders.
func apiFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	for _, pattern := range s.Patterns {
		g.P("var %s = regexp.MustCompile(%s)\n", pattern.Var, strconv.Quote(pattern.Expr))
	}
	for _, t := range s.Types {
		typeDecl(g, t)
	}
	return g
}

// httpFile is http.gen.go: what the service answers, and how requests reach it.
func httpFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.P("// Server is what the service answers. Defaults implements all of it; Service overrides it.")
	g.P("type Server interface {")
	for _, op := range s.Operations {
		g.P("%s", comment("\t", op.GoName+" answers "+op.Method+" "+op.Path+":", sentence(orElse(op.Summary, "no summary"))))
		g.P("\t%s(ctx context.Context, in %sRequest) (%sResponse, error)", op.GoName, op.GoName, op.GoName)
	}
	g.P("}\n")
	g.P("// Routes registers every operation.")
	g.P("func Routes(api *rest.API, s Server) {")
	for _, op := range s.Operations {
		route(g, p, op)
	}
	g.P("}\n")
	for _, op := range s.Operations {
		requestType(g, op)
		decodeRequest(g, op)
		responseTypes(g, op)
	}
	for _, e := range s.Errors {
		errorFunc(g, e)
	}
	return g
}

func orElse(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

func route(g *goFile, p *model.Project, op *model.Op) {
	g.P("\trest.Handle(api, rest.Operation{")
	g.P("\t\tID: %s, Method: %s, Path: %s,", strconv.Quote(op.ID), methodConstant(op.Method), strconv.Quote(op.Route))
	if security := securityExpr(p.API, op.Security); security != "" {
		g.P("\t\tSecurity: %s,", security)
	}
	if op.Idempotent != "" {
		g.P("\t\tIdempotent: true,")
	}
	if op.Idempotent == "required" {
		g.P("\t\tRequireKey: true,")
	}
	if op.Invalid != 422 {
		g.P("\t\tInvalid: http.StatusBadRequest,")
	}
	if len(op.Consumes) > 0 {
		g.P("\t\tConsumes: []string{%s},", quoted(op.Consumes))
	}
	if len(op.Produces) > 0 {
		g.P("\t\tProduces: []string{%s},", quoted(op.Produces))
	}
	if len(op.Refused) > 0 {
		g.P("\t\tRefused: []rest.ParameterName{")
		for _, r := range op.Refused {
			g.P("\t\t\t{In: %s, Name: %s},", strconv.Quote(r.In), strconv.Quote(r.Name))
		}
		g.P("\t\t},")
	}
	if op.Error != nil {
		g.P("\t\tErrors: %s,", op.Error.Func)
	}
	g.P("\t}, decode%s, s.%s)", op.GoName, op.GoName)
}

func methodConstant(method string) string {
	for _, known := range []struct{ method, name string }{
		{http.MethodGet, "Get"}, {http.MethodHead, "Head"}, {http.MethodPost, "Post"}, {http.MethodPut, "Put"},
		{http.MethodPatch, "Patch"}, {http.MethodDelete, "Delete"}, {http.MethodOptions, "Options"}, {http.MethodTrace, "Trace"},
	} {
		if known.method == method {
			return "http.Method" + known.name
		}
	}
	return strconv.Quote(method)
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return strings.Join(out, ", ")
}

// securityExpr prints an operation's security as auth.AnyOf(…); "" for public.
func securityExpr(api *model.API, requirements []model.Requirement) string {
	if len(requirements) == 0 {
		return ""
	}
	alternatives := make([]string, len(requirements))
	for i, requirement := range requirements {
		uses := make([]string, len(requirement))
		for j, use := range requirement {
			uses[j] = schemeExpr(api, use)
		}
		switch len(uses) {
		case 0:
			alternatives[i] = "auth.Anonymous()"
		case 1:
			alternatives[i] = uses[0]
		default:
			alternatives[i] = "auth.AllOf(" + strings.Join(uses, ", ") + ")"
		}
	}
	return "auth.AnyOf(" + strings.Join(alternatives, ", ") + ")"
}

func schemeExpr(api *model.API, use model.SchemeUse) string {
	for _, s := range api.Security {
		switch {
		case s.Name != use.Scheme:
		case s.Type == "apiKey":
			return fmt.Sprintf("auth.APIKey(%s, %s)", strconv.Quote(s.In), strconv.Quote(s.Parameter))
		case s.Type == "http" && s.Scheme == "basic":
			return "auth.Basic()"
		}
	}
	return "auth.Bearer(" + quoted(use.Scopes) + ")"
}

func requestType(g *goFile, op *model.Op) {
	g.P("// %sRequest is the input of %s.", op.GoName, op.GoName)
	if len(op.Params) == 0 && op.Body == nil {
		g.P("type %sRequest struct{}\n", op.GoName)
		return
	}
	g.P("type %sRequest struct {", op.GoName)
	for _, p := range op.Params {
		note := p.In
		if p.Description != "" {
			note += ": " + sentence(p.Description)
		}
		g.P("%s", comment("\t", "", note))
		g.P("\t%s %s", p.GoName, paramType(p))
	}
	if op.Body != nil {
		g.P("\tBody %s", bodyType(op.Body))
	}
	g.P("}\n")
}

func paramType(p *model.OpParam) string {
	if p.Optional && !p.Ref.Nilable() {
		return "*" + p.Ref.Go()
	}
	return p.Ref.Go()
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

func decodeRequest(g *goFile, op *model.Op) {
	arg := "r"
	if len(op.Params) == 0 && op.Body == nil && op.IfMatch == "" {
		arg = "_"
	}
	g.P("func decode%s(%s *rest.Request) (in %sRequest) {", op.GoName, arg, op.GoName)
	for _, p := range op.Params {
		decodeParam(g, p)
	}
	if op.IfMatch != "" && op.Resource != nil && op.KeyParam != nil {
		method := "IfMatch"
		if op.IfMatch == "required" {
			method = "RequireIfMatch"
		}
		g.P("\tr.%s(%s.Name, in.%s)", method, op.Resource.Var, op.KeyParam.GoName)
	}
	if op.Body != nil {
		decodeBody(g, op.Body)
	}
	g.P("\treturn in\n}\n")
}

func decodeParam(g *goFile, p *model.OpParam) {
	source := map[string]string{"path": "Path", "query": "Query", "header": "Header", "cookie": "Cookie"}[p.In]
	presence := "Set"
	if p.Required {
		presence = "Required"
	}
	g.P("\tif p := r.%s(%s); p.%s() {", source, strconv.Quote(p.Name), presence)
	dst := "in." + p.GoName
	if p.Ref.Kind == model.RefList {
		g.P("\t\tfor e := range p.Items(%s) {", strconv.Quote(p.Split))
		g.P("\t\t\tv := %s", paramReading(p.Ref.Elem, "e"))
		for _, line := range checks(p.Ref.Elem, "v", "e") {
			g.P("\t\t\t%s", line)
		}
		g.P("\t\t\t%s = append(%s, v)\n\t\t}", dst, dst)
		for _, line := range checks(p.Ref, dst, "p") {
			g.P("\t\t%s", line)
		}
		g.P("\t}")
		return
	}
	value := dst
	if p.Optional {
		g.P("\t\t%s = new(%s)", dst, paramReading(p.Ref, "p"))
		value = "*" + dst
	} else {
		g.P("\t\t%s = %s", dst, paramReading(p.Ref, "p"))
	}
	for _, line := range checks(p.Ref, value, "p") {
		g.P("\t\t%s", line)
	}
	if value, ok := model.GoLiteral(p.Ref, p.Schema.Default); ok && !p.Required {
		g.P("\t} else {\n\t\t%s = %s", dst, value)
	}
	g.P("\t}")
}

func paramReading(r *model.Ref, p string) string {
	switch r.Kind {
	case model.RefInt:
		return p + ".Int64()"
	case model.RefFloat:
		return p + ".Float64()"
	case model.RefBool:
		return p + ".Bool()"
	case model.RefTime:
		return p + ".Time()"
	case model.RefEnum:
		return r.Go() + "(" + p + ".String())"
	}
	return p + ".String()"
}

func decodeBody(g *goFile, b *model.OpBody) {
	if b.Ref == nil {
		g.P("\tin.Body = r.Bytes()")
		return
	}
	if !b.Required {
		g.P("\tif r.HasBody() {")
		defer g.P("\t}")
	}
	pointer := !b.Required && !b.Ref.Nilable()
	if b.Ref.Kind == model.RefStruct {
		if pointer {
			g.P("in.Body = new(%s)", b.Ref.Go())
		}
		g.P("r.Body(in.Body.DecodeJSON)")
		return
	}
	g.P("r.Body(func(d *wire.Decoder) {")
	readInto(g, b.Ref, "in.Body", pointer)
	g.P("})")
}

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
	for _, f := range e.Fields {
		value := map[string]string{
			"status": "int64(p.Status)", "title": "p.Title", "detail": "p.Message()", "code": "p.Code()", "value": f.Value,
		}[f.Source]
		g.P("\t\t%s: %s,", f.Field.Name, present(f.Field, value))
	}
	g.P("\t}\n}\n")
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
