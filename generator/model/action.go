package model

import (
	"slices"
	"strings"
)

// pastForms are the states that verbs lead to, where the word is not made by a rule.
var pastForms = map[string][]string{
	"activate": {"active"}, "deactivate": {"inactive"}, "pay": {"paid"}, "send": {"sent"}, "complete": {"done"}, "finish": {"done"},
	"open": {"open"}, "reopen": {"open"}, "start": {"running", "inprogress"}, "void": {"void"}, "unpublish": {"draft"}, "hold": {"held", "onhold"},
	"withdraw": {"withdrawn"},
}

// leadsTo reports whether a state is what a verb brings about: cancel and cancelled.
func leadsTo(verb, state string) bool {
	v, s := Plain(verb), Plain(state)
	if v == "" {
		return false
	}
	return s == v+"d" && v[len(v)-1] == 'e' || s == v+"ed" || s == v+v[len(v)-1:]+"ed" || s == strings.TrimSuffix(v, "y")+"ied" && v[len(v)-1] == 'y' ||
		slices.Contains(pastForms[v], s)
}

// findActions ties POST and PUT /orders/{id}/cancel to the resource whose status has a
// value that the verb leads to. An operation that declares 409 depends on the state
// that it finds, of which the document does not say enough.
func (b *builder) findActions(operations []*Operation) {
	for _, op := range operations {
		if op.Method != "POST" && op.Method != "PUT" || b.owner[op] != nil || op.Body != nil && op.Body.Required {
			continue
		}
		item, verb := parent(strings.TrimSuffix(op.Path, "/"))
		if i := strings.LastIndex(verb, ":"); i > 0 { // /orders/{id}:cancel
			item, verb = item+"/"+verb[:i], verb[i+1:]
		}
		collection, last := parent(item)
		if last == "action" || last == "actions" {
			collection, last = parent(collection)
		}
		if _, ok := placeholder(last); !ok || refuses(op) {
			continue
		}
		r := b.resourceAt(collection)
		if r == nil || r.Service != b.serviceOf[op] {
			continue
		}
		if set := r.stateOf(verb); set != nil {
			b.owner[op], b.role[op], b.sets[op] = r, OpChange, []*Fill{set}
		}
	}
}

func refuses(op *Operation) bool {
	return slices.ContainsFunc(op.Responses, func(r *Response) bool { return r.Status == "409" })
}

// stateOf is the change that a verb makes: the one value of the one status that it
// leads to. nil when that is not plain.
func (r *Resource) stateOf(verb string) *Fill {
	var found *Fill
	for _, c := range r.Columns {
		n := Plain(c.Property)
		if c.Ref.Kind != RefEnum || !strings.HasSuffix(n, "status") && !strings.HasSuffix(n, "state") && !strings.HasSuffix(n, "phase") {
			continue
		}
		for _, v := range c.Ref.Named.Values {
			if !leadsTo(verb, v.Value) {
				continue
			}
			if found != nil {
				return nil
			}
			found = &Fill{Column: c, Source: SourceValue, Value: v.Name}
		}
	}
	return found
}
