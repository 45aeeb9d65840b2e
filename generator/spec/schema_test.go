package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/spec"
)

// schemaOf converts one component, S, of a document that may hold others.
func schemaOf(t *testing.T, version, components string) *model.Schema {
	t.Helper()
	text := "openapi: " + version + "\ninfo: {title: x, version: '1'}\npaths: {/x: {get: {responses: {}}}}\ncomponents:\n  schemas:\n"
	for line := range strings.Lines(components) {
		text += "    " + line
	}
	d, err := spec.Load(files(map[string]string{"a.yaml": text}), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range d.API.Schemas {
		if s.Name == "S" {
			return s
		}
	}
	t.Fatal("no schema S")
	return nil
}

// summary is what a schema says, in a few words.
func summary(s *model.Schema) string {
	if s == nil {
		return "-"
	}
	out := string(s.Kind)
	add := func(condition bool, format string, args ...any) {
		if condition {
			out += " " + fmt.Sprintf(format, args...)
		}
	}
	add(s.Nullable, "nullable")
	add(s.Minimum != nil && !s.ExclusiveMinimum, ">=%v", deref(s.Minimum))
	add(s.ExclusiveMinimum, ">%v", deref(s.Minimum))
	add(s.Maximum != nil && !s.ExclusiveMaximum, "<=%v", deref(s.Maximum))
	add(s.ExclusiveMaximum, "<%v", deref(s.Maximum))
	add(s.MaxLength != nil, "len<=%v", deref(s.MaxLength))
	add(s.Enum != nil, "enum%s", list(s.Enum))
	add(s.Const != nil, "const %s", s.Const)
	add(s.Closed, "closed")
	add(s.ReadOnly, "readOnly")
	add(s.Reason != "", "(%s)", s.Reason)
	for _, p := range s.Properties {
		required := ""
		if p.Required {
			required = "!"
		}
		out += fmt.Sprintf(" %s%s:{%s}", p.Name, required, summary(p.Schema))
	}
	add(s.Items != nil, "[%s]", summary(s.Items))
	add(s.Additional != nil, "{*:%s}", summary(s.Additional))
	add(len(s.OneOf) > 0, "oneOf %d", len(s.OneOf))
	add(len(s.AnyOf) > 0, "anyOf %d", len(s.AnyOf))
	return out
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func list(l []model.Literal) string {
	text, err := json.Marshal(l)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestSchemas(t *testing.T) {
	for name, test := range map[string]struct{ version, components, want string }{
		"3.0 nullable":          {"3.0.3", "S: {type: string, nullable: true}", "string nullable"},
		"3.1 null in type":      {"3.1.0", "S: {type: [string, 'null']}", "string nullable"},
		"3.0 exclusive":         {"3.0.3", "S: {type: integer, minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}", "integer >1 <=9"},
		"3.1 exclusive":         {"3.1.0", "S: {type: integer, exclusiveMinimum: 1, maximum: 9, exclusiveMaximum: 12}", "integer >1 <=9"},
		"3.1 both bounds":       {"3.1.0", "S: {type: number, minimum: 3, exclusiveMinimum: 1}", "number >=3"},
		"several types":         {"3.1.0", "S: {type: [string, integer]}", "raw (several types: string, integer)"},
		"only null":             {"3.1.0", "S: {type: 'null'}", "null nullable"},
		"null in an enum":       {"3.0.3", "S: {type: string, enum: [a, null, b]}", `string nullable enum["a","b"]`},
		"enum of numbers":       {"3.1.0", "S: {enum: [1, 2]}", "integer enum[1,2]"},
		"mixed enum":            {"3.1.0", "S: {enum: [1, a]}", `raw enum[1,"a"]`},
		"const implies a type":  {"3.1.0", "S: {const: x}", `string const "x"`},
		"empty":                 {"3.1.0", "S: {}", "any"},
		"false":                 {"3.1.0", "S: false", "raw (a schema that accepts nothing)"},
		"map":                   {"3.0.3", "S: {type: object, additionalProperties: {type: integer}}", "object {*:integer}"},
		"closed":                {"3.0.3", "S: {type: object, properties: {a: {}}, additionalProperties: false}", "object closed a:{any}"},
		"unevaluated":           {"3.1.0", "S: {allOf: [{properties: {a: {}}}], unevaluatedProperties: false}", "object closed a:{any}"},
		"required undescribed":  {"3.1.0", "S: {type: object, required: [b], properties: {a: {}}}", "object a:{any} b!:{any}"},
		"allOf merges":          {"3.1.0", "S: {allOf: [{type: object, required: [a], properties: {a: {type: string, maxLength: 9}}}, {properties: {a: {maxLength: 5}, b: {type: integer}}}]}", "object a!:{string len<=5} b:{integer}"},
		"allOf keeps the enum":  {"3.1.0", "S: {allOf: [{enum: [a, b]}, {enum: [b, c]}]}", `string enum["b"]`},
		"allOf conflict":        {"3.1.0", "S: {allOf: [{type: string}, {type: integer}]}", "raw (allOf with types that exclude one another)"},
		"allOf integer, number": {"3.1.0", "S: {allOf: [{type: number, minimum: 1}, {type: integer}]}", "integer >=1"},
		"allOf of itself":       {"3.1.0", "S: {allOf: [{$ref: '#/components/schemas/S'}]}", "raw (allOf that includes itself)"},
		"oneOf with null":       {"3.1.0", "S: {oneOf: [{type: integer, minimum: 2}, {type: 'null'}]}", "integer nullable >=2"},
		"oneOf":                 {"3.1.0", "S: {oneOf: [{type: integer}, {type: string}]}", "union oneOf 2"},
		"oneOf and anyOf":       {"3.1.0", "S: {oneOf: [{type: integer}, {type: string}], anyOf: [{type: integer}, {type: string}]}", "raw (oneOf and anyOf together) oneOf 2 anyOf 2"},
		"oneOf of itself":       {"3.1.0", "S: {oneOf: [{$ref: '#/components/schemas/S'}]}", "raw (a schema that refers to nothing but itself)"},
		"properties say object": {"3.1.0", "S: {properties: {a: {readOnly: true}}}", "object a:{any readOnly}"},
		"items say array":       {"3.1.0", "S: {items: {type: string}}", "array [string]"},
		"array of anything":     {"3.1.0", "S: {type: array}", "array [any]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := summary(schemaOf(t, test.version, test.components)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestNullableOfItself covers a union that stands for its own owner: the copy must
// have the owner's properties although it is made while those are still read.
func TestNullableOfItself(t *testing.T) {
	s := schemaOf(t, "3.1.0", "S: {type: object, properties: {next: {oneOf: [{$ref: '#/components/schemas/S'}, {type: 'null'}]}, z: {type: string}}}")
	next := s.Property("next").Schema
	if next.Kind != model.KindObject || !next.Nullable || next.Name != "S" || next.Property("z") == nil {
		t.Errorf("next is %s, named %q", summary(&model.Schema{Kind: next.Kind, Nullable: next.Nullable}), next.Name)
	}
}

func TestServedDocument(t *testing.T) {
	text := `openapi: 3.1.0
info: {title: "a: b # \"c\"", version: '1', description: "one\ntwo\n"}
servers: [{url: /v1}]
webhooks: {x: {post: {responses: {}}}}
paths:
  /things:
    parameters: [{name: sieve, in: query, schema: {type: string}}, {name: limit, in: query, schema: {type: integer, minimum: -9223372036854775808}}]
    get: {operationId: list, responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}}}
    post: {operationId: create, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}, text/plain: {}}}, responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}}
  /things/{id}/go:
    post: {operationId: go, responses: {'204': {description: ok}}}
components: {schemas: {Thing: {type: object, properties: {id: {type: string, readOnly: true}}}, Other: {type: object, properties: {` + strings.Repeat("long", 150) + `: {type: string, example: "\x7f\u2028😀"}}}}}
`
	d, err := spec.Load(files(map[string]string{"a.yaml": text}), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	project := model.Build(d.API, model.Options{Name: "x", Module: "x"})
	out, err := d.Served(project)
	if err != nil {
		t.Fatal(err)
	}
	again, err := spec.Load(files(map[string]string{"b.yaml": string(out.YAML)}), "b.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out.YAML)
	}
	var fromYAML, fromJSON any
	if err := errors.Join(yaml.Unmarshal(out.YAML, &fromYAML), yaml.Unmarshal(out.JSON, &fromJSON)); err != nil || !reflect.DeepEqual(fromYAML, fromJSON) {
		t.Errorf("YAML and JSON differ: %v", err)
	}
	if again.API.Title != `a: b # "c"` || again.API.Description != "one\ntwo\n" || again.API.BasePath != "/v1" {
		t.Errorf("info %q %q %q", again.API.Title, again.API.Description, again.API.BasePath)
	}
	if len(again.API.Operations) != 2 || strings.Contains(string(out.YAML), "webhooks") {
		t.Fatalf("it promises what the server does not do:\n%s", out.YAML)
	}
	get, post := again.API.Operations[0], again.API.Operations[1]
	if len(get.Parameters) != 1 || get.Parameters[0].Name != "limit" || *get.Parameters[0].Schema.Minimum > -9.2e18 {
		t.Errorf("parameters of GET: %v", get.Parameters)
	}
	if len(post.Body.Content) != 1 {
		t.Errorf("media types of POST: %v", post.Body.Content)
	}
	statuses := ""
	for _, r := range post.Responses {
		statuses += r.Status + " "
	}
	if statuses != "201 400 406 409 413 415 422 500 503 504 " {
		t.Errorf("statuses of POST: %s", statuses)
	}
	if got := again.API.Schemas[0].Property(strings.Repeat("long", 150)).Schema.Example; string(got) != "\"\x7f\\u2028😀\"" {
		t.Errorf("example %q", got)
	}
}
