package model

import (
	"slices"
	"strconv"
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

// undone are verbs that take back another one, where "un" before it does not say so.
var undone = map[string]string{"disable": "enable", "deactivate": "activate", "hide": "show", "close": "open", "stop": "start"}

// positive is the verb that a verb takes back, or the verb itself.
func positive(verb string) (base string, back bool) {
	v := Plain(verb)
	if base := undone[v]; base != "" {
		return base, true
	}
	base = strings.TrimPrefix(v, "un")
	return base, base != v
}

// findActions ties POST and PUT /orders/{id}/cancel to the resource whose status has a
// value that the verb leads to, or that has a flag which the verb sets; and DELETE
// /issues/{id}/lock to the resource with the flag that PUT sets. An operation that
// declares 409 depends on the state that it finds, of which the document does not say
// enough.
func (b *builder) findActions(operations []*Operation) {
	for _, op := range operations {
		if op.Method != "POST" && op.Method != "PUT" && op.Method != "DELETE" || b.owner[op] != nil || op.Body != nil && op.Body.Required {
			continue
		}
		item, verb := actsOn(op)
		if item == "" || refuses(op) {
			continue
		}
		collection, _ := parent(item)
		r := b.resourceAt(collection)
		if r == nil || r.Service != b.serviceOf[op] {
			continue
		}
		set := r.flagOf(verb, op.Method == "DELETE")
		if set == nil && op.Method != "DELETE" {
			set = r.stateOf(verb)
		}
		if set != nil {
			b.owner[op], b.role[op], b.sets[op] = r, OpChange, []*Fill{set}
		}
	}
}

// actsOn parts the path of an action into that of the item and the verb; "" if it is
// none.
func actsOn(op *Operation) (item, verb string) {
	item, verb = parent(strings.TrimSuffix(op.Place(), "/"))
	if i := strings.LastIndex(verb, ":"); i > 0 { // /orders/{id}:cancel
		item, verb = item+"/"+verb[:i], verb[i+1:]
	}
	if rest, last := parent(item); last == "action" || last == "actions" {
		item = rest
	}
	if _, last := parent(item); !isPlaceholder(last) {
		return "", ""
	}
	return item, verb
}

// changesState reports whether a verb may change the state of what a schema describes:
// then the action lives with the rows. findActions decides.
func changesState(s *Schema, verb string, depth int) bool {
	for _, p := range s.Properties {
		switch {
		case p.Schema.Kind == KindBoolean, p.Schema.Enum != nil:
			name := strings.TrimPrefix(Plain(p.Name), "is")
			base, _ := positive(verb)
			if leadsTo(base, name) || leadsTo(verb, name) {
				return true
			}
			for _, v := range p.Schema.Enum {
				if text, ok := Text(v); ok && (leadsTo(verb, text) || leadsTo(firstWord(verb), text)) {
					return true
				}
			}
		case depth == 0 && isRecord(p.Schema) && changesState(p.Schema, verb, depth+1):
			return true
		}
	}
	return false
}

func firstWord(name string) string {
	if parts := words(name); len(parts) > 0 {
		return parts[0]
	}
	return ""
}

func refuses(op *Operation) bool {
	return slices.ContainsFunc(op.Responses, func(r *Response) bool { return r.Status == "409" })
}

// flagOf is the change that a verb makes of the one flag that is called like what it
// leads to: lock and locked. "unlock" and the DELETE of a lock take it back.
func (r *Resource) flagOf(verb string, takenBack bool) *Fill {
	base, back := positive(verb)
	var found *Fill
	for _, c := range r.Columns {
		name := strings.TrimPrefix(Plain(c.Property), "is")
		if c.Ref.Kind != RefBool || c.Property == "" {
			continue
		}
		var value string
		switch {
		case leadsTo(base, name):
			value = strconv.FormatBool(back == takenBack)
		case back && leadsTo(verb, name): // disable and disabled
			value = strconv.FormatBool(!takenBack)
		default:
			continue
		}
		if found != nil {
			return nil
		}
		found = &Fill{Column: c, Source: SourceValue, Value: value}
	}
	return found
}

// stateOf is the change that a verb makes: the one value of the one status that it
// leads to, which may be a member of an object. nil when that is not plain.
func (r *Resource) stateOf(verb string) *Fill {
	var found []*Fill
	for _, c := range r.Columns {
		for _, v := range statesOf(c.Ref, c.Property, verb) {
			found = append(found, &Fill{Column: c, Source: SourceValue, Value: v})
		}
		if c.Ref.Kind != RefStruct || c.Property == "" {
			continue
		}
		base, ok := neutralStruct(c.Ref, 0)
		for _, f := range c.Ref.Named.Fields {
			for _, v := range statesOf(f.Ref, f.JSON, verb) {
				if !ok || f.Presence == OptionalNullable {
					return nil
				}
				found = append(found, &Fill{Column: c, Source: SourceValue, Member: f, Base: base, Value: v})
			}
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// statesOf are the values of a status that a verb leads to. A verb with an object leads
// to the status of that: enableCustomHttps to that of customHttpsProvisioningState.
func statesOf(ref *Ref, property, verb string) (out []string) {
	n := Plain(property)
	if ref.Kind != RefEnum || !strings.HasSuffix(n, "status") && !strings.HasSuffix(n, "state") && !strings.HasSuffix(n, "phase") {
		return nil
	}
	if parts := words(verb); len(parts) > 1 && strings.HasPrefix(n, strings.Join(parts[1:], "")) {
		verb = parts[0]
	}
	for _, v := range ref.Named.Values {
		if leadsTo(verb, v.Value) {
			out = append(out, v.Name)
		}
	}
	return out
}
