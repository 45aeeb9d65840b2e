package spec

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/e6b96b0c/backend/generator/problem"
)

// shape is what a place in a document may hold, as far as the loader insists.
type shape struct {
	kind   string // mapping, list, text
	fields map[string]*shape
	each   *shape // of a mapping's other values, or of a list's elements
}

// documentShape describes the parts of OpenAPI where a value of the wrong kind
// is most often found.
func documentShape() *shape {
	text, texts := &shape{kind: "text"}, &shape{kind: "list", each: &shape{kind: "text"}}
	mapOf := func(each *shape) *shape { return &shape{kind: "mapping", each: each} }
	listOf := func(each *shape) *shape { return &shape{kind: "list", each: each} }
	object := func(fields map[string]*shape) *shape { return &shape{kind: "mapping", fields: fields} }

	schema := &shape{}
	schemaFields := map[string]*shape{
		"$ref": text, "title": text, "description": text, "format": text, "pattern": text, "required": texts,
		"properties": mapOf(schema), "allOf": listOf(schema), "oneOf": listOf(schema), "anyOf": listOf(schema), "enum": listOf(nil),
		"items": schema, "not": schema,
	}
	schema.fields = schemaFields // a schema may be a boolean, so its own kind is open
	media := mapOf(object(map[string]*shape{"schema": schema}))
	parameter := object(map[string]*shape{"$ref": text, "name": text, "in": text, "description": text, "schema": schema, "content": media})
	header := object(map[string]*shape{"$ref": text, "description": text, "schema": schema})
	body := object(map[string]*shape{"$ref": text, "description": text, "content": media})
	response := object(map[string]*shape{"$ref": text, "description": text, "content": media, "headers": mapOf(header)})
	operation := object(map[string]*shape{
		"operationId": text, "summary": text, "description": text, "tags": texts, "parameters": listOf(parameter),
		"requestBody": body, "responses": mapOf(response), "security": listOf(mapOf(nil)),
	})
	item := object(map[string]*shape{"$ref": text, "summary": text, "description": text, "parameters": listOf(parameter)})
	for _, method := range methods {
		item.fields[strings.ToLower(method)] = operation
	}
	return object(map[string]*shape{
		"openapi": text,
		"info":    object(map[string]*shape{"title": text, "description": text, "version": text}),
		"servers": listOf(object(map[string]*shape{"url": text, "description": text})),
		"tags":    listOf(object(map[string]*shape{"name": text, "description": text})),
		"paths":   mapOf(item),
		"components": object(map[string]*shape{
			"schemas": mapOf(schema), "parameters": mapOf(parameter), "responses": mapOf(response), "requestBodies": mapOf(body),
			"headers": mapOf(header), "securitySchemes": mapOf(object(map[string]*shape{"type": text, "scheme": text, "name": text, "in": text})),
		}),
	})
}

// misshapen finds the values of the wrong kind in a document that the loader does
// not take: the loader names the first, and not its place.
func misshapen(file string, data []byte) problem.List {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) == 0 {
		return nil //nolint:nilerr // JSON that this parser does not take: the loader's own message stands
	}
	w := &shapeWalk{file: file}
	w.check("the document", tree.Docs[0].Body, documentShape(), 0)
	return w.problems
}

// shapeWalk finds the values of the wrong kind, all at once.
type shapeWalk struct {
	file     string
	problems problem.List
}

// check compares a node, reached under name, with its shape. Null is nothing, and
// aliases were checked where they point.
func (w *shapeWalk) check(name string, n ast.Node, s *shape, depth int) {
	if s == nil || depth > maxDepth {
		return
	}
	n = plainNode(n)
	kind := kindOf(n)
	if kind == "" {
		return
	}
	if s.kind != "" && kind != s.kind {
		w.report(name, n, s.kind, kind)
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			w.entry(v, s, depth)
		}
	case *ast.MappingValueNode:
		w.entry(n, s, depth)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			w.check(name, v, s.each, depth+1)
		}
	}
}

func (w *shapeWalk) entry(v *ast.MappingValueNode, s *shape, depth int) {
	key := keyOf(v)
	if next, ok := s.fields[key]; ok {
		w.check(key, v.Value, next, depth+1)
	} else if !strings.HasPrefix(key, "x-") && key != "<<" {
		w.check(key, v.Value, s.each, depth+1)
	}
}

func (w *shapeWalk) report(name string, n ast.Node, want, got string) {
	hint := map[string]string{"mapping": "write `key: value` lines below it", "list": "write `- ` items below it", "text": "write a text"}[want]
	if want == "text" && got == "number" {
		hint = fmt.Sprintf("put it in quotes: %q", n.String())
	}
	at := n.GetToken().Position
	w.problems = append(w.problems, &problem.Problem{
		Code: "spec-shape", File: w.file, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf("%.60q must be a %s, not a %s", name, want, got), Hint: hint,
	})
}

// plainNode takes anchors and tags off a node.
func plainNode(n ast.Node) ast.Node {
	for {
		switch outer := n.(type) {
		case *ast.AnchorNode:
			n = outer.Value
		case *ast.TagNode:
			n = outer.Value
		default:
			return n
		}
	}
}

// kindOf names what a node holds; "" for null, aliases and what is not known.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "mapping"
	case *ast.SequenceNode:
		return "list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "number"
	case *ast.BoolNode:
		return "boolean"
	}
	return ""
}

var (
	unmarshalField = regexp.MustCompile(`cannot unmarshal (\w+) into (?:Go struct )?field [\w.$]*?([\w$-]+) of type`)
	unmarshalValue = regexp.MustCompile(`cannot unmarshal (\w+) into (?:Go )?value of type [\w.]*?(\w+)`)
)

// tidy turns a loader's message into one line without Go type names.
func tidy(message string) string {
	kinds := map[string]string{"object": "a mapping", "array": "a list", "number": "a number", "string": "a text", "bool": "a boolean"}
	if m := unmarshalField.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("some %q holds %s, which cannot stand there", m[2], kinds[m[1]])
	}
	if m := unmarshalValue.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("there is %s where the document needs something else", kinds[m[1]])
	}
	if i := strings.LastIndex(message, "yaml: "); i >= 0 {
		message = "not valid YAML: " + message[i+len("yaml: "):]
	}
	message = strings.NewReplacer("*openapi3.", "", "openapi3.", "", "\n", " ").Replace(message)
	if runes := []rune(message); len(runes) > 400 {
		message = string(runes[:400]) + "…"
	}
	return message
}
