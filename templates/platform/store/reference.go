package store

import (
	"context"
	"fmt"
	"slices"
)

// checkHere returns *InvalidReference if a reference inside the database leads
// nowhere. It asks before it writes, because some engines give a transaction up
// at the first broken rule, and few say which reference it was. The foreign key
// remains for what happens in between. References that equal those in old are
// not asked for again.
func (c *Collection[T]) checkHere(ctx context.Context, old, fields []any) error {
	for _, r := range c.layout.references {
		if r.Exists != nil {
			continue
		}
		key, changed, err := target(r, old, fields)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		found, err := c.db.exists(ctx, r.query, key)
		if err != nil {
			return fmt.Errorf("check %s %v: %w", r.Resource, key, err)
		}
		if !found && !c.refersToItself(r, key, fields) {
			return &InvalidReference{Pointer: r.Pointer, Resource: r.Resource, Key: key}
		}
	}
	return nil
}

// refersToItself reports whether the row being written is its own target.
func (c *Collection[T]) refersToItself(r reference, key any, fields []any) bool {
	if r.Table != c.table.Name || r.Key != c.table.Key {
		return false
	}
	own, err := stored(fields[c.layout.key])
	return err == nil && own == key
}

// checkElsewhere asks other services for the references that differ from old.
func (c *Collection[T]) checkElsewhere(ctx context.Context, old, fields []any) error {
	for _, r := range c.layout.references {
		if r.Exists == nil {
			continue
		}
		key, changed, err := target(r, old, fields)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if Writing(ctx) {
			return fmt.Errorf("check %s %v: %w", r.Resource, key, ErrCallAfterWrite)
		}
		found, err := r.Exists(Detach(ctx), key)
		if err != nil {
			return fmt.Errorf("check %s %v: %w", r.Resource, key, err)
		}
		if !found {
			return &InvalidReference{Pointer: r.Pointer, Resource: r.Resource, Key: key}
		}
	}
	return nil
}

// askElsewhere checks an update's references into other services before the
// unit begins to write, and returns the keys that were found, one per
// reference. It works on what is committed; checkKnown compares.
func (c *Collection[T]) askElsewhere(ctx context.Context, id any, mutate func(*T) error, where []Cond) ([]any, error) {
	elsewhere := slices.ContainsFunc(c.layout.references, func(r reference) bool { return r.Exists != nil })
	if !elsewhere || Writing(ctx) {
		return nil, nil
	}
	row, err := c.read(ctx, c.layout.selectRow, id)
	if err != nil {
		return nil, err
	}
	if err := c.match(row, id, where); err != nil {
		return nil, err
	}
	before := *row
	old, fields := c.table.Fields(&before), c.table.Fields(row)
	if err := mutate(row); err != nil {
		return nil, err
	}
	if _, err := c.arguments(fields); err != nil {
		return nil, err
	}
	if err := c.checkElsewhere(ctx, old, fields); err != nil {
		return nil, err
	}
	known := make([]any, len(c.layout.references))
	for i, r := range c.layout.references {
		if known[i], err = stored(fields[r.column]); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// checkKnown makes sure that every reference into another service which the
// update changes is one that askElsewhere has found.
func (c *Collection[T]) checkKnown(old, fields, known []any) error {
	for i, r := range c.layout.references {
		if r.Exists == nil {
			continue
		}
		key, changed, err := target(r, old, fields)
		if err != nil {
			return err
		}
		if changed && (known == nil || known[i] != key) {
			return fmt.Errorf("check %s %v: %w", r.Resource, key, ErrCallAfterWrite)
		}
	}
	return nil
}

// target returns what a reference leads to, and whether that is something and
// differs from where it led before. old is nil for a new row.
func target(r reference, old, fields []any) (key any, changed bool, err error) {
	key, err = stored(fields[r.column])
	if err != nil || key == nil {
		return nil, false, err
	}
	if old == nil {
		return key, true, nil
	}
	before, err := stored(old[r.column])
	return key, before != key, err
}

// unfit is the error for a text that its column cannot hold. As a reference it is
// like any other that leads nowhere.
func (c *Collection[T]) unfit(column int, text, why string) error {
	for _, r := range c.layout.references {
		if r.column == column {
			return &InvalidReference{Pointer: r.Pointer, Resource: r.Resource, Key: text}
		}
	}
	return fmt.Errorf("table %s, column %s: %s", c.table.Name, c.table.Columns[column].Name, why)
}

// brokenReference is the error for a foreign key that the database refused.
func (c *Collection[T]) brokenReference(columns []string) error {
	here := slices.DeleteFunc(slices.Clone(c.layout.references), func(r reference) bool {
		return r.Exists != nil || len(columns) > 0 && !slices.Contains(columns, r.Column)
	})
	if len(here) == 1 {
		return &InvalidReference{Pointer: here[0].Pointer, Resource: here[0].Resource}
	}
	return &Conflict{Resource: c.table.Resource, Reason: "it refers to something that does not exist"}
}
