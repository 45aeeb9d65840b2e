package spec

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

func (c *schemaConverter) fillUnion(out *model.Schema, f *flat) {
	variants := func(refs openapi3.SchemaRefs) (list []*model.Schema) {
		for _, ref := range refs {
			s := c.convert(ref)
			switch {
			case s == nil:
			case s.Kind == model.KindNull:
				out.Nullable = true
			case s.Nullable && s.Kind != model.KindAny:
				out.Nullable = true
				list = append(list, s)
			default:
				list = append(list, s)
			}
		}
		return list
	}
	if len(f.OneOf) == 0 && len(f.AnyOf) == 0 {
		return
	}
	out.OneOf, out.AnyOf = variants(f.OneOf), variants(f.AnyOf)
	if out.Kind != model.KindUnion {
		if out.Kind != model.KindRaw && !f.complete {
			f.exotic = append(f.exotic, &openapi3.Schema{OneOf: f.OneOf, AnyOf: f.AnyOf})
		}
		if out.Kind != model.KindObject {
			out.OneOf, out.AnyOf = nil, nil
		}
		return
	}
	if f.Discriminator != nil {
		out.Discriminator = c.discriminator(f.Discriminator)
	}
	if len(f.OneOf) > 0 && len(f.AnyOf) > 0 {
		out.Kind, out.Reason = model.KindRaw, "oneOf and anyOf together"
		return
	}
	all := append(slices.Clone(out.OneOf), out.AnyOf...)
	switch {
	case len(all) != 1 || len(f.OneOf)+len(f.AnyOf) > 2:
	case c.open[all[0]]: // a union within its own variant: wait until that is whole
		c.deferred = append(c.deferred, func() { adopt(out, all[0]) })
	default:
		adopt(out, all[0])
	}
}

// adopt makes a union of one variant be that variant, under its own name and
// annotations.
func adopt(out, variant *model.Schema) {
	if variant == out || variant.Kind == model.KindUnion && len(variant.OneOf)+len(variant.AnyOf) == 1 {
		out.Kind, out.Reason = model.KindRaw, "a schema that refers to nothing but itself"
		out.OneOf, out.AnyOf = nil, nil
		return
	}
	keep := *out
	*out = *variant
	out.Nullable = keep.Nullable || variant.Nullable
	out.ReadOnly, out.WriteOnly = keep.ReadOnly || variant.ReadOnly, keep.WriteOnly || variant.WriteOnly
	if keep.Description != "" {
		out.Description = keep.Description
	}
	if out.Rules == nil {
		out.Rules = keep.Rules
	}
	if keep.Default != nil {
		out.Default = keep.Default
	}
	if keep.Name != "" {
		out.Name = keep.Name
	}
}

func (c *schemaConverter) discriminator(d *openapi3.Discriminator) *model.Discriminator {
	out := &model.Discriminator{Property: d.PropertyName, Mapping: map[string]*model.Schema{}}
	for value, target := range d.Mapping {
		name := strings.TrimPrefix(target.Ref, componentPrefix)
		if c.doc.Components == nil {
			continue
		}
		if ref, ok := c.doc.Components.Schemas[name]; ok {
			out.Mapping[value] = c.convert(ref)
		}
	}
	return out
}
