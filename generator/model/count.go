package model

import "strings"

var countPaths = set("count", "total", "totalcount", "totals", "size", "numberofitems", "counts")

// findCounts ties GET /orders/count to what GET /orders lists.
func (b *builder) findCounts(operations []*Operation) {
	for _, op := range operations {
		if op.Method != "GET" || b.owner[op] != nil {
			continue
		}
		rest, last := parent(strings.TrimSuffix(op.Place(), "/"))
		r := b.resourceAt(rest)
		if r == nil || r.Singleton || r.Service != b.serviceOf[op] || !countPaths[Plain(last)] {
			continue
		}
		if s := op.answered(); s != nil && (s.Kind == KindInteger || countMember(s) != nil) {
			b.owner[op], b.role[op] = r, OpCount
		}
	}
}

// answered is the JSON schema of an operation's success, nil for none.
func (o *Operation) answered() *Schema {
	if o.Success() == nil {
		return nil
	}
	media := JSON(o.Success().Content)
	if media == nil {
		return nil
	}
	return media.Schema
}

// countMember is the only member of an object that can hold a count, nil if there are
// others that something would have to fill.
func countMember(s *Schema) *Property {
	var found *Property
	for _, p := range s.Properties {
		switch n := Plain(p.Name); {
		case p.Schema.Kind == KindInteger && found == nil && (countPaths[n] || totalNames[n]):
			found = p
		case p.Required:
			return nil
		}
	}
	return found
}

// planCount decides what a count counts: what the list would list.
func (ob *opBuilder) planCount() string {
	op := ob.op
	schema := op.answered()
	result := &Result{Status: op.Success().code(200), Media: jsonType(JSON(op.Success().Content).Type)}
	if reason := result.headers(op.Success().Headers, false); reason != "" {
		return reason
	}
	result.GoName = ob.resultName(result.Status)
	result.Ref = ob.t.ref(schema, result.GoName+"Body")
	if result.Ref.Kind == RefStruct {
		result.Count = fieldFor(result.Ref.Named.Fields, countMember(schema).Name)
	}
	if result.Ref.Kind != RefInt && (result.Count == nil || result.Count.Ref.Kind != RefInt || result.Count.Presence == OptionalNullable) {
		return "the answer holds no count"
	}
	plan := &ListPlan{DefaultLimit: 1, MaxLimit: 1}
	used := map[*OpParam]bool{}
	ob.listParams(plan, used, result.Ref, "")
	for _, p := range []*OpParam{plan.Limit, plan.Page, plan.Offset} {
		delete(used, p) // there are no pages of a count
	}
	plan.Limit, plan.Page, plan.Offset, plan.Style = nil, nil, nil, ""
	if plan.Sort != nil {
		delete(used, plan.Sort.Param)
		delete(used, plan.Sort.Direction)
		plan.Sort = nil
	}
	op.List, op.Result = plan, result
	return ob.refuse(used)
}
