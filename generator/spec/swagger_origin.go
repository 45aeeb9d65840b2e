package spec

import (
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml/ast"
)

// origins gives the parts of a converted document the places where the Swagger text
// has them: the conversion knows of none.
type origins struct{ doc *openapi3.T }

func originOf(v *ast.MappingValueNode) *openapi3.Origin {
	if v.Key == nil || v.Key.GetToken() == nil || v.Key.GetToken().Position == nil {
		return nil
	}
	p := v.Key.GetToken().Position
	return &openapi3.Origin{Key: &openapi3.Location{Line: p.Line, Column: p.Column, Name: keyOf(v)}}
}

func (o *origins) add(root ast.Node) {
	for _, v := range entries(root) {
		switch keyOf(v) {
		case "paths":
			for _, path := range entries(v.Value) {
				o.path(path, o.doc.Paths.Value(keyOf(path)))
			}
		case "definitions":
			o.schemas(v.Value, o.doc.Components.Schemas, 0)
		case "basePath":
			for _, server := range o.doc.Servers {
				server.Origin = originOf(v)
			}
		}
	}
}

func (o *origins) path(at *ast.MappingValueNode, item *openapi3.PathItem) {
	if item == nil {
		return
	}
	for _, v := range entries(at.Value) {
		op := item.GetOperation(strings.ToUpper(keyOf(v)))
		if op == nil || keyOf(v) != strings.ToLower(keyOf(v)) {
			continue
		}
		op.Origin = originOf(v)
		for _, part := range entries(v.Value) {
			switch keyOf(part) {
			case "parameters":
				o.parameters(part.Value, op)
			case "responses":
				o.responses(part.Value, op)
			}
		}
		for _, p := range op.Parameters { // those of the path or of the document
			if p != nil && p.Value != nil && p.Value.Origin == nil {
				p.Value.Origin = op.Origin
			}
		}
	}
}

func (o *origins) parameters(at ast.Node, op *openapi3.Operation) {
	list, ok := plainNode(at).(*ast.SequenceNode)
	if !ok {
		return
	}
	for _, item := range list.Values {
		var in, name string
		var first, schema *ast.MappingValueNode
		for _, v := range entries(item) {
			if first == nil {
				first = v
			}
			switch text, _ := plainNode(v.Value).(*ast.StringNode); {
			case keyOf(v) == "schema":
				schema = v
			case text == nil:
			case keyOf(v) == "in":
				in = text.Value
			case keyOf(v) == "name":
				name = text.Value
			}
		}
		if first == nil {
			continue
		}
		if p := op.Parameters.GetByInAndName(in, name); p != nil {
			p.Origin = originOf(first)
		}
		if in == "body" && schema != nil && op.RequestBody != nil && op.RequestBody.Value != nil {
			o.content(schema, op.RequestBody.Value.Content)
		}
	}
}

func (o *origins) responses(at ast.Node, op *openapi3.Operation) {
	for _, status := range entries(at) {
		ref := op.Responses.Value(keyOf(status))
		if ref == nil || ref.Value == nil || ref.Ref != "" {
			continue
		}
		for _, v := range entries(status.Value) {
			if keyOf(v) == "schema" {
				o.content(v, ref.Value.Content)
			}
		}
	}
}

func (o *origins) content(schema *ast.MappingValueNode, content openapi3.Content) {
	for _, media := range content {
		o.schema(schema, media.Schema, 0)
	}
}

func (o *origins) schemas(at ast.Node, schemas openapi3.Schemas, depth int) {
	for _, v := range entries(at) {
		o.schema(v, schemas[keyOf(v)], depth+1)
	}
}

// schema follows text and schema side by side, not through references: those have
// places of their own.
func (o *origins) schema(at *ast.MappingValueNode, ref *openapi3.SchemaRef, depth int) {
	if ref == nil || depth > maxDepth {
		return
	}
	ref.Origin = originOf(at)
	if ref.Ref != "" || ref.Value == nil {
		return
	}
	s := ref.Value
	s.Origin = ref.Origin
	for _, v := range entries(at.Value) {
		switch keyOf(v) {
		case "properties":
			o.schemas(v.Value, s.Properties, depth)
		case "items":
			o.schema(v, s.Items, depth+1)
		case "additionalProperties":
			o.schema(v, s.AdditionalProperties.Schema, depth+1)
		case "allOf":
			for i, part := range s.AllOf {
				if n, _ := child(plainNode(v.Value), strconv.Itoa(i)); n != nil {
					o.part(v, n, part, depth)
				}
			}
		}
	}
}

// part is a schema in a list, which has no key of its own.
func (o *origins) part(list *ast.MappingValueNode, n ast.Node, ref *openapi3.SchemaRef, depth int) {
	if ref == nil {
		return
	}
	inner := *list
	inner.Value = n
	o.schema(&inner, ref, depth+1)
	if first := entries(n); len(first) > 0 {
		ref.Origin = originOf(first[0])
		if ref.Ref == "" && ref.Value != nil {
			ref.Value.Origin = ref.Origin
		}
	}
}
