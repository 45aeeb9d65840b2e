package model

import (
	"cmp"
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
	} else {
		ob.oneBody()
	}
	ob.results()
	ob.errors()
	service.Operations = append(service.Operations, out)
	if out.Kind == OpCreate || out.Kind == OpMany || out.Upsert {
		out.Resource.Creatable = true
	}
	cov := b.coverage[op]
	cov.Reason, cov.Assumed, cov.Unchecked = out.Reason, out.Assumed, out.Unchecked
	for _, p := range out.Refused {
		cov.Refused = append(cov.Refused, p.In+" "+p.Name)
	}
	if out.Kind != OpStub {
		cov.Lost = out.unkept()
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
	// inputs are the names of the request's fields.
	inputs *allocator
	// resultNames are the types of responses by status, planned or declared.
	resultNames map[int]string
	// stretched are required response properties that only a value which says nothing
	// could fill.
	stretched []string
	lost      int // properties that requests carry and rows do not keep
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
	op.KeyParam, op.ParentParams, op.Unchecked = nil, nil, nil
	op.Upsert, op.Fresh, op.Created, op.Many = false, nil, nil, nil
	if op.Body != nil {
		op.Body.Inner = nil
	}
	ob.withoutUpload()
}

// implement plans the default implementation; a reason says why there is none.
func (ob *opBuilder) implement() string {
	op := ob.op
	if e := ob.b.said[op.Operation]; e != nil && e.Does == "stub" {
		return cmp.Or(e.Reason, "it is left to your code")
	}
	r := ob.b.owner[op.Operation]
	if r == nil {
		return ob.notCRUD()
	}
	if reason := ob.unsupportedSecurity(); reason != "" {
		return reason
	}
	op.Resource, op.Kind = r, ob.b.role[op.Operation]
	if reason := ob.pathParams(); reason != "" {
		return reason
	}
	switch op.Kind {
	case OpGet, OpDelete, OpChange, OpDownload:
		if op.KeyParam == nil && !r.Singleton {
			return "the path does not name the row"
		}
	}
	if reason := ob.creatable(); reason != "" {
		return reason
	}
	if r.File != nil && r.Singleton && op.IfMatch != "" {
		return "If-Match is not looked at for files"
	}
	ob.loosenKey()
	switch op.Kind {
	case OpChange:
		op.Fills = ob.b.sets[op.Operation]
		if len(op.Fills) == 0 {
			return "x-backend: change sets nothing"
		}
		for _, f := range op.Fills {
			if f.Member != nil && strings.Contains(f.Base, ": ") {
				ob.assume(f.Column)
			}
		}
		ob.changeByBody()
	case OpCount:
		return ob.planCount()
	case OpChangeMany:
		return ob.planChangeMany()
	case OpDeleteMany:
		return ob.planDeleteMany()
	case OpMany:
		if reason := ob.planMany(); reason != "" {
			return reason
		}
	case OpCreate, OpReplace, OpPatch:
		op.Upsert = op.Kind == OpReplace && r.Puts || op.Kind == OpPatch && r.Singleton
		if len(r.Schema.Properties) == 0 && r.File == nil && op.KeyParam != nil { // an association: its other end may be anywhere
			op.Unchecked = append(op.Unchecked, op.KeyParam.Name)
		}
		if reason := ob.planWrite(); reason != "" {
			return reason
		}
	case OpList:
		return ob.planList()
	case OpDownload:
		return ob.planDownload()
	}
	if reason := ob.refuse(nil); reason != "" {
		return reason
	}
	if reason := ob.planResult(); reason != "" {
		return reason
	}
	if r.told && op.Kind == OpCreate && op.Result.Ref != nil && !slices.ContainsFunc(op.Result.Fields, func(f *FieldSource) bool { return f.Column != nil }) {
		return "nothing of what it answers is known"
	}
	return ""
}

// creatable decides what an operation means whose resource, or the parents that its
// path names, nothing creates. Such parents are taken as they come. Rows that nothing
// creates can still be read: they come from example rows, SQL or the user's code. What
// can be neither created nor read is no resource.
func (ob *opBuilder) creatable() string {
	op := ob.op
	for _, p := range op.ParentParams {
		if p.Resource != nil && !p.Resource.Creatable {
			op.Unchecked = append(op.Unchecked, p.Resource.Name)
			p.Resource = nil
		}
	}
	switch op.Kind {
	case OpReplace, OpPatch, OpDelete, OpClear, OpChangeMany, OpDeleteMany:
		if !op.Resource.Creatable && !op.Resource.Puts && !ob.b.read[op.Resource] {
			return "nothing creates or reads what it works on"
		}
	}
	return ""
}

func (ob *opBuilder) notCRUD() string {
	if reason := fileReason(ob.op.Operation); reason != "" {
		return reason
	}
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

// unverified notes a credential that no security scheme describes.
func (b *builder) unverified(p *Parameter) {
	b.note(fmt.Sprintf("%s parameter %.40q looks like a credential, but is no security scheme of the document: it is taken as it comes", p.In, p.Name))
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

// results makes a Go type per success response: the planned one for an
// implemented operation, all declared ones for a stub.
func (ob *opBuilder) results() {
	op := ob.op
	if op.Result != nil {
		op.Results = append(op.Results, op.Result)
	}
	if op.Created != nil {
		op.Results = append(op.Results, op.Created)
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
		if r.Content {
			op.Produces = downloadTypes(op.Operation)
			if r.Ranged {
				op.Produces = nil // it may be any of what the range covers
			}
			continue
		}
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
