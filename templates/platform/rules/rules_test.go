package rules_test

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rules"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

func TestKeywords(t *testing.T) {
	for _, test := range []struct{ schema, good, bad string }{
		{`true`, `1 null {}`, ``},
		{`false`, ``, `1 null`},
		{`{"type":"integer"}`, `1 1.0 1e2 -0`, `1.5 "1" true null`},
		{`{"type":["string","null"]}`, `"a" null`, `1 []`},
		{`{"enum":[1,"a",null,[1,2.0],{"a":1}]}`, `1.0 "a" null [1,2] {"a":1e0}`, `2 "b" [2,1] {"a":2} {}`},
		{`{"const":{"a":[true]}}`, `{"a":[true]}`, `{"a":[]} 1`},
		{`{"enum":[1,2],"const":2}`, `2`, `1 3`},
		{`{"minimum":1,"exclusiveMaximum":3,"multipleOf":0.5}`, `1 2.5 "x"`, `0.5 3 1.25`},
		{`{"exclusiveMinimum":1,"maximum":3}`, `1.5 3`, `1 3.5`},
		{`{"minLength":2,"maxLength":3,"pattern":"^é"}`, `"éa" 5`, `"é" "abc" "éabc"`},
		{`{"format":"date"}`, `"2026-01-31" 1`, `"2026-02-31"`},
		{`{"format":"nonsense"}`, `"x"`, ``},
		{`{"minItems":1,"maxItems":2,"uniqueItems":true,"items":{"type":"integer"}}`, `[1] [1,2] {}`, `[] [1,2,3] [1,1.0] ["a"]`},
		{`{"prefixItems":[{"type":"string"},{"type":"integer"}],"items":false}`, `["a"] ["a",1] []`, `[1] ["a","b"] ["a",1,2]`},
		{`{"contains":{"const":1}}`, `[1] [2,1]`, `[] [2]`},
		{`{"contains":{"const":1},"minContains":2,"maxContains":3}`, `[1,1] [1,1,1,2]`, `[1] [1,1,1,1]`},
		{`{"contains":{"const":1},"minContains":0}`, `[] [2]`, ``},
		{`{"properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":{"type":"string"}}`, `{"a":1} {"a":1,"b":"x"} 7`, `{} {"a":"x"} {"a":1,"b":2}`},
		{`{"properties":{"a":true},"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}`, `{"a":1,"x1":2} {}`, `{"x":"a"} {"b":1}`},
		{`{"propertyNames":{"maxLength":2}}`, `{"ab":1}`, `{"abc":1}`},
		{`{"minProperties":1,"maxProperties":2}`, `{"a":1}`, `{} {"a":1,"b":1,"c":1}`},
		{`{"dependentRequired":{"a":["b"]}}`, `{} {"a":1,"b":2} {"b":1}`, `{"a":1}`},
		{`{"dependentSchemas":{"a":{"required":["b"]}}}`, `{} {"a":1,"b":2}`, `{"a":1}`},
		{`{"allOf":[{"minimum":1},{"maximum":2}]}`, `1 2`, `0 3`},
		{`{"anyOf":[{"type":"string"},{"minimum":5}]}`, `"a" 5 null`, `4`},
		{`{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}`, `2 3`, `6 1`},
		{`{"not":{"type":"string"}}`, `1 null`, `"a"`},
		{`{"if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"required":["a"]},"else":{"required":["b"]}}`, `{"k":1,"a":1} {"b":1} {"k":2,"b":1}`, `{"k":1} {} {"k":1,"b":1}`},
		{`{"if":{"type":"string"}}`, `1 "a"`, ``},
		{`{"allOf":[{"properties":{"a":true}}],"properties":{"b":true},"unevaluatedProperties":false}`, `{"a":1,"b":2} {}`, `{"c":1}`},
		{`{"oneOf":[{"properties":{"a":{"const":1}},"required":["a"]},{"properties":{"b":true},"required":["b"]}],"unevaluatedProperties":false}`, `{"a":1} {"b":1}`, `{"a":1,"c":1} {"a":2,"b":1}`},
		{`{"unevaluatedProperties":{"type":"integer"}}`, `{"a":1}`, `{"a":"x"}`},
		{`{"prefixItems":[true],"unevaluatedItems":false}`, `[1] []`, `[1,2]`},
		{`{"contains":{"type":"string"},"unevaluatedItems":{"type":"integer"}}`, `["a",1]`, `["a",null]`},
		{`{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"object","properties":{"next":{"$ref":"#/$defs/a~1b"}},"required":["v"]}}}`, `{"v":1} {"v":1,"next":{"v":2}}`, `{} {"v":1,"next":{}}`},
	} {
		s, err := rules.Parse(test.schema)
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		for _, v := range strings.Fields(test.good) {
			if !s.Valid([]byte(v)) {
				t.Errorf("%s refuses %s", test.schema, v)
			}
		}
		for _, v := range strings.Fields(test.bad) {
			if s.Valid([]byte(v)) {
				t.Errorf("%s takes %s", test.schema, v)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{``, `{`, `[]`, `1`, `{"pattern":"("}`, `{"patternProperties":{"(":true}}`, `{"$ref":"#/x"}`, `{"$ref":"#/$defs/x"}`, `{"type":1}`, `{"minLength":"a"}`} {
		if _, err := rules.Parse(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// TestReport: faults stand where they are, in the words of package wire.
func TestReport(t *testing.T) {
	s := rules.MustParse(`{"if":{"required":["a"]},"then":{"required":["b"]},"properties":{"list":{"contains":{"type":"string"}},"n":{"not":{"const":1}}},"patternProperties":{"^x":{"maxLength":1}},"additionalProperties":false}`)
	faults, err := wire.Decode([]byte(`{"in": {"a":1,"list":[1],"n":1,"x/y":"long"}}`), func(d *wire.Decoder) {
		for range d.Object() {
			mark := d.Mark()
			d.Skip()
			s.Check(d, mark)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.In+" "+f.Pointer+" "+f.Message)
	}
	want := []string{
		"body /in/b is required", "body /in/a is not a known property", "body /in/list must have at least 1 item of the kind that is asked for",
		"body /in/n is what the schema rules out", "body /in/x~1y must be at most 1 character long",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestWorkIsBounded: choices within choices would take time without end.
func TestWorkIsBounded(t *testing.T) {
	s := rules.MustParse(`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"properties":{"n":{"$ref":"#/$defs/a"}},"required":["x"]},{"properties":{"n":{"$ref":"#/$defs/a"}},"required":["y"]}]}}}`)
	text := strings.Repeat(`{"n":`, 150) + "1" + strings.Repeat("}", 150)
	if s.Valid([]byte(text)) {
		t.Error("a value that was not checked to the end is valid")
	}
	loop := rules.MustParse(`{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}`)
	if loop.Valid([]byte("1")) {
		t.Error("a schema that is only itself says yes")
	}
}

// FuzzRules: nothing panics or runs on, whatever the schema and the value.
func FuzzRules(f *testing.F) {
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"oneOf":[{"not":{"$ref":"#/$defs/a"}},{"contains":{"enum":[1,null]}}]}}}`, `[1,[null]]`)
	f.Add(`{"if":true,"then":{"unevaluatedProperties":false},"dependentRequired":{"a":["b"]}}`, `{"a":1}`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		s, err := rules.Parse(schema)
		if err != nil {
			return
		}
		if s.Valid([]byte(value)) && !wire.Valid([]byte(value)) {
			t.Fatal("what is no JSON is valid")
		}
	})
}
