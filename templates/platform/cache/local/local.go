// Package local is a cache inside the process: bounded by entries, with a
// time to live per entry.
package local

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"github.com/e6b96b0c/backend/templates/platform/cache"
)

const (
	defaultEntries     = 10_000
	defaultLoadTimeout = 5 * time.Second
)

// Options bounds a cache. The zero value means the defaults.
type Options struct {
	Entries     int           // how many entries are kept at most; 10,000 when zero
	LoadTimeout time.Duration // how long one load may take; 5 s when zero
}

// rowCache implements cache.Cache. It is not exported, nor does New return it: every
// package that knew the type would compile otter's generic code once more.
type rowCache struct {
	entries     *otter.Cache[string, entry]
	loadTimeout time.Duration
}

var _ cache.Cache = (*rowCache)(nil)

type entry struct {
	value any
	ttl   time.Duration
}

// New returns an empty cache.
func New(o Options) (cache.Cache, error) {
	if o.Entries == 0 {
		o.Entries = defaultEntries
	}
	if o.LoadTimeout == 0 {
		o.LoadTimeout = defaultLoadTimeout
	}
	if o.Entries < 0 || o.LoadTimeout < 0 {
		return nil, fmt.Errorf("local cache: entries %d and load timeout %s must be positive", o.Entries, o.LoadTimeout)
	}
	options := &otter.Options[string, entry]{
		MaximumSize:   o.Entries,
		StatsRecorder: stats.NewCounter(),
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, entry]) time.Duration {
			return e.Value.ttl
		}),
	}
	entries, err := otter.New(options)
	if err != nil {
		return nil, fmt.Errorf("local cache: %w", err)
	}
	return &rowCache{entries: entries, loadTimeout: o.LoadTimeout}, nil
}

// Load implements cache.Cache. The first caller runs load itself, and so
// returns only when load has, even if its own ctx ended before.
func (c *rowCache) Load(ctx context.Context, key string, ttl time.Duration, _ cache.Codec, load func(context.Context) (any, error)) (any, error) {
	if ttl <= 0 {
		return load(ctx)
	}
	kept, err := c.entries.Get(ctx, key, otter.LoaderFunc[string, entry](func(ctx context.Context, _ string) (entry, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.loadTimeout)
		defer cancel()
		value, err := load(ctx)
		return entry{value: value, ttl: ttl}, err
	}))
	if err != nil {
		return nil, err
	}
	return kept.value, nil
}

// Invalidate implements cache.Cache.
func (c *rowCache) Invalidate(_ context.Context, keys ...string) {
	for _, key := range keys {
		c.entries.Invalidate(key)
	}
}

// Stats implements cache.Cache.
func (c *rowCache) Stats() cache.Stats {
	s := c.entries.Stats()
	return cache.Stats{
		Hits:      s.Hits,
		Misses:    s.Misses,
		Evictions: s.Evictions,
		Size:      c.entries.EstimatedSize(),
	}
}

// Close implements cache.Cache.
func (c *rowCache) Close() error {
	c.entries.InvalidateAll()
	c.entries.StopAllGoroutines()
	return nil
}
