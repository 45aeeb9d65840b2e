package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Extension is an operation's x-backend object: what the operation does, where the
// document alone leaves that open.
//
//	x-backend: {resource: /orders, does: change, set: {status: cancelled}}
//	x-backend: {does: stub, reason: sends mail}
type Extension struct {
	// Resource is the collection path of the resource that it works on, as the document
	// writes it: /users/{userId}/orders.
	Resource string `json:"resource"`
	// Does is list, get, create, replace, patch, delete, clear, change, count or stub.
	Does string `json:"does"`
	// Set gives properties the values that "change" sets.
	Set map[string]json.RawMessage `json:"set"`
	// Reason says why it is a stub.
	Reason string `json:"reason"`
}

var extensionKinds = map[string]OpKind{
	"list": OpList, "get": OpGet, "create": OpCreate, "replace": OpReplace, "patch": OpPatch, "delete": OpDelete, "clear": OpClear, "change": OpChange, "count": OpCount,
}

// extensions lets x-backend objects overrule what was inferred. One that cannot be
// followed makes the operation a stub that says why.
func (b *builder) extensions(operations []*Operation) {
	for _, op := range operations {
		if op.Extension == nil {
			continue
		}
		if reason := b.extend(op); reason != "" {
			delete(b.owner, op)
			delete(b.role, op)
			b.reasons[op] = reason
		}
	}
}

func (b *builder) extend(op *Operation) (reason string) {
	var e Extension
	decoder := json.NewDecoder(bytes.NewReader(op.Extension))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return "x-backend cannot be read: it has resource, does, set and reason"
	}
	if e.Does == "stub" {
		if e.Reason == "" {
			return "x-backend says so"
		}
		return e.Reason
	}
	kind, ok := extensionKinds[e.Does]
	if !ok {
		return fmt.Sprintf("x-backend: does is list, get, create, replace, patch, delete, clear, change or stub, not %.20q", e.Does)
	}
	r := b.resourceAt(e.Resource)
	if r == nil {
		return fmt.Sprintf("x-backend: nothing is stored at %.60q; there is %s", e.Resource, b.paths())
	}
	if r.Service != b.serviceOf[op] {
		return fmt.Sprintf("x-backend: %s is stored by another service, %s", e.Resource, r.Service.Name)
	}
	sets, reason := r.fixed(e.Set)
	if reason != "" {
		return reason
	}
	b.owner[op], b.role[op], b.sets[op] = r, kind, sets
	return ""
}

// fixed are the changes that give properties fixed values.
func (r *Resource) fixed(set map[string]json.RawMessage) (out []*Fill, reason string) {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		c := r.columnFor(name)
		if c == nil {
			return nil, fmt.Sprintf("x-backend: %s has no property %.40q", r.Name, name)
		}
		value, ok := GoLiteral(c.Ref, set[name])
		if !ok {
			return nil, fmt.Sprintf("x-backend: %.40s is no value of %s", set[name], c.label())
		}
		out = append(out, &Fill{Column: c, Source: SourceValue, Value: value})
	}
	return out, ""
}

// paths lists what is stored, for a message.
func (b *builder) paths() string {
	var out []string
	for _, r := range b.ordered {
		out = append(out, r.Path)
	}
	const most = 8
	if len(out) > most {
		out = append(out[:most], "…")
	}
	return strings.Join(out, ", ")
}

// suggest proposes an x-backend line for a stub, "" when the document gives no hint.
func (b *builder) suggest(op *Operation) string {
	item, verb := parent(strings.TrimSuffix(op.Path, "/"))
	collection, last := parent(item)
	_, onItem := placeholder(last)
	r := b.resourceAt(collection)
	switch {
	case (op.Method == "POST" || op.Method == "PUT") && onItem && r != nil:
		if c := r.status(); c != nil {
			return fmt.Sprintf("x-backend: {resource: %q, does: change, set: {%s: %s}} # %s", r.Path, c.Property, c.Ref.Named.Values[0].Value, verb)
		}
	case op.Method == "GET":
		item, _ := listItem(op)
		does := "list"
		if item == nil {
			item, does = resultObject(op), "get"
		}
		if item == nil || item.Name == "" {
			return ""
		}
		for _, r := range b.ordered {
			if r.Schema.Name == item.Name && r.Service == b.serviceOf[op] {
				return fmt.Sprintf("x-backend: {resource: %q, does: %s}", r.Path, does)
			}
		}
	}
	return ""
}

// status is the resource's column for the state that a row is in, nil for none.
func (r *Resource) status() *Column {
	for _, c := range r.Columns {
		n := Plain(c.Property)
		if c.Ref.Kind == RefEnum && (strings.HasSuffix(n, "status") || strings.HasSuffix(n, "state") || strings.HasSuffix(n, "phase")) {
			return c
		}
	}
	return nil
}
