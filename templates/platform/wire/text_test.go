package wire_test

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// TestZeroIsRefused: a string that is decoded never holds U+0000, which not every
// store can hold; raw values, which stay text, may.
func TestZeroIsRefused(t *testing.T) {
	const text = `{"note":"a\u0000b","tags":["ok","\u0000"],"id":"\u0000","raw":{"x":"\u0000"},"end":"é"}`
	var note, end, raw string
	list, err := wire.Decode([]byte(text), func(d *wire.Decoder) {
		for key := range d.Object() {
			switch key {
			case "note":
				note = d.String()
			case "tags":
				_ = wire.List(d, (*wire.Decoder).String)
			case "id":
				_ = d.UUID()
			case "raw":
				raw = string(d.Raw())
			case "end":
				end = d.String()
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, fault := range list {
		if fault.Message != "must not contain U+0000" {
			t.Errorf("%s %s", fault.Pointer, fault.Message)
		}
		places = append(places, fault.Pointer)
	}
	if got := strings.Join(places, " "); got != "/note /tags/1 /id" {
		t.Errorf("refused: %s", got)
	}
	if note != "" || end != "é" || raw != `{"x":"\u0000"}` {
		t.Errorf("read %q, %q, %q", note, end, raw)
	}
}
