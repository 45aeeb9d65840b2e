package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/templates/platform/ecma"
)

const componentPrefix = "#/components/schemas/"

// maxMerge bounds how deep allOf branches are merged into one another.
const maxMerge = 40

// schemaConverter turns kin-openapi schemas into model schemas; one source
// schema gives one result, so recursion ends and identity is kept.
type schemaConverter struct {
	doc    *openapi3.T
	file   string
	done   map[*openapi3.Schema]*model.Schema
	names  map[*openapi3.Schema]string
	merged map[mergeKey]*openapi3.SchemaRef
	// open are the results that are being filled, deferred what must wait for them.
	open     map[*model.Schema]bool
	deferred []func()
	// problems are faults that nothing can be generated from.
	problems problem.List
}

// mergeKey identifies the synthetic schema of two property schemas that allOf
// brought together.
type mergeKey struct{ a, b *openapi3.Schema }

func newSchemaConverter(doc *openapi3.T, file string) *schemaConverter {
	c := &schemaConverter{
		doc: doc, file: file,
		done:   map[*openapi3.Schema]*model.Schema{},
		names:  map[*openapi3.Schema]string{},
		merged: map[mergeKey]*openapi3.SchemaRef{},
		open:   map[*model.Schema]bool{},
	}
	if doc.Components != nil {
		for _, name := range sortedKeys(doc.Components.Schemas) {
			ref := doc.Components.Schemas[name]
			if ref != nil && ref.Value != nil && ref.Ref == "" {
				c.names[ref.Value] = name
			}
		}
	}
	return c
}

func (c *schemaConverter) component(name string) *model.Schema {
	return c.convert(c.doc.Components.Schemas[name])
}

// convert returns the model of a schema, nil for none.
func (c *schemaConverter) convert(ref *openapi3.SchemaRef) *model.Schema {
	if ref == nil || ref.Value == nil {
		return nil
	}
	if s, ok := c.done[ref.Value]; ok {
		return s
	}
	out := &model.Schema{Name: c.names[ref.Value]}
	if out.Name == "" {
		// In 3.1 a reference with siblings is a copy of its target: it keeps the
		// target's name when the siblings are annotations.
		if name, ok := strings.CutPrefix(ref.Ref, componentPrefix); ok && c.sameShape(name, ref.Value) {
			out.Name = name
		}
	}
	if out.Name == "" {
		out.Name = c.aliasOf(ref.Value)
	}
	c.done[ref.Value] = out
	c.open[out] = true
	c.fill(out, ref.Value)
	delete(c.open, out)
	for len(c.open) == 0 && len(c.deferred) > 0 {
		next := c.deferred[0]
		c.deferred = c.deferred[1:]
		next()
	}
	if out.Position.Line == 0 {
		out.Position = place(c.file, ref.Origin)
	}
	return out
}

// aliasOf names the component that `allOf: [$ref]` with nothing but annotations
// beside it stands for, the way 3.0 documents put a description on a reference.
func (c *schemaConverter) aliasOf(s *openapi3.Schema) string {
	if len(s.AllOf) != 1 || s.AllOf[0] == nil || len(s.Properties) > 0 || len(s.Required) > 0 ||
		len(s.OneOf) > 0 || len(s.AnyOf) > 0 || s.Enum != nil || s.Not != nil {
		return ""
	}
	name, ok := strings.CutPrefix(s.AllOf[0].Ref, componentPrefix)
	if !ok {
		return ""
	}
	return name
}

// sameShape reports whether a reference's value accepts what the component does.
func (c *schemaConverter) sameShape(name string, s *openapi3.Schema) bool {
	if c.doc.Components == nil {
		return false
	}
	target := c.doc.Components.Schemas[name]
	if target == nil || target.Value == nil {
		return false
	}
	t := target.Value
	return len(t.Properties) == len(s.Properties) && slices.Equal(t.Required, s.Required) &&
		len(t.AllOf) == len(s.AllOf) && len(t.OneOf) == len(s.OneOf) && len(t.AnyOf) == len(s.AnyOf) &&
		len(t.Enum) == len(s.Enum) && t.Pattern == s.Pattern
}

func (c *schemaConverter) fill(out *model.Schema, s *openapi3.Schema) {
	f := flatten(s)
	out.Position = place(c.file, s.Origin)
	out.Title, out.Description, out.Format = f.Title, f.Description, f.Format
	if out.Format == "" { // 3.1 says it otherwise
		switch {
		case f.ContentEncoding == "base64":
			out.Format = "byte"
		case f.ContentMediaType != "" && f.ContentEncoding == "":
			out.Format = "binary"
		}
	}
	out.ReadOnly, out.WriteOnly, out.Deprecated = f.ReadOnly, f.WriteOnly, f.Deprecated
	out.Default, out.Const = literalOrNil(f.Default), literalOrNil(f.Const)
	out.Example = example(f.Schema)
	out.Nullable = f.Nullable
	out.RenamedFrom = renamedFrom(s)
	c.fillEnum(out, f)
	out.Kind = c.kind(out, f)
	c.fillBounds(out, f)
	c.fillUnion(out, f)
	if f.conflict != "" {
		out.Kind, out.Reason = model.KindRaw, f.conflict
	}
	c.addRules(out, f, s)
	switch out.Kind {
	case model.KindArray:
		if !f.tuple {
			out.Items = c.convert(c.meet(f.items))
		}
		if out.Items == nil {
			out.Items = &model.Schema{Kind: model.KindAny}
		}
		for _, part := range f.exotic {
			for _, ref := range part.PrefixItems {
				out.Prefix = append(out.Prefix, c.convert(ref))
			}
			if part.Contains != nil {
				out.Contains = c.convert(part.Contains)
			}
		}
	case model.KindObject:
		c.fillObject(out, f)
	}
}

func (c *schemaConverter) fillEnum(out *model.Schema, f *flat) {
	for _, v := range f.Enum {
		if v == nil {
			out.Nullable = true
			continue
		}
		out.Enum = append(out.Enum, literal(v))
	}
	if f.Enum != nil && out.Enum == nil {
		out.Enum = []model.Literal{}
	}
}

// kind decides the JSON shape, from the type or from the keywords that imply one.
func (c *schemaConverter) kind(out *model.Schema, f *flat) model.Kind {
	for _, t := range f.types {
		if !slices.Contains(jsonTypes, t) {
			c.unknownType(out, t)
			return model.KindAny
		}
	}
	types := slices.DeleteFunc(slices.Clone(f.types), func(t string) bool { return t == "null" })
	if len(f.types) > len(types) {
		out.Nullable = true
		if len(types) == 0 {
			return model.KindNull
		}
	}
	if len(types) > 1 {
		out.Reason, out.Types = "several types: "+strings.Join(types, ", "), types
		return model.KindRaw
	}
	if len(types) == 1 {
		return model.Kind(types[0])
	}
	switch {
	case len(f.properties) > 0:
		return model.KindObject
	case len(f.OneOf) > 0 || len(f.AnyOf) > 0:
		return model.KindUnion
	case f.AdditionalProperties.Schema != nil || f.AdditionalProperties.Has != nil || len(f.Required) > 0 || f.MinProps > 0 || f.MaxProps != nil:
		return model.KindObject
	case len(f.items) > 0:
		return model.KindArray
	case len(out.Enum) > 0:
		return kindOfLiterals(out.Enum)
	case out.Const != nil:
		return kindOfLiterals([]model.Literal{out.Const})
	case f.Pattern != "" || f.MaxLength != nil || f.MinLength > 0 || stringFormats[f.Format]:
		return model.KindString
	case f.Min != nil || f.Max != nil || f.MultipleOf != nil:
		return model.KindNumber
	}
	return model.KindAny
}

// jsonTypes are the types that JSON Schema knows.
var jsonTypes = []string{"string", "integer", "number", "boolean", "object", "array", "null"}

// unknownType reports a type that JSON Schema does not know.
func (c *schemaConverter) unknownType(s *model.Schema, name string) {
	hint := "use " + strings.Join(jsonTypes, ", ")
	if near := problem.Nearest(name, jsonTypes); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	c.problems = append(c.problems, &problem.Problem{
		Code: "schema-type", File: c.file, Line: s.Position.Line, Column: s.Position.Column,
		Message: fmt.Sprintf("%.60q is not a type of JSON Schema", name), Hint: hint,
	})
}

// stringFormats are formats that only strings have.
var stringFormats = map[string]bool{
	"date-time": true, "date": true, "time": true, "uuid": true, "email": true, "uri": true,
	"uri-reference": true, "ipv4": true, "ipv6": true, "hostname": true, "byte": true, "binary": true, "password": true,
}

// kindOfLiterals is the kind that all values share, or raw.
func kindOfLiterals(values []model.Literal) model.Kind {
	var kind model.Kind
	for _, v := range values {
		k := kindOfLiteral(v)
		if kind != "" && k != kind {
			return model.KindRaw
		}
		kind = k
	}
	return kind
}

func kindOfLiteral(v model.Literal) model.Kind {
	switch v[0] {
	case '"':
		return model.KindString
	case 't', 'f':
		return model.KindBoolean
	case '{':
		return model.KindObject
	case '[':
		return model.KindArray
	case 'n':
		return model.KindNull
	}
	if strings.ContainsAny(string(v), ".eE") {
		return model.KindNumber
	}
	return model.KindInteger
}

func (c *schemaConverter) fillBounds(out *model.Schema, f *flat) {
	out.MinLength, out.MaxLength, out.Pattern = clamp(f.MinLength), clampPointer(f.MaxLength), f.Pattern
	if _, ok := model.RE2(f.Pattern); !ok {
		_, err := ecma.Compile(f.Pattern)
		out.Backtracks = err == nil
	}
	out.MinItems, out.MaxItems, out.UniqueItems = clamp(f.MinItems), clampPointer(f.MaxItems), f.UniqueItems
	out.MinProperties, out.MaxProperties = clamp(f.MinProps), clampPointer(f.MaxProps)
	out.MultipleOf = f.MultipleOf
	out.Minimum, out.ExclusiveMinimum = bound(f.Min, f.ExclusiveMin, func(a, b float64) bool { return a > b })
	out.Maximum, out.ExclusiveMaximum = bound(f.Max, f.ExclusiveMax, func(a, b float64) bool { return a < b })
}

// bound joins the inclusive bound with either form of the exclusive one; the
// tighter wins.
func bound(inclusive *float64, exclusive openapi3.ExclusiveBound, tighter func(a, b float64) bool) (*float64, bool) {
	if exclusive.Value != nil {
		if inclusive != nil && tighter(*inclusive, *exclusive.Value) {
			return inclusive, false
		}
		return exclusive.Value, true
	}
	return inclusive, inclusive != nil && exclusive.Bool != nil && *exclusive.Bool
}

func clamp(n uint64) int { return int(min(n, math.MaxInt32)) }

func clampPointer(n *uint64) *int {
	if n == nil {
		return nil
	}
	return new(clamp(*n))
}

func (c *schemaConverter) fillObject(out *model.Schema, f *flat) {
	required := map[string]bool{}
	for _, name := range f.Required {
		required[name] = true
	}
	names := sortedKeys(f.properties)
	sort.SliceStable(names, func(i, j int) bool {
		a, b := f.place(names[i]), f.place(names[j])
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	for _, name := range names {
		s := c.convert(c.meet(f.properties[name]))
		if s == nil {
			s = &model.Schema{Kind: model.KindAny}
		}
		out.Properties = append(out.Properties, &model.Property{Name: name, Required: required[name], Schema: s})
		delete(required, name)
	}
	for _, name := range sortedKeys(required) { // required, but described nowhere
		out.Properties = append(out.Properties, &model.Property{Name: name, Required: true, Schema: &model.Schema{Kind: model.KindAny}})
	}
	if f.open {
		return
	}
	if has := f.AdditionalProperties.Has; has != nil && !*has {
		out.Closed = true
	}
	if has := f.UnevaluatedProperties.Has; has != nil && !*has {
		out.Closed = true
	}
	out.Additional = c.convert(f.AdditionalProperties.Schema)
}

// meet returns a schema that all of refs accept together.
func (c *schemaConverter) meet(refs []*openapi3.SchemaRef) *openapi3.SchemaRef {
	if len(refs) == 0 {
		return nil
	}
	out := refs[0]
	for _, next := range refs[1:] {
		if next.Value == out.Value || next.Value == nil {
			continue
		}
		key := mergeKey{out.Value, next.Value}
		if c.merged[key] == nil {
			both := &openapi3.Schema{AllOf: openapi3.SchemaRefs{out, next}, Origin: out.Value.Origin}
			c.merged[key] = &openapi3.SchemaRef{Value: both, Origin: out.Origin}
		}
		out = c.merged[key]
	}
	return out
}

func example(s *openapi3.Schema) model.Literal {
	if s.Example != nil {
		return literal(s.Example)
	}
	if len(s.Examples) > 0 {
		return literal(s.Examples[0])
	}
	return nil
}

// renamedFrom is what a property was called before: x-backend: {renamed-from: name}.
func renamedFrom(s *openapi3.Schema) string {
	extension, _ := s.Extensions["x-backend"].(map[string]any)
	name, _ := extension["renamed-from"].(string)
	return name
}

// equalJSON reports whether two decoded values are the same JSON.
func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
