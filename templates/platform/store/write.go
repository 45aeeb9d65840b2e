package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

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
	if err := c.checkElsewhere(ctx, nil, fields); err != nil {
		return err
	}
	err := c.db.write(ctx, func(ctx context.Context) error {
		tx, err := c.db.Tx(ctx)
		if err != nil {
			return err
		}
		if err := c.checkHere(ctx, nil, fields); err != nil {
			return err
		}
		return c.insert(ctx, tx, fields)
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
		id, err := NewKey()
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
	for _, i := range slices.Concat(l.created, l.updated) {
		if err := setTime(fields[i], now); err != nil {
			return err
		}
	}
	return nil
}

func (c *Collection[T]) insert(ctx context.Context, tx *sql.Tx, fields []any) error {
	l := c.layout
	args, err := c.arguments(fields)
	if err != nil {
		return err
	}
	key, numbered := fields[l.key].(*int64)
	if !numbered || *key != 0 {
		_, err := c.db.writes.execIn(ctx, tx, l.insertRow, args...)
		return c.refused(ctx, "create", err)
	}
	args = slices.Delete(args, l.key, l.key+1)
	if c.db.dialect.ReturningKey {
		return c.refused(ctx, "create", tx.QueryRowContext(ctx, l.insertNew, args...).Scan(key))
	}
	result, err := c.db.writes.execIn(ctx, tx, l.insertNew, args...)
	if err != nil {
		return c.refused(ctx, "create", err)
	}
	*key, err = result.LastInsertId()
	return c.refused(ctx, "create", err)
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
	err = c.db.write(ctx, func(ctx context.Context) (err error) {
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
	if err := c.checkKnown(old, fields, known); err != nil {
		return nil, err
	}
	if err := c.checkHere(ctx, old, fields); err != nil {
		return nil, err
	}
	l := c.layout
	args, err := c.arguments(fields)
	if err != nil {
		return nil, err
	}
	args = append(slices.Delete(args, l.key, l.key+1), id)
	if l.version >= 0 {
		args = append(args, old[l.version])
	}
	c.written(unitOf(ctx, c.db), keyText(id))
	result, err := c.db.writes.execIn(ctx, tx, l.updateRow, args...)
	if err != nil {
		return nil, c.refused(ctx, "update", err)
	}
	return row, c.one(result, &VersionMismatch{Resource: c.table.Resource, Key: id})
}

// fillChanged sets the fields of a changed row that the store keeps.
func (c *Collection[T]) fillChanged(fields, old []any) error {
	l := c.layout
	for _, i := range append([]int{l.key}, l.created...) {
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
	return c.db.write(ctx, func(ctx context.Context) error {
		tx, err := c.db.Tx(ctx)
		if err != nil {
			return err
		}
		if len(where) > 0 || expected(ctx, c.table.Name, keyText(id)) {
			if _, _, err := c.lock(ctx, id, where); err != nil {
				return err
			}
		}
		c.written(unitOf(ctx, c.db), keyText(id))
		c.db.dependents.deleted(unitOf(ctx, c.db), c.table.Name)
		result, err := c.db.writes.execIn(ctx, tx, c.layout.deleteRow, id)
		if err != nil {
			return c.refused(ctx, "delete", err)
		}
		return c.one(result, &NotFound{Resource: c.table.Resource, Key: key})
	})
}

// lock reads a row that is about to be changed, inside the transaction, and
// checks that it is the one that the caller means.
func (c *Collection[T]) lock(ctx context.Context, id any, where []Cond) (*T, *sql.Tx, error) {
	tx, err := c.db.Tx(ctx)
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
	version := int64(0) // no version is 0, so a table without versions meets only "*"
	if c.layout.version >= 0 {
		if v, ok := c.table.Fields(row)[c.layout.version].(*int64); ok {
			version = *v
		}
	}
	if !meets(ctx, tx, c.table.Name, keyText(id), version) {
		return nil, nil, &VersionMismatch{Resource: c.table.Resource, Key: id}
	}
	return row, tx, nil
}

// arguments returns what a statement binds for a row.
func (c *Collection[T]) arguments(fields []any) ([]any, error) {
	args := make([]any, len(fields))
	for i, field := range fields {
		value, err := stored(field)
		column := &c.table.Columns[i]
		switch {
		case err != nil:
			return nil, fmt.Errorf("table %s, column %s: %w", c.table.Name, column.Name, err)
		case value == nil && column.Kind == JSON && !column.Nullable:
			value = "null"
		}
		args[i] = value
	}
	return args, nil
}

// one returns otherwise unless result is one row.
func (c *Collection[T]) one(result sql.Result, otherwise error) error {
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", c.table.Resource, err)
	}
	if n != 1 {
		return otherwise
	}
	return nil
}

// refused says which rule the row broke. Any other failure may have cost the
// transaction, so it spoils the unit.
func (c *Collection[T]) refused(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	v := c.db.dialect.Classify(err)
	switch {
	case v.Kind == ViolationUnique:
		return taken(c.table.Resource, v.Columns)
	case v.Kind == ViolationForeignKey && doing == "delete":
		return &Conflict{Resource: c.table.Resource, Reason: "other resources still refer to it"}
	case v.Kind == ViolationForeignKey:
		return c.brokenReference(v.Columns)
	}
	err = c.db.failure(ctx, doing+" "+c.table.Resource, err)
	if u := unitOf(ctx, c.db); u != nil && !errors.Is(err, ErrUnitEnded) {
		u.spoil(err)
	}
	return err
}
