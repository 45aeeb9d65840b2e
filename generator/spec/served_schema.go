package spec

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
)

// schemaWalk makes the schemas of a served document say what the server checks: the
// type where the input leaves it to be inferred. What it changes is listed in the schema, under the extensions of operations.
type schemaWalk struct {
	seen map[*openapi3.Schema]bool
	path map[*openapi3.Schema]bool // from the one that the walk began with to here
	v31  bool
}

// here puts what a reference leads to in its place, where that is part of an operation: the
// served document may not have it.
func here(ref *string) {
	if strings.HasPrefix(*ref, "#/paths/") {
		*ref = ""
	}
}

func serveSchemas(doc *openapi3.T) {
	w := schemaWalk{map[*openapi3.Schema]bool{}, map[*openapi3.Schema]bool{}, dialect31(doc)}
	if doc.Components != nil {
		w.schemas(doc.Components.Schemas)
		for _, r := range doc.Components.Responses {
			w.response(r)
		}
		for _, b := range doc.Components.RequestBodies {
			w.body(b)
		}
		for _, p := range doc.Components.Parameters {
			w.parameter(p)
		}
		w.headers(doc.Components.Headers)
	}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				w.parameter(p)
			}
			w.body(operation.RequestBody)
			for _, r := range operation.Responses.Map() {
				w.response(r)
			}
		}
	}
}

func (w schemaWalk) parameter(p *openapi3.ParameterRef) {
	if p != nil && p.Value != nil {
		here(&p.Ref)
		w.schema(p.Value.Schema)
		w.content(p.Value.Content)
	}
}

func (w schemaWalk) body(b *openapi3.RequestBodyRef) {
	if b != nil && b.Value != nil {
		here(&b.Ref)
		w.content(b.Value.Content)
	}
}

func (w schemaWalk) response(r *openapi3.ResponseRef) {
	if r != nil && r.Value != nil {
		here(&r.Ref)
		w.content(r.Value.Content)
		w.headers(r.Value.Headers)
	}
}

func (w schemaWalk) headers(all openapi3.Headers) {
	for _, h := range all {
		if h != nil && h.Value != nil {
			here(&h.Ref)
			w.schema(h.Value.Schema)
		}
	}
}

func (w schemaWalk) content(c openapi3.Content) {
	for mediaType, m := range c {
		if m == nil {
			continue
		}
		w.schema(m.Schema)
		if model.IsForm(mediaType) && m.Schema != nil && m.Schema.Value != nil {
			formTexts(m.Schema.Value.Properties)
		}
	}
}

func (w schemaWalk) schemas(all openapi3.Schemas) {
	for _, s := range all {
		w.schema(s)
	}
}

func (w schemaWalk) schema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || w.path[ref.Value] {
		return // one that holds itself goes on by reference
	}
	here(&ref.Ref)
	if w.seen[ref.Value] {
		return
	}
	s := ref.Value
	w.seen[s], w.path[s] = true, true
	defer delete(w.path, s)
	var added []string
	if t := inferredType(s); t != "" {
		s.Type = &openapi3.Types{t}
		added = append(added, "type")
	}
	if s.Type.Is("integer") && s.Format == "" && s.Enum == nil && s.Const == nil {
		s.Format = "int64"
		added = append(added, "format")
	}
	if w.v31 && s.Nullable {
		// OpenAPI 3.1 no longer knows nullable; the server takes it at its word.
		s.Nullable = false
		if s.Type != nil && !s.Type.Includes("null") {
			s.Type = new(append(slices.Clone(*s.Type), "null"))
		}
		if s.Enum != nil && !slices.Contains(s.Enum, nil) {
			s.Enum = append(slices.Clone(s.Enum), nil)
		}
		added = append(added, "null")
	}
	if len(added) > 0 {
		extend(s, addsExtension, added)
	}
	w.schemas(s.Properties)
	w.schema(s.Items)
	w.schema(s.AdditionalProperties.Schema)
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, branch := range list {
			w.schema(branch)
		}
	}
}

// formTexts says of members of a form without a schema that they are one text.
func formTexts(members openapi3.Schemas) {
	for _, ref := range members {
		if s := ref.Value; s != nil && s.Type == nil && s.Always == nil && s.Enum == nil && s.Const == nil && len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) == 0 {
			s.Type = &openapi3.Types{"string"}
			extend(s, addsExtension, []string{"type"})
		}
	}
}

func extend(s *openapi3.Schema, name string, value any) {
	if s.Extensions == nil {
		s.Extensions = map[string]any{}
	}
	s.Extensions[name] = value
}

// inferredType is the type that a schema implies without naming it, as the converter
// takes it: see kind.
func inferredType(s *openapi3.Schema) string {
	switch {
	case s.Type != nil || s.Always != nil:
		return ""
	case len(s.Properties) > 0:
		return "object"
	case len(s.OneOf) > 0 || len(s.AnyOf) > 0 || len(s.AllOf) > 0 || s.Enum != nil || s.Const != nil:
		return ""
	case s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil || len(s.Required) > 0 || s.MinProps > 0 || s.MaxProps != nil:
		return "object"
	case s.Items != nil:
		return "array"
	case s.Pattern != "" || s.MaxLength != nil || s.MinLength > 0 || stringFormats[s.Format]:
		return "string"
	case s.Min != nil || s.Max != nil || s.MultipleOf != nil:
		return "number"
	}
	return ""
}
