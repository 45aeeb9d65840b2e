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
		compile := "regexp.MustCompile"
		if pattern.Backtracks {
			compile = "ecma.MustCompile"
		}
		g.P("var %s = %s(%s)\n", pattern.Var, compile, strconv.Quote(pattern.Expr))
	}
	for _, r := range s.Rules {
		text := strconv.Quote(r.Text)
		if strconv.CanBackquote(r.Text) {
			text = "`" + r.Text + "`"
		}
		g.P("var %s = rules.MustParse(%s)\n", r.Var, text)
	}
	for _, t := range s.Types {
		typeDecl(g, t)
	}
	for _, f := range s.Forms {
		formDecl(g, f)
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
	if op.Upload != nil {
		g.P("\t\tUpload: true,")
	}
	if op.Kind == model.OpStub {
		g.P("\t\tStub: true,")
	}
	if op.Error != nil {
		g.P("\t\tErrors: %s,", op.Error.Func)
	}
	g.P("\t}, decode%s, s.%s)", op.GoName, op.GoName)
}

func methodConstant(method string) string {
	for _, known := range []struct{ method, name string }{
		{http.MethodGet, "Get"},
		{http.MethodHead, "Head"},
		{http.MethodPost, "Post"},
		{http.MethodPut, "Put"},
		{http.MethodPatch, "Patch"},
		{http.MethodDelete, "Delete"},
		{http.MethodOptions, "Options"},
		{http.MethodTrace, "Trace"},
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
	if len(op.Params) == 0 && !op.TakesBody() {
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
		g.P("\t%s %s%s", p.GoName, paramType(p), rawTag(paramType(p)))
	}
	uploadField(g, op)
	bodyFields(g, op)
	g.P("}\n")
}

func paramType(p *model.OpParam) string {
	if p.Optional && !p.Ref.Nilable() {
		return "*" + p.Ref.Go()
	}
	return p.Ref.Go()
}

func decodeRequest(g *goFile, op *model.Op) {
	arg := "r"
	if len(op.Params) == 0 && !op.TakesBody() && op.IfMatch == "" {
		arg = "_"
	}
	g.P("func decode%s(%s *rest.Request) (in %sRequest) {", op.GoName, arg, op.GoName)
	for _, p := range op.Params {
		decodeParam(g, p)
	}
	if op.IfMatch != "" && op.Resource != nil && (op.KeyParam != nil || op.Resource.Singleton) {
		method := "IfMatch"
		if op.IfMatch == "required" {
			method = "RequireIfMatch"
		}
		g.P("\tr.%s(%s.Name, %s)", method, op.Resource.Var, keyExpr(op))
	}
	if op.Upload != nil {
		receiveFile(g, op)
	} else {
		decodeBodies(g, op)
	}
	g.P("\treturn in\n}\n")
}

func decodeParam(g *goFile, p *model.OpParam) {
	if p.Object != nil {
		decodeObject(g, p)
		return
	}
	source := map[string]string{"path": "Path", "query": "Query", "header": "Header", "cookie": "Cookie"}[p.In]
	presence, cut := "Set", ""
	if p.Required {
		presence = "Required"
	}
	if p.Prefix != "" {
		cut = ".Cut(" + strconv.Quote(p.Prefix) + ")"
	}
	g.P("\tif p := r.%s(%s)%s; p.%s() {", source, strconv.Quote(p.Name), cut, presence)
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

// decodeObject prints the reading of a parameter that is an object, or JSON.
func decodeObject(g *goFile, p *model.OpParam) {
	o := p.Object
	parts := []string{"In: " + strconv.Quote(p.In), "Name: " + strconv.Quote(p.Name)}
	if o.Style != "Whole" {
		parts = append(parts, "Style: rest."+o.Style)
	}
	if o.Prefix != "" {
		parts = append(parts, "Prefix: "+strconv.Quote(o.Prefix))
	}
	if o.Split != "" && o.Split != "," {
		parts = append(parts, "Split: "+strconv.Quote(o.Split))
	}
	if p.Required {
		parts = append(parts, "Required: true")
	}
	if o.Form != nil {
		parts = append(parts, "Fields: "+o.Form.Var)
	}
	dst := "in." + p.GoName
	pointer := p.Optional && !p.Ref.Nilable()
	if p.Ref.Kind == model.RefStruct && !pointer {
		g.P("r.Object(rest.Object{%s}, %s.DecodeJSON)", strings.Join(parts, ", "), dst)
		return
	}
	g.P("r.Object(rest.Object{%s}, func(d *wire.Decoder) {", strings.Join(parts, ", "))
	readInto(g, p.Ref, dst, pointer)
	g.P("})")
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
	return p + "." + textMethod(r) + "()"
}
