package render

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// testFile is internal/app/app_gen_test.go: every resource goes through its life
// against the real handler and store.
func testFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "app")
	g.P("// flows are the lives of the resources, parents first. {name} in a path or body is")
	g.P("// replaced by the key of what the flow of that name created.")
	g.P("var flows = []flow{")
	made := map[*model.Resource]bool{}
	for _, r := range creationOrder(p) {
		made[r] = flow(g, p.API, r, made)
	}
	g.P("}\n")
	if isSecured(p) {
		scopes, headers := credentials(p)
		g.P("// scopes are all that the document names; keyHeaders carry API keys.")
		g.P("var (\n\tscopes = []string{%s}\n\tkeyHeaders = []string{%s}\n)", quoted(scopes), quoted(headers))
	}
	return g
}

// creationOrder lists the resources that can be created, after what they refer to.
func creationOrder(p *model.Project) []*model.Resource {
	var out []*model.Resource
	done := map[*model.Resource]bool{}
	var visit func(r *model.Resource)
	visit = func(r *model.Resource) {
		if done[r] {
			return
		}
		done[r] = true
		for _, ref := range r.References {
			visit(ref.Target)
		}
		if opOf(r, model.OpCreate) != nil {
			out = append(out, r)
		}
	}
	for _, s := range p.Services {
		for _, r := range s.Resources {
			visit(r)
		}
	}
	return out
}

func opOf(r *model.Resource, kind model.OpKind) *model.Op {
	for _, op := range r.Service.Operations {
		if op.Resource == r && op.Kind == kind && (kind != model.OpList || strings.TrimSuffix(op.Place(), "/") == r.Path) {
			return op
		}
	}
	return nil
}

// flow prints the life of a resource; false when the test cannot make one: its
// parent or what it refers to cannot be made, or the test has no credentials for
// it.
func flow(g *goFile, api *model.API, r *model.Resource, made map[*model.Resource]bool) bool {
	create := opOf(r, model.OpCreate)
	if create.Upload != nil {
		return false // a file is more than the flow can send
	}
	body, ok := bodyFor(create, made)
	if !ok || hasRequiredParam(create) || len(r.Scopes) > 0 || slices.ContainsFunc(create.ParentParams, func(p *model.ParentParam) bool { return p.Parts != nil }) || r.Parent != nil && !made[r.Parent] || create.Idempotent == "required" || !open(api, create) {
		return false
	}
	key := r.Key.Property
	if create.Result.Ref == nil || !slices.ContainsFunc(create.Result.Fields, func(f *model.FieldSource) bool { return f.Column == r.Key }) {
		if key = ""; !create.Result.Location {
			return false
		}
	}
	within := ""
	if env := create.Result.Envelope; env != nil {
		within = env.Items.Property.Name
	}
	usable := func(kind model.OpKind) *model.Op {
		if op := opOf(r, kind); op != nil && op.IfMatch != "required" && op.Idempotent != "required" && !hasRequiredParam(op) && open(api, op) {
			return op
		}
		return nil
	}
	field := func(name, value string) { g.P("\t\t%s: %s,", name, goString(value)) }
	g.P("\t{")
	field("name", flowName(r))
	send := func(name string, op *model.Op, body string) {
		media := ""
		if op.Body != nil && op.Body.Media != "application/json" && !strings.Contains(op.Body.Media, "*") {
			media = ", media: " + strconv.Quote(op.Body.Media)
		}
		if body != "" {
			media += ", body: " + goString(body)
		}
		g.P("\t\t%s: request{path: %s%s},", name, goString(flowPath(op)), media)
	}
	send("create", create, body)
	if key != "" {
		field("key", key)
		if within != "" {
			field("within", within)
		}
	}
	get := usable(model.OpGet)
	if get != nil {
		field("item", flowPath(get))
		if missing := missingKey(get); missing != "" {
			field("missing", strings.Replace(flowPath(get), "{"+flowName(r)+"}", missing, 1))
		}
	}
	if list := usable(model.OpList); list != nil {
		field("list", flowPath(list))
	}
	for _, change := range []struct {
		name, method string
		kind         model.OpKind
	}{{"replace", http.MethodPut, model.OpReplace}, {"patch", http.MethodPatch, model.OpPatch}} {
		op := usable(change.kind)
		if op == nil || op.KeyParam == nil || op.Method != change.method {
			continue
		}
		if body, ok := bodyFor(op, made); ok {
			send(change.name, op, body)
		}
	}
	if remove := usable(model.OpDelete); remove != nil {
		field("remove", flowPath(remove))
	}
	if requiresSomething(create) {
		g.P("\t\tinvalid: %d,", create.Invalid)
	}
	g.P("\t},")
	return true
}

// open reports whether the test's credentials let it call an operation: a bearer
// token, and API keys in headers.
func open(api *model.API, op *model.Op) bool {
	carried := func(use model.SchemeUse) bool {
		for _, s := range api.Security {
			if s.Name == use.Scheme {
				return !(s.Type == "http" && s.Scheme == "basic") && (s.Type != "apiKey" || s.In == "header" && !strings.EqualFold(s.Parameter, "Authorization"))
			}
		}
		return true
	}
	return len(op.Security) == 0 || slices.ContainsFunc(op.Security, func(r model.Requirement) bool {
		return !slices.ContainsFunc(r, func(use model.SchemeUse) bool { return !carried(use) })
	})
}

// missingKey is a well-formed key that no row has, "" when the parameter's schema
// leaves no room for one.
func missingKey(get *model.Op) string {
	s := get.KeyParam.Schema
	switch {
	case s.Kind == model.KindInteger && s.Maximum == nil:
		return "987654321"
	case s.Kind == model.KindString && s.Pattern == "" && s.Enum == nil && s.MaxLength == nil && (s.Format == "" || s.Format == "uuid"):
		return "00000000-0000-7000-8000-000000000000"
	}
	return ""
}

// hasRequiredParam reports whether a request needs more than its path and body.
func hasRequiredParam(op *model.Op) bool {
	for _, p := range op.Params {
		if p.Required && p.In != "path" {
			return true
		}
	}
	return false
}

// requiresSomething reports whether an empty object is an invalid body.
func requiresSomething(op *model.Op) bool {
	if op.Body == nil || op.Body.Ref == nil || op.Body.Ref.Kind != model.RefStruct {
		return false
	}
	for _, f := range op.Body.Ref.Named.Fields {
		if f.Property.Required && !f.Property.Schema.ReadOnly {
			return true
		}
	}
	return false
}

func flowName(r *model.Resource) string { return r.Service.Package + "." + r.Field }

// flowPath is an operation's path with placeholders that name flows.
func flowPath(op *model.Op) string {
	names := map[string]string{}
	for _, p := range op.ParentParams {
		if p.Resource != nil {
			names[p.Param.Name] = flowName(p.Resource)
		}
	}
	if op.KeyParam != nil {
		names[op.KeyParam.Name] = flowName(op.Resource)
	}
	var b strings.Builder
	rest := op.Route
	for {
		static, after, found := strings.Cut(rest, "{")
		b.WriteString((&url.URL{Path: static}).EscapedPath())
		if !found {
			return b.String()
		}
		name, tail, _ := strings.Cut(after, "}")
		b.WriteString("{" + names[name] + "}")
		rest = tail
	}
}

// bodyFor is a valid body of an operation, with references to flows that are made.
func bodyFor(op *model.Op, made map[*model.Resource]bool) (body string, ok bool) {
	if op.Body == nil {
		return "", true
	}
	text := sample.Example(op.Body.Ref.Schema, sample.Options{Direction: sample.Request, Literal: true}, 1)
	if nesting(text) > maxNesting || len(text) > maxBody { // a schema that optionally holds itself
		text = sample.Example(op.Body.Ref.Schema, sample.Options{Direction: sample.Request, Literal: true, Minimal: true}, 1)
	}
	if text == nil || nesting(text) > maxNesting || len(text) > maxBody || sample.Check(op.Body.Ref.Schema, text, sample.Request) != nil {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return "", false
	}
	fields := op.Body.Ref.Named.Fields
	inner := op.Body.Inner
	if inner != nil {
		var carried map[string]json.RawMessage
		if json.Unmarshal(members[inner.Property.Name], &carried) != nil {
			return string(text), true // an envelope that may be empty, and is
		}
		all := members
		members, fields = carried, inner.Ref.Named.Fields
		defer func() {
			if ok {
				all[inner.Property.Name] = json.RawMessage(body)
				body = object(op.Body.Ref.Named.Fields, all)
			}
		}()
	}
	for _, ref := range op.Resource.References {
		name := ref.Column.Property
		if _, ok := members[name]; !ok || ref.Column == op.Resource.ParentColumn {
			continue
		}
		if !made[ref.Target] {
			delete(members, name)
			if slices.ContainsFunc(fields, func(f *model.Field) bool { return f.Property.Name == name && f.Property.Required }) {
				return "", false
			}
			continue
		}
		placeholder := "{" + flowName(ref.Target) + "}"
		if ref.Column.Ref.Kind != model.RefInt {
			placeholder = strconv.Quote(placeholder)
		}
		members[name] = json.RawMessage(placeholder)
	}
	if model.IsForm(op.Body.Media) {
		return formText(op.Body, members)
	}
	return object(fields, members), true
}

// maxNesting and maxBody bound a test's body, so that people can read it.
const (
	maxNesting = 12
	maxBody    = 4 << 10
)

// nesting is how deep the arrays and objects of a JSON text are nested.
func nesting(text []byte) int {
	depth, deepest := 0, 0
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// object prints an object's members in the order of its type's fields.
func object(fields []*model.Field, members map[string]json.RawMessage) string {
	var parts []string
	for _, f := range fields {
		if value, ok := members[f.Property.Name]; ok {
			parts = append(parts, jsonString(f.Property.Name)+": "+string(value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// jsonString prints a string as JSON.
func jsonString(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}

// goString prints a string as a Go literal, raw where that is easier to read.
func goString(s string) string {
	if strings.Contains(s, `"`) && strconv.CanBackquote(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// credentials lists the scopes that operations ask for, and the headers that
// carry API keys.
func credentials(p *model.Project) (scopes, headers []string) {
	for _, s := range p.Services {
		for _, op := range s.Operations {
			for _, requirement := range op.Security {
				for _, use := range requirement {
					scopes = append(scopes, use.Scopes...)
				}
			}
		}
	}
	slices.Sort(scopes)
	for _, s := range p.API.Security {
		if s.Type == "apiKey" && s.In == "header" && !strings.EqualFold(s.Parameter, "Authorization") && !slices.Contains(headers, s.Parameter) {
			headers = append(headers, s.Parameter)
		}
	}
	return slices.Compact(scopes), headers
}
