package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// buildOperation gives an operation its names and, when everything it must
// answer has a source, its default implementation; otherwise it is a stub.
func (b *builder) buildOperation(op *Operation) {
	service := b.serviceOf[op]
	ob := &opBuilder{b: b, s: service, sc: b.scopes[service], t: b.scopes[service].typer, resultNames: map[int]string{}}
	out := &Op{Operation: op, GoName: b.goNames[op], Route: b.api.BasePath + op.Path, Kind: OpStub}
	ob.op = out
	if !b.options.NoAuth {
		out.Security = op.Security
	}
	ob.parameters()
	ob.body()
	out.Invalid = invalidStatus(op)
	reason := ob.implement()
	if reason != "" {
		ob.stub(reason)
	}
	ob.results()
	ob.errors()
	service.Operations = append(service.Operations, out)
	cov := b.coverage[op]
	cov.Reason, cov.Assumed = out.Reason, out.Assumed
	for _, p := range out.Refused {
		cov.Refused = append(cov.Refused, p.In+" "+p.Name)
	}
	if out.Kind != OpStub {
		cov.Status = Implemented
		if out.Body != nil && holdsRaw(out.Body.Ref, map[*Type]bool{}) {
			cov.Status = RawTyped
			cov.Reason = "part of the body is a union or untyped; it is checked and kept as raw JSON"
		}
	}
}

// holdsRaw reports whether a value holds untyped JSON somewhere.
func holdsRaw(r *Ref, seen map[*Type]bool) bool {
	if r == nil {
		return false
	}
	switch r.Kind {
	case RefRaw:
		return true
	case RefList, RefMap:
		return holdsRaw(r.Elem, seen)
	case RefStruct:
		if seen[r.Named] {
			return false
		}
		seen[r.Named] = true
		for _, f := range r.Named.Fields {
			if holdsRaw(f.Ref, seen) {
				return true
			}
		}
	}
	return false
}

// invalidStatus is what invalid input answers: 422, or 400 where the operation
// declares that and no 422.
func invalidStatus(op *Operation) int {
	declares := func(status string) bool {
		return slices.ContainsFunc(op.Responses, func(r *Response) bool { return strings.EqualFold(r.Status, status) })
	}
	if declares("400") && !declares("422") {
		return 400
	}
	return 422
}

// opBuilder builds one operation.
type opBuilder struct {
	b  *builder
	s  *Service
	sc *scope
	t  *typer
	op *Op
	// resultNames are the types of responses by status, planned or declared.
	resultNames map[int]string
}

func (ob *opBuilder) resultName(status int) string {
	name, ok := ob.resultNames[status]
	if !ok {
		name = ob.t.names.take(ob.op.GoName + strconv.Itoa(status))
		ob.resultNames[status] = name
	}
	return name
}

func (ob *opBuilder) stub(reason string) {
	op := ob.op
	op.Kind, op.Reason, op.Resource = OpStub, reason, nil
	op.List, op.Fills, op.Result, op.Assumed, op.Refused = nil, nil, nil, nil, nil
	op.KeyParam, op.ParentParams = nil, nil
}

// headers that the platform acts on, so that they are no request field.
func (ob *opBuilder) platformHeader(p *Parameter) bool {
	if p.In != "header" && p.In != "cookie" {
		return false
	}
	switch strings.ToLower(p.Name) {
	case "if-match":
		ob.op.IfMatch = presence(p)
		return true
	case "idempotency-key":
		ob.op.Idempotent = presence(p)
		return true
	case "if-none-match":
		return ob.op.Method == "GET"
	case "authorization", "accept", "content-type", "x-request-id":
		return true
	}
	for _, s := range ob.b.api.Security {
		if s.Type == "apiKey" && s.In == p.In && strings.EqualFold(s.Parameter, p.Name) {
			return true
		}
	}
	return false
}

func presence(p *Parameter) string {
	if p.Required {
		return "required"
	}
	return "optional"
}

func (ob *opBuilder) parameters() {
	names := newAllocator("Body")
	for _, p := range ob.op.Parameters {
		if ob.platformHeader(p) {
			continue
		}
		out := &OpParam{Parameter: p, GoName: names.take(GoName(p.Name))}
		out.Ref = ob.paramRef(p, ob.op.GoName+GoName(p.Name))
		if out.Ref.Kind == RefList {
			out.Split = separator(p)
		} else {
			out.Optional = !p.Required && p.Schema.Default == nil
		}
		ob.op.Params = append(ob.op.Params, out)
	}
}

// paramRef is the Go type of a parameter: a scalar or a list of scalars; what
// is neither travels as its raw text.
func (ob *opBuilder) paramRef(p *Parameter, hint string) *Ref {
	raw := &Ref{Kind: RefString, Schema: &Schema{Kind: KindString}}
	if p.Media != "" {
		return raw
	}
	switch p.Schema.Kind {
	case KindString, KindInteger, KindNumber, KindBoolean:
		if r := ob.t.ref(p.Schema, hint); r.Kind != RefBytes {
			return r
		}
	case KindArray:
		if isScalar(p.Schema.Items) && p.Style != "deepObject" {
			return ob.t.ref(p.Schema, hint)
		}
	}
	return raw
}

func isScalar(s *Schema) bool {
	if s == nil || s.Nullable || s.Format == "byte" {
		return false
	}
	return s.Kind == KindString || s.Kind == KindInteger || s.Kind == KindNumber || s.Kind == KindBoolean
}

func separator(p *Parameter) string {
	switch {
	case p.Style == "pipeDelimited":
		return "|"
	case p.Style == "spaceDelimited":
		return " "
	case p.Explode && p.In == "query":
		return ""
	}
	return ","
}

func (ob *opBuilder) body() {
	body := ob.op.Operation.Body
	if body == nil || len(body.Content) == 0 {
		return
	}
	ob.op.Body = &OpBody{Required: body.Required, Media: body.Content[0].Type}
	media := JSON(body.Content)
	if media == nil {
		for _, m := range body.Content {
			ob.op.Consumes = append(ob.op.Consumes, m.Type)
		}
		return
	}
	ob.op.Body.Media = media.Type
	ob.op.Body.Ref = ob.t.ref(media.Schema, ob.op.GoName+"Body")
	for _, m := range body.Content {
		if IsJSON(m.Type) {
			ob.op.Consumes = append(ob.op.Consumes, m.Type)
		}
	}
}

// implement plans the default implementation; a reason says why there is none.
func (ob *opBuilder) implement() string {
	op := ob.op
	r := ob.b.owner[op.Operation]
	if r == nil {
		return ob.notCRUD()
	}
	if reason := ob.unsupportedSecurity(); reason != "" {
		return reason
	}
	op.Resource, op.Kind = r, ob.b.role[op.Operation]
	if op.Extension != nil {
		ob.b.project.Notes = append(ob.b.project.Notes, op.ID+": x-backend is not read by this build")
	}
	if reason := ob.pathParams(); reason != "" {
		return reason
	}
	switch op.Kind {
	case OpCreate, OpReplace, OpPatch:
		if reason := ob.planWrite(); reason != "" {
			return reason
		}
	case OpList:
		return ob.planList()
	}
	if reason := ob.refuse(nil); reason != "" {
		return reason
	}
	if op.IfMatch != "" {
		r.ETagged = true
	}
	return ob.planResult()
}

func (ob *opBuilder) notCRUD() string {
	if reason := ob.b.reasons[ob.op.Operation]; reason != "" {
		return reason
	}
	if ob.op.Method == "GET" {
		return "a computed result, not a stored one"
	}
	return "action"
}

func (ob *opBuilder) unsupportedSecurity() string {
	for _, alternative := range ob.op.Security {
		for _, use := range alternative {
			for _, s := range ob.b.api.Security {
				if s.Name == use.Scheme && s.Type == "mutualTLS" {
					return "security scheme mutualTLS is not built yet"
				}
				if i := slices.IndexFunc(use.Scopes, func(scope string) bool { return !grantable(scope) }); i >= 0 && s.Name == use.Scheme {
					return fmt.Sprintf("scope %.40q cannot be granted", use.Scopes[i])
				}
			}
		}
	}
	return ""
}

// grantable reports whether a token can carry a scope: RFC 6749, section 3.3.
func grantable(scope string) bool {
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return scope != ""
}

// pathParams ties the path's placeholders to the resource's key, parents and
// scopes.
func (ob *opBuilder) pathParams() string {
	op, r := ob.op, ob.op.Resource
	item := op.Kind != OpList && op.Kind != OpCreate
	placeholders := Placeholders(op.Path)
	for i, name := range placeholders {
		p := op.param("path", name)
		if p == nil {
			return "path parameter " + name + " is not declared"
		}
		if item && i == len(placeholders)-1 {
			if !sameKind(p.Ref, r.Key.Ref) {
				return fmt.Sprintf("path parameter %s is %s but the key is %s", name, p.Ref.describe(), r.Key.Ref.describe())
			}
			op.KeyParam = p
			continue
		}
		parent := ob.parentOf(r, op, name, i)
		if parent == nil {
			if op.Kind == OpList && r.columnFor(name) != nil {
				continue // a filter in the path: planList takes it
			}
			return "path parameter " + name + " belongs to nothing that is stored"
		}
		parent.Param = p
		if !sameKind(p.Ref, parent.kind()) {
			return fmt.Sprintf("path parameter %s is %s but the key is %s", name, p.Ref.describe(), parent.kind().describe())
		}
		op.ParentParams = append(op.ParentParams, parent)
	}
	return ob.reachable()
}

// reachable reports whether the parents that the path names can be checked: one in
// another service can only be asked whether it exists.
func (ob *opBuilder) reachable() string {
	op := ob.op
	for _, p := range op.ParentParams {
		if p.Resource == nil || p.Resource.Service == op.Resource.Service {
			continue
		}
		asked := slices.ContainsFunc(op.Resource.Service.Uses, func(u *Use) bool { return u.Resource == p.Resource })
		if !asked || p.Resource.Parent != nil || len(p.Resource.Scopes) > 0 {
			return fmt.Sprintf("what the path names above its %s belongs to another service", op.Resource.Name)
		}
	}
	return ""
}

func (p *ParentParam) kind() *Ref {
	if p.Resource != nil {
		return p.Resource.Key.Ref
	}
	return p.Column.Ref
}

// parentOf finds what the i-th placeholder of the path names: a scope column of
// the resource, its parent, or a parent's parent.
func (ob *opBuilder) parentOf(r *Resource, op *Op, name string, _ int) *ParentParam {
	for _, c := range r.Scopes {
		if c.Param == name {
			return &ParentParam{Column: c}
		}
	}
	child := r
	for child.Parent != nil {
		if child.ParentColumn.Param == name || canonicalPrefix(op.Path, name) == canonical(child.Parent.ItemPath) {
			return &ParentParam{Resource: child.Parent, Column: child.ParentColumn}
		}
		child = child.Parent
		for _, c := range child.Scopes {
			if c.Param == name {
				return &ParentParam{Column: c}
			}
		}
	}
	return nil
}

// canonicalPrefix is the canonical path up to and including a placeholder.
func canonicalPrefix(path, name string) string {
	i := strings.Index(path, "{"+name+"}")
	if i < 0 {
		return ""
	}
	return canonical(path[:i+len(name)+2])
}

func sameKind(a, b *Ref) bool {
	text := func(k RefKind) bool { return k == RefString || k == RefEnum }
	return a.Kind == b.Kind || text(a.Kind) && text(b.Kind)
}

func (o *Op) param(in, name string) *OpParam {
	for _, p := range o.Params {
		if p.In == in && p.Name == name {
			return p
		}
	}
	return nil
}

// refuse sorts out the parameters that the plan does not act on: a required one
// makes the operation a stub, an optional one is refused when sent.
func (ob *opBuilder) refuse(used map[*OpParam]bool) string {
	var kept []*OpParam
	for _, p := range ob.op.Params {
		switch {
		case p.In == "path" || used[p]:
			kept = append(kept, p)
		case p.Required:
			return "required parameter " + p.Name + " matches nothing that is stored"
		default:
			ob.op.Refused = append(ob.op.Refused, p.Parameter)
		}
	}
	ob.op.Params = kept
	return ""
}

// results makes a Go type per success response: the planned one for an
// implemented operation, all declared ones for a stub.
func (ob *opBuilder) results() {
	op := ob.op
	if op.Result != nil {
		op.Results = append(op.Results, op.Result)
	}
	for _, r := range op.Responses {
		status, err := strconv.Atoi(r.Status)
		known := slices.ContainsFunc(op.Results, func(r *Result) bool { return r.Status == status })
		if err != nil || status < 200 || status > 399 || known {
			continue
		}
		op.Results = append(op.Results, ob.declared(status, r))
	}
	if len(op.Results) == 0 {
		status := 200
		if op.Method == "DELETE" {
			status = 204
		}
		op.Results = append(op.Results, &Result{GoName: ob.resultName(status), Status: status})
	}
	for _, r := range op.Results {
		if r.Media != "" && !slices.Contains(op.Produces, r.Media) {
			op.Produces = append(op.Produces, r.Media)
		}
	}
}

// declared is the Go type of a declared response.
func (ob *opBuilder) declared(status int, r *Response) *Result {
	out := &Result{GoName: ob.resultName(status), Status: status}
	for _, h := range r.Headers {
		switch strings.ToLower(h.Name) {
		case "location":
			out.Location = true
		case "etag":
			out.ETag = true
		}
	}
	_ = out.headers(r.Headers, false) // an override fills them all
	if len(r.Content) == 0 || bodyless(status) {
		return out
	}
	if media := JSON(r.Content); media != nil {
		out.Media = jsonType(media.Type)
		out.Ref = ob.t.ref(media.Schema, out.GoName+"Body")
		return out
	}
	out.Media, out.Raw = r.Content[0].Type, true
	return out
}

// bodyless reports whether a response of the status has no body (RFC 9110).
func bodyless(status int) bool { return status == 204 || status == 205 || status == 304 }

// jsonType is the media type that is sent for a declared one, which may be a
// range.
func jsonType(declared string) string {
	if strings.Contains(declared, "*") {
		return "application/json"
	}
	return declared
}
