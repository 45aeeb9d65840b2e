package spec

import (
	"os"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates/platform/rules"
)

// property loads a document with one schema and returns its property p.
func property(t *testing.T, schema string) *model.Schema {
	t.Helper()
	text := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {responses: {'200': {description: d}}}}}\n" +
		"components: {schemas: {S: {type: object, properties: {p: " + schema + "}}, T: {type: object, properties: {t: {$ref: '#/components/schemas/T'}}}}}\n"
	d, err := Load(func(string) ([]byte, error) { return []byte(text), nil }, "x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d.API.Schemas[0].Property("p").Schema
}

func TestRules(t *testing.T) {
	for schema, want := range map[string]string{
		`{type: string}`:                                                             ``,
		`{type: string, not: {const: a}}`:                                            `{"not":{"const":"a"}}`,
		`{type: integer, enum: [1, 2]}`:                                              ``,
		`{enum: [1, a]}`:                                                             `{"enum":[1,"a"]}`,
		`{type: boolean, const: true}`:                                               ``,
		`{type: boolean, enum: [false]}`:                                             `{"enum":[false]}`,
		`{type: [string, integer]}`:                                                  ``,
		`{type: [string, integer], minimum: 1}`:                                      `{"minimum":1,"type":["string","integer"]}`,
		`{type: array, prefixItems: [{type: string}]}`:                               `{"prefixItems":[{"type":"string"}]}`,
		`{type: object, properties: {a: {}}, oneOf: [{required: [a]}]}`:              `{"oneOf":[{"required":["a"]}]}`,
		`{type: object, additionalProperties: false}`:                                `{"additionalProperties":false,"type":"object"}`,
		`{allOf: [{type: string, pattern: a}, {pattern: b}]}`:                        `{"pattern":"b"}`,
		`{allOf: [{type: string}, {type: integer}]}`:                                 `{"allOf":[{"type":"string"},{"type":"integer"}]}`,
		`{type: object, properties: {a: {}}, unevaluatedProperties: false}`:          ``,
		`{not: {$ref: '#/components/schemas/T'}}`:                                    `{"$defs":{"T":{"properties":{"t":{"$ref":"#/$defs/T"}},"type":"object"}},"not":{"$ref":"#/$defs/T"}}`,
		`{type: string, not: {pattern: "^\\u0041(?<x>b)$"}}`:                         `{"not":{"pattern":"^\\x{41}(?P\u003cx\u003eb)$"}}`,
		`{type: object, not: {properties: {r: {readOnly: true}}, required: [r, s]}}`: `{"not":{"properties":{"r":true},"required":["s"]}}`,
	} {
		if got := string(property(t, schema).Rules); got != want {
			t.Errorf("%s: %s, want %s", schema, got, want)
		}
	}
}

// TestRulesCompile: what the documents of this repository make compiles.
func TestRulesCompile(t *testing.T) {
	const dir = "../../testdata/specs/good/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		d, err := Load(os.ReadFile, dir+e.Name())
		if err != nil {
			t.Fatal(err)
		}
		c := newConverter(d)
		c.api()
		for _, s := range c.schemas.done {
			for _, text := range []model.Literal{s.Rules, s.Whole} {
				if text == nil {
					continue
				}
				found++
				if _, err := rules.Parse(string(text)); err != nil {
					t.Errorf("%s: %s: %v", e.Name(), text, err)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d rules", found)
	}
}
