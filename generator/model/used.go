package model

import "slices"

// usage finds out which types and patterns of a service its code needs: nothing
// else is generated.
type usage struct {
	types    map[*Type]bool
	patterns map[*Pattern]bool
	rules    map[*Rules]bool
	decoded  map[*Ref]bool
}

// keepUsed drops the types and patterns that nothing refers to, and marks those
// that requests hold.
func (b *builder) keepUsed(s *Service) {
	u := &usage{types: map[*Type]bool{}, patterns: map[*Pattern]bool{}, rules: map[*Rules]bool{}, decoded: map[*Ref]bool{}}
	for _, op := range s.Operations {
		for _, p := range op.Params {
			u.reach(p.Ref)
			u.decode(p.Ref)
		}
		for _, body := range op.Bodies() {
			u.reach(body.Ref)
			u.decode(body.Ref)
		}
		for _, r := range op.Results {
			u.reach(r.Ref)
			answer(r.Ref)
		}
	}
	for _, e := range s.Errors {
		if e.Type != nil {
			u.reach(&Ref{Kind: RefStruct, Named: e.Type})
			answer(&Ref{Kind: RefStruct, Named: e.Type})
		}
	}
	for _, c := range s.Calls {
		for _, p := range c.Params {
			u.reach(p.Ref)
		}
		u.reach(c.Body)
		answer(c.Body)
		if c.Checked {
			u.decode(c.Body)
		}
	}
	for _, r := range s.Resources {
		for _, c := range r.Columns {
			u.reach(c.Ref)
			answer(c.Ref)
		}
	}
	s.keepForms()
	t := b.scopes[s].typer
	s.Types = slices.DeleteFunc(t.types, func(t *Type) bool { return !u.types[t] })
	s.Rules = slices.DeleteFunc(t.rules, func(r *Rules) bool { return !u.rules[r] })
	s.Patterns = slices.DeleteFunc(t.patterns, func(p *Pattern) bool { return !u.patterns[p] })
}

// reach marks the types that a value's Go type names.
func (u *usage) reach(r *Ref) {
	if r == nil {
		return
	}
	switch r.Kind {
	case RefStruct, RefEnum:
		if u.types[r.Named] {
			return
		}
		u.types[r.Named] = true
		for _, f := range r.Named.Fields {
			u.reach(f.Ref)
		}
	case RefList, RefMap:
		u.reach(r.Elem)
	}
}

// answer marks the types of a value that is sent or stored.
func answer(r *Ref) {
	switch {
	case r == nil:
	case r.Kind == RefStruct:
		if r.Named.Answered {
			return
		}
		r.Named.Answered = true
		for _, f := range r.Named.Fields {
			answer(f.Ref)
		}
	case r.Kind == RefList, r.Kind == RefMap:
		answer(r.Elem)
	}
}

// decode marks what reading and checking a value needs: decoders, lists of enum
// values, patterns, and the variants of unions.
func (u *usage) decode(r *Ref) {
	if r == nil || u.decoded[r] {
		return
	}
	u.decoded[r] = true
	u.rules[r.Rules] = true
	switch r.Kind {
	case RefString:
		if r.Pattern != nil {
			u.patterns[r.Pattern] = true
		}
	case RefEnum:
		r.Named.Checked = true
	case RefStruct:
		r.Named.Decoded = true
		u.rules[r.Named.Rules] = true
		for _, f := range r.Named.Fields {
			if !f.Property.Schema.ReadOnly {
				u.decode(f.Ref)
			}
		}
	case RefList, RefMap:
		u.decode(r.Elem)
	case RefRaw:
		for _, v := range r.Variants {
			u.reach(v)
			u.decode(v)
		}
	}
}
