package postgres

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func TestColumns(t *testing.T) {
	for detail, want := range map[string][]string{
		`Key (email)=(a@b) already exists.`:                                 {"email"},
		`Key (a, b)=(1, 2) already exists.`:                                 {"a", "b"},
		`Key ("group", name)=(g, n) already exists.`:                        {"group", "name"},
		`Key ("od""d, (x)", b)=(1, )=() already exists.`:                    {`od"d, (x)`, "b"},
		`Schlüssel »(item_id)=(x)« ist nicht in Tabelle »items« vorhanden.`: {"item_id"},
		`La llave (a)=((b)=(c)) ya existe.`:                                 {"a"},
		`Key (lower(name))=(n) already exists.`:                             nil,
		`Key (lower(name::text), b)=(n, 1) already exists.`:                 nil,
		`Key (id)=(1) is still referenced from table "parts".`:              {"id"},
		``:                                  nil,
		`Key (a`:                            nil,
		`Key ("a)=(b)`:                      nil,
		`Key ()=() already exists.`:         nil,
		`Key (COALESCE(a, 0))=(0) exists.`:  nil,
		`Failing row contains (1, null, 2)`: nil,
	} {
		if got := columns(detail); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", detail, got, want)
		}
	}
}

func TestClassify(t *testing.T) {
	for code, want := range map[string]store.ViolationKind{
		"23505": store.ViolationUnique, "23503": store.ViolationForeignKey, "23001": store.ViolationForeignKey,
		"40001": store.ViolationBusy, "40P01": store.ViolationBusy, "55P03": store.ViolationBusy, "57014": store.ViolationBusy,
		"57P01": store.ViolationUnavailable, "57P03": store.ViolationUnavailable, "53300": store.ViolationUnavailable, "53100": store.ViolationUnavailable,
		"58030": store.ViolationUnavailable, "25006": store.ViolationUnavailable, "08006": store.ViolationUnavailable,
		"42P01": store.ViolationNone, "22P02": store.ViolationNone, "23502": store.ViolationNone, "XX000": store.ViolationNone, "": store.ViolationNone,
	} {
		if got := classify(fmt.Errorf("doing: %w", &pgconn.PgError{Code: code})).Kind; got != want {
			t.Errorf("%s: got %d, want %d", code, got, want)
		}
	}
	for _, err := range []error{&net.OpError{Op: "read", Err: io.EOF}, io.ErrUnexpectedEOF, driver.ErrBadConn, pgconn.ErrConnClosed, net.ErrClosed} {
		if got := classify(fmt.Errorf("doing: %w", err)).Kind; got != store.ViolationUnavailable {
			t.Errorf("%v: got %d", err, got)
		}
	}
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded, io.ErrShortWrite} {
		if got := classify(err).Kind; got != store.ViolationNone {
			t.Errorf("%v: got %d", err, got)
		}
	}
}
