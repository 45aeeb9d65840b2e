package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// classify reads SQLSTATE codes, and what the network does.
func classify(err error) store.Violation {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		kind := byCode(refusal.Code)
		v := store.Violation{Kind: kind}
		if kind == store.ViolationUnique || kind == store.ViolationForeignKey {
			v.Columns = columns(refusal.Detail)
		}
		return v
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil:
	case errors.As(err, &connecting):
		return store.Violation{Kind: store.ViolationUnavailable}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // a net.Error, too
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, pgconn.ErrConnClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return store.Violation{Kind: store.ViolationUnavailable}
	}
	return store.Violation{}
}

func byCode(code string) store.ViolationKind {
	switch code {
	case "23505":
		return store.ViolationUnique
	case "23503", "23001": // also ON DELETE RESTRICT
		return store.ViolationForeignKey
	case "40001", "40P01", "55P03", "57014": // serialization, deadlock, lock_timeout, statement_timeout
		return store.ViolationBusy
	case "54000":
		return store.ViolationTooLong
	case "57P01", "57P02", "57P03", "58030", "25006", "25P03": // shutdown, crash, start, I/O, read-only, idle for too long
		return store.ViolationUnavailable
	}
	switch code[:min(2, len(code))] {
	case "08", "53": // connection, resources: disk, memory, connections
		return store.ViolationUnavailable
	}
	return store.ViolationNone
}

// columns returns the columns that a detail such as
//
//	Key (customer_id, "Number")=(7, x) already exists.
//
// names, whatever its language. An index on an expression names none.
func columns(detail string) []string {
	_, list, found := strings.Cut(detail, "(")
	list, _, ended := strings.Cut(list, ")=(")
	if !found || !ended {
		return nil
	}
	var names []string
	for rest := list; ; {
		name, after, ok := identifier(rest)
		if !ok {
			return nil
		}
		names = append(names, name)
		if after == "" {
			return names
		}
		if rest, ok = strings.CutPrefix(after, ", "); !ok {
			return nil
		}
	}
}

// identifier reads the identifier that text begins with, in quotes if it needs them.
func identifier(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, ", ()'\"")
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			b.WriteByte(text[i])
		case strings.HasPrefix(text[i:], `""`):
			b.WriteByte('"')
			i++
		default:
			return b.String(), text[i+1:], true
		}
	}
	return "", "", false
}
