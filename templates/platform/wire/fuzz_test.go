package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// anything reads any value the way encoding/json does into an any with UseNumber.
func anything(d *wire.Decoder) any {
	switch d.Kind() {
	case "object":
		return toAny(wire.Map(d, anything))
	case "array":
		return wire.List(d, anything)
	case "string":
		return d.String()
	case "boolean":
		return d.Bool()
	case "null":
		d.Null()
		return nil
	default:
		return json.Number(d.Raw())
	}
}

func toAny(m map[string]any) any { return m }

// FuzzDecode holds the decoder against encoding/json: it accepts the same texts
// and reads the same values. Where it is stricter on purpose (UTF-8, half
// surrogates, duplicate names, depth), only acceptance differs.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5e3,-0,true,false,null,"x\u00e9\n"],"b":{"c":{}}}`, `[]`, ` "a" `, `{"a":1,"a":2}`, `"\ud83d\ude00"`, `"\ud800"`,
		"\"\xff\"", `[1,]`, `01`, `1.`, `1e`, `-`, `{"a"}`, `tru`, "", "\x00", `{"\u0061":1}`, `"\u0000"`, strings.Repeat("[", 210) + strings.Repeat("]", 210),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got any
		list, err := wire.Decode(text, func(d *wire.Decoder) { got = anything(d) })
		standard := json.NewDecoder(bytes.NewReader(text))
		standard.UseNumber()
		var want any
		valid := json.Valid(text)
		if err == nil && !valid {
			t.Fatalf("%q was accepted", text)
		}
		if _, rawErr := wire.Decode(text, func(d *wire.Decoder) { d.Skip() }); (rawErr == nil) != (err == nil) {
			t.Fatalf("%q: Skip says %v, reading says %v", text, rawErr, err)
		}
		if !valid {
			return
		}
		if err != nil {
			reason := err.Error()
			switch {
			case strings.Contains(reason, "UTF-8") && !utf8.Valid(text):
			case strings.Contains(reason, "escape") && bytes.Contains(bytes.ToLower(text), []byte(`\ud`)):
			case strings.Contains(reason, "too deeply") && len(text) > 200:
			default:
				t.Fatalf("%q was refused: %v", text, err)
			}
			return
		}
		if list != nil {
			for _, fault := range list {
				if !strings.HasSuffix(fault.Message, "is a duplicate property") && !strings.Contains(fault.Message, "more errors") &&
					!(strings.Contains(fault.Message, "U+0000") && bytes.Contains(text, []byte(`\u0000`))) {
					t.Fatalf("%q: %v", text, fault)
				}
			}
			return
		}
		if err := standard.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, want %#v", text, got, want)
		}
	})
}

// FuzzTyped drives a generated type's decoder: it never panics, and what it
// accepts encoding/json reads the same.
func FuzzTyped(f *testing.F) {
	f.Add([]byte(`{"customer":"` + id + `","items":[{"product":"` + id + `","quantity":1}],"note":null,"source":{"street":"x"}}`))
	f.Add([]byte(`{"items":[1,{"product":3}],"labels":{"a":"b"},"price":1e2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want order
		list, err := wire.Decode(text, got.DecodeJSON)
		if err != nil || list != nil {
			return
		}
		if err := json.Unmarshal(text, &want); err != nil {
			if strings.Contains(err.Error(), "cannot unmarshal number") {
				return // 1.0 and 1e2 are integers to JSON Schema, not to encoding/json
			}
			t.Fatalf("%q: encoding/json says %v", text, err)
		}
		want.Source = nil
		got.Source = nil
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if !bytes.Equal(a, b) && !bytes.Contains(bytes.ToLower(text), []byte("null")) && !caseFolded(text) {
			t.Fatalf("%q: got %s, want %s", text, a, b)
		}
	})
}

// caseFolded tells whether encoding/json may have matched a name in another case.
func caseFolded(text []byte) bool {
	return !bytes.Equal(bytes.ToLower(text), text) || !utf8.Valid(text) || bytes.Contains(text, []byte(`\`)) || !isASCII(text)
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// rfc3339 is the grammar of section 5.6, which package time is laxer than.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzTime(f *testing.F) {
	f.Add("2024-02-29T23:59:59.123456789+01:00")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := wire.ParseTime(s)
		want, err := time.Parse(time.RFC3339Nano, s)
		if ok && err == nil && !got.Equal(want.Truncate(time.Microsecond)) {
			t.Fatalf("%q: got %s, want %s", s, got, want)
		}
		if err == nil && !ok && rfc3339.MatchString(s) {
			t.Fatalf("%q was refused", s)
		}
	})
}

func FuzzFormats(f *testing.F) {
	f.Add("a@b.co")
	f.Add("P1Y2M3DT4H5M6S")
	f.Add("12:00:00.5+01:00")
	f.Fuzz(func(_ *testing.T, s string) {
		for format := wire.UUID; format <= wire.Byte; format++ {
			format.Valid(s)
		}
	})
}

// orderSchema is what order's decoder enforces.
const orderSchema = `{"type":"object","required":["customer","items"],"properties":{
	"customer":{"type":"string","format":"uuid"},"note":{"type":["string","null"],"maxLength":500},"price":{"type":"number","minimum":0,"multipleOf":0.01},
	"status":{"enum":["pending","paid"]},"address":{"$ref":"#/$defs/address"},"items":{"type":"array","minItems":1,"maxItems":50,"uniqueItems":true,"items":{"$ref":"#/$defs/item"}},
	"labels":{"type":"object","maxProperties":5,"additionalProperties":{"type":"string"}},"source":{"anyOf":[{"$ref":"#/$defs/address"},{"$ref":"#/$defs/item"}]}},
	"$defs":{
	"address":{"type":"object","required":["street"],"additionalProperties":false,"properties":{"street":{"type":"string","minLength":1,"maxLength":40},"zip":{"type":"string"}}},
	"item":{"type":"object","required":["product","quantity"],"properties":{"product":{"type":"string","format":"uuid"},"quantity":{"type":"integer","minimum":1,"maximum":100}}}}}`

// FuzzValid makes orders that are right but for what the bytes say, on which the
// decoder says what another validator says.
func FuzzValid(f *testing.F) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	read := func(text []byte) any {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			f.Fatalf("%s: %v", text, err)
		}
		return v
	}
	if err := compiler.AddResource("https://schemas.invalid/order.json", read([]byte(orderSchema))); err != nil {
		f.Fatal(err)
	}
	schema := compiler.MustCompile("https://schemas.invalid/order.json")
	for i := range 64 {
		f.Add([]byte{byte(i), byte(i * 3), byte(i / 2), byte(i * 5), 1, byte(i)})
	}
	f.Fuzz(func(t *testing.T, changes []byte) {
		if len(changes) > 60 {
			return
		}
		next := func(n int) int {
			if len(changes) == 0 {
				return 0
			}
			v := int(changes[0])
			changes = changes[1:]
			return v % n
		}
		pick := func(right string, others ...string) string {
			n := next(2 * (len(others) + 6))
			if n == 0 || n > len(others)+6 {
				return right
			}
			return append(others, `null`, `true`, `"x"`, `7`, `[]`, `{}`)[n-1]
		}
		uuid := func() string {
			return pick(`"`+id+`"`, `"`+strings.ToUpper(id)+`"`, `"`+id[1:]+`"`, `"`+strings.ReplaceAll(id, "-", "")+`"`)
		}
		members := func(all ...string) string {
			var out []string
			for i := 0; i < len(all); i += 2 {
				if next(8) != 1 {
					out = append(out, all[i]+":"+all[i+1])
				}
			}
			return "{" + strings.Join(out, ",") + "}"
		}
		item := func() string {
			return pick(members(`"product"`, uuid(), `"quantity"`, pick([]string{"1", "2", "1e1", "2.0"}[next(4)], "0", "-1", "1.5", "1001", "100", "101")))
		}
		list := func(of func() string, most int) string {
			var items []string
			for range next(most) {
				items = append(items, of())
			}
			return "[" + strings.Join(items, ",") + "]"
		}
		text := func() string {
			return pick(`"Main St"`, `""`, `"`+strings.Repeat("é", 40)+`"`, `"`+strings.Repeat("😀", 41)+`"`, `"\u00e9\n"`)
		}
		address := func() string { return pick(members(`"street"`, text(), `"zip"`, text(), `"x"`, text())) }
		labels := func() string {
			all := []string{}
			for i := range next(8) {
				all = append(all, `"l`+string(rune('a'+i))+`"`, text())
			}
			return pick(members(all...))
		}
		made := pick(members(`"customer"`, uuid(), `"items"`, pick(list(item, 4)), `"note"`, pick(`null`, `"`+strings.Repeat("ü", 500)+`"`, `"`+strings.Repeat("a", 501)+`"`),
			`"price"`, pick(`12.34`, `0`, `-0`, `-0.01`, `0.001`, `1e2`, `0.29`, `1.1e-1`), `"status"`, pick(`"paid"`, `"Paid"`, `"pending"`), `"address"`, address(), `"labels"`, labels(),
			`"source"`, []func() string{address, item}[next(2)](), `"more"`, pick(`[{"a":null}]`)))
		var got order
		found, err := wire.Decode([]byte(made), got.DecodeJSON)
		if err != nil {
			t.Fatalf("%s: %v", made, err)
		}
		if problem := schema.Validate(read([]byte(made))); (problem == nil) != (found == nil) {
			t.Fatalf("%s\nours: %v\ntheirs: %v", made, faults(found), problem)
		}
	})
}
