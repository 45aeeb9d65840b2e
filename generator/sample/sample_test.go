package sample_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/sample"
)

// address is a small closed object, order a typical body.
func address() *model.Schema {
	return &model.Schema{Kind: model.KindObject, Closed: true, Properties: []*model.Property{
		prop("street", true, &model.Schema{Kind: model.KindString, MaxLength: intp(40)}),
		prop("city", true, &model.Schema{Kind: model.KindString}),
		prop("countryCode", false, &model.Schema{Kind: model.KindString, Pattern: "^[A-Z]{2}$"}),
	}}
}

func order() *model.Schema {
	return &model.Schema{Kind: model.KindObject, Closed: true, Properties: []*model.Property{
		prop("id", false, &model.Schema{Kind: model.KindString, Format: "uuid"}),
		prop("customerId", true, &model.Schema{Kind: model.KindString, Format: "uuid"}),
		prop("status", true, &model.Schema{Kind: model.KindString, Enum: []model.Literal{lit(`"open"`), lit(`"paid"`)}}),
		prop("createdAt", true, &model.Schema{Kind: model.KindString, Format: "date-time", ReadOnly: true}),
		prop("note", false, &model.Schema{Kind: model.KindString, Nullable: true, MinLength: 3, MaxLength: intp(200)}),
		prop("shipTo", true, address()),
		prop("items", true, &model.Schema{Kind: model.KindArray, MinItems: 1, MaxItems: intp(5), Items: &model.Schema{
			Kind: model.KindObject, Properties: []*model.Property{
				prop("productId", true, &model.Schema{Kind: model.KindInteger, Format: "int64", Minimum: num(1)}),
				prop("quantity", true, &model.Schema{Kind: model.KindInteger, Minimum: num(1), Maximum: num(20)}),
				prop("price", true, &model.Schema{Kind: model.KindNumber, Minimum: num(0), ExclusiveMinimum: true, MultipleOf: num(0.01)}),
			},
		}}),
	}}
}

// cases name schemas that each need something of the generator.
func cases() map[string]*model.Schema {
	str := func(change func(*model.Schema)) *model.Schema {
		s := &model.Schema{Kind: model.KindString}
		change(s)
		return s
	}
	numeric := func(k model.Kind, change func(*model.Schema)) *model.Schema {
		s := &model.Schema{Kind: k}
		change(s)
		return s
	}
	cat := &model.Schema{Name: "Cat", Kind: model.KindObject, Properties: []*model.Property{prop("meow", true, &model.Schema{Kind: model.KindString})}, Closed: true}
	dog := &model.Schema{Name: "Dog", Kind: model.KindObject, Properties: []*model.Property{prop("bark", true, &model.Schema{Kind: model.KindBoolean})}, Closed: true}
	out := map[string]*model.Schema{
		"order":          order(),
		"short unique":   str(func(s *model.Schema) { s.MaxLength = intp(3) }),
		"exact length":   str(func(s *model.Schema) { s.MinLength, s.MaxLength = 17, intp(17) }),
		"long":           str(func(s *model.Schema) { s.MinLength = 300 }),
		"empty":          str(func(s *model.Schema) { s.MaxLength = intp(0) }),
		"pattern":        str(func(s *model.Schema) { s.Pattern = `^[A-Z]{3}-\d{4}$` }),
		"pattern+length": str(func(s *model.Schema) { s.Pattern = `^[a-z]+(-[a-z]+)*$`; s.MinLength, s.MaxLength = 20, intp(24) }),
		"open pattern":   str(func(s *model.Schema) { s.Pattern = `\d+`; s.MinLength = 12 }),
		"ecma escape":    str(func(s *model.Schema) { s.Pattern = `^\u0041\/[\w.-]+$` }),
		"alternation":    str(func(s *model.Schema) { s.Pattern = `^(foo|ba[rz]|\+\d{2,3})$` }),
		"uuid pattern":   str(func(s *model.Schema) { s.Format = "uuid"; s.Pattern = `^[0-9a-f-]{36}$` }),
		"short email":    str(func(s *model.Schema) { s.Format = "email"; s.MaxLength = intp(12) }),
		"int32":          numeric(model.KindInteger, func(s *model.Schema) { s.Format = "int32" }),
		"multiple":       numeric(model.KindInteger, func(s *model.Schema) { s.MultipleOf = num(7); s.Minimum = num(50) }),
		"negative":       numeric(model.KindInteger, func(s *model.Schema) { s.Maximum = num(-5) }),
		"cents":          numeric(model.KindNumber, func(s *model.Schema) { s.MultipleOf = num(0.05); s.Minimum, s.Maximum = num(0.1), num(0.4) }),
		"narrow":         numeric(model.KindNumber, func(s *model.Schema) { s.Minimum, s.Maximum = num(0.0001), num(0.0002) }),
		"single number":  numeric(model.KindNumber, func(s *model.Schema) { s.Minimum, s.Maximum = num(0.333), num(0.333) }),
		"exclusive": numeric(model.KindInteger, func(s *model.Schema) {
			s.Minimum, s.Maximum, s.ExclusiveMinimum, s.ExclusiveMaximum = num(3), num(5), true, true
		}),
		"unique enum": {Kind: model.KindArray, UniqueItems: true, MinItems: 2, Items: str(func(s *model.Schema) {
			s.Enum = []model.Literal{lit(`"a"`), lit(`"b"`), lit(`"c"`)}
		})},
		"map":      {Kind: model.KindObject, Additional: &model.Schema{Kind: model.KindInteger}, MinProperties: 2, MaxProperties: intp(4)},
		"min open": {Kind: model.KindObject, MinProperties: 1},
		"min optional": {Kind: model.KindObject, Closed: true, MinProperties: 2, Properties: []*model.Property{
			prop("a", false, &model.Schema{Kind: model.KindBoolean}), prop("b", false, &model.Schema{Kind: model.KindBoolean}),
		}},
		"max optional": {Kind: model.KindObject, MaxProperties: intp(1), Properties: []*model.Property{
			prop("a", false, &model.Schema{Kind: model.KindBoolean}), prop("b", false, &model.Schema{Kind: model.KindBoolean}),
		}},
		"one of": {Kind: model.KindUnion, OneOf: []*model.Schema{cat, dog}},
		"overlapping one of": {Kind: model.KindUnion, OneOf: []*model.Schema{
			{Kind: model.KindInteger, MultipleOf: num(3)}, {Kind: model.KindInteger, MultipleOf: num(5)},
		}},
		"any of":   {Kind: model.KindUnion, AnyOf: []*model.Schema{{Kind: model.KindString}, {Kind: model.KindInteger}}},
		"not":      {Kind: model.KindInteger, Minimum: num(0), Maximum: num(3), Not: &model.Schema{Kind: model.KindInteger, Minimum: num(2)}},
		"any":      {Kind: model.KindAny},
		"nullable": {Kind: model.KindArray, Items: &model.Schema{Kind: model.KindString, Nullable: true}},
	}
	return out
}

// TestValid is the promise: whatever is generated satisfies its schema, in the
// eyes of a validator that shares no code with the generator.
func TestValid(t *testing.T) {
	t.Parallel()
	for name, s := range cases() {
		validate, ok := oracle(t, s)
		if !ok {
			t.Fatalf("%s: the validator refuses the schema", name)
		}
		for _, o := range []sample.Options{{}, {Minimal: true}, {Literal: true}, {Direction: sample.Response}} {
			g, err := sample.Compile(s, o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			r := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				v := g.Append(nil, r)
				if err := validate(v, o.Direction); err != nil {
					t.Errorf("%s %+v: %s: %v", name, o.Minimal, v, err)
					break
				}
				if err := sample.Check(s, v, o.Direction); err != nil {
					t.Errorf("%s: Check refuses %s: %v", name, v, err)
					break
				}
			}
		}
	}
}

// TestUnicodePattern stands apart because the other validator knows no \u escapes.
func TestUnicodePattern(t *testing.T) {
	t.Parallel()
	s := &model.Schema{Kind: model.KindString, Pattern: `^[\u0400-\u04ff]{4}$`}
	for seed := range uint64(50) {
		v := sample.Example(s, sample.Options{}, seed)
		if err := sample.Check(s, v, sample.Request); err != nil || len(v) != 2+8 {
			t.Fatalf("%s: %v", v, err)
		}
	}
}

func TestRecursion(t *testing.T) {
	t.Parallel()
	tree := &model.Schema{Name: "Tree", Kind: model.KindObject, Properties: []*model.Property{prop("value", true, &model.Schema{Kind: model.KindInteger})}}
	tree.Properties = append(tree.Properties, prop("children", false, &model.Schema{Kind: model.KindArray, Items: tree}), prop("parent", false, tree))
	g, err := sample.Compile(tree, sample.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	nested := false
	for range 200 {
		v := g.Append(nil, r)
		if len(v) > 20_000 || !json.Valid(v) {
			t.Fatalf("%d bytes: %.100s", len(v), v)
		}
		if err := sample.Check(tree, v, sample.Request); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		nested = nested || strings.Count(string(v), "value") > 2
	}
	if !nested {
		t.Error("no value is nested")
	}
	endless := &model.Schema{Name: "E", Kind: model.KindObject}
	endless.Properties = []*model.Property{prop("self", true, endless)}
	if _, err := sample.Compile(endless, sample.Options{}); err == nil {
		t.Error("a schema that requires itself was accepted")
	}
}

func TestDirections(t *testing.T) {
	t.Parallel()
	s := &model.Schema{Kind: model.KindObject, Properties: []*model.Property{
		prop("id", false, &model.Schema{Kind: model.KindString}),
		prop("secret", true, &model.Schema{Kind: model.KindString, WriteOnly: true}),
		prop("at", true, &model.Schema{Kind: model.KindString, ReadOnly: true}),
		prop("name", true, &model.Schema{Kind: model.KindString}),
		prop("slug", false, &model.Schema{Kind: model.KindString}),
	}}
	request := sample.Example(s, sample.Options{Literal: true, Assigned: []string{"slug"}}, 1)
	response := sample.Example(s, sample.Options{Direction: sample.Response, Literal: true}, 1)
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{{"request", request, "name secret"}, {"response", response, "at id name slug"}} {
		var got map[string]any
		if err := json.Unmarshal(c.body, &got); err != nil {
			t.Fatal(err)
		}
		for name := range got {
			if !strings.Contains(c.want, name) {
				t.Errorf("%s has %s", c.name, name)
			}
		}
		for name := range strings.FieldsSeq(c.want) {
			if _, ok := got[name]; !ok {
				t.Errorf("%s lacks %s", c.name, name)
			}
		}
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	s := &model.Schema{Kind: model.KindObject, Properties: []*model.Property{
		prop("name", true, &model.Schema{Kind: model.KindString, Example: lit(`"Ada"`)}),
		prop("age", true, &model.Schema{Kind: model.KindInteger, Default: lit("41"), Example: lit(`"not a number"`)}),
	}}
	if got := string(sample.Example(s, sample.Options{Literal: true}, 9)); got != `{"name":"Ada","age":41}` {
		t.Errorf("got %s", got)
	}
}

func TestUniqueKeys(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"username", "email", "sku", "slug", "code", "orderId"} {
		s := &model.Schema{Kind: model.KindObject, Properties: []*model.Property{prop(name, true, &model.Schema{Kind: model.KindString, MaxLength: intp(64)})}}
		g, err := sample.Compile(s, sample.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(5, 6))
		seen := map[string]bool{}
		for range 5000 {
			seen[string(g.Append(nil, r))] = true
		}
		if len(seen) != 5000 {
			t.Errorf("%s: %d of 5000 values differ", name, len(seen))
		}
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	a, b, c := sample.Example(order(), sample.Options{}, 1), sample.Example(order(), sample.Options{}, 1), sample.Example(order(), sample.Options{}, 2)
	if string(a) != string(b) || string(a) == string(c) {
		t.Errorf("the seed does not fix the value:\n%s\n%s\n%s", a, b, c)
	}
}

// slots fills every slot with a fixed id.
type slots struct{ paths []string }

func (s *slots) Fill(i int, dst []byte, _ *rand.Rand) ([]byte, bool) {
	if s.paths[i] == "shipTo.city" {
		return dst, false
	}
	return append(dst, fmt.Sprintf("%d", 100+i)...), true
}

func TestSlots(t *testing.T) {
	t.Parallel()
	f := &slots{}
	g, err := sample.Compile(order(), sample.Options{Slot: func(path string, _ *model.Schema) int {
		if path != "items[].productId" && path != "shipTo.city" {
			return -1
		}
		f.paths = append(f.paths, path)
		return len(f.paths) - 1
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ShipTo struct{ City string }
		Items  []struct{ ProductID int }
	}
	if err := json.Unmarshal(g.AppendWith(nil, rand.New(rand.NewPCG(1, 1)), f), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Items) == 0 || got.Items[0].ProductID != 101 || got.ShipTo.City == "" {
		t.Errorf("got %+v", got)
	}
}

func TestParamStyles(t *testing.T) {
	t.Parallel()
	// The table of OpenAPI 3.1, "Style Examples", with empty cases left out.
	array, object := `["blue","black"]`, `{"G":200,"R":100}`
	for _, c := range []struct {
		in, style string
		explode   bool
		value     string
		want      string
	}{
		{"path", "simple", false, `"a/b c"`, "a%2Fb%20c"},
		{"path", "simple", false, array, "blue,black"},
		{"path", "simple", true, object, "G=200,R=100"},
		{"path", "simple", false, object, "G,200,R,100"},
		{"path", "label", false, `"blue"`, ".blue"},
		{"path", "label", true, array, ".blue.black"},
		{"path", "label", true, object, ".G=200.R=100"},
		{"path", "matrix", false, `"blue"`, ";color=blue"},
		{"path", "matrix", false, array, ";color=blue,black"},
		{"path", "matrix", true, array, ";color=blue;color=black"},
		{"path", "matrix", true, object, ";G=200;R=100"},
		{"query", "form", true, `"b&=c"`, "color=b%26%3Dc"},
		{"query", "form", false, array, "color=blue,black"},
		{"query", "form", true, array, "color=blue&color=black"},
		{"query", "form", true, "[]", ""},
		{"query", "form", true, `[""]`, "color="},
		{"query", "form", false, object, "color=G,200,R,100"},
		{"query", "form", true, object, "G=200&R=100"},
		{"query", "spaceDelimited", false, array, "color=blue%20black"},
		{"query", "pipeDelimited", false, array, "color=blue%7Cblack"},
		{"query", "deepObject", true, object, "color%5BG%5D=200&color%5BR%5D=100"},
		{"header", "simple", false, array, "blue,black"},
		{"cookie", "form", true, `"blue"`, "color=blue"},
	} {
		p := &model.Parameter{Name: "color", In: c.in, Style: c.style, Explode: c.explode}
		if got := string(sample.AppendParam(nil, p, []byte(c.value))); got != c.want {
			t.Errorf("%s %s explode=%v %s: got %s, want %s", c.in, c.style, c.explode, c.value, got, c.want)
		}
	}
}

// TestParamArraysAreNotEmpty: "color=" would be an array of one empty item.
func TestParamArraysAreNotEmpty(t *testing.T) {
	t.Parallel()
	kinds := &model.Schema{Kind: model.KindString, Enum: []model.Literal{lit(`"a"`), lit(`"b"`)}}
	for name, s := range map[string]*model.Schema{
		"plain":     {Kind: model.KindArray, Items: kinds},
		"unique":    {Kind: model.KindArray, Items: kinds, UniqueItems: true, MaxItems: intp(2)},
		"always []": {Kind: model.KindArray, Items: kinds, MaxItems: intp(0)},
	} {
		for _, explode := range []bool{true, false} {
			p := &model.Parameter{Name: "color", In: "query", Style: "form", Explode: explode, Schema: s}
			g, err := sample.Param(p, sample.Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := "color=[ab]"
			if s.MaxItems != nil && *s.MaxItems == 0 {
				want = "^$"
				if !explode {
					want = "^color=$"
				}
			}
			r, form := rand.New(rand.NewPCG(1, 2)), regexp.MustCompile(want)
			for range 300 {
				if q := g.Append(nil, r); !form.Match(q) {
					t.Fatalf("%s, explode=%v: got %s", name, explode, q)
				}
			}
		}
		if s.MinItems != 0 {
			t.Error("the schema itself was changed")
		}
	}
}

func TestNoAllocations(t *testing.T) {
	g, err := sample.Compile(order(), sample.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(1000, func() { buf = g.Append(buf[:0], r) }); n > 0 {
		t.Errorf("%v allocations per body", n)
	}
}

func BenchmarkOrder(b *testing.B) {
	g, err := sample.Compile(order(), sample.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = g.Append(buf[:0], r)
	}
	b.SetBytes(int64(len(buf)))
}
