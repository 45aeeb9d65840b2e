package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Extension says what an operation does, where the document alone leaves that open: its
// x-backend object, or its line below "operations" in the profile, which is stronger.
//
//	x-backend: {resource: /orders, does: change, set: {status: cancelled}}
//	x-backend: {does: record}
//	x-backend: {does: stub, reason: sends mail}
type Extension struct {
	// Resource is the collection path of the resource that it works on, as the document
	// writes it: /users/{userId}/orders.
	Resource string `json:"resource,omitempty"`
	// Does is list, get, create, replace, patch, delete, clear, change or count: that,
	// of the resource. Or store: what a GET answers is rows of its own, which nothing in
	// the document writes. Or record: what was asked is kept as a row of a table of its
	// own. Or stub.
	Does string `json:"does"`
	// Set gives properties the values that "change" sets.
	Set map[string]json.RawMessage `json:"set,omitempty"`
	// Reason says why it is a stub.
	Reason string `json:"reason,omitempty"`
}

var extensionKinds = map[string]OpKind{
	"list": OpList, "get": OpGet, "create": OpCreate, "replace": OpReplace, "patch": OpPatch, "delete": OpDelete, "clear": OpClear, "change": OpChange, "count": OpCount,
}

const extensionVerbs = "list, get, create, replace, patch, delete, clear, change, count, store, record or stub"

// ParseExtension reads one from JSON; a reason says what is wrong with it.
func ParseExtension(text []byte) (e *Extension, reason string) {
	e = &Extension{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(e); err != nil {
		return nil, "cannot be read: it has resource, does, set and reason"
	}
	own := e.Does == "store" || e.Does == "record" || e.Does == "stub"
	switch _, known := extensionKinds[e.Does]; {
	case !known && !own:
		return nil, fmt.Sprintf("does is %s, not %.20q", extensionVerbs, e.Does)
	case own && (e.Resource != "" || e.Set != nil):
		return nil, fmt.Sprintf("%s takes neither resource nor set", e.Does)
	case known && e.Resource == "":
		return nil, fmt.Sprintf("%s needs a resource: the path of a collection", e.Does)
	}
	return e, ""
}

// String is the extension as a YAML flow mapping, on one line.
func (e *Extension) String() string {
	var members []string
	add := func(name, value string) { members = append(members, name+": "+value) }
	if e.Resource != "" {
		add("resource", YAMLText(e.Resource))
	}
	add("does", YAMLText(e.Does))
	if len(e.Set) > 0 {
		var set []string
		for _, name := range slices.Sorted(maps.Keys(e.Set)) {
			value := string(e.Set[name])
			if text := ""; json.Unmarshal(e.Set[name], &text) == nil {
				value = YAMLText(text)
			}
			set = append(set, YAMLText(name)+": "+value)
		}
		add("set", "{"+strings.Join(set, ", ")+"}")
	}
	if e.Reason != "" {
		add("reason", YAMLText(e.Reason))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

var plainYAML = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/_.-]*$`)

// YAMLText is a text as a YAML scalar within a flow mapping.
func YAMLText(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if plainYAML.MatchString(s) {
			return s
		}
	}
	return strconv.Quote(s) // its escapes are YAML's, too
}

// Said is what the profile says of an operation, nil for nothing.
func (o *Options) Said(op *Operation) *Extension {
	if e := o.Operations[op.ID]; e != nil {
		return e
	}
	return o.Operations[op.Method+" "+op.Path]
}

// readExtensions finds what the profile and the document say of operations.
func (b *builder) readExtensions(operations []*Operation) {
	for _, op := range operations {
		e := b.options.Said(op)
		if e == nil && op.Extension != nil {
			var reason string
			if e, reason = ParseExtension(op.Extension); reason != "" {
				e = &Extension{Does: "stub", Reason: "x-backend: " + reason}
			}
		}
		if e != nil {
			b.said[op] = e
		}
	}
}

// extensions lets what was said of operations overrule what was inferred. What cannot be
// followed makes the operation a stub that says why.
func (b *builder) extensions(operations []*Operation) {
	for _, op := range operations {
		if b.said[op] == nil || b.said[op].Does == "stub" {
			continue // implement heeds it
		}
		if reason := b.extend(op, b.said[op]); reason != "" {
			delete(b.owner, op)
			delete(b.role, op)
			b.reasons[op] = reason
		}
	}
}

func (b *builder) extend(op *Operation, e *Extension) (reason string) {
	kind := extensionKinds[e.Does]
	switch e.Does {
	case "store", "record":
		if r := b.owner[op]; r == nil || !r.told {
			return b.reasons[op]
		}
		return ""
	}
	r := b.resourceAt(op.outside() + strings.TrimSuffix(e.Resource, op.Ending))
	if r == nil {
		return fmt.Sprintf("x-backend: nothing is stored at %.60q; there is %s", e.Resource, b.paths(op))
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

// tell makes resources of their own for operations of which it was said that they store
// or record: a candidate each, and they belong to no other.
func (b *builder) tell(all []*candidate, operations []*Operation) []*candidate {
	for _, op := range operations {
		c := &candidate{path: strings.TrimSuffix(op.Place(), "/"), told: true}
		var unfit string
		switch e := b.said[op]; {
		case e == nil || e.Does != "store" && e.Does != "record":
			continue
		case e.Does == "store" && op.Method != "GET":
			unfit = "x-backend: only a GET can store: it says that what is answered is rows of its own"
		case e.Does == "record" && op.Method != "POST" && op.Method != "PUT" && op.Method != "PATCH":
			unfit = "x-backend: only a POST, PUT or PATCH can record: it keeps what was asked as a row"
		case e.Does == "record":
			c.create = op
		case isList(op):
			c.list = op
		default:
			c.singleton, c.get = true, op
		}
		if unfit != "" {
			b.reasons[op] = unfit
			continue
		}
		for _, other := range all {
			other.lose(op)
		}
		all = append(all, c)
	}
	return all
}

// fixed are the changes that give properties fixed values.
func (r *Resource) fixed(set map[string]json.RawMessage) (out []*Fill, reason string) {
	for _, name := range slices.Sorted(maps.Keys(set)) {
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

// paths lists what is stored beside an operation, for a message.
func (b *builder) paths(op *Operation) string {
	var out []string
	for _, r := range b.ordered {
		out = append(out, strings.TrimPrefix(r.Path, op.outside()))
	}
	const most = 8
	if len(out) > most {
		out = append(out[:most], "…")
	}
	return strings.Join(out, ", ")
}

// Suggest lists, for a stub, what could be said of it, the likeliest first: what the
// document gives a hint of, then a table of its own. Whether it can be followed, only
// another Build tells.
func (c *Coverage) Suggest() (out []*Extension) {
	op := c.Operation
	if c.Hint != nil {
		out = append(out, c.Hint)
	}
	switch {
	case !c.alone:
	case op.Method == "GET":
		out = append(out, &Extension{Does: "store"})
	case slices.ContainsFunc(words(op.Path), func(w string) bool { return answered[w] || derivations[w] || searches[w] }):
		// Keeping what was asked is no answer.
	case op.Method == "POST" || op.Method == "PUT" || op.Method == "PATCH":
		out = append(out, &Extension{Does: "record"})
	}
	return append(out, &Extension{Does: "stub"})
}

// group is the path of the collection that an operation is about, if it is about one.
func group(op *Operation) string {
	return strings.TrimSuffix(canonical(strings.TrimSuffix(op.Place(), "/")), "/{}")
}

// alone reports whether nothing that writes is beside an operation that reads, and the
// other way round: then rows of its own do not stand beside those that another makes.
func (b *builder) alone(op *Operation) bool {
	return b.owner[op] == nil && uploadOf(op) == nil && !slices.ContainsFunc(b.api.Operations, func(o *Operation) bool {
		return (o.Method == "GET") != (op.Method == "GET") && group(o) == group(op)
	})
}

// answered are words in the paths of operations that are asked for their answer alone.
var answered = set("token", "tokens", "oauth", "oauth2", "auth", "authenticate", "authorize", "login", "signin", "logon", "verify", "refresh", "introspect", "password",
	"quote", "decode", "encode", "parse", "ping", "test", "graphql", "rpc")

// hint is what a stub may do, nil when the document gives no hint: set the status or the
// flag that its verb leads to, or answer rows that are stored under the schema's name.
func (b *builder) hint(op *Operation) *Extension {
	item, verb := actsOn(op)
	collection, _ := parent(item)
	r := b.resourceAt(collection)
	switch {
	case op.Method == "POST" || op.Method == "PUT":
		if item == "" || r == nil {
			return nil
		}
		if property, value := r.leadsTo(verb); value != nil {
			return &Extension{Resource: strings.TrimPrefix(r.Path, op.outside()), Does: "change", Set: map[string]json.RawMessage{property: value}}
		}
	case op.Method == "GET":
		item, _ := listItem(op)
		does := "list"
		if item == nil {
			item, does = resultObject(op), "get"
		}
		if item == nil || item.Name == "" {
			return nil
		}
		for _, r := range b.ordered {
			if r.Schema.Name == item.Name && r.Service == b.serviceOf[op] {
				return &Extension{Resource: strings.TrimPrefix(r.Path, op.outside()), Does: does}
			}
		}
	}
	return nil
}

// leadsTo is the property that a verb changes, and the value that it gives it, as JSON.
func (r *Resource) leadsTo(verb string) (property string, value json.RawMessage) {
	if flag := r.flagOf(verb, false); flag != nil {
		return flag.Column.Property, json.RawMessage(flag.Value)
	}
	state := r.stateOf(verb)
	if state == nil || state.Member != nil {
		return "", nil
	}
	for _, v := range state.Column.Ref.Named.Values {
		if v.Name == state.Value {
			value, _ = json.Marshal(v.Value) // a text always is one
		}
	}
	return state.Column.Property, value
}
