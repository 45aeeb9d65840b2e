package schema

import (
	"maps"
	"slices"

	"github.com/e6b96b0c/backend/generator/model"
)

// Shape is the form of a JSON value, as far as the generated code must find it
// again when it reads old rows.
type Shape struct {
	// Kind is list, map, struct, any, or the kind of a scalar.
	Kind   string            `json:"kind"`
	Elem   *Shape            `json:"elem,omitempty"`
	Fields map[string]*Shape `json:"fields,omitempty"`
}

// maxShape bounds how deep shapes are compared.
const maxShape = 8

func shapeOf(r *model.Ref, depth int) *Shape {
	if r == nil || depth > maxShape {
		return &Shape{Kind: "any"}
	}
	switch r.Kind {
	case model.RefList, model.RefMap:
		return &Shape{Kind: string(r.Kind), Elem: shapeOf(r.Elem, depth+1)}
	case model.RefStruct:
		s := &Shape{Kind: "struct", Fields: map[string]*Shape{}}
		for _, f := range r.Named.Fields {
			s.Fields[f.JSON] = shapeOf(f.Ref, depth+1)
		}
		return s
	case model.RefEnum, model.RefString:
		return &Shape{Kind: "string"}
	case model.RefRaw:
		return &Shape{Kind: "any"}
	}
	return &Shape{Kind: string(r.Kind)}
}

// takes reports whether code for values of shape s can read those of shape old.
func (s *Shape) takes(old *Shape) bool {
	switch {
	case s == nil || old == nil || s.Kind == "any":
		return true
	case s.Kind == string(model.RefFloat) && old.Kind == string(model.RefInt), s.Kind == "string" && old.Kind == string(model.RefTime):
		return true
	case s.Kind == "map" && old.Kind == "struct":
		for _, name := range slices.Sorted(maps.Keys(old.Fields)) {
			if !s.Elem.takes(old.Fields[name]) {
				return false
			}
		}
		return true
	case s.Kind != old.Kind:
		return false
	}
	for name, field := range s.Fields {
		if !field.takes(old.Fields[name]) {
			return false
		}
	}
	return s.Elem.takes(old.Elem)
}
