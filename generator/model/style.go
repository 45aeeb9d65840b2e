package model

import (
	"fmt"
	"slices"
)

// ObjectPlan says how a parameter that is no plain value is read as JSON.
type ObjectPlan struct {
	Style string // Whole, Deep, Spread, Listed, Named, Value
	// Prefix and Split are what stands before the value, and between its members.
	Prefix, Split string
	Form          *FormPlan // the object's members; nil: they are texts, or there are none
}

// planParam decides the Go type of a parameter, and how its text becomes that.
func (ob *opBuilder) planParam(p *OpParam, hint string) {
	if reason := ob.typeParam(p, hint); reason != "" {
		p.Ref, p.Object, p.Prefix = &Ref{Kind: RefString, Schema: &Schema{Kind: KindString}}, nil, ""
		ob.b.note(fmt.Sprintf("%s: %s parameter %.40q is kept as text: %s", ob.op.ID, p.In, p.Name, reason))
	}
	p.Optional = p.Ref.Kind != RefList && !p.Required && (p.Schema.Default == nil || p.Object != nil)
}

// typeParam types a parameter; a reason says why only its text can be kept.
func (ob *opBuilder) typeParam(p *OpParam, hint string) (reason string) {
	s := p.Schema
	if p.Media != "" {
		if !IsJSON(p.Media) {
			return "its media type is " + p.Media
		}
		p.Ref, p.Object = ob.t.ref(s, hint), &ObjectPlan{Style: "Whole"}
		return ""
	}
	p.Prefix = pathPrefix(p.Parameter)
	switch s.Kind {
	case KindString, KindInteger, KindNumber, KindBoolean:
		if p.Ref = ob.t.ref(s, hint); p.Ref.Kind == RefBytes {
			return "it is base64"
		}
		if p.Ref.Kind == RefRaw || p.Ref.Rules != nil {
			p.Object = &ObjectPlan{Style: "Value", Prefix: p.Prefix}
		}
	case KindArray:
		if !isScalar(s.Items) || p.Style == "deepObject" {
			return "its items are no plain values"
		}
		p.Ref, p.Split = ob.t.ref(s, hint), separator(p.Parameter)
		if p.Ref.Kind != RefList || p.Ref.Elem.Kind == RefRaw {
			return "its items are no plain values"
		}
		if p.Ref.Rules != nil || p.Ref.Elem.Rules != nil {
			ob.t.unenforced = append(ob.t.unenforced, hint+": rules about a list that is a parameter")
		}
	case KindObject:
		return ob.objectParam(p, hint)
	case KindUnion, KindRaw:
		if v := anyText(s); v != nil {
			p.Ref, p.AnyText = ob.t.ref(v, hint), true
			return ""
		}
		if formKind(s) != "Scalar" {
			return "it is a choice of several shapes"
		}
		p.Ref, p.Object = ob.t.ref(s, hint), &ObjectPlan{Style: "Value", Prefix: p.Prefix}
	default:
		return "the document does not say what it is"
	}
	return ""
}

// objectParam plans a parameter that is an object.
func (ob *opBuilder) objectParam(p *OpParam, hint string) (reason string) {
	o := &ObjectPlan{Prefix: p.Prefix, Split: ","}
	byName := p.In == "query" || p.In == "cookie"
	switch {
	case p.Style == "deepObject" && p.In == "query":
		o.Style, o.Split = "Deep", ""
	case p.Style == "form" && p.Explode && byName:
		if o.Style, o.Split = "Spread", ""; len(p.Schema.Properties) == 0 {
			return "the names of its properties are not known"
		}
	case p.Style == "label" && p.Explode:
		o.Style, o.Split = "Named", "."
	case p.Style == "matrix" && p.Explode:
		o.Style, o.Prefix, o.Split = "Named", ";", ";"
	case p.Style == "simple" && p.Explode:
		o.Style = "Named"
	case p.Style == "spaceDelimited" || p.Style == "pipeDelimited":
		o.Style, o.Split = "Listed", listSeparator(p.Style, false)
	default:
		o.Style = "Listed"
	}
	ref := ob.t.ref(p.Schema, hint)
	if ref.Kind != RefStruct && ref.Kind != RefMap {
		return "it has no Go type"
	}
	fields := formFields(p.Schema, nil, 0)
	if slices.ContainsFunc(fields, func(f *FormField) bool { return !f.plain() || o.Style == "Spread" }) {
		o.Form = ob.form(ref, hint, fields)
	}
	p.Ref, p.Object, p.Prefix = ref, o, ""
	return ""
}

// pathPrefix is what stands before a path parameter's value.
func pathPrefix(p *Parameter) string {
	switch {
	case p.In != "path":
	case p.Style == "label":
		return "."
	case p.Style == "matrix":
		return ";" + p.Name + "="
	}
	return ""
}

func isScalar(s *Schema) bool {
	return s != nil && !s.Nullable && s.Format != "byte" && scalarKind(s.Kind)
}

// separator is what parts the items of an array; "" when the parameter repeats.
func separator(p *Parameter) string {
	switch {
	case p.In == "path" && p.Style == "label" && p.Explode:
		return "."
	case p.In == "path" && p.Style == "matrix" && p.Explode:
		return ";" + p.Name + "="
	case p.In == "path" || p.In == "header":
		return ","
	}
	return listSeparator(p.Style, p.Explode)
}

// keepForms drops the form plans of a service that nothing refers to.
func (s *Service) keepForms() {
	used := map[*FormPlan]bool{}
	for _, op := range s.Operations {
		for _, body := range op.Bodies() {
			used[body.Form] = true
		}
		for _, p := range op.Params {
			if p.Object != nil {
				used[p.Object.Form] = true
			}
		}
	}
	s.Forms = slices.DeleteFunc(s.Forms, func(f *FormPlan) bool { return !used[f] })
}

// anyText is the variant of a choice among plain values that takes whatever text there
// is: a number or a name. nil if there is none.
func anyText(s *Schema) *Schema {
	if formKind(s) != "Scalar" {
		return nil
	}
	for _, v := range slices.Concat(s.OneOf, s.AnyOf) {
		if v.Kind == KindString && plainText(v) && v.MinLength == 0 && v.MaxLength == nil {
			return v
		}
	}
	return nil
}
