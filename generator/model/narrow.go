package model

import "slices"

// narrow makes requests ask for what responses promise: a property that the row's own
// schema describes more closely than a body does would let rows in that no response may
// show. The served document says so.
func (rb *rowBuilder) narrow() {
	item, _ := listItem(rb.c.list)
	for _, read := range []*Schema{rb.r.Schema, resultObject(rb.c.create), item} {
		if read == nil {
			continue
		}
		for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch, rb.c.put, rb.c.change, rb.c.post} {
			narrowBody(op, read)
		}
	}
}

func narrowBody(op *Operation, read *Schema) {
	body := bodyObject(op)
	if body == nil || body == read {
		return
	}
	for _, p := range body.Properties {
		own := read.Property(p.Name)
		if own == nil || own.Schema == p.Schema || own.Schema.WriteOnly || p.Schema.ReadOnly {
			continue
		}
		if narrowed, ok := meetSchemas(p.Schema, own.Schema); ok {
			narrowed.Narrowed = true
			p.Schema = narrowed
		}
	}
}

// meetSchemas returns a copy of a scalar's schema that accepts no more than another one
// does; false: it does not already, or cannot.
func meetSchemas(s, by *Schema) (*Schema, bool) {
	if s.Kind != by.Kind || s.Const != nil || s.Kind != KindString && s.Kind != KindInteger && s.Kind != KindNumber {
		return nil, false
	}
	out, changed := *s, false
	change := func(condition bool, apply func()) {
		if condition {
			apply()
			changed = true
		}
	}
	change(by.Enum != nil && s.Enum == nil, func() { out.Enum = by.Enum })
	if by.Enum != nil && s.Enum != nil {
		out.Enum = slices.DeleteFunc(slices.Clone(s.Enum), func(v Literal) bool {
			return !slices.ContainsFunc(by.Enum, func(w Literal) bool { return string(v) == string(w) })
		})
		if len(out.Enum) == 0 {
			return nil, false
		}
		changed = len(out.Enum) < len(s.Enum)
	}
	change(by.Pattern != "" && s.Pattern == "", func() { out.Pattern = by.Pattern })
	change(by.MinLength > s.MinLength, func() { out.MinLength = by.MinLength })
	change(by.MaxLength != nil && (s.MaxLength == nil || *s.MaxLength > *by.MaxLength), func() { out.MaxLength = by.MaxLength })
	change(by.Minimum != nil && (s.Minimum == nil || *s.Minimum < *by.Minimum),
		func() { out.Minimum, out.ExclusiveMinimum = by.Minimum, by.ExclusiveMinimum })
	change(by.Maximum != nil && (s.Maximum == nil || *s.Maximum > *by.Maximum),
		func() { out.Maximum, out.ExclusiveMaximum = by.Maximum, by.ExclusiveMaximum })
	change(by.MultipleOf != nil && s.MultipleOf == nil, func() { out.MultipleOf = by.MultipleOf })
	return &out, changed
}
