package rules_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/e6b96b0c/backend/templates/platform/rules"
)

// choices makes schemas and values of the bytes that a fuzzer likes.
type choices struct{ data []byte }

func (c *choices) next(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	v := int(c.data[0])
	c.data = c.data[1:]
	return v % n
}

// number is a small one; some are halves, some whole ones with a fraction.
func (c *choices) number() any {
	return json.Number([]string{"0", "1", "2", "3", "-1", "0.5", "1.0", "1.5", "2.5", "10", "1e1", "-0"}[c.next(12)])
}

func (c *choices) text() any {
	return []string{"", "a", "b", "ab", "abc", "é", "éa", "1", "x-1", "😀"}[c.next(10)]
}

func (c *choices) name() string { return []string{"a", "b", "c", "x-1", "é/~"}[c.next(5)] }

func (c *choices) value(depth int) any {
	kinds := 7
	if depth > 2 {
		kinds = 5
	}
	switch c.next(kinds) {
	case 0:
		return c.number()
	case 1:
		return c.text()
	case 2:
		return c.next(2) == 0
	case 3:
		return nil
	case 4:
		return c.number()
	case 5:
		list := []any{}
		for range c.next(4) {
			list = append(list, c.value(depth+1))
		}
		return list
	}
	object := map[string]any{}
	for range c.next(4) {
		object[c.name()] = c.value(depth + 1)
	}
	return object
}

// schema is one of JSON Schema 2020-12, with all keywords that documents use.
func (c *choices) schema(depth int) any {
	if depth > 3 {
		return c.next(4) > 0
	}
	if c.next(10) == 1 {
		return c.next(2) == 1
	}
	sub := func() any { return c.schema(depth + 1) }
	list := func() (out []any) {
		for range 1 + c.next(3) {
			out = append(out, sub())
		}
		return out
	}
	named := func() any {
		out := map[string]any{}
		for range c.next(3) {
			out[c.name()] = sub()
		}
		return out
	}
	s := map[string]any{}
	for range 1 + c.next(4) {
		switch c.next(34) {
		case 0, 1:
			s["type"] = []string{"string", "integer", "number", "boolean", "null", "array", "object"}[c.next(7)]
		case 2:
			s["type"] = []any{"null", []string{"string", "integer", "number", "object"}[c.next(4)]}
		case 3:
			s["enum"] = []any{c.value(2), c.value(1)}
		case 4:
			s["const"] = c.value(1)
		case 5:
			s["minimum"] = c.number()
		case 6:
			s["maximum"] = c.number()
		case 7:
			s["exclusiveMinimum"] = c.number()
		case 8:
			s["exclusiveMaximum"] = c.number()
		case 9:
			s["multipleOf"] = json.Number([]string{"1", "2", "0.5", "1.5"}[c.next(4)])
		case 10:
			s["minLength"] = c.next(4)
		case 11:
			s["maxLength"] = c.next(4)
		case 12:
			s["pattern"] = []string{"^a", "b$", "^x-", ".", "[0-9]"}[c.next(5)]
		case 13:
			s["items"] = sub()
		case 14:
			s["prefixItems"] = list()
		case 15:
			s["minItems"] = c.next(4)
		case 16:
			s["maxItems"] = c.next(4)
		case 17:
			s["uniqueItems"] = true
		case 18, 19:
			s["contains"] = sub()
			if c.next(3) == 1 {
				s["minContains"] = c.next(3)
			}
			if c.next(3) == 1 {
				s["maxContains"] = c.next(3)
			}
		case 20:
			s["properties"] = named()
		case 21:
			s["required"] = []any{c.name()}
		case 22:
			s["additionalProperties"] = sub()
		case 23:
			s["patternProperties"] = map[string]any{[]string{"^a", "^x-", "."}[c.next(3)]: sub()}
		case 24:
			s["propertyNames"] = sub()
		case 25:
			s["minProperties"], s["maxProperties"] = c.next(2), 1+c.next(4)
		case 26:
			s["dependentRequired"] = map[string]any{c.name(): []any{c.name()}}
		case 27:
			s["dependentSchemas"] = named()
		case 28:
			s[[]string{"allOf", "anyOf", "oneOf"}[c.next(3)]] = list()
		case 29:
			s["not"] = sub()
		case 30:
			s["if"], s["then"], s["else"] = sub(), sub(), sub()
		case 31:
			s["unevaluatedProperties"] = sub()
		case 32:
			s["unevaluatedItems"] = sub()
		case 33:
			s["$ref"] = "#/$defs/" + []string{"a", "b~1~0"}[c.next(2)]
		}
	}
	return s
}

// loops tells whether a definition applies itself to the same value, of which the
// specification says nothing.
func loops(definitions map[string]any, s any, within []string) bool {
	object, _ := s.(map[string]any)
	for keyword, part := range object {
		switch keyword {
		case "$ref":
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.TrimPrefix(part.(string), "#/$defs/"))
			if slices.Contains(within, name) || loops(definitions, definitions[name], append(slices.Clone(within), name)) {
				return true
			}
		case "allOf", "anyOf", "oneOf":
			if slices.ContainsFunc(part.([]any), func(s any) bool { return loops(definitions, s, within) }) {
				return true
			}
		case "dependentSchemas":
			for _, s := range part.(map[string]any) {
				if loops(definitions, s, within) {
					return true
				}
			}
		case "not", "if", "then", "else":
			if loops(definitions, part, within) {
				return true
			}
		}
	}
	return false
}

// FuzzAgree makes schemas and values, on which we say what another validator says.
func FuzzAgree(f *testing.F) {
	for i := range 256 {
		f.Add([]byte{byte(i), 1, byte(i / 2), 3, byte(i * 7), byte(i * 5), byte(i * 3), 2, byte(i * 11), byte(i * 13)}, []byte{byte(i), 2, byte(i * 3), 1, 5, 6, byte(i)})
	}
	f.Fuzz(func(t *testing.T, schemaBytes, valueBytes []byte) {
		c := &choices{data: schemaBytes}
		root, ok := c.schema(0).(map[string]any)
		if !ok || len(schemaBytes) > 400 {
			return
		}
		definitions := map[string]any{"a": c.schema(2), "b/~": c.schema(2)}
		if root["$defs"] = definitions; loops(definitions, root, nil) || loops(definitions, definitions["a"], []string{"a"}) || loops(definitions, definitions["b/~"], []string{"b/~"}) {
			return
		}
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal((&choices{data: valueBytes}).value(0))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := rules.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		compiler := jsonschema.NewCompiler()
		read := func(text []byte) any {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if err := compiler.AddResource("https://schemas.invalid/s.json", read(text)); err != nil {
			t.Fatal(err)
		}
		theirs, err := compiler.Compile("https://schemas.invalid/s.json")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		err = theirs.Validate(read(value))
		if valid := ours.Valid(value); valid != (err == nil) {
			t.Fatalf("schema %s\nvalue %s\nours %v, theirs %v", text, value, valid, err)
		}
	})
}
