// Package cache is what the store asks of a cache in front of its rows: loads
// that never stampede, fills that are never older than an invalidation, and a
// bound on what is kept.
package cache

import (
	"context"
	"time"
)

// Cache keeps values by key. Its methods are safe for concurrent use.
type Cache interface {
	// Load returns the value kept under key. On a miss it calls load, once per
	// key however many callers wait for it, keeps what load returned for ttl,
	// and hands the same value to all of them: it is shared, so it is read-only.
	//
	// An error of load is returned and nothing is kept. An Invalidate of key
	// while load runs wins: what load returned is neither kept nor handed to a
	// caller that came after the Invalidate.
	//
	// load runs under a context that keeps the values of ctx but not its
	// cancellation, because others may be waiting for the result; the cache
	// gives it a time limit of its own. A caller who waits for somebody else's
	// load stops waiting when its own ctx ends.
	Load(ctx context.Context, key string, ttl time.Duration, codec Codec, load func(context.Context) (any, error)) (any, error)
	// Invalidate forgets keys. When it has returned, no Load that begins
	// afterwards returns a value that was loaded before.
	Invalidate(ctx context.Context, keys ...string)
	// Stats returns what has happened since the cache was made.
	Stats() Stats
	// Close releases what the cache holds. It is not used afterwards.
	Close() error
}

// Codec writes a value down for a cache that lives outside the process. A
// cache inside the process keeps the value itself and never calls it.
type Codec interface {
	Encode(value any) ([]byte, error)
	Decode(data []byte) (any, error)
}

// Stats counts what a cache did. Size is the number of entries kept now.
type Stats struct {
	Hits, Misses, Evictions uint64
	Size                    int
}
