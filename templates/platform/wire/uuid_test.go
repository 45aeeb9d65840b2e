package wire_test

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

func TestUUID(t *testing.T) {
	for text, want := range map[string]struct{ id, fault string }{
		`"` + id + `"`:                  {id, ""},
		`"` + strings.ToUpper(id) + `"`: {id, ""},
		`"` + id[1:] + `"`:              {"", "must be a UUID"},
		`""`:                            {"", "must be a UUID"},
		`7`:                             {"", "must be a string"},
	} {
		got := ""
		faults, err := wire.Decode([]byte(text), func(d *wire.Decoder) { got = d.UUID() })
		switch {
		case err != nil:
			t.Errorf("%s: %v", text, err)
		case want.fault == "" && (len(faults) > 0 || got != want.id):
			t.Errorf("%s: got %q, %v", text, got, faults)
		case want.fault != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0].Message, want.fault)):
			t.Errorf("%s: got %v, want %s", text, faults, want.fault)
		}
	}
}

func TestUUIDInLowerCaseCostsNothing(t *testing.T) {
	text := []byte(`"` + id + `"`)
	cost := func(read func(*wire.Decoder) string) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := wire.Decode(text, func(d *wire.Decoder) { read(d) }); err != nil {
				t.Fatal(err)
			}
		})
	}
	if plain, got := cost((*wire.Decoder).String), cost((*wire.Decoder).UUID); got > plain {
		t.Errorf("%v allocations, %v for a string", got, plain)
	}
}
