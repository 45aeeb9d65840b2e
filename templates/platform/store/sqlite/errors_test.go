package sqlite

import (
	"slices"
	"testing"

	lib "modernc.org/sqlite/lib"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func TestPrimaryCodes(t *testing.T) {
	for code, want := range map[int]store.ViolationKind{
		lib.SQLITE_BUSY_SNAPSHOT: store.ViolationBusy, lib.SQLITE_LOCKED: store.ViolationBusy,
		lib.SQLITE_FULL: store.ViolationUnavailable, lib.SQLITE_IOERR_FSYNC: store.ViolationUnavailable,
		lib.SQLITE_READONLY_DBMOVED: store.ViolationUnavailable, lib.SQLITE_CANTOPEN_ISDIR: store.ViolationUnavailable,
		lib.SQLITE_CORRUPT: store.ViolationNone, lib.SQLITE_NOTADB: store.ViolationNone, lib.SQLITE_INTERRUPT: store.ViolationNone,
	} {
		if got := primary(code & 0xff); got != want {
			t.Errorf("%d: got %d, want %d", code, got, want)
		}
	}
}

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
