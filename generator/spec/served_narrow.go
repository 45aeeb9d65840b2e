package spec

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// maxNarrow bounds how deep in a body narrowed members are looked for.
const maxNarrow = 4

// dialect31 reports whether a document's schemas are those of OpenAPI 3.1 and later.
func dialect31(doc *openapi3.T) bool { return !strings.HasPrefix(doc.OpenAPI, "3.0") }

// narrowBody puts beside a body's schema what the server asks of its members beyond the
// input document. The schema itself may be a response's, too, and stays as it is.
func narrowBody(doc *openapi3.T, operation *openapi3.Operation, op *model.Op) (adds []addition) {
	if op.Body == nil || operation.RequestBody == nil || operation.RequestBody.Value == nil {
		return nil
	}
	for _, m := range op.Operation.Body.Content {
		media := operation.RequestBody.Value.Content[m.Type]
		if media == nil || media.Schema == nil || m.Schema == nil {
			continue
		}
		o := overlay{v31: dialect31(doc), path: map[*model.Schema]bool{}}
		extra := o.of(m.Schema, "requestBody")
		if extra == nil {
			continue
		}
		narrowed := *media
		narrowed.Schema = (&openapi3.Schema{AllOf: openapi3.SchemaRefs{media.Schema, extra.NewRef()}}).NewRef()
		if model.IsForm(m.Type) {
			narrowed.Schema = narrowForm(media.Schema.Value, extra).NewRef()
		}
		operation.RequestBody.Value.Content[m.Type] = &narrowed
		if adds == nil {
			adds = o.adds
		}
	}
	return adds
}

// narrowForm is a form's schema with its narrowed members in place: tools read which
// fields a form has from its properties alone.
func narrowForm(s, extra *openapi3.Schema) *openapi3.Schema {
	out := *s
	out.Properties = maps.Clone(s.Properties)
	for name, by := range extra.Properties {
		p := out.Properties[name]
		if p == nil || p.Value == nil {
			continue // in a branch of allOf
		}
		member, bounds := *p.Value, by.Value
		if bounds.Enum != nil {
			member.Enum = bounds.Enum
		}
		member.Pattern, member.Format, member.MinLength, member.MaxLength, member.MultipleOf = bounds.Pattern, bounds.Format, bounds.MinLength, bounds.MaxLength, bounds.MultipleOf
		member.Min, member.Max, member.ExclusiveMin, member.ExclusiveMax = bounds.Min, bounds.Max, bounds.ExclusiveMin, bounds.ExclusiveMax
		out.Properties[name] = member.NewRef()
	}
	return &out
}

// overlay makes the schema that holds nothing but what was narrowed.
type overlay struct {
	v31  bool
	path map[*model.Schema]bool
	adds []addition
}

// of returns nil where nothing was narrowed.
func (o *overlay) of(s *model.Schema, at string) *openapi3.Schema {
	if s == nil || o.path[s] || len(o.path) > maxNarrow {
		return nil
	}
	o.path[s] = true
	defer delete(o.path, s)
	switch {
	case s.Narrowed:
		out := &openapi3.Schema{}
		for _, v := range s.Enum {
			var value any
			if json.Unmarshal(v, &value) == nil {
				out.Enum = append(out.Enum, value)
			}
		}
		if out.Enum != nil && s.Nullable {
			out.Enum = append(out.Enum, nil)
		}
		bounds(out, s, o.v31)
		o.adds = append(o.adds, addition{At: at, Why: "what responses promise, and every client and the database can hold"})
		return out
	case s.Kind == model.KindArray:
		if items := o.of(s.Items, at+"/items"); items != nil {
			return &openapi3.Schema{Items: items.NewRef()}
		}
	case s.Kind == model.KindObject:
		out := &openapi3.Schema{Properties: openapi3.Schemas{}}
		for _, p := range s.Properties {
			if member := o.of(p.Schema, at+"/"+p.Name); member != nil {
				out.Properties[p.Name] = member.NewRef()
			}
		}
		if len(out.Properties) > 0 {
			return out
		}
	}
	return nil
}

// bounds writes the bounds of a number or text as the document's dialect spells them.
func bounds(out *openapi3.Schema, s *model.Schema, v31 bool) {
	out.Pattern, out.Format, out.MinLength, out.MaxLength, out.MultipleOf = s.Pattern, s.Format, uint64(s.MinLength), nil, s.MultipleOf
	if s.MaxLength != nil {
		out.MaxLength = new(uint64(*s.MaxLength))
	}
	out.Min, out.ExclusiveMin = spelled(s.Minimum, s.ExclusiveMinimum, v31)
	out.Max, out.ExclusiveMax = spelled(s.Maximum, s.ExclusiveMaximum, v31)
}

func spelled(bound *float64, exclusive, v31 bool) (*float64, openapi3.ExclusiveBound) {
	switch {
	case bound == nil || !exclusive:
		return bound, openapi3.ExclusiveBound{}
	case v31:
		return nil, openapi3.ExclusiveBound{Value: bound}
	}
	return bound, openapi3.ExclusiveBound{Bool: new(true)}
}
