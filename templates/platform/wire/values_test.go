package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

func TestValues(t *testing.T) {
	if wire.Or(nil, 3) != 3 || wire.Or(new(0), 3) != 0 {
		t.Error("Or")
	}
	if wire.NonNil[int](nil) == nil || len(wire.NonNil([]int{1})) != 1 {
		t.Error("NonNil")
	}
	if wire.NonZero("") != nil || *wire.NonZero("x") != "x" {
		t.Error("NonZero")
	}
	if got := wire.Anys([]string{"a", "b"}); len(got) != 2 || got[0] != "a" {
		t.Errorf("Anys = %v", got)
	}
	for want, v := range map[string]wire.Nullable[string]{"null": wire.FromPtr[string](nil), `"x"`: wire.FromPtr(new("x"))} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("FromPtr: %s %v, want %s", got, err, want)
		}
	}
}
