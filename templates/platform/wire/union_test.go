package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

type square struct {
	Kind string
	Side int64
}

func (v *square) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("kind", "side") {
		switch key {
		case "kind":
			v.Kind = d.String()
		case "side":
			v.Side = d.Int64()
			d.MinInt(v.Side, 1)
		default:
			d.Unknown(key)
		}
	}
}

func TestDiscriminated(t *testing.T) {
	decode := func(text string) string {
		faults, err := wire.Decode([]byte(text), func(d *wire.Decoder) {
			for range d.Object() {
				v := d.Raw()
				wire.Discriminated(d, v, "kind", map[string]func(*wire.Decoder){"square": wire.As[square], "box": wire.As[square]})
				if d.Sound() != (len(d.Errors()) == 0) {
					t.Errorf("%s: sound %v, errors %v", text, d.Sound(), d.Errors())
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range faults {
			out = append(out, f.In+" "+f.Pointer+" "+f.Message)
		}
		return strings.Join(out, "; ")
	}
	for text, want := range map[string]string{
		`{"s":{"kind":"square","side":2}}`:         "",
		`{"s":{"side":0,"kind":"box"}}`:            "body /s/side must be at least 1",
		`{"s":{"kind":"circle"}}`:                  "body /s/kind must be one of box, square",
		`{"s":{"kind":7}}`:                         "body /s/kind must be one of box, square",
		`{"s":{"side":1}}`:                         "body /s/kind is required",
		`{"s":[]}`:                                 "body /s must be an object, not an array",
		`{"s":{"kind":"box","kind":"x","side":1}}`: "body /s/kind is a duplicate property",
	} {
		if got := decode(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestTrialsAreBounded: unions within unions multiply, and the work stays bounded.
func TestTrialsAreBounded(t *testing.T) {
	var nested func(d *wire.Decoder)
	nested = func(d *wire.Decoder) {
		for range d.Object() {
			v := d.Raw()
			wire.OneOf(d, v, nested, nested, wire.Null)
		}
	}
	text := strings.Repeat(`{"n":`, 150) + "1" + strings.Repeat("}", 150)
	began := time.Now()
	faults, err := wire.Decode([]byte(text), nested)
	if err != nil || len(faults) == 0 {
		t.Errorf("%v %v", faults, err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestFiles(t *testing.T) {
	read := func(text string, files []wire.File) (f wire.File, faults int) {
		var errs wire.Errors
		d := wire.NewPart(&errs, []byte(text), files, "body", "photo")
		defer d.Release()
		f = d.File()
		d.FileSize(f, 1, 3)
		d.MediaType(f, "image/png", "text/*")
		return f, errs.Len()
	}
	files := []wire.File{{Name: "a", Type: "image/png", Data: []byte("abc")}, {Type: "TEXT/plain; charset=x", Data: []byte("abcd")}, {Type: "video/mp4", Data: []byte("a")}, {}}
	for text, want := range map[string]int{`0`: 0, `1`: 1, `2`: 1, `3`: 1, `4`: 1, `"0"`: 1, `-1`: 1, `1.5`: 1, `null`: 1} {
		if _, n := read(text, files); n != want {
			t.Errorf("%s: %d faults, want %d", text, n, want)
		}
	}
	if _, n := read(`0`, nil); n != 1 {
		t.Error("a number of plain JSON is taken for a file")
	}
}
