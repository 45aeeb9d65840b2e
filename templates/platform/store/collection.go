package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache"
)

// Collection reads and writes the rows of one table. Its methods are safe for
// concurrent use, and join the unit of work that their context carries; outside
// one, each write is a unit by itself.
type Collection[T any] struct {
	db         *DB
	table      *Table[T]
	references []Reference
	layout     *layout
	broken     error // what is wrong with the table; every method returns it

	cache  cache.Cache // nil for none
	ttl    time.Duration
	prefix string
	fence  fence
	epoch  epoch
}

// Option sets up a Collection.
type Option func(*options)

type options struct {
	cache  cache.Cache
	ttl    time.Duration
	exists map[string]func(context.Context, any) (bool, error)
}

// WithCache keeps rows that Get has read for up to ttl. One cache may serve
// several collections.
func WithCache(c cache.Cache, ttl time.Duration) Option {
	return func(o *options) { o.cache, o.ttl = c, ttl }
}

// WithReference checks the reference in column by exists, which asks the
// service that owns the row.
func WithReference(column string, exists func(ctx context.Context, key any) (bool, error)) Option {
	return func(o *options) { o.exists[column] = exists }
}

// NewCollection returns the collection of a table in db. A mistake in the table
// or the options shows as an error of every method.
func NewCollection[T any](db *DB, table *Table[T], opts ...Option) *Collection[T] {
	o := options{exists: make(map[string]func(context.Context, any) (bool, error))}
	for _, opt := range opts {
		opt(&o)
	}
	c := &Collection[T]{
		db:         db,
		table:      table,
		references: slices.Clone(table.References),
		cache:      o.cache,
		ttl:        o.ttl,
		prefix:     db.name + "/" + table.Name + "/",
	}
	for column, exists := range o.exists {
		i := slices.IndexFunc(c.references, func(r Reference) bool { return r.Column == column })
		if i < 0 {
			c.broken = fmt.Errorf("table %s: no reference in column %q", table.Name, column)
			return c
		}
		c.references[i].Table, c.references[i].Key = "", ""
		c.references[i].Exists = exists
	}
	c.layout, c.broken = table.layout(&db.dialect, c.references)
	for _, r := range c.references {
		if r.Table != "" {
			db.dependents.add(r.Table, table.Name, &c.epoch)
		}
	}
	return c
}

// Get returns the row with this key, or *NotFound. Conditions, equalities only,
// narrow what counts as found: the parent of a nested resource, the owner.
//
// A row may come from the cache, which shares it: what its slices, maps and
// pointers refer to must not be changed. Update hands out a row of its own.
func (c *Collection[T]) Get(ctx context.Context, key any, where ...Cond) (T, error) {
	var none T
	id, err := c.key(key)
	if err != nil {
		return none, err
	}
	row, err := c.load(ctx, id)
	if err != nil {
		return none, err
	}
	if err := c.match(row, key, where); err != nil {
		return none, err
	}
	return *row, nil
}

// Exists reports whether a row with this key exists.
func (c *Collection[T]) Exists(ctx context.Context, key any) (bool, error) {
	id, err := c.key(key)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	return c.db.exists(ctx, c.layout.existsRow, id)
}

// Count returns how many rows meet all conditions.
func (c *Collection[T]) Count(ctx context.Context, where ...Cond) (int64, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	q := text{dialect: &c.db.dialect}
	q.sql(c.layout.countFrom)
	if err := c.filter(&q, where); err != nil {
		return 0, err
	}
	var n int64
	_, err := c.db.queryRow(ctx, q.String(), q.args, &n)
	return n, err
}

// Invalidate forgets cached rows once the unit that ctx carries is over. It is
// for rows that a query written by hand has changed; the collection's own
// writes do this themselves.
func (c *Collection[T]) Invalidate(ctx context.Context, keys ...any) {
	for _, key := range keys {
		if id, err := c.key(key); err == nil {
			c.written(unitOf(ctx, c.db), keyText(id))
		}
	}
}

// key turns what a caller calls a key into what the column holds. What cannot
// be a key of the table is the key of no row.
func (c *Collection[T]) key(key any) (any, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	id := keyText(key)
	switch c.table.Columns[c.layout.key].Kind {
	case Integer:
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(n, 10) == id {
			return n, nil
		}
	case UUID:
		if canonical, ok := canonicalUUID(id); ok {
			if _, text := key.(string); text && canonical == id {
				return key, nil
			}
			return canonical, nil
		}
	default:
		if _, text := key.(string); text && holdable(id) {
			return key, nil
		}
		if holdable(id) {
			return id, nil
		}
	}
	return nil, &NotFound{Resource: c.table.Resource, Key: key}
}

// read returns the row with this key from the database.
func (c *Collection[T]) read(ctx context.Context, query string, id any) (*T, error) {
	row := new(T)
	found, err := c.db.queryRow(ctx, query, []any{id}, c.table.Fields(row)...)
	if err != nil {
		return nil, fmt.Errorf("read %s %v: %w", c.table.Resource, id, err)
	}
	if !found {
		return nil, &NotFound{Resource: c.table.Resource, Key: id}
	}
	return row, nil
}

// match returns *NotFound unless the row meets all conditions.
func (c *Collection[T]) match(row *T, key any, where []Cond) error {
	if len(where) == 0 {
		return nil
	}
	fields := c.table.Fields(row)
	for _, cond := range where {
		checked, err := c.layout.check(c.table.Name, c.table.Columns, cond)
		if err != nil {
			return err
		}
		holds, err := checked.holds(fields[checked.index])
		if err != nil {
			return err
		}
		if !holds {
			return &NotFound{Resource: c.table.Resource, Key: key}
		}
	}
	return nil
}

// filter appends the WHERE clause of conditions.
func (c *Collection[T]) filter(q *text, where []Cond) error {
	for i, cond := range where {
		checked, err := c.layout.check(c.table.Name, c.table.Columns, cond)
		if err != nil {
			return err
		}
		if i == 0 {
			q.sql(" WHERE ")
		} else {
			q.sql(" AND ")
		}
		checked.sql(q)
	}
	return nil
}

// queryRow scans the row, if there is one, into dest.
func (db *DB) queryRow(ctx context.Context, query string, args []any, dest ...any) (found bool, err error) {
	n, err := db.each(ctx, query, args, func() []any { return dest })
	if err != nil {
		return false, db.failed(ctx, "query", err)
	}
	return n > 0, nil
}

// exists reports whether a "SELECT 1" query finds key.
func (db *DB) exists(ctx context.Context, query string, key any) (bool, error) {
	var one int
	return db.queryRow(ctx, query, []any{key}, &one)
}
