package spec

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// flat is a schema with its allOf branches merged in. The embedded schema holds
// the merged keywords; properties and items keep every branch's contribution.
type flat struct {
	*openapi3.Schema
	types      []string // nil: any
	properties map[string][]*openapi3.SchemaRef
	items      []*openapi3.SchemaRef
	exotic     []*openapi3.Schema // what has no form in Go
	complete   bool               // all of the schema is
	open       bool               // which members an object may have is among that
	tuple      bool               // so is what an array's elements are
	conflict   string             // why no single shape fits
	loop       bool               // the conflict is that it includes itself
}

func flatten(s *openapi3.Schema) *flat {
	f := &flat{Schema: &openapi3.Schema{}, properties: map[string][]*openapi3.SchemaRef{}}
	f.add(s, 0, map[*openapi3.Schema]bool{}, true)
	return f
}

// add merges s and its allOf branches. Outer says that s is the schema itself,
// whose annotations win over its branches'.
func (f *flat) add(s *openapi3.Schema, depth int, visiting map[*openapi3.Schema]bool, outer bool) {
	if depth > maxMerge || visiting[s] {
		f.conflict, f.loop = "allOf that includes itself", true
		return
	}
	visiting[s] = true
	f.addAnnotations(s)
	f.addTypes(s)
	f.addShape(s)
	f.addBounds(s)
	f.addExotic(s, outer)
	for _, branch := range s.AllOf {
		if branch != nil && branch.Value != nil {
			f.add(branch.Value, depth+1, visiting, false)
		}
	}
	delete(visiting, s)
	if outer {
		return
	}
	// additionalProperties in a branch sees only that branch's properties; with
	// siblings it would refuse theirs, which no author means.
	if len(s.AllOf) == 0 && s.AdditionalProperties.Schema != nil && f.AdditionalProperties.Schema == nil {
		f.AdditionalProperties.Schema = s.AdditionalProperties.Schema
	}
}

func (f *flat) addAnnotations(s *openapi3.Schema) {
	first := func(dst *string, v string) {
		if *dst == "" {
			*dst = v
		}
	}
	first(&f.Title, s.Title)
	first(&f.Description, s.Description)
	first(&f.Format, s.Format)
	first(&f.ContentEncoding, s.ContentEncoding)
	first(&f.ContentMediaType, s.ContentMediaType)
	f.ReadOnly = f.ReadOnly || s.ReadOnly
	f.WriteOnly = f.WriteOnly || s.WriteOnly
	f.Deprecated = f.Deprecated || s.Deprecated
	f.Nullable = f.Nullable || s.Nullable
	if f.Default == nil {
		f.Default = s.Default
	}
	if f.Example == nil {
		f.Example = s.Example
	}
	if f.Examples == nil {
		f.Examples = s.Examples
	}
	if s.Const != nil {
		if f.Const != nil && !equalJSON(f.Const, s.Const) {
			f.conflict = "allOf with two different const values"
		}
		f.Const = s.Const
	}
}

func (f *flat) addTypes(s *openapi3.Schema) {
	if s.Type == nil || len(*s.Type) == 0 {
		return
	}
	if f.types == nil {
		f.types = slices.Clone(*s.Type)
		return
	}
	var both []string
	for _, t := range f.types {
		if slices.Contains(*s.Type, t) || t == "integer" && slices.Contains(*s.Type, "number") {
			both = append(both, t)
		}
	}
	if slices.Contains(*s.Type, "integer") && slices.Contains(f.types, "number") && !slices.Contains(both, "integer") {
		both = append(both, "integer")
	}
	if len(both) == 0 {
		f.conflict = "allOf with types that exclude one another"
		return
	}
	f.types = both
}

func (f *flat) addShape(s *openapi3.Schema) {
	for name, ref := range s.Properties {
		if ref != nil && ref.Value != nil {
			f.properties[name] = append(f.properties[name], ref)
		}
	}
	for _, name := range s.Required {
		if !slices.Contains(f.Required, name) {
			f.Required = append(f.Required, name)
		}
	}
	if s.Items != nil {
		f.items = append(f.items, s.Items)
	}
	if len(s.AllOf) == 0 || s.AdditionalProperties.Has != nil {
		if f.AdditionalProperties.Has == nil && f.AdditionalProperties.Schema == nil {
			f.AdditionalProperties = s.AdditionalProperties
		}
	}
	if s.UnevaluatedProperties.Has != nil {
		f.UnevaluatedProperties = s.UnevaluatedProperties
	}
	if len(s.OneOf) > 0 {
		if len(f.OneOf) > 0 {
			f.conflict = "allOf with two oneOf"
		}
		f.OneOf = s.OneOf
	}
	if len(s.AnyOf) > 0 {
		if len(f.AnyOf) > 0 {
			f.conflict = "allOf with two anyOf"
		}
		f.AnyOf = s.AnyOf
	}
	if s.Discriminator != nil && f.Discriminator == nil {
		f.Discriminator = s.Discriminator
	}
	if s.Enum != nil {
		f.Enum = meetEnum(f.Enum, s.Enum)
	}
	if s.Always != nil && !*s.Always {
		f.conflict = "a schema that accepts nothing"
	}
}

// meetEnum is the intersection of two enumerations, in the first's order.
func meetEnum(a, b []any) []any {
	if a == nil {
		return b
	}
	out := []any{}
	for _, v := range a {
		if slices.ContainsFunc(b, func(w any) bool { return equalJSON(v, w) }) {
			out = append(out, v)
		}
	}
	return out
}

func (f *flat) addBounds(s *openapi3.Schema) {
	f.MinLength, f.MinItems, f.MinProps = max(f.MinLength, s.MinLength), max(f.MinItems, s.MinItems), max(f.MinProps, s.MinProps)
	f.MaxLength, f.MaxItems, f.MaxProps = least(f.MaxLength, s.MaxLength), least(f.MaxItems, s.MaxItems), least(f.MaxProps, s.MaxProps)
	f.UniqueItems = f.UniqueItems || s.UniqueItems
	if s.Min != nil && (f.Min == nil || *s.Min > *f.Min) {
		f.Min = s.Min
	}
	if s.Max != nil && (f.Max == nil || *s.Max < *f.Max) {
		f.Max = s.Max
	}
	switch {
	case !s.ExclusiveMin.IsSet():
	case !f.ExclusiveMin.IsSet():
		f.ExclusiveMin = s.ExclusiveMin
	default:
		f.exotic = append(f.exotic, &openapi3.Schema{Min: s.Min, ExclusiveMin: s.ExclusiveMin})
	}
	switch {
	case !s.ExclusiveMax.IsSet():
	case !f.ExclusiveMax.IsSet():
		f.ExclusiveMax = s.ExclusiveMax
	default:
		f.exotic = append(f.exotic, &openapi3.Schema{Max: s.Max, ExclusiveMax: s.ExclusiveMax})
	}
	switch {
	case s.MultipleOf == nil:
	case f.MultipleOf == nil:
		f.MultipleOf = s.MultipleOf
	case *f.MultipleOf != *s.MultipleOf:
		f.exotic = append(f.exotic, &openapi3.Schema{MultipleOf: s.MultipleOf})
	}
	if s.Pattern != "" {
		if f.Pattern != "" && f.Pattern != s.Pattern {
			f.exotic = append(f.exotic, &openapi3.Schema{Pattern: s.Pattern})
			return
		}
		f.Pattern = s.Pattern
	}
}

func least(a, b *uint64) *uint64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// addExotic keeps what has no form in Go.
func (f *flat) addExotic(s *openapi3.Schema, outer bool) {
	part := exotic(s)
	if part == nil {
		return
	}
	f.exotic = append(f.exotic, part)
	f.open = f.open || len(s.PatternProperties) > 0 || restOf(s)
	f.complete = f.complete || outer && part == s
	f.tuple = f.tuple || len(s.PrefixItems) > 0
}

// place is where a property is first written.
func (f *flat) place(name string) openapi3.Location {
	for _, ref := range f.properties[name] {
		if ref.Origin != nil && ref.Origin.Key != nil {
			return *ref.Origin.Key
		}
		if ref.Ref == "" && ref.Value.Origin != nil && ref.Value.Origin.Key != nil {
			return *ref.Value.Origin.Key
		}
	}
	return openapi3.Location{}
}
