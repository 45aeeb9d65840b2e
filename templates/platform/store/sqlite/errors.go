package sqlite

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// classify reads SQLite's extended result codes.
func classify(err error) store.Violation {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return store.Violation{}
	}
	switch code := failure.Code(); code {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return store.Violation{Kind: store.ViolationUnique, Columns: columns(failure.Error())}
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY, lib.SQLITE_CONSTRAINT_TRIGGER:
		// ON DELETE RESTRICT is a trigger to SQLite; projects have no others.
		return store.Violation{Kind: store.ViolationForeignKey}
	default:
		return store.Violation{Kind: primary(code & 0xff)}
	}
}

// primary reads a primary result code: the lower byte of an extended one.
func primary(code int) store.ViolationKind {
	switch code {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return store.ViolationBusy
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		return store.ViolationUnavailable
	default:
		return store.ViolationNone
	}
}

// columns returns the columns that a message such as "… UNIQUE constraint
// failed: orders.customer_id, orders.number (2067)" names.
func columns(message string) []string {
	_, list, found := strings.Cut(message, "UNIQUE constraint failed: ")
	if !found || strings.HasPrefix(list, "index ") {
		return nil
	}
	if end := strings.LastIndex(list, " ("); end >= 0 {
		list = list[:end]
	}
	var names []string
	for part := range strings.SplitSeq(list, ", ") {
		_, column, found := strings.Cut(part, ".")
		if !found {
			return nil
		}
		names = append(names, column)
	}
	return names
}
