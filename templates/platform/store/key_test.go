package store_test

import (
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// TestKey: no two lists of values share a key.
func TestKey(t *testing.T) {
	for _, test := range []struct {
		values []any
		want   string
	}{
		{nil, "/"},
		{[]any{"a", "b"}, "a/b"},
		{[]any{"a/b"}, "a%2Fb"},
		{[]any{"a%2Fb"}, "a%252Fb"},
		{[]any{"a", int64(7), "é "}, "a/7/%C3%A9%20"},
		{[]any{"/"}, "%2F"},
	} {
		if got := store.Key(test.values...); got != test.want {
			t.Errorf("Key(%v) = %q, want %q", test.values, got, test.want)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("a", "b", "a/b", "")
	f.Add("%", "/", "%2F", "/")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		same := a == c && b == d
		if (store.Key(a, b) == store.Key(c, d)) != same || store.Key(a, b) == store.Key(c) {
			t.Errorf("Key(%q, %q) = %q, Key(%q, %q) = %q", a, b, store.Key(a, b), c, d, store.Key(c, d))
		}
	})
}
