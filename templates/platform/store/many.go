package store

import (
	"cmp"
	"context"
	"slices"
)

// UpdateMany changes the rows with these keys as Update changes each, all in one unit:
// one that fails leaves all of them as they were. It returns the rows as written, in
// the order of the keys; a key that is named again counts once.
func (c *Collection[T]) UpdateMany(ctx context.Context, keys []any, mutate func(*T) error, where ...Cond) ([]T, error) {
	named := distinct(keys)
	rows := make([]T, len(named))
	err := c.each(ctx, named, func(ctx context.Context, p keyAt) (err error) {
		rows[p.at], err = c.Update(ctx, p.key, mutate, where...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// DeleteMany removes the rows with these keys as Delete removes each, all in one unit:
// one that fails leaves all of them. A key that is named again counts once.
func (c *Collection[T]) DeleteMany(ctx context.Context, keys []any, where ...Cond) error {
	return c.each(ctx, distinct(keys), func(ctx context.Context, p keyAt) error {
		return c.Delete(ctx, p.key, where...)
	})
}

// keyAt is a key and where it stands among those that were named.
type keyAt struct {
	key  any
	text string
	at   int
}

// distinct drops the keys that stand before already.
func distinct(keys []any) []keyAt {
	out := make([]keyAt, 0, len(keys))
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		text := keyText(key)
		if !seen[text] {
			seen[text] = true
			out = append(out, keyAt{key, text, len(out)})
		}
	}
	return out
}

// each runs do for every key in one unit, in the order of the keys' texts, so that no two
// units wait for one another's rows.
func (c *Collection[T]) each(ctx context.Context, named []keyAt, do func(context.Context, keyAt) error) error {
	if c.broken != nil {
		return c.broken
	}
	if len(named) == 0 {
		return nil
	}
	ordered := slices.SortedFunc(slices.Values(named), func(a, b keyAt) int { return cmp.Compare(a.text, b.text) })
	return c.db.write(ctx, false, func(ctx context.Context) error {
		for _, p := range ordered {
			if err := do(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}
