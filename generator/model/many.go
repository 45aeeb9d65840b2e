package model

import (
	"strconv"
	"strings"
)

// ManyPlan is how an operation changes or deletes the rows that a list of keys names.
type ManyPlan struct {
	// Keys is the member of the body that lists the keys, nil: Param does, or else the
	// body itself is the list.
	Keys  *Field
	Param *OpParam
	// Item, ItemFunc and ItemFrom are those of the answer that lists the rows, as in a
	// ListPlan; nil: the answer does not.
	Item     *Ref
	ItemFunc string
	ItemFrom []*FieldSource
	Envelope *Envelope
}

var (
	keysNames = set("keys", "ids", "id", "uuids", "guids", "identifiers", "identities")
	dataNames = set("data", "changes", "change", "update", "updates", "values", "patch", "fields", "attributes", "set", "properties")
	// deleteVerbs are last segments of paths whose POST deletes what its body lists.
	deleteVerbs = set("delete", "remove", "bulkdelete", "batchdelete", "deletebulk", "deletebatch", "deletemany", "massdelete", "multidelete", "bulkremove")
)

// findBulk ties operations on a collection's own path that name their rows by a list of
// keys: PATCH {"keys": […], "data": {…}}, DELETE […], DELETE ?ids=, POST …/bulk-delete.
func (b *builder) findBulk(operations []*Operation) {
	for _, op := range operations {
		if b.owner[op] != nil && b.role[op] != OpClear {
			continue
		}
		path, kind := op.Bulk()
		r := b.resourceAt(path)
		if kind != "" && r != nil && !r.Singleton && r.KeyParts == nil && r.Service == b.serviceOf[op] {
			b.owner[op], b.role[op] = r, kind
		}
	}
}

// Bulk returns the path of the collection whose rows an operation names by a list of
// keys, and whether it changes or deletes them; "" for any other operation.
func (o *Operation) Bulk() (collection string, kind OpKind) {
	path := strings.TrimSuffix(o.Place(), "/")
	switch o.Method {
	case "PATCH", "PUT":
		if keys, data := o.bulkBody(path); keys != nil && data != nil {
			return path, OpChangeMany
		}
	case "POST":
		rest, verb := parent(path)
		if deleteVerbs[Plain(verb)] && o.listsKeys(rest) {
			return rest, OpDeleteMany
		}
	case "DELETE":
		if o.listsKeys(path) {
			return path, OpDeleteMany
		}
	}
	return "", ""
}

// bulkBody returns the members of a body that list keys and that say what changes; nil
// if there are others, or not both.
func (o *Operation) bulkBody(path string) (keys, data *Property) {
	media := o.structuredBody()
	if objectOf(media) == nil {
		return nil, nil
	}
	for _, p := range media.Schema.Properties {
		switch {
		case keys == nil && keyList(p.Schema, p.Name, path):
			keys = p
		case data == nil && isRecord(p.Schema) && dataNames[Plain(p.Name)]:
			data = p
		default:
			return nil, nil
		}
	}
	return keys, data
}

// listsKeys reports whether an operation names rows by a list of keys and by nothing
// else: in its body, or in a required parameter.
func (o *Operation) listsKeys(path string) bool {
	if o.Body == nil || len(o.Body.Content) == 0 {
		return o.keysParam(path) != nil
	}
	media := o.structuredBody()
	switch {
	case media == nil || media.Schema == nil:
		return false
	case media.Schema.Kind == KindArray:
		return keyList(media.Schema, "ids", path)
	case objectOf(media) != nil && len(media.Schema.Properties) == 1:
		p := media.Schema.Properties[0]
		return keyList(p.Schema, p.Name, path)
	}
	return false
}

func (o *Operation) structuredBody() *Media {
	if o.Body == nil {
		return nil
	}
	return Structured(o.Body.Content)
}

// keyList reports whether a schema is a list of what names the rows of a collection.
func keyList(s *Schema, name, path string) bool {
	return s.Kind == KindArray && s.Items != nil && (s.Items.Kind == KindString || s.Items.Kind == KindInteger) && namesKeys(name, path)
}

func namesKeys(name, path string) bool {
	_, last := parent(path)
	n, noun := Plain(name), Plain(singular(last))
	return keysNames[n] || n == noun+"ids" || n == noun+"id" || n == noun+"keys"
}

// keysParam is the required query parameter that lists keys, nil if there is none.
func (o *Operation) keysParam(path string) *Parameter {
	var found *Parameter
	for _, p := range o.Parameters {
		if p.In != "query" || aboutExchange(Plain(p.Name)) {
			continue
		}
		list := p.Schema != nil && p.Schema.Kind == KindArray && isScalar(p.Schema.Items)
		if !list || !p.Required || !namesKeys(p.Name, path) {
			return nil
		}
		found = p
	}
	return found
}

// planChangeMany decides how a list of keys and what changes become changes of rows.
func (ob *opBuilder) planChangeMany() string {
	op := ob.op
	if op.Body == nil || op.Body.Ref == nil || op.Body.Ref.Kind != RefStruct {
		return "the body is no object with named properties"
	}
	plan := &ManyPlan{}
	keys, data := op.bulkBody(strings.TrimSuffix(op.Place(), "/"))
	fields := op.Body.Ref.Named.Fields
	plan.Keys, op.Body.Inner = fieldFor(fields, keys.Name), fieldFor(fields, data.Name)
	if in := op.Body.Inner; in.Ref.Kind != RefStruct || in.Presence == OptionalNullable || in.Presence == RequiredNullable {
		return "what changes is no object with named properties"
	}
	if reason := plan.keysOf(plan.Keys.Ref, plan.Keys.Presence); reason != "" {
		return reason
	}
	op.Body.Inner.Ref.Named.Partial = true
	for _, c := range op.Resource.Columns {
		fill, reason := ob.fill(c, op.Body.Inner.Ref.Named.Fields)
		if reason != "" {
			return reason
		}
		if fill != nil {
			op.Fills = append(op.Fills, fill)
		}
	}
	if len(op.Fills) == 0 {
		return "the body changes nothing that is stored"
	}
	op.Many = plan
	return ob.planManyAnswer()
}

// planDeleteMany decides which rows a list of keys deletes.
func (ob *opBuilder) planDeleteMany() string {
	op := ob.op
	plan := &ManyPlan{}
	switch {
	case op.Body == nil:
		rest := strings.TrimSuffix(op.Place(), "/")
		plan.Param = op.param("query", op.keysParam(rest).Name)
		if reason := plan.keysOf(plan.Param.Ref, Required); reason != "" {
			return reason
		}
	case op.Body.Ref == nil:
		return "the body is " + op.Body.Media + ", neither JSON nor a form"
	case op.Body.Ref.Kind == RefStruct && len(op.Body.Ref.Named.Fields) == 1:
		plan.Keys = op.Body.Ref.Named.Fields[0]
		if reason := plan.keysOf(plan.Keys.Ref, plan.Keys.Presence); reason != "" {
			return reason
		}
	default:
		if reason := plan.keysOf(op.Body.Ref, Required); reason != "" {
			return reason
		}
	}
	op.Many = plan
	return ob.planManyAnswer()
}

// keysOf says why a value is no list of keys, "" if it is one.
func (plan *ManyPlan) keysOf(r *Ref, presence Presence) string {
	if r.Kind != RefList || !isText(r.Elem) && r.Elem.Kind != RefInt || presence == OptionalNullable || presence == RequiredNullable {
		return "the body lists no keys"
	}
	return ""
}

// planManyAnswer plans an answer that lists the rows, or has no body.
func (ob *opBuilder) planManyAnswer() string {
	op, r := ob.op, ob.op.Resource
	used := map[*OpParam]bool{}
	if op.Many.Param != nil {
		used[op.Many.Param] = true
	}
	if reason := ob.refuse(used); reason != "" {
		return reason
	}
	item, property := listItem(op.Operation)
	if op.Kind == OpDeleteMany || item == nil {
		return ob.planResult()
	}
	media := JSON(op.Success().Content)
	plan := op.Many
	plan.Item = ob.t.ref(item, op.GoName+"Item")
	if plan.Item.Kind != RefStruct {
		return "the list's items have no typed shape"
	}
	fields, reason := ob.project(plan.Item.Named)
	if reason != "" {
		return reason
	}
	plan.ItemFrom, plan.ItemFunc = fields, ob.projection(r, plan.Item.Named)
	result := &Result{Status: op.Success().code(200), Media: jsonType(media.Type)}
	if reason := result.headers(op.Success().Headers, false); reason != "" {
		return reason
	}
	result.GoName = ob.resultName(result.Status)
	result.Ref = ob.t.ref(media.Schema, result.GoName+"Body")
	items := result.Ref
	if property != "" {
		if result.Ref.Kind != RefStruct {
			return "the list's envelope has no typed shape"
		}
		carried := fieldFor(result.Ref.Named.Fields, property)
		items = carried.Ref
		if plan.Envelope, reason = (&ListPlan{}).around(ob, result.Ref.Named, carried); reason != "" {
			return reason
		}
	}
	if items.Kind != RefList || items.Elem.Kind != RefStruct {
		return "the list's items have no typed shape"
	}
	op.Result = result
	return ob.tooMuchAssumed()
}

// code is the response's status, or otherwise where it is a range.
func (r *Response) code(otherwise int) int {
	if code, err := strconv.Atoi(r.Status); err == nil {
		return code
	}
	return otherwise
}
