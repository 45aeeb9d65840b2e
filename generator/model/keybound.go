package model

// maxChosen bounds the numbers that clients may choose as keys. The database counts on
// from the greatest: the other half of what is exact in every client (2^53; RFC 8259,
// section 6) is its own.
const maxChosen = 1 << 52

func (rb *rowBuilder) boundKey() {
	key := rb.r.Key
	if key == nil || key.Property == "" || key.Kind != "integer" {
		return
	}
	for _, op := range []*Operation{rb.c.create, rb.c.replace} {
		p := bodyObject(op).Property(key.Property)
		if p == nil || p.Schema.ReadOnly || p.Schema.Kind != KindInteger || p.Schema.Maximum != nil && *p.Schema.Maximum <= maxChosen {
			continue
		}
		p.Schema.Maximum, p.Schema.ExclusiveMaximum, p.Schema.Narrowed = new(float64(maxChosen)), false, true
	}
}

// loosenKey lets the path parameter that names a row take every key that a row can have:
// bounds that the row's own property does not have would make rows that nobody reaches.
// Keys that a PUT chooses by the path keep within its bounds, and numbers that the
// database gives begin at 1.
func (ob *opBuilder) loosenKey() {
	param, r := ob.op.KeyParam, ob.op.Resource
	if param == nil || r == nil || r.Key == nil || r.KeyParts != nil || r.Puts || param.Schema == nil {
		return
	}
	own := r.Key.Schema
	if own == nil {
		own = &Schema{}
	}
	s := param.Schema
	low := s.Minimum != nil && own.Minimum == nil && (*s.Minimum > 1 || !own.ReadOnly)
	switch {
	case s.Kind == KindInteger && (low || s.Maximum != nil && (own.Maximum == nil || own.Narrowed)):
		if low {
			s.Minimum, s.ExclusiveMinimum = own.Minimum, own.ExclusiveMinimum
		}
		s.Maximum, s.ExclusiveMaximum = nil, false
		ob.op.KeyLoosened = true
	case s.Kind == KindString && (s.Pattern != own.Pattern && s.Pattern != "" || s.MaxLength != nil && own.MaxLength == nil || s.MinLength > own.MinLength):
		s.Pattern, s.MinLength, s.MaxLength = own.Pattern, own.MinLength, own.MaxLength
		param.Ref.Pattern = r.Key.Ref.Pattern
		ob.op.KeyLoosened = true
	}
}
