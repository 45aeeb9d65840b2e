package render

import (
	"bytes"
	"encoding/json"
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
	for _, r := range creationOrder(p) {
		flow(g, r)
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
		if op.Resource == r && op.Kind == kind && (kind != model.OpList || strings.TrimSuffix(op.Path, "/") == r.Path) {
			return op
		}
	}
	return nil
}

func flow(g *goFile, r *model.Resource) {
	create := opOf(r, model.OpCreate)
	body, ok := bodyFor(create)
	if !ok || len(r.Scopes) > 0 || parentUnmade(r) {
		return
	}
	g.P("\t{")
	g.P("\t\tname: %s, create: %s,", strconv.Quote(flowName(r)), strconv.Quote(flowPath(create)))
	g.P("\t\tbody: %s,", goString(body))
	if r.Key.Property != "" && create.Result.Ref != nil {
		g.P("\t\tkey: %s,", strconv.Quote(r.Key.Property))
	}
	if get := opOf(r, model.OpGet); get != nil {
		g.P("\t\titem: %s,", strconv.Quote(flowPath(get)))
		if missing := missingKey(get); missing != "" {
			path := strings.Replace(flowPath(get), "{"+flowName(r)+"}", missing, 1)
			g.P("\t\tmissing: %s,", strconv.Quote(path))
		}
	}
	if list := opOf(r, model.OpList); list != nil && !hasRequiredQuery(list) {
		g.P("\t\tlist: %s,", strconv.Quote(flowPath(list)))
	}
	if replace := opOf(r, model.OpReplace); replace != nil && replace.IfMatch != "required" {
		if body, ok := bodyFor(replace); ok {
			g.P("\t\treplace: %s,", goString(body))
		}
	}
	if patch := opOf(r, model.OpPatch); patch != nil && patch.IfMatch != "required" {
		if body, ok := bodyFor(patch); ok {
			g.P("\t\tpatch: %s,", goString(body))
		}
	}
	if remove := opOf(r, model.OpDelete); remove != nil && remove.IfMatch != "required" {
		g.P("\t\tremove: %s,", strconv.Quote(flowPath(remove)))
	}
	if requiresSomething(create) {
		g.P("\t\tinvalid: %d,", create.Invalid)
	}
	g.P("\t},")
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

func parentUnmade(r *model.Resource) bool {
	for _, ref := range r.References {
		if opOf(ref.Target, model.OpCreate) == nil && !ref.Column.Nullable {
			return true
		}
	}
	return false
}

func hasRequiredQuery(op *model.Op) bool {
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
	path := op.Route
	replace := func(param, value string) {
		path = strings.Replace(path, "{"+param+"}", "{"+value+"}", 1)
	}
	for _, p := range op.ParentParams {
		if p.Resource != nil {
			replace(p.Param.Name, flowName(p.Resource))
		}
	}
	if op.KeyParam != nil {
		replace(op.KeyParam.Name, flowName(op.Resource))
	}
	return path
}

// bodyFor is a valid body of an operation, with references to other flows.
func bodyFor(op *model.Op) (string, bool) {
	if op.Body == nil {
		return "", true
	}
	text := sample.Example(op.Body.Ref.Schema, sample.Options{Direction: sample.Request, Literal: true}, 1)
	if text == nil {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return "", false
	}
	for _, ref := range op.Resource.References {
		name := ref.Column.Property
		if _, ok := members[name]; !ok || ref.Column == op.Resource.ParentColumn {
			continue
		}
		placeholder := "{" + flowName(ref.Target) + "}"
		if ref.Column.Ref.Kind != model.RefInt {
			placeholder = strconv.Quote(placeholder)
		}
		members[name] = json.RawMessage(placeholder)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	first := true
	for _, f := range op.Body.Ref.Named.Fields {
		value, ok := members[f.Property.Name]
		if !ok {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		name, err := json.Marshal(f.Property.Name)
		if err != nil {
			return "", false
		}
		b.Write(name)
		b.WriteString(": ")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.String(), true
}

// goString prints a string as a Go literal, raw where that is easier to read.
func goString(s string) string {
	if strconv.CanBackquote(s) {
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
		if s.Type == "apiKey" && s.In == "header" && !strings.EqualFold(s.Parameter, "Authorization") {
			headers = append(headers, s.Parameter)
		}
	}
	return slices.Compact(scopes), headers
}
