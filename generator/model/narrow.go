package model

import "slices"

// narrow makes requests ask for what responses promise: a property that the row's own
// schema describes more closely than a body does would let rows in that no response may
// show. The served document says so.
func (rb *rowBuilder) narrow() {
	item, _ := listItem(rb.c.list)
	var reads []*Schema
	for _, s := range []*Schema{rb.r.Schema, resultObject(rb.c.create), item} {
		if s != nil {
			reads = append(reads, s)
		}
	}
	for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch, rb.c.put, rb.c.change, rb.c.post} {
		body := bodyObject(op)
		if body == nil {
			continue
		}
		for _, p := range body.Properties {
			for _, read := range reads {
				p.narrow(read.Property(p.Name))
			}
			if p.Schema.Kind == KindString && p.Schema.Enum == nil {
				p.narrow(rb.choice(p.Name, reads))
			}
		}
	}
}

// choice is the property of the first body that has it, where no response does and its
// values are listed: then the column takes no others.
func (rb *rowBuilder) choice(name string, reads []*Schema) *Property {
	if slices.ContainsFunc(reads, func(s *Schema) bool { return s.Property(name) != nil }) {
		return nil
	}
	for _, op := range []*Operation{rb.c.create, rb.c.replace, rb.c.patch} {
		if p := bodyObject(op).Property(name); p != nil {
			return &Property{Schema: &Schema{Kind: p.Schema.Kind, Enum: p.Schema.Enum}}
		}
	}
	return nil
}

// narrow makes a property of a body take no value that own does not.
func (p *Property) narrow(own *Property) {
	if own == nil || own.Schema == p.Schema || own.Schema.WriteOnly || p.Schema.ReadOnly {
		return
	}
	p.Schema = narrowed(p.Schema, own.Schema)
}

// narrowed is a schema of requests that takes no value which by does not, or the schema
// itself where it takes none already.
func narrowed(s, by *Schema) *Schema {
	if met, ok := meetSchemas(s, by); ok {
		met.Narrowed = true
		return met
	}
	return s
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
	change(stringFormats(by.Format) && s.Format == "", func() { out.Format = by.Format })
	change(by.MinLength > s.MinLength, func() { out.MinLength = by.MinLength })
	change(by.MaxLength != nil && (s.MaxLength == nil || *s.MaxLength > *by.MaxLength), func() { out.MaxLength = by.MaxLength })
	change(by.Minimum != nil && (s.Minimum == nil || *s.Minimum < *by.Minimum),
		func() { out.Minimum, out.ExclusiveMinimum = by.Minimum, by.ExclusiveMinimum })
	change(by.Maximum != nil && (s.Maximum == nil || *s.Maximum > *by.Maximum),
		func() { out.Maximum, out.ExclusiveMaximum = by.Maximum, by.ExclusiveMaximum })
	change(by.MultipleOf != nil && s.MultipleOf == nil, func() { out.MultipleOf = by.MultipleOf })
	return &out, changed
}
