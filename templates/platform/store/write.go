package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// NewKey returns a new UUIDv7 (RFC 9562): unique, and in order of time.
func NewKey() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return id.String(), nil
}

// newKey returns a new key of the form that the table's keys have.
func (c *Collection[T]) newKey() (string, error) {
	if c.table.KeyForm != nil {
		return c.table.KeyForm.New()
	}
	return NewKey()
}

// Create stores a new row and fills in what the store gives it: the key, unless
// it has one, the version and the times. It returns *Conflict when the key or a
// unique value is taken, and *InvalidReference. On an error *row is unchanged.
func (c *Collection[T]) Create(ctx context.Context, row *T) error {
	if c.broken != nil {
		return c.broken
	}
	created := *row
	fields := c.table.Fields(&created)
	if err := c.fillNew(fields); err != nil {
		return err
	}
	args, err := c.arguments(fields)
	if err != nil {
		return err
	}
	if err := c.checkElsewhere(ctx, nil, fields); err != nil {
		return err
	}
	key, numbered := fields[c.layout.key].(*int64)
	if !numbered || *key != 0 {
		key = nil // the row brings its own
	}
	// A number that the database gives may be taken, by SQL written by hand; the
	// second try of a unit gets the next.
	err = c.db.write(ctx, key == nil, func(ctx context.Context) error {
		tx, err := c.db.transaction(ctx)
		if err != nil {
			return err
		}
		if err := c.checkHere(ctx, nil, fields); err != nil {
			return err
		}
		return c.insert(ctx, tx, args, key)
	})
	if err != nil {
		return err
	}
	*row = created
	return nil
}

// fillNew sets the fields of a new row that the store keeps.
func (c *Collection[T]) fillNew(fields []any) error {
	l := c.layout
	if key, ok := fields[l.key].(*string); ok && *key == "" && c.table.KeyMode == KeyUUID {
		id, err := c.newKey()
		if err != nil {
			return err
		}
		*key = id
	}
	if l.version >= 0 {
		if err := copyField(fields[l.version], new(int64(1))); err != nil {
			return err
		}
	}
	now := c.db.clock()
	for _, columns := range [...][]int{l.created, l.updated} {
		for _, i := range columns {
			if err := setTime(fields[i], now); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert writes a new row. An engine on which a broken rule costs the transaction
// is asked first to do nothing where the row clashes with another, and only then
// what is in the way. key, unless nil, is set to the number that the database gives.
func (c *Collection[T]) insert(ctx context.Context, tx *transaction, args []any, key *int64) error {
	l := c.layout
	put, try := l.insertRow, l.tryRow
	if key != nil {
		put, try = l.insertNew, l.tryNew
		args = slices.Delete(args, l.key, l.key+1)
	}
	u := unitOf(ctx, c.db)
	if c.db.dialect.AbortsOnError && !u.single {
		written, err := c.put(ctx, tx, try, args, key)
		if written || err != nil {
			return err
		}
	}
	return u.attempt(ctx, func() error {
		_, err := c.put(ctx, tx, put, args, key)
		return err
	})
}

// put runs an INSERT, and reports whether it wrote the row.
func (c *Collection[T]) put(ctx context.Context, tx *transaction, query string, args []any, key *int64) (written bool, err error) {
	if key != nil && c.db.dialect.ReturningKey {
		n, err := tx.each(ctx, query, args, func() []any { return []any{key} })
		return n == 1, c.refused(ctx, "create", err)
	}
	result, err := tx.exec(ctx, query, args...)
	if err != nil {
		return false, c.refused(ctx, "create", err)
	}
	if key != nil {
		*key, err = result.LastInsertId()
		return err == nil, c.refused(ctx, "create", err)
	}
	n, err := result.RowsAffected()
	return n == 1, c.refused(ctx, "create", err)
}

// Update changes one row: it reads the row, lets mutate change it and writes it
// back one version later, all in one unit, so no update is lost. The key, the
// version and the times stay the store's whatever mutate does to them. It
// returns the row as written, *NotFound, *VersionMismatch when Expect asked for
// another version, *Conflict, *InvalidReference, or the error of mutate.
//
// mutate gets a row of its own, and writes nothing else. Where a reference leads to another service,
// mutate may run twice, because that service is asked before the row is locked.
func (c *Collection[T]) Update(ctx context.Context, key any, mutate func(*T) error, where ...Cond) (T, error) {
	var none T
	id, err := c.key(key)
	if err != nil {
		return none, err
	}
	known, err := c.askElsewhere(ctx, id, mutate, where)
	if err != nil {
		return none, err
	}
	var row *T
	err = c.db.write(ctx, false, func(ctx context.Context) (err error) {
		row, err = c.update(ctx, id, mutate, where, known)
		return err
	})
	if err != nil {
		return none, err
	}
	return *row, nil
}

func (c *Collection[T]) update(ctx context.Context, id any, mutate func(*T) error, where []Cond, known []any) (*T, error) {
	row, tx, err := c.lock(ctx, id, where)
	if err != nil {
		return nil, err
	}
	before := *row
	old, fields := c.table.Fields(&before), c.table.Fields(row)
	if err := mutate(row); err != nil {
		return nil, err
	}
	if err := c.fillChanged(fields, old); err != nil {
		return nil, err
	}
	args, err := c.arguments(fields)
	if err != nil {
		return nil, err
	}
	if err := c.checkKnown(old, fields, known); err != nil {
		return nil, err
	}
	if err := c.checkHere(ctx, old, fields); err != nil {
		return nil, err
	}
	l := c.layout
	args = append(slices.Delete(args, l.key, l.key+1), id)
	if l.version >= 0 {
		args = append(args, old[l.version])
	}
	u := unitOf(ctx, c.db)
	c.written(u, keyText(id))
	write := func() error {
		result, err := tx.exec(ctx, l.updateRow, args...)
		if err != nil {
			return c.refused(ctx, "update", err)
		}
		if one, err := c.one(result); one || err != nil {
			return err
		}
		return &VersionMismatch{Resource: c.table.Resource, Key: id}
	}
	clash, err := c.mayClash(old, fields)
	switch {
	case err != nil:
	case clash:
		err = u.attempt(ctx, write)
	default:
		err = write()
	}
	return row, err
}

// mayClash reports whether an update changes a value that must be unique.
func (c *Collection[T]) mayClash(old, fields []any) (bool, error) {
	for _, i := range c.layout.unique {
		before, err := stored(old[i])
		if err != nil {
			return false, err
		}
		after, err := stored(fields[i])
		if err != nil || before != after {
			return true, err
		}
	}
	return false, nil
}

// fillChanged sets the fields of a changed row that the store keeps.
func (c *Collection[T]) fillChanged(fields, old []any) error {
	l := c.layout
	if err := copyField(fields[l.key], old[l.key]); err != nil {
		return err
	}
	for _, i := range l.created {
		if err := copyField(fields[i], old[i]); err != nil {
			return err
		}
	}
	if l.version >= 0 {
		version, ok := old[l.version].(*int64)
		if !ok {
			return fmt.Errorf("table %s: the version is a %T", c.table.Name, old[l.version])
		}
		if err := copyField(fields[l.version], new(*version+1)); err != nil {
			return err
		}
	}
	now := c.db.clock()
	for _, i := range l.updated {
		if err := setTime(fields[i], now); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes one row. It returns *NotFound, *VersionMismatch when Expect
// asked for another version, and *Conflict while other rows refer to this one.
func (c *Collection[T]) Delete(ctx context.Context, key any, where ...Cond) error {
	id, err := c.key(key)
	if err != nil {
		return err
	}
	conditional := len(where) > 0 || expected(ctx, c.table.Name, rowKey(id))
	return c.db.write(ctx, !conditional, func(ctx context.Context) error {
		tx, err := c.db.transaction(ctx)
		if err != nil {
			return err
		}
		if conditional {
			if _, _, err := c.lock(ctx, id, where); err != nil {
				return err
			}
		}
		u := unitOf(ctx, c.db)
		c.written(u, keyText(id))
		c.db.dependents.deleted(u, c.table.Name)
		remove := func() error {
			result, err := tx.exec(ctx, c.layout.deleteRow, id)
			if err != nil {
				return c.refused(ctx, "delete", err)
			}
			if one, err := c.one(result); one || err != nil {
				return err
			}
			return &NotFound{Resource: c.table.Resource, Key: key}
		}
		if c.db.dependents.refer(c.table.Name) {
			return u.attempt(ctx, remove)
		}
		return remove()
	})
}

// lock reads a row that is about to be changed, inside the transaction, and
// checks that it is the one that the caller means.
func (c *Collection[T]) lock(ctx context.Context, id any, where []Cond) (*T, *transaction, error) {
	tx, err := c.db.transaction(ctx)
	if err != nil {
		return nil, nil, err
	}
	row, err := c.read(ctx, c.layout.lockRow, id)
	if err != nil {
		return nil, nil, err
	}
	if err := c.match(row, id, where); err != nil {
		return nil, nil, err
	}
	if !expected(ctx, c.table.Name, rowKey(id)) {
		return row, tx, nil
	}
	version := int64(0) // no version is 0, so a table without versions meets only "*"
	if c.layout.version >= 0 {
		if v, ok := c.table.Fields(row)[c.layout.version].(*int64); ok {
			version = *v
		}
	}
	if !meets(ctx, tx, c.table.Name, rowKey(id), version) {
		return nil, nil, &VersionMismatch{Resource: c.table.Resource, Key: id}
	}
	return row, tx, nil
}

// arguments returns what a statement binds for a row, whose UUIDs it brings into
// their one form.
func (c *Collection[T]) arguments(fields []any) ([]any, error) {
	args := make([]any, len(fields), len(fields)+1) // an update adds the old version
	for i, field := range fields {
		column := &c.table.Columns[i]
		if column.Kind == UUID {
			text, err := uuidIn(field)
			if err != nil || text == nil {
				continue // NULL; the field's type was checked when the table was laid out
			}
			id, ok := canonicalUUID(*text)
			if !ok {
				return nil, c.unfit(i, *text, strconv.Quote(*text)+" is not a UUID")
			}
			if id != *text {
				setUUID(field, id)
			}
			args[i] = id
			continue
		}
		value, err := stored(field)
		switch {
		case err != nil:
			return nil, fmt.Errorf("table %s, column %s: %w", c.table.Name, column.Name, err)
		case value == nil && column.Kind == JSON && !column.Nullable:
			value = "null"
		}
		if text, ok := value.(string); ok && !holdable(text) {
			return nil, c.unfit(i, text, "the text is not UTF-8, or holds U+0000")
		}
		args[i] = value
	}
	return args, nil
}

// one reports whether result is one row.
func (c *Collection[T]) one(result sql.Result) (bool, error) {
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("%s: %w", c.table.Resource, err)
	}
	return n == 1, nil
}

// refused says which rule a write broke, if it is one that callers are told about.
func (c *Collection[T]) refused(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	v := c.db.dialect.Classify(err)
	switch {
	case v.Kind == ViolationUnique:
		err = taken(c.table.Resource, v.Columns)
	case v.Kind == ViolationForeignKey && doing == "delete":
		err = &Conflict{Resource: c.table.Resource, Reason: "other resources still refer to it"}
	case v.Kind == ViolationForeignKey:
		err = c.brokenReference(v.Columns)
	case v.Kind == ViolationTooLong:
		err = &TooLong{Resource: c.table.Resource}
	default:
		return c.db.failed(ctx, doing+" "+c.table.Resource, err)
	}
	unitOf(ctx, c.db).aborted(err)
	return err
}
