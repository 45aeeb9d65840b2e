package spec

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxReadable bounds how deep in a response write-only members are looked for.
const maxReadable = 8

// reader makes schemas readable, each once per depth.
type reader map[readKey]*openapi3.SchemaRef

type readKey struct {
	schema *openapi3.Schema
	depth  int
}

// readable returns a schema for responses without the members that are write-only and
// required: the server never sends them. OpenAPI 3.0 says that such a requirement is about
// requests alone; to JSON Schema, and so to OpenAPI 3.1, it is about both. A schema without
// them comes back as it is.
func (r reader) readable(ref *openapi3.SchemaRef, depth int) *openapi3.SchemaRef {
	if ref == nil || ref.Value == nil || depth == 0 {
		return ref
	}
	key := readKey{ref.Value, depth}
	if done, ok := r[key]; ok {
		if done == nil {
			return ref
		}
		return done
	}
	s, changed := *ref.Value, false
	put := func(to **openapi3.SchemaRef) {
		if next := r.readable(*to, depth-1); next != *to {
			*to, changed = next, true
		}
	}
	if len(s.Properties) > 0 {
		s.Properties = make(openapi3.Schemas, len(ref.Value.Properties))
		for name, p := range ref.Value.Properties {
			if p != nil && p.Value != nil && p.Value.WriteOnly && slices.Contains(s.Required, name) {
				s.Required = slices.DeleteFunc(slices.Clone(s.Required), func(required string) bool { return required == name })
				changed = true
				continue
			}
			put(&p)
			s.Properties[name] = p
		}
	}
	put(&s.Items)
	put(&s.AdditionalProperties.Schema)
	for _, list := range []*openapi3.SchemaRefs{&s.AllOf, &s.OneOf, &s.AnyOf} {
		*list = slices.Clone(*list)
		for i := range *list {
			put(&(*list)[i])
		}
	}
	r[key] = nil
	if !changed {
		return ref
	}
	r[key] = s.NewRef()
	return r[key]
}

// serveReadable makes the responses of a document readable.
func serveReadable(doc *openapi3.T) {
	all := reader{}
	content := func(r *openapi3.ResponseRef) {
		if r == nil || r.Value == nil || r.Ref != "" {
			return
		}
		for _, m := range r.Value.Content {
			if m != nil {
				m.Schema = all.readable(m.Schema, maxReadable)
			}
		}
	}
	if doc.Components != nil {
		for _, r := range doc.Components.Responses {
			content(r)
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, r := range operation.Responses.Map() {
				content(r)
			}
		}
	}
}
