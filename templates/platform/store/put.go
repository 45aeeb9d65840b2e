package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Key joins the values that name a row together into one key: the parents and the name
// in /orgs/{org}/labels/{name}. Values are escaped, so that no two sets share a key.
// Without values it is the key of the only row of a table.
func Key(values ...any) string {
	if len(values) == 0 {
		return "/"
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = url.PathEscape(keyText(v))
	}
	return strings.Join(parts, "/")
}

// Put changes the row with the key of fresh by mutate, or, when there is none, creates
// fresh, changed by mutate. It returns the row as written, and whether it is new. Its
// errors are those of Create and Update.
func (c *Collection[T]) Put(ctx context.Context, fresh T, mutate func(*T) error) (row T, created bool, err error) {
	if c.broken != nil {
		return row, false, c.broken
	}
	key, err := stored(c.table.Fields(&fresh)[c.layout.key])
	if err != nil {
		return row, false, fmt.Errorf("table %s: %w", c.table.Name, err)
	}
	var absent *NotFound
	row, err = c.Update(ctx, key, mutate)
	if !errors.As(err, &absent) || absent.Resource != c.table.Resource {
		return row, false, err
	}
	if id, err := c.key(key); err == nil && expected(ctx, c.table.Name, rowKey(id)) {
		return row, false, &VersionMismatch{Resource: c.table.Resource, Key: id}
	}
	row = fresh
	if err := mutate(&row); err != nil {
		return row, false, err
	}
	err = c.Create(ctx, &row)
	var taken *Conflict
	if !errors.As(err, &taken) {
		return row, err == nil, err
	}
	// Somebody else created it in between, or another rule is in the way.
	changed, updateErr := c.Update(ctx, key, mutate)
	if errors.As(updateErr, &absent) {
		return row, false, err
	}
	return changed, false, updateErr
}

// deletePage is how many rows DeleteAll reads at a time.
const deletePage = 500

// DeleteAll removes every row that meets the conditions, in one unit. Its errors are
// those of Delete; *NotFound is none of them.
func (c *Collection[T]) DeleteAll(ctx context.Context, where ...Cond) error {
	if c.broken != nil {
		return c.broken
	}
	return c.db.write(ctx, false, func(ctx context.Context) error {
		if _, err := c.db.transaction(ctx); err != nil { // reads see what the unit sees
			return err
		}
		for {
			page, err := c.List(ctx, Query{Where: slices.Clone(where), Limit: deletePage})
			if err != nil || len(page.Items) == 0 {
				return err
			}
			for i := range page.Items {
				key, err := stored(c.table.Fields(&page.Items[i])[c.layout.key])
				if err != nil {
					return fmt.Errorf("table %s: %w", c.table.Name, err)
				}
				if err := c.Delete(ctx, key); err != nil && ignoreNotFound(err) != nil {
					return err
				}
			}
		}
	})
}
