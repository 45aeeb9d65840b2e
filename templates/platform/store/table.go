package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// Kind is what a column holds.
type Kind int

// The kinds of columns. A Text is UTF-8 without U+0000, compared by its bytes; a
// Time is a 64-bit count of microseconds since 1970 in UTC; JSON is a document as
// it was written; a UUID is a string or *string, given back in lower case.
const (
	Text Kind = iota
	Integer
	Real
	Boolean
	Time
	JSON
	UUID
)

func (k Kind) String() string {
	names := [...]string{"text", "integer", "real", "boolean", "time", "JSON", "UUID"}
	if k < 0 || int(k) >= len(names) {
		return "kind " + strconv.Itoa(int(k))
	}
	return names[k]
}

// Column is one column of a table.
type Column struct {
	Name     string
	Kind     Kind
	Nullable bool
}

// KeyMode says where the key of a new row comes from when the row has none.
type KeyMode int

// KeyUUID fills an empty string with a UUIDv7 (RFC 9562). KeyIdentity lets the
// database replace a zero by the next number; none is ever given twice.
const (
	KeyUUID KeyMode = iota
	KeyIdentity
)

// Table describes the rows of T as data. It is never changed.
type Table[T any] struct {
	Name     string   // of the table in SQL
	Resource string   // what messages call a row: "order"
	Columns  []Column // in the order of Fields
	// Fields returns pointers to the fields of a row, one per column: *string,
	// *int64, *float64, *bool, a pointer to one of these for a column that may
	// be NULL, or a Field.
	Fields     func(*T) []any
	Key        string // unique and not NULL; Text or UUID with KeyUUID, Integer with KeyIdentity
	KeyMode    KeyMode
	KeyForm    KeyForm     // of the keys that KeyUUID fills in; nil: they are UUIDs
	Version    string      // an Integer column, 1 in a new row and one more after each update; "" for none
	CreatedAt  []string    // set when a row is created: Time, or Text in RFC 3339
	UpdatedAt  []string    // set whenever a row is written
	Unique     [][]string  // groups of columns that no two rows share, for messages
	References []Reference // columns that hold the key of another row
}

// Reference says that a column holds the key of a row elsewhere: in a table of
// the same database, or, when Table is empty, of another service, which Exists
// asks. A NULL refers to nothing.
type Reference struct {
	Column   string
	Pointer  string // JSON pointer of the property in requests: "/customerId"
	Resource string // what the key belongs to: "customer"
	Table    string
	Key      string
	// Exists is called before the unit's first write, with a context that
	// carries no unit. It is set by WithReference.
	Exists func(ctx context.Context, key any) (bool, error)
}

// layout is a Table worked out: where its columns are, and its SQL.
type layout struct {
	index      map[string]int
	key        int
	version    int // -1 for none
	created    []int
	updated    []int
	unique     []int // columns of Unique
	references []reference

	selectRow  string // by key
	lockRow    string // by key, for a change
	insertRow  string
	insertNew  string // without the key, which the database gives
	tryRow     string // insertRow and insertNew, but nothing happens where the
	tryNew     string // row would break a unique rule
	updateRow  string // by key, and version if there is one
	deleteRow  string // by key
	existsRow  string // by key
	selectFrom string // "SELECT … FROM …", to which lists add
	countFrom  string
}

// reference is a Reference with its column's place and the SQL that checks it.
type reference struct {
	Reference
	column int
	query  string
}

func (t *Table[T]) layout(d *Dialect, references []Reference) (*layout, error) {
	l := &layout{index: make(map[string]int, len(t.Columns)), version: -1}
	for i, c := range t.Columns {
		if _, twice := l.index[c.Name]; twice {
			return nil, fmt.Errorf("table %s: column %s is listed twice", t.Name, c.Name)
		}
		l.index[c.Name] = i
	}
	fields := t.Fields(new(T))
	if n := len(fields); n != len(t.Columns) {
		return nil, fmt.Errorf("table %s: %d fields for %d columns", t.Name, n, len(t.Columns))
	}
	var err error
	for i, c := range t.Columns {
		if c.Kind == UUID {
			if _, err = uuidIn(fields[i]); err != nil {
				return nil, fmt.Errorf("table %s, column %s: %w", t.Name, c.Name, err)
			}
		}
	}
	at := func(name string, kinds ...Kind) int {
		i, ok := l.index[name]
		switch {
		case err != nil:
		case !ok:
			err = fmt.Errorf("table %s: no column %q", t.Name, name)
		case len(kinds) > 0 && !slices.Contains(kinds, t.Columns[i].Kind):
			err = fmt.Errorf("table %s: column %s is of the wrong kind, %s", t.Name, name, t.Columns[i].Kind)
		}
		return i
	}
	if t.KeyMode == KeyIdentity {
		l.key = at(t.Key, Integer)
	} else {
		l.key = at(t.Key, Text, UUID)
	}
	if t.Version != "" {
		l.version = at(t.Version, Integer)
	}
	for _, name := range t.CreatedAt {
		l.created = append(l.created, at(name, Time, Text))
	}
	for _, name := range t.UpdatedAt {
		l.updated = append(l.updated, at(name, Time, Text))
	}
	for _, group := range t.Unique {
		for _, name := range group {
			l.unique = append(l.unique, at(name))
		}
	}
	for _, r := range references {
		if r.Table == "" && r.Exists == nil {
			return nil, fmt.Errorf("table %s: nothing checks the reference %s", t.Name, r.Column)
		}
		checked := reference{Reference: r, column: at(r.Column, Text, Integer, UUID)}
		if r.Table != "" {
			q := text{dialect: d}
			q.sql("SELECT 1 FROM ").name(r.Table).sql(" WHERE ").name(r.Key).sql(" = ").bind(nil)
			checked.query = q.String()
		}
		l.references = append(l.references, checked)
	}
	if err != nil {
		return nil, err
	}
	l.write(d, t.Name, t.Columns, t.KeyMode == KeyIdentity)
	return l, nil
}

// write works out the SQL that never changes.
func (l *layout) write(d *Dialect, table string, columns []Column, identity bool) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	key := names[l.key]
	byKey := func(parts ...string) string {
		q := text{dialect: d}
		q.sql(parts...).sql(" WHERE ").name(key).sql(" = ").bind(nil)
		return q.String()
	}
	from := " FROM " + d.quote(table)
	l.selectFrom = "SELECT " + d.quoteAll(names) + from
	l.countFrom = "SELECT COUNT(*)" + from
	l.selectRow = byKey(l.selectFrom)
	l.lockRow = l.selectRow + d.LockRow
	l.existsRow = byKey("SELECT 1", from)
	l.deleteRow = byKey("DELETE", from)
	var returning, advance string
	if d.ReturningKey {
		returning = " RETURNING " + d.quote(key)
	}
	if identity && d.AdvanceKey != nil {
		advance = d.AdvanceKey(table, key)
	}
	l.insertRow = insertion(d, table, names)
	l.insertNew = insertion(d, table, slices.Delete(slices.Clone(names), l.key, l.key+1))
	l.tryRow = l.insertRow + unlessTaken + advance
	l.tryNew = l.insertNew + unlessTaken + returning
	l.insertRow += advance
	l.insertNew += returning

	q := text{dialect: d}
	q.sql("UPDATE ").name(table).sql(" SET ")
	separator := ""
	for i, name := range names {
		if i != l.key {
			q.sql(separator).name(name).sql(" = ").bind(nil)
			separator = ", "
		}
	}
	q.sql(" WHERE ").name(key).sql(" = ").bind(nil)
	if l.version >= 0 {
		q.sql(" AND ").name(names[l.version]).sql(" = ").bind(nil)
	}
	l.updateRow = q.String()
}

// unlessTaken makes an INSERT do nothing where a unique rule is in its way.
const unlessTaken = " ON CONFLICT DO NOTHING"

func insertion(d *Dialect, table string, names []string) string {
	q := text{dialect: d}
	q.sql("INSERT INTO ").name(table).sql(" (", d.quoteAll(names), ") VALUES (")
	for i := range names {
		if i > 0 {
			q.sql(", ")
		}
		q.bind(nil)
	}
	return q.sql(")").String()
}
