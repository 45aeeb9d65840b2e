package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// Dialect is what one engine does its own way.
type Dialect struct {
	Goose    goose.Dialect // how the migration library calls the engine
	Quote    byte          // the quote around identifiers: '"' or '`'
	Numbered bool          // parameters are $1, $2, … instead of ?
	// ReturningKey: an identity key comes back by INSERT … RETURNING, not from
	// the driver's LastInsertId.
	ReturningKey bool
	// AbortsOnError: a statement that breaks a rule costs the transaction all that
	// came before, unless a savepoint was set. Such an engine must know
	// INSERT … ON CONFLICT DO NOTHING.
	AbortsOnError bool
	// AdvanceKey returns what is appended to the INSERT of a row that brings its own
	// number for an identity key, so that the database never gives that number;
	// nil where the engine sees to it.
	AdvanceKey func(table, key string) string
	// LockRow is appended to a SELECT inside a unit whose row is about to be
	// changed: " FOR UPDATE", or "" where a writing unit is alone anyway.
	LockRow string
	// FindText stands around a column and a text in small letters: it holds where the
	// column contains the text, A to Z of either case being alike.
	FindText [3]string
	Types    Types
	// Classify says which rule of the database err broke, if any.
	Classify func(err error) Violation
	// Lock keeps other processes from migrating until unlock is called. It
	// waits until it has the lock or ctx ends.
	Lock func(ctx context.Context) (unlock func() error, err error)
}

// Types names the column types of the store's own tables.
type Types struct {
	Key     string // text of up to 255 bytes, compared by bytes, fit for a primary key
	Integer string // 64 bits, signed
	Bytes   string // up to 16 MiB
}

// ViolationKind says which rule of the database a statement broke.
type ViolationKind int

// The rules that callers are told about. ViolationNone is any other error.
const (
	ViolationNone ViolationKind = iota
	ViolationUnique
	ViolationForeignKey
	ViolationBusy
	ViolationUnavailable // no rule: the engine cannot reach its data
	ViolationTooLong     // a value does not fit an index
)

// Violation is a broken rule, with the columns where the engine names them.
type Violation struct {
	Kind    ViolationKind
	Columns []string
}

// quote returns name as an SQL identifier.
func (d *Dialect) quote(name string) string {
	q := string(d.Quote)
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// quoteAll returns names as identifiers, separated by commas.
func (d *Dialect) quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = d.quote(name)
	}
	return strings.Join(quoted, ", ")
}

// text builds one statement and collects its parameters.
type text struct {
	dialect *Dialect
	buffer  []byte
	args    []any
}

func (t *text) String() string { return string(t.buffer) }

// sql appends parts as they stand.
func (t *text) sql(parts ...string) *text {
	for _, part := range parts {
		t.buffer = append(t.buffer, part...)
	}
	return t
}

// name appends an identifier.
func (t *text) name(name string) *text {
	t.buffer = append(t.buffer, t.dialect.quote(name)...)
	return t
}

// bind appends a parameter that holds value.
func (t *text) bind(value any) *text {
	t.args = append(t.args, value)
	if t.dialect.Numbered {
		t.buffer = strconv.AppendInt(append(t.buffer, '$'), int64(len(t.args)), 10)
	} else {
		t.buffer = append(t.buffer, '?')
	}
	return t
}
