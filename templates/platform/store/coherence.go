package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// fence holds the keys of rows that units are writing. While a key is fenced,
// Get neither reads nor fills the cache for it: between a commit and the
// invalidation that follows it, the cache is behind what a list already shows.
type fence struct {
	raised atomic.Int64 // how many keys; 0 spares readers the lock
	mu     sync.Mutex
	keys   map[string]int
}

func (f *fence) raise(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys == nil {
		f.keys = make(map[string]int)
	}
	f.keys[key]++
	f.raised.Add(1)
}

func (f *fence) lower(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[key]--; f.keys[key] == 0 {
		delete(f.keys, key)
	}
	f.raised.Add(-1)
}

func (f *fence) holds(key string) bool {
	if f.raised.Load() == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys[key] > 0
}

// load returns a row by its key, through the cache where that is safe: outside
// units, which must see their own writes, and fences.
func (c *Collection[T]) load(ctx context.Context, id any) (*T, error) {
	if c.cache == nil || unitOf(ctx, c.db) != nil {
		return c.read(ctx, c.layout.selectRow, id)
	}
	key := keyText(id)
	if c.fence.holds(key) || c.epoch.ending.Load() > 0 {
		return c.read(ctx, c.layout.selectRow, id)
	}
	value, err := c.cache.Load(ctx, c.cacheKey(key), c.ttl, rowCodec[T]{c.table}, func(ctx context.Context) (any, error) {
		return c.read(ctx, c.layout.selectRow, id)
	})
	if err != nil {
		return nil, err
	}
	row, ok := value.(*T)
	if !ok {
		return nil, fmt.Errorf("the cache holds a %T for %s %v", value, c.table.Resource, id)
	}
	return row, nil
}

// cacheKey is where the cache keeps a row.
func (c *Collection[T]) cacheKey(key string) string { return c.prefix + c.epoch.prefix() + key }

// written keeps the cache away from a row until u is over, and then forgets the
// row, committed or not: after a commit whose answer was lost nobody knows.
func (c *Collection[T]) written(u *unit, key string) {
	if c.cache == nil {
		return
	}
	if u == nil {
		c.cache.Invalidate(context.Background(), c.cacheKey(key))
		return
	}
	c.fence.raise(key)
	ctx := context.WithoutCancel(u.ctx)
	u.atEnd(func() {
		c.cache.Invalidate(ctx, c.cacheKey(key))
		c.fence.lower(key)
	})
}

// rowCodec writes a row down as the JSON array of what its columns hold.
type rowCodec[T any] struct{ table *Table[T] }

func (r rowCodec[T]) Encode(value any) ([]byte, error) {
	row, ok := value.(*T)
	if !ok {
		return nil, fmt.Errorf("not a row of %s: %T", r.table.Name, value)
	}
	fields := r.table.Fields(row)
	values := make([]any, len(fields))
	for i, field := range fields {
		v, err := stored(field)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return json.Marshal(values)
}

func (r rowCodec[T]) Decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var values []any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	row := new(T)
	fields := r.table.Fields(row)
	if len(values) != len(fields) {
		return nil, fmt.Errorf("%d values for the %d columns of %s", len(values), len(fields), r.table.Name)
	}
	for i, value := range values {
		if n, ok := value.(json.Number); ok {
			value = number(r.table.Columns[i].Kind, n)
		}
		if err := scan(fields[i], value); err != nil {
			return nil, fmt.Errorf("column %s: %w", r.table.Columns[i].Name, err)
		}
	}
	return row, nil
}

// number returns n as a column of this kind holds it, or n itself if it cannot.
func number(kind Kind, n json.Number) any {
	if kind == Real {
		if f, err := n.Float64(); err == nil {
			return f
		}
		return n
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	return n
}

// scan sets a field to a value as database/sql would.
func scan(field, value any) error {
	if scanner, ok := field.(sql.Scanner); ok {
		return scanner.Scan(value)
	}
	switch f := field.(type) {
	case *string:
		return assign(f, value)
	case *int64:
		return assign(f, value)
	case *float64:
		return assign(f, value)
	case *bool:
		return assign(f, value)
	case **string:
		return assignPointer(f, value)
	case **int64:
		return assignPointer(f, value)
	case **float64:
		return assignPointer(f, value)
	case **bool:
		return assignPointer(f, value)
	default:
		return fmt.Errorf("cannot set a %T", field)
	}
}

func assign[V any](field *V, value any) error {
	v, ok := value.(V)
	if !ok {
		return fmt.Errorf("cannot keep a %T", value)
	}
	*field = v
	return nil
}

func assignPointer[V any](field **V, value any) error {
	*field = nil
	if value == nil {
		return nil
	}
	*field = new(V)
	return assign(*field, value)
}

// ignoreNotFound returns err unless it says that a row does not exist.
func ignoreNotFound(err error) error {
	var missing *NotFound
	if errors.As(err, &missing) {
		return nil
	}
	return err
}
