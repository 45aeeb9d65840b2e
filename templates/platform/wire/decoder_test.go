package wire_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

type address struct {
	Street string `json:"street"`
	Zip    string `json:"zip"`
}

func (v *address) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("street") {
		switch key {
		case "street":
			v.Street = d.String()
			d.Length(v.Street, 1, 40)
		case "zip":
			v.Zip = d.String()
		default:
			d.Unknown(key)
		}
	}
}

type item struct {
	Product  string `json:"product"`
	Quantity int64  `json:"quantity"`
}

func (v *item) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("product", "quantity") {
		switch key {
		case "product":
			v.Product = d.String()
			d.Format(v.Product, wire.UUID)
		case "quantity":
			v.Quantity = d.Int64()
			d.MinInt(v.Quantity, 1)
			d.MaxInt(v.Quantity, 100)
		default:
			d.Skip()
		}
	}
}

type order struct {
	Customer string            `json:"customer"`
	Note     *string           `json:"note,omitempty"`
	Price    float64           `json:"price"`
	Status   string            `json:"status"`
	Address  address           `json:"address"`
	Items    []item            `json:"items"`
	Labels   map[string]string `json:"labels,omitempty"`
	Source   json.RawMessage   `json:"source,omitempty"`
}

func statuses() []string { return []string{"pending", "paid"} }

func (v *order) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("customer", "items") {
		switch key {
		case "customer":
			v.Customer = d.String()
			d.Format(v.Customer, wire.UUID)
		case "note":
			if !d.Null() {
				v.Note = new(d.String())
				d.Length(*v.Note, 0, 500)
			}
		case "price":
			v.Price = d.Float64()
			d.Min(v.Price, 0)
			d.MultipleOf(v.Price, 0.01)
		case "status":
			v.Status = d.String()
			d.Enum(v.Status, statuses()...)
		case "address":
			v.Address.DecodeJSON(d)
		case "items":
			v.Items = wire.List(d, func(d *wire.Decoder) (i item) { i.DecodeJSON(d); return i })
			d.Items(len(v.Items), 1, 50)
			wire.Unique(d, v.Items)
		case "labels":
			v.Labels = wire.Map(d, (*wire.Decoder).String)
			d.Properties(len(v.Labels), 0, 5)
		case "source":
			v.Source = d.Raw()
			wire.AnyOf(d, v.Source, wire.As[address], wire.As[item])
		default:
			d.Skip()
		}
	}
}

const id = "0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071"

// faults renders field errors one a line, for comparison.
func faults(list []problem.FieldError) string {
	var lines []string
	for _, f := range list {
		lines = append(lines, strings.TrimSpace(f.Pointer+" "+f.Message))
	}
	return strings.Join(lines, "\n")
}

func TestOrderIsReadCompletely(t *testing.T) {
	text := `{"customer":"` + id + `","note":"caf\u00e9 \ud83d\ude00","price":12.30,"status":"paid","extra":[1,{"a":null}],
		"address":{"street":"Main St","zip":"1"},"items":[{"product":"` + id + `","quantity":1e1}],
		"labels":{"a/b":"x"}, "source" : { "street" : "x y" } }`
	var got order
	list, err := wire.Decode([]byte(text), got.DecodeJSON)
	if err != nil || list != nil {
		t.Fatalf("got %v, %v", faults(list), err)
	}
	note := "café 😀"
	want := order{
		Customer: id, Note: &note, Price: 12.3, Status: "paid", Address: address{"Main St", "1"},
		Items: []item{{id, 10}}, Labels: map[string]string{"a/b": "x"}, Source: json.RawMessage(`{"street":"x y"}`),
	}
	if g, w := fmt.Sprintf("%+v %s %s", got, *got.Note, got.Source), fmt.Sprintf("%+v %s %s", want, note, want.Source); stripPointers(g) != stripPointers(w) {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func stripPointers(s string) string {
	return regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(s, "p")
}

func TestAllErrorsAreReportedWithTheirPlace(t *testing.T) {
	text := `{"note":7,"price":-1.005,"status":"lost","address":{"streeet":"x"},
		"items":[{"product":"1","quantity":0},{"quantity":"2","product":null},[],{"product":"` + id + `","quantity":1.5}],
		"labels":{"a/b":1,"c~d":[]},"status":"paid","source":{"street":""}}`
	want := strings.TrimSpace(`
/note must be a string, not a number
/price must be at least 0
/price must be a multiple of 0.01
/status must be one of pending, paid
/address/streeet is not a known property
/address/street is required
/items/0/product must be a UUID
/items/0/quantity must be at least 1
/items/1/quantity must be an integer, not a string
/items/1/product must be a string, not null
/items/2 must be an object, not an array
/items/3/quantity must be a whole number
/labels/a~1b must be a string, not a number
/labels/c~0d must be a string, not an array
/status is a duplicate property
/source matches none of the allowed shapes
/source/street must be at least 1 character long
/customer is required`)
	var v order
	list, err := wire.Decode([]byte(text), v.DecodeJSON)
	if err != nil {
		t.Fatal(err)
	}
	if got := faults(list); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, f := range list {
		if f.In != "body" {
			t.Errorf("%s is in %q", f.Pointer, f.In)
		}
	}
}

func TestMalformedTextIsOneErrorAtItsByte(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "byte 0: the text ends where a value is expected",
		`  `:                        "byte 2: the text ends where a value is expected",
		`{"customer":`:              "byte 12: the text ends where a value is expected",
		`{"note":"a`:                "byte 10: the text ends inside a string",
		`{"note":"a"`:               "byte 11: the text ends inside an array or object",
		`{"note":"a",}`:             "byte 12: a comma is followed by nothing",
		`{"note":"a" "b":1}`:        "byte 12: a comma is missing",
		`{note:1}`:                  "byte 1: a property name in double quotes is expected",
		`{"note" 1}`:                "byte 8: a colon is expected after a property name",
		`{"note":nul}`:              "byte 8: a value is expected",
		`{"price":01}`:              "byte 9: a number is malformed",
		`{"price":1.}`:              "byte 9: a number is malformed",
		`{"price":-}`:               "byte 9: a number is malformed",
		`{"x":+1}`:                  "byte 5: a value is expected",
		"{\"note\":\"a\nb\"}":       "byte 10: a control character stands in a string",
		"{\"note\":\"\\n\n\"}":      "byte 11: a control character stands in a string",
		"{\"note\":\"a\xffb\"}":     "byte 9: a string is not valid UTF-8",
		"{\"x\":\"a\xffb\"}":        "byte 6: a string is not valid UTF-8",
		"{\"note\":\"\\na\xffb\"}":  "byte 9: a string is not valid UTF-8",
		`{"note":"\x"}`:             "byte 9: an escape sequence is invalid",
		`{"note":"\u12g4"}`:         "byte 9: an escape sequence is invalid",
		`{"note":"\ud800"}`:         "byte 9: an escape sequence is invalid",
		`{"note":"\ud800\u0041"}`:   "byte 9: an escape sequence is invalid",
		`{"note":"\udc00\ud800"}`:   "byte 9: an escape sequence is invalid",
		`{} {}`:                     "byte 3: more text follows the value",
		`{"items":[1,]}`:            "byte 12: a comma is followed by nothing",
		`{"items":[1 2]}`:           "byte 12: a comma is missing",
		strings.Repeat("[", 100000): "byte 0", // reported as a wrong type only if it were JSON
		`{"x":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`: "byte 204: arrays and objects are nested too deeply",
	} {
		var v order
		list, err := wire.Decode([]byte(text), v.DecodeJSON)
		if len(text) == 100000 {
			want = "byte 200: arrays and objects are nested too deeply"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v (%v), want %s", text, err, faults(list), want)
		}
	}
}

func TestIntegers(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0e5": "0", "1.0": "1", "1e2": "100", "12.50e1": "125", "100e-2": "1",
		"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"9223372036854775808": "is out of range for 64 bits", "1e19": "is out of range for 64 bits", "1e999999999999": "is out of range for 64 bits",
		"1.5": "must be a whole number", "1e-1": "must be a whole number", "1e-99999999999": "must be a whole number", "0e99999999999": "0",
		"922337203685477580.7e1": "9223372036854775807", `"1"`: "must be an integer, not a string", "true": "must be an integer, not a boolean",
	} {
		var got int64
		list, err := wire.Decode([]byte(text), func(d *wire.Decoder) { got = d.Int64(); d.MinInt(got, -1<<63) })
		s := fmt.Sprint(got)
		if list != nil {
			s = faults(list)
		}
		if err != nil || s != want {
			t.Errorf("%s: got %s, %v, want %s", text, s, err, want)
		}
	}
	list, _ := wire.Decode([]byte("2147483648"), func(d *wire.Decoder) { d.Int32() })
	if got := faults(list); got != "is out of range for 32 bits" {
		t.Errorf("Int32: %s", got)
	}
	for text, want := range map[string]string{"1e400": "is out of range", "-1.5e3": "", "1e-400": ""} {
		list, _ := wire.Decode([]byte(text), func(d *wire.Decoder) { d.Float64() })
		if got := faults(list); got != want {
			t.Errorf("Float64 %s: %q", text, got)
		}
	}
}

func TestConstraintsOnWhatCouldNotBeReadAreSilent(t *testing.T) {
	list, err := wire.Decode([]byte(`{"a":"x","b":[1,"2"],"c":4,"d":"never"}`), func(d *wire.Decoder) {
		for key := range d.Object() {
			switch key {
			case "a":
				v := d.Int64()
				d.MinInt(v, 5)
				d.EnumInt(v, 7)
			case "b":
				wire.Unique(d, wire.List(d, (*wire.Decoder).Int64))
			case "c":
				s := d.String()
				d.Length(s, 3, 4)
				d.Format(s, wire.UUID)
				d.Pattern(s, regexp.MustCompile("^a$"))
				d.Enum(s, "b")
				d.Const(s, "c")
			case "d":
				d.Time()
				d.Fail("must be in the past")
			}
		}
	})
	want := "/a must be an integer, not a string\n/b/1 must be an integer, not a string\n" +
		"/c must be a string, not a number\n/d must be a date and time such as 2006-01-02T15:04:05Z"
	if got := faults(list); err != nil || got != want {
		t.Errorf("got %v\n%s", err, got)
	}
}

func TestLeavingTheLoopOrAValueUnreadKeepsTheDecoderInStep(t *testing.T) {
	var after string
	list, err := wire.Decode([]byte(`[{"a":1,"b":{"c":[2]},"d":3},"tail"]`), func(d *wire.Decoder) {
		n := 0
		wire.List(d, func(d *wire.Decoder) int {
			if n++; n == 2 {
				after = d.String()
				return 0
			}
			for key := range d.Object("d", "e") {
				if key == "b" {
					break // a is left unread, b too, and the rest of the object
				}
			}
			d.Fail("is seen after the loop")
			return 0
		})
	})
	if err != nil || after != "tail" || faults(list) != "/0/e is required\n/0 is seen after the loop" {
		t.Errorf("got %q, %v, %s", after, err, faults(list))
	}
}

func TestErrorsAreBounded(t *testing.T) {
	list, _ := wire.Decode([]byte("["+strings.Repeat("1,", 5000)+"1]"), func(d *wire.Decoder) { wire.List(d, (*wire.Decoder).String) })
	if len(list) != 101 || list[100].Message != "4901 more errors are not listed" {
		t.Errorf("got %d, last %v", len(list), list[len(list)-1])
	}
}

func TestManyPropertiesAreNotQuadraticAndStillUnique(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"k0":0`)
	for i := 1; i < 1000; i++ {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	b.WriteString(`,"k5":1,"k999":2}`)
	list, err := wire.Decode([]byte(b.String()), func(d *wire.Decoder) {
		wire.Map(d, (*wire.Decoder).Int64)
		if d.Size() != 1002 {
			t.Errorf("size %d", d.Size())
		}
	})
	if err != nil || faults(list) != "/k5 is a duplicate property\n/k999 is a duplicate property" {
		t.Errorf("got %v, %s", err, faults(list))
	}
}

func TestTimesAreUTCMicroseconds(t *testing.T) {
	for text, want := range map[string]string{
		"2024-02-29T23:59:59.123456789+01:00": "2024-02-29T22:59:59.123456Z",
		"2024-01-01t00:00:00z":                "2024-01-01T00:00:00Z",
		"2016-12-31T23:59:60Z":                "2017-01-01T00:00:00Z",
		"2016-12-31T15:59:60-08:00":           "2017-01-01T00:00:00Z",
		"0000-01-01T00:00:00Z":                "0000-01-01T00:00:00Z",
	} {
		got, ok := wire.ParseTime(text)
		if !ok || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%s: got %s, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z", "2024-01-01T10:00:60Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T0:00:00Z",
		"2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00+24:00", "2024-01-01", "", "2024-01-01T00:00:00.5",
	} {
		if got, ok := wire.ParseTime(text); ok {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestNullableTellsAbsentFromNull(t *testing.T) {
	type patch struct {
		Name wire.Nullable[string] `json:"name,omitzero"`
	}
	for text, want := range map[string]patch{
		`{}`: {}, `{"name":null}`: {wire.NullOf[string]()}, `{"name":"x"}`: {wire.Some("x")},
	} {
		var got, std patch
		list, err := wire.Decode([]byte(text), func(d *wire.Decoder) {
			for key := range d.Object() {
				if key == "name" {
					got.Name = wire.NullableOf(d, (*wire.Decoder).String)
				}
			}
		})
		if err != nil || list != nil || got != want {
			t.Errorf("%s: got %+v", text, got)
		}
		back, err := json.Marshal(got)
		if err != nil || string(back) != text {
			t.Errorf("%s: written as %s, %v", text, back, err)
		}
		if err := json.Unmarshal([]byte(text), &std); err != nil || std != want {
			t.Errorf("%s: encoding/json reads %+v, %v", text, std, err)
		}
		if p := got.Name.Ptr(); (p != nil) != (text == `{"name":"x"}`) {
			t.Errorf("%s: pointer %v", text, p)
		}
	}
}

func TestUnions(t *testing.T) {
	try := func(union func(*wire.Decoder, json.RawMessage, ...func(*wire.Decoder)), text string) string {
		list, err := wire.Decode([]byte(text), func(d *wire.Decoder) { union(d, d.Raw(), wire.As[address], wire.As[item]) })
		return fmt.Sprint(faults(list), err)
	}
	both := func(d *wire.Decoder, raw json.RawMessage, _ ...func(*wire.Decoder)) {
		wire.OneOf(d, raw, (*wire.Decoder).Skip, (*wire.Decoder).Skip)
	}
	for name, c := range map[string][2]string{
		"any first":  {try(wire.AnyOf, `{"street":"x"}`), "<nil>"},
		"any second": {try(wire.AnyOf, `{"product":"`+id+`","quantity":3}`), "<nil>"},
		"one":        {try(wire.OneOf, `{"street":"x"}`), "<nil>"},
		"none":       {try(wire.OneOf, `{"product":"`+id+`"}`), "matches none of the allowed shapes\n/quantity is required<nil>"},
		"scalar":     {try(wire.AnyOf, `3`), "matches none of the allowed shapes<nil>"},
		"both":       {try(both, `3`), "matches more than one of the allowed shapes<nil>"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: got %q, want %q", name, c[0], c[1])
		}
	}
}

func TestKindIs(t *testing.T) {
	for _, c := range []struct {
		text, want string
		kinds      []string
	}{
		{"null", "", []string{"string", "null"}},
		{`" "`, "", []string{"string", "null"}},
		{"1.5", "must be a string or null, not a number", []string{"string", "null"}},
		{"1.0", "", []string{"integer"}},
		{"1", "", []string{"number"}},
		{"1.5", "must be an integer, not a number", []string{"integer"}},
		{"[]", "must be a string, an object or a boolean, not an array", []string{"string", "object", "boolean"}},
	} {
		list, _ := wire.Decode([]byte(c.text), func(d *wire.Decoder) { d.KindIs(d.Raw(), c.kinds...) })
		if got := faults(list); got != c.want {
			t.Errorf("%s %v: %q", c.text, c.kinds, got)
		}
	}
}

func TestUniqueComparesByValue(t *testing.T) {
	raw := func(items ...string) []json.RawMessage {
		var out []json.RawMessage
		for _, i := range items {
			out = append(out, json.RawMessage(i))
		}
		return out
	}
	type named string
	one, other := "a", "a"
	for name, c := range map[string]struct {
		check func(d *wire.Decoder)
		want  bool
	}{
		"strings":         {func(d *wire.Decoder) { wire.Unique(d, []named{"a", "b", "a"}) }, false},
		"numbers":         {func(d *wire.Decoder) { wire.Unique(d, []float64{1, 2, 3}) }, true},
		"structs":         {func(d *wire.Decoder) { wire.Unique(d, []item{{"a", 1}, {"a", 2}}) }, true},
		"equal structs":   {func(d *wire.Decoder) { wire.Unique(d, []item{{"a", 1}, {"a", 1}}) }, false},
		"pointers":        {func(d *wire.Decoder) { wire.Unique(d, []*string{&one, &other}) }, false},
		"raw order":       {func(d *wire.Decoder) { wire.Unique(d, raw(`{"a":1,"b":[1]}`, `{"b":[1.0],"a":10e-1}`)) }, false},
		"raw different":   {func(d *wire.Decoder) { wire.Unique(d, raw(`1`, `"1"`, `true`, `[1]`, `0`, `-1`)) }, true},
		"big integers":    {func(d *wire.Decoder) { wire.Unique(d, raw(`9007199254740993`, `9007199254740992`)) }, true},
		"zeros are equal": {func(d *wire.Decoder) { wire.Unique(d, raw(`0`, `-0.0`)) }, false},
	} {
		list, _ := wire.Decode([]byte("[]"), func(d *wire.Decoder) { d.Raw(); c.check(d) })
		if (list == nil) != c.want {
			t.Errorf("%s: %s", name, faults(list))
		}
	}
}

func TestWithout(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		paths     []string
	}{
		{`{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`, []string{"b"}},
		{`{"a":1}`, `{}`, []string{"a"}},
		{`{"card":{"cvc":"1","no":"2"},"cvc":0}`, `{"card":{"no":"2"},"cvc":0}`, []string{"card/cvc"}},
		{`[{"a":[{"x":1,"y":2},{"x":3}]},4]`, `[{"a":[{"y":2},{}]},4]`, []string{"a/x"}},
		{`{"\u0061":1}`, `{}`, []string{"a"}},
		{`{"x":{"a":1}}`, `{"x":{"a":1}}`, []string{"a"}},
		{`"text"`, `"text"`, []string{"a"}},
		{`{"a":`, `{"a":`, []string{"a"}},
	} {
		if got := wire.Without(json.RawMessage(c.raw), c.paths...); string(got) != c.want {
			t.Errorf("%s less %v: %s", c.raw, c.paths, got)
		}
	}
}

func TestADecoderIsCleanWhenUsedAgain(t *testing.T) {
	for range 10 {
		var v order
		if _, err := wire.Decode([]byte(`{"items":[{"a":`), v.DecodeJSON); err == nil {
			t.Fatal("malformed text was accepted")
		}
		list, err := wire.Decode([]byte(`{"customer":"`+id+`","items":[{"product":"`+id+`","quantity":1}]}`), v.DecodeJSON)
		if err != nil || list != nil {
			t.Fatalf("got %v, %v", list, err)
		}
	}
}

func TestParameterChecks(t *testing.T) {
	var errs wire.Errors
	c := wire.NewCheck(&errs, "query", "ids")
	c.Items(3, 0, 2)
	second := c.At(1)
	second.MultipleOfInt(7, 2)
	second.ExclusiveMax(3, 3)
	got := errs.List()
	want := []problem.FieldError{
		{In: "query", Pointer: "/ids", Message: "must have at most 2 items"},
		{In: "query", Pointer: "/ids/1", Message: "must be a multiple of 2"},
		{In: "query", Pointer: "/ids/1", Message: "must be less than 3"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestMultipleOfIsDecimal(t *testing.T) {
	for _, c := range []struct {
		v, of float64
		want  bool
	}{
		{0.3, 0.1, true},
		{1.1, 0.01, true},
		{19.99, 0.01, true},
		{0.35, 0.1, false},
		{7, 2, false},
		{8, 2, true},
		{1e300, 1e299, true},
		{1e16, 3, false},
		{-4.5, 1.5, true},
		{0, 0.1, true},
		{1e-7, 1e-8, true},
	} {
		list, _ := wire.Decode([]byte("0"), func(d *wire.Decoder) { d.Int64(); d.MultipleOf(c.v, c.of) })
		if (list == nil) != c.want {
			t.Errorf("%v of %v: %v", c.v, c.of, list)
		}
	}
}
