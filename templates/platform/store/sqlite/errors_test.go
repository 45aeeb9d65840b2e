package sqlite

import (
	"slices"
	"testing"
)

func TestColumns(t *testing.T) {
	for message, want := range map[string][]string{
		"constraint failed: UNIQUE constraint failed: orders.email (2067)":              {"email"},
		"constraint failed: UNIQUE constraint failed: orders.a, orders.b (2067)":        {"a", "b"},
		"constraint failed: UNIQUE constraint failed: orders.id (1555)":                 {"id"},
		"constraint failed: UNIQUE constraint failed: index 'orders_lower_name' (2067)": nil,
		"constraint failed: FOREIGN KEY constraint failed (787)":                        nil,
		"":                                   nil,
		"UNIQUE constraint failed: ":         nil,
		"UNIQUE constraint failed: nonsense": nil,
	} {
		if got := columns(message); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}
