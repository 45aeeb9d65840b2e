package local_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache"
	"github.com/e6b96b0c/backend/templates/platform/cache/cachetest"
	"github.com/e6b96b0c/backend/templates/platform/cache/local"
)

func open(t testing.TB, o local.Options) cache.Cache {
	t.Helper()
	c, err := local.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestConformance(t *testing.T) {
	cachetest.Run(t, func(t *testing.T) cache.Cache { return open(t, local.Options{}) })
}

func counting(calls *atomic.Int64) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return calls.Add(1), nil }
}

func TestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := local.New(local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		var calls atomic.Int64
		get := func(key string, ttl time.Duration, want int64) {
			t.Helper()
			got, err := c.Load(t.Context(), key, ttl, nil, counting(&calls))
			if err != nil || got != want {
				t.Fatalf("got %v, %v; want %d", got, err, want)
			}
		}
		get("long", time.Hour, 1)
		get("short", time.Minute, 2)
		time.Sleep(59 * time.Second)
		get("short", time.Minute, 2) // a read does not prolong it
		time.Sleep(2 * time.Second)
		get("short", time.Minute, 3)
		get("long", time.Hour, 1)
		time.Sleep(time.Hour)
		get("long", time.Hour, 4)
	})
}

func TestLoadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := local.New(local.Options{LoadTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, err = c.Load(t.Context(), "a", time.Hour, nil, func(ctx context.Context) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want a deadline", err)
		}
	})
}

func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that eviction, which runs beside, can be waited for
		c, err := local.New(local.Options{Entries: 100})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		for i := range 10_000 {
			if _, err := c.Load(t.Context(), fmt.Sprint(i), time.Hour, nil, counting(new(atomic.Int64))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		stats := c.Stats()
		if stats.Size > 100 || stats.Size < 90 || stats.Evictions < 9_900 {
			t.Fatalf("kept %d of at most 100, evicted %d", stats.Size, stats.Evictions)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, o := range []local.Options{{Entries: -1}, {LoadTimeout: -1}} {
		if _, err := local.New(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	c := open(b, local.Options{})
	load := func(context.Context) (any, error) { return new("value"), nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Load(b.Context(), "key", time.Hour, nil, load); err != nil {
			b.Fatal(err)
		}
	}
}
