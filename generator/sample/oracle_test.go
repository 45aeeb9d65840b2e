package sample_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// TestMain teaches the validator the formats that it leaves to its users.
func TestMain(m *testing.M) {
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562))
	openapi3.DefineStringFormatValidator("email", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail))
	openapi3.DefineIPv4Format()
	os.Exit(m.Run())
}

func intp(v int) *int { return &v }

func num(v float64) *float64 { return &v }

func lit(s string) model.Literal { return model.Literal(s) }

func prop(name string, required bool, s *model.Schema) *model.Property {
	return &model.Property{Name: name, Required: required, Schema: s}
}

// kin turns a schema into the independent validator's form.
func kin(s *model.Schema) map[string]any {
	m := map[string]any{}
	if s == nil {
		return m
	}
	switch s.Kind {
	case model.KindAny, model.KindUnion, model.KindRaw:
	default:
		m["type"] = string(s.Kind)
	}
	set := func(name string, on bool, v any) {
		if on {
			m[name] = v
		}
	}
	set("nullable", s.Nullable, true)
	set("format", s.Format != "", s.Format)
	set("readOnly", s.ReadOnly, true)
	set("writeOnly", s.WriteOnly, true)
	set("enum", len(s.Enum) > 0, s.Enum)
	set("minLength", s.MinLength > 0, s.MinLength)
	set("maxLength", s.MaxLength != nil, s.MaxLength)
	set("pattern", s.Pattern != "", s.Pattern)
	set("minimum", s.Minimum != nil, s.Minimum)
	set("maximum", s.Maximum != nil, s.Maximum)
	set("exclusiveMinimum", s.ExclusiveMinimum, true)
	set("exclusiveMaximum", s.ExclusiveMaximum, true)
	set("multipleOf", s.MultipleOf != nil, s.MultipleOf)
	set("minItems", s.MinItems > 0, s.MinItems)
	set("maxItems", s.MaxItems != nil, s.MaxItems)
	set("uniqueItems", s.UniqueItems, true)
	set("minProperties", s.MinProperties > 0, s.MinProperties)
	set("maxProperties", s.MaxProperties != nil, s.MaxProperties)
	if s.Items != nil {
		m["items"] = kin(s.Items)
	}
	if s.Closed {
		m["additionalProperties"] = false
	}
	if s.Additional != nil {
		m["additionalProperties"] = kin(s.Additional)
	}
	if s.Not != nil {
		m["not"] = kin(s.Not)
	}
	props := map[string]any{}
	var required []string
	for _, p := range s.Properties {
		props[p.Name] = kin(p.Schema)
		if p.Required {
			required = append(required, p.Name)
		}
	}
	set("properties", len(props) > 0, props)
	set("required", len(required) > 0, required)
	for name, list := range map[string][]*model.Schema{"oneOf": s.OneOf, "anyOf": s.AnyOf} {
		var all []any
		for _, v := range list {
			all = append(all, kin(v))
		}
		set(name, len(all) > 0, all)
	}
	return m
}

// oracle compiles the independent validator; ok is false when it refuses the schema.
func oracle(t testing.TB, s *model.Schema) (validate func([]byte, sample.Direction) error, ok bool) {
	t.Helper()
	raw, err := json.Marshal(kin(s))
	if err != nil {
		t.Fatal(err)
	}
	var k openapi3.Schema
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, false
	}
	if err := k.Validate(context.Background()); err != nil {
		return nil, false
	}
	return func(value []byte, d sample.Direction) error {
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			return err
		}
		way := openapi3.VisitAsRequest()
		if d == sample.Response {
			way = openapi3.VisitAsResponse()
		}
		return k.VisitJSON(v, way, openapi3.EnableFormatValidation())
	}, true
}

// FuzzSchema makes schemas out of bytes; whatever compiles must generate values
// that the independent validator accepts.
func FuzzSchema(f *testing.F) {
	f.Add([]byte("\x05\x03abc"), uint64(1))
	f.Add([]byte("\x06\x01\x02\x03\x04\x05\x06\x07\x08\x09"), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		s := (&bytesSchema{data: data}).schema(0)
		validate, ok := oracle(t, s)
		if !ok {
			return
		}
		g, err := sample.Compile(s, sample.Options{})
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, seed))
		for range 5 {
			v := g.Append(nil, r)
			if err := validate(v, sample.Request); err != nil {
				spec, _ := json.Marshal(kin(s))
				t.Fatalf("schema %s\nvalue %s\n%v", spec, v, err)
			}
		}
	})
}

// bytesSchema reads decisions from bytes.
type bytesSchema struct{ data []byte }

func (b *bytesSchema) next(n int) int {
	if len(b.data) == 0 {
		return 0
	}
	v := int(b.data[0])
	b.data = b.data[1:]
	return v % n
}

func (b *bytesSchema) maybe(n int) *int {
	if b.next(2) == 0 {
		return nil
	}
	return intp(b.next(n))
}

func (b *bytesSchema) number() *float64 {
	if b.next(2) == 0 {
		return nil
	}
	return num(float64(b.next(200)-100) / []float64{1, 2, 10}[b.next(3)])
}

func (b *bytesSchema) schema(depth int) *model.Schema {
	kinds := []model.Kind{model.KindString, model.KindInteger, model.KindNumber, model.KindBoolean, model.KindAny, model.KindObject, model.KindArray, model.KindUnion}
	if depth > 3 {
		kinds = kinds[:5]
	}
	s := &model.Schema{Kind: kinds[b.next(len(kinds))], Nullable: b.next(8) == 1}
	switch s.Kind {
	case model.KindString:
		s.MinLength, s.MaxLength = b.next(12), b.maybe(40)
		s.Format = []string{"", "", "uuid", "date", "date-time", "email", "ipv4"}[b.next(7)]
		s.Pattern = []string{"", "", "", `^[a-z]+$`, `\d{2}`, `^(a|bc)*$`, `^\S+@\S+$`}[b.next(7)]
	case model.KindInteger, model.KindNumber:
		s.Minimum, s.Maximum = b.number(), b.number()
		s.ExclusiveMinimum, s.ExclusiveMaximum = b.next(3) == 1, b.next(3) == 1
		if m := b.next(8); m > 4 {
			s.MultipleOf = num([]float64{1, 0.5, 7}[m-5])
		}
	case model.KindObject:
		for i := range b.next(4) {
			s.Properties = append(s.Properties, prop(string(rune('a'+i)), b.next(2) == 1, b.schema(depth+1)))
		}
		s.MinProperties, s.MaxProperties, s.Closed = b.next(3), b.maybe(6), b.next(2) == 1
		if b.next(3) == 1 {
			s.Additional, s.Closed = b.schema(depth+1), false
		}
	case model.KindArray:
		s.Items, s.MinItems, s.MaxItems, s.UniqueItems = b.schema(depth+1), b.next(3), b.maybe(5), b.next(3) == 1
	case model.KindUnion:
		for range 1 + b.next(3) {
			v := b.schema(depth + 1)
			if v.Kind == model.KindAny {
				v.Kind = model.KindBoolean // the validator calls a oneOf of empty schemas empty
			}
			s.OneOf = append(s.OneOf, v)
		}
		if b.next(2) == 1 {
			s.OneOf, s.AnyOf = nil, s.OneOf
		}
	}
	return s
}
