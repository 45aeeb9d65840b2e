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

// Bounds of a shape: how deep it is, and of how many values. A type within itself is not
// described again.
const (
	maxShape  = 8
	maxValues = 2000
)

// describer makes one shape.
type describer struct {
	values int
	open   map[*model.Type]bool
}

func shapeOf(r *model.Ref) *Shape {
	d := &describer{open: map[*model.Type]bool{}}
	return d.shape(r, 0)
}

func (d *describer) shape(r *model.Ref, depth int) *Shape {
	d.values++
	if r == nil || depth > maxShape || d.values > maxValues || d.open[r.Named] {
		return &Shape{Kind: "any"}
	}
	switch r.Kind {
	case model.RefList, model.RefMap:
		return &Shape{Kind: string(r.Kind), Elem: d.shape(r.Elem, depth+1)}
	case model.RefStruct:
		d.open[r.Named] = true
		defer delete(d.open, r.Named)
		s := &Shape{Kind: "struct", Fields: map[string]*Shape{}}
		for _, f := range r.Named.Fields {
			s.Fields[f.JSON] = d.shape(f.Ref, depth+1)
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
