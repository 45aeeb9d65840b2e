package model

import (
	"fmt"
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
		parent := ob.parentOf(r, op, name)
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
