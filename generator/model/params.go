package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

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

// protocolNames are parameters about the exchange, whatever document they are in.
var protocolNames = set("apiversion", "xapiversion", "acceptencoding", "acceptlanguage", "useragent", "xrequestedwith", "correlationid", "xcorrelationid",
	"traceparent", "tracestate", "xclientversion")

// Key tells a parameter from the others of an operation.
func (p *Parameter) Key() string { return p.In + " " + p.Name }

// Shared are the keys of the parameters of some kind that at least so many operations have,
// and more than half of them.
func Shared(operations []*Operation, least int, kind func(*Parameter) bool) map[string]bool {
	counts, shared := map[string]int{}, map[string]bool{}
	for _, op := range operations {
		for _, p := range op.Parameters {
			if kind(p) {
				counts[p.Key()]++
			}
		}
	}
	for key, n := range counts {
		shared[key] = n >= least && 2*n > len(operations)
	}
	return shared
}

// findExchange finds the parameters that are about the exchange, not about what is stored:
// the API version that is asked for, or who asks. Their values are checked against their
// schemas, no more.
func (b *builder) findExchange(operations []*Operation) {
	everywhere := Shared(operations, 3, func(*Parameter) bool { return true })
	for _, op := range operations {
		for _, p := range op.Parameters {
			if p.In == "path" || p.In == "query" && p.Schema != nil && p.Schema.Kind != KindString {
				continue
			}
			n, everywhere := Plain(p.Name), everywhere[p.Key()]
			who := credential(n) || everywhere && tellsWho(n)
			if who {
				b.unverified(p)
			}
			b.exchange[p] = who || aboutExchange(n) || everywhere && p.In == "header" && strings.HasSuffix(n, "correlationid")
		}
	}
}

// note notes something once.
func (b *builder) note(text string) {
	if !slices.Contains(b.project.Notes, text) {
		b.project.Notes = append(b.project.Notes, text)
	}
}

// findScopes finds what requests say apart from their path of where rows belong: the
// tenant that a header names, say. It is a required text or number that most operations of
// the document have, all of those about a collection among them, and it counts as if it
// stood in front of the path.
func (b *builder) findScopes(operations []*Operation) {
	shared := Shared(operations, 4, b.placesRows)
	all := map[string]map[string]int{} // by section, how often each is there; "" counts the operations
	for _, op := range operations {
		root := section(op)
		if all[root] == nil {
			all[root] = map[string]int{}
		}
		all[root][""]++
		for _, p := range op.Parameters {
			if b.placesRows(p) {
				all[root][p.Key()]++
			}
		}
	}
	for _, op := range operations {
		in := all[section(op)]
		for _, p := range op.Parameters {
			if b.placesRows(p) && shared[p.Key()] && in[p.Key()] == in[""] {
				op.Scope = append(op.Scope, p)
				b.note(fmt.Sprintf("%s parameter %.40q says whose rows are meant: those of one value are not seen with another", p.In, p.Name))
			}
		}
	}
}

// section is the first part of an operation's path that says something: what is below it
// belongs together.
func section(op *Operation) string {
	for part := range strings.SplitSeq(strings.TrimPrefix(op.Path, "/"), "/") {
		if !isPlaceholder(part) && part != "api" && !versionPart.MatchString(part) {
			return part
		}
	}
	return ""
}

var versionPart = regexp.MustCompile(`^v[0-9]+(\.[0-9]+)*$`)

// placesRows reports whether a parameter may say where rows belong.
func (b *builder) placesRows(p *Parameter) bool {
	n, s := Plain(p.Name), p.Schema
	return p.In != "path" && p.Required && s != nil && !b.exchange[p] && (s.Kind == KindString || s.Kind == KindInteger) && s.Enum == nil && s.Const == nil &&
		!headerNames[n] && !limitNames[n] && !cursorNames[n] && !pageNames[n] && !offsetNames[n] && !sortNames[n] && !directionNames[n] && !searchNames[n]
}

// headerNames are headers that say nothing of where rows belong.
var headerNames = set("ifmatch", "ifnonematch", "idempotencykey", "authorization", "accept", "contenttype", "xrequestid", "date", "host", "version", "signature",
	"timestamp", "nonce", "language", "locale", "timezone", "platform", "device", "contentlength", "origin", "referer", "contentmd5", "xsignature", "xtimestamp")

// Place is the operation's path as it says where rows belong: with what else does in front
// of it, and without the ending that says how they are written.
func (o *Operation) Place() string { return o.outside() + strings.TrimSuffix(o.Path, o.Ending) }

// PathEnding is what some paths end in that names no thing, but how it is written.
const PathEnding = ".json"

// findEndings finds the endings of paths that say how things are written: /accounts.json
// beside /accounts/{id}.json.
func findEndings(operations []*Operation) {
	taken := map[string]bool{}
	for _, op := range operations {
		taken[op.Method+" "+canonical(op.Path)] = true
	}
	for _, op := range operations {
		if short, ok := strings.CutSuffix(op.Path, PathEnding); ok && !taken[op.Method+" "+canonical(short)] && !strings.HasSuffix(short, "/") {
			op.Ending = PathEnding
		}
	}
}

func (o *Operation) outside() string {
	var b strings.Builder
	for _, p := range o.Scope {
		b.WriteString("/{" + p.Name + "}")
	}
	return b.String()
}

// inPlace reports whether a parameter is part of the operation's place.
func (o *Operation) inPlace(p *Parameter) bool {
	return p.In == "path" || slices.Contains(o.Scope, p)
}

// Placed is the parameter that a placeholder of the operation's place stands for, nil if
// the path does not declare it.
func (o *Op) Placed(name string) *OpParam {
	for _, p := range o.Params {
		if p.Name == name && slices.Contains(o.Scope, p.Parameter) {
			return p
		}
	}
	return o.param("path", name)
}

// aboutExchange reports whether a parameter is about the exchange by its name alone.
func aboutExchange(name string) bool { return protocolNames[name] || credential(name) }

// credential reports whether a parameter's name is that of something that tells who asks,
// in a document that declares it as a parameter and as no security scheme.
func credential(name string) bool {
	switch name {
	case "jwt", "authtoken", "xauthtoken", "appkey", "xappkey":
		return true
	}
	return strings.HasSuffix(name, "apikey") || strings.HasSuffix(name, "accesstoken") || strings.HasSuffix(name, "subscriptionkey")
}

// tellsWho reports whether a parameter that most operations have may be a credential.
func tellsWho(name string) bool {
	for _, last := range []string{"token", "key", "secret", "auth", "authorization", "appid", "apiid", "clientid", "password"} {
		if strings.HasSuffix(name, last) {
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
	ob.inputs = newAllocator("Body")
	for _, p := range ob.op.Parameters {
		if ob.platformHeader(p) {
			continue
		}
		out := &OpParam{Parameter: p, GoName: ob.inputs.take(GoName(p.Name))}
		ob.planParam(out, ob.op.GoName+GoName(p.Name))
		ob.op.Params = append(ob.op.Params, out)
	}
}

// pathParams ties the path's placeholders to the resource's key, parents and
// scopes.
func (ob *opBuilder) pathParams() string {
	op, r := ob.op, ob.op.Resource
	placeholders := Placeholders(op.Place())
	var params []*OpParam
	for i, name := range placeholders {
		p := op.Placed(name)
		if p == nil {
			return "path parameter " + name + " is not declared"
		}
		params = append(params, p)
		if i == len(placeholders)-1 && op.onItem() {
			op.KeyParam = p
			if r.KeyParts == nil && !keyable(p.Ref, r.Key.Ref) || !isText(p.Ref) && !isNumber(p.Ref) {
				return fmt.Sprintf("path parameter %s is %s but the key is %s", name, p.Ref.describe(), r.Key.Ref.describe())
			}
			continue
		}
		parent := ob.parentOf(r, op, name)
		if parent == nil {
			if c := r.pathColumn(name); (op.Kind == OpList || op.Kind == OpCount) && c != nil && convertible(p.Ref, c.Ref) {
				continue // a filter in the path: planList takes it
			}
			if joinedAbove(r, op.Place(), name) {
				continue // a part of the key of a parent further on
			}
			return "path parameter " + name + " belongs to nothing that is stored"
		}
		parent.Param = p
		if parent.Resource != nil && parent.Resource.KeyParts != nil {
			parent.Parts = slices.Clone(params)
		} else if !convertibleKey(p.Ref, parent.kind()) {
			return fmt.Sprintf("path parameter %s is %s but the key is %s", name, p.Ref.describe(), parent.kind().describe())
		}
		op.ParentParams = append(op.ParentParams, parent)
	}
	return ob.reachable()
}

// onItem reports whether the operation works on the row that the path's last
// placeholder names.
func (o *Op) onItem() bool {
	switch o.Kind {
	case OpList, OpCount, OpCreate, OpMany, OpClear, OpChangeMany, OpDeleteMany:
		return false
	case OpChange, OpDownload:
		return !o.Resource.Singleton
	}
	return !o.Resource.Singleton && strings.HasSuffix(canonical(strings.TrimSuffix(o.Place(), "/")), "}")
}

// item is the canonical path of one of the resource's items.
func (r *Resource) item() string { return canonical(r.Path) + "/{}" }

// joinedAbove reports whether a placeholder is part of the joined key of one of the
// resource's parents.
func joinedAbove(r *Resource, path, name string) bool {
	for p := r.Parent; p != nil; p = p.Parent {
		if p.KeyParts != nil && strings.HasPrefix(p.item(), canonicalPrefix(path, name)) {
			return true
		}
	}
	return false
}

func isText(r *Ref) bool { return r.Kind == RefString || r.Kind == RefEnum }

func isNumber(r *Ref) bool { return r.Kind == RefInt || r.Kind == RefFloat }

// keyable reports whether a parameter's value can name a row: the store reads a
// number out of a text and the other way round, and what names nothing is not found.
func keyable(param, key *Ref) bool {
	return (isText(param) || isNumber(param)) && (isText(key) || key.Kind == RefInt)
}

// convertibleKey reports whether a parameter's value can be stored as a key.
func convertibleKey(param, key *Ref) bool {
	return sameKind(param, key) || isNumber(param) && (isText(key) || isNumber(key))
}

// reachable reports whether the parents that the path names can be checked: one in
// another service can only be asked whether it exists.
func (ob *opBuilder) reachable() string {
	op := ob.op
	for _, p := range op.ParentParams {
		if p.Resource == nil || !p.Resource.Creatable || p.Resource.Service == op.Resource.Service {
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

// parentOf finds what a placeholder of the path names: a scope column of
// the resource, its parent, or a parent's parent.
func (ob *opBuilder) parentOf(r *Resource, op *Op, name string) *ParentParam {
	for _, c := range r.Scopes {
		if c.Param == name {
			return &ParentParam{Column: c}
		}
	}
	child := r
	for child.Parent != nil {
		if child.Parent.KeyParts != nil {
			if canonicalPrefix(op.Place(), name) != child.Parent.item() {
				return nil
			}
			return &ParentParam{Resource: child.Parent, Column: child.ParentColumn}
		}
		if child.ParentColumn.Param == name || canonicalPrefix(op.Place(), name) == child.Parent.item() {
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
		case ob.op.inPlace(p.Parameter) || used[p] || ob.b.exchange[p.Parameter] || ob.b.addresses(ob.op.Operation, p.Parameter):
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
