// Package cachetest is the conformance suite of caches: what every engine must
// do, tested against the real one.
package cachetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache"
)

// Run runs the suite on caches that open makes, each empty. open cleans up by t.
func Run(t *testing.T, open func(t *testing.T) cache.Cache) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, cache.Cache)
	}{
		{"Load", testLoad},
		{"Errors", testErrors},
		{"Panic", testPanic},
		{"Stampede", testStampede},
		{"StaleFill", testStaleFill},
		{"Latecomer", testLatecomer},
		{"Cancellation", testCancellation},
		{"NoTTL", testNoTTL},
		{"Coherence", testCoherence},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// text is a Codec of *string, the kind of value the suite uses.
type text struct{}

func (text) Encode(value any) ([]byte, error) { return json.Marshal(value) }

func (text) Decode(data []byte) (any, error) {
	s := new(string)
	return s, json.Unmarshal(data, s)
}

type load = func(context.Context) (any, error)

// constant is a load that counts its calls.
func constant(value string, calls *atomic.Int64) load {
	return func(context.Context) (any, error) {
		calls.Add(1)
		return &value, nil
	}
}

func get(t *testing.T, c cache.Cache, key string, from load) string {
	t.Helper()
	value, err := c.Load(t.Context(), key, time.Hour, text{}, from)
	s, ok := value.(*string)
	if err != nil || !ok {
		t.Errorf("got a %T, want what was loaded: %v", value, err) // not Fatal: also called beside the test
		return ""
	}
	return *s
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func testLoad(t *testing.T, c cache.Cache) {
	var calls atomic.Int64
	for range 3 {
		want(t, "value", get(t, c, "a", constant("1", &calls)), "1")
	}
	want(t, "loads", calls.Load(), int64(1))
	want(t, "another key", get(t, c, "b", constant("2", &calls)), "2")
	c.Invalidate(t.Context(), "a", "never kept")
	want(t, "after Invalidate", get(t, c, "a", constant("3", &calls)), "3")
	want(t, "a key left alone", get(t, c, "b", constant("4", &calls)), "2")
	stats := c.Stats()
	want(t, "hits", stats.Hits, uint64(3))
	want(t, "misses", stats.Misses, uint64(3))
	want(t, "size", stats.Size, 2)
}

func testErrors(t *testing.T, c cache.Cache) {
	broken := errors.New("broken")
	for range 2 {
		_, err := c.Load(t.Context(), "a", time.Hour, text{}, func(context.Context) (any, error) { return nil, broken })
		if !errors.Is(err, broken) {
			t.Fatalf("got %v, want the error of load", err)
		}
	}
	want(t, "after errors", get(t, c, "a", constant("1", new(atomic.Int64))), "1")
}

func testPanic(t *testing.T, c cache.Cache) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of load was swallowed")
			}
		}()
		_, _ = c.Load(t.Context(), "a", time.Hour, text{}, func(context.Context) (any, error) { panic("stop") })
	}()
	want(t, "after a panic", get(t, c, "a", constant("1", new(atomic.Int64))), "1")
}

// testStampede: many callers, one load.
func testStampede(t *testing.T, c cache.Cache) {
	const callers = 200
	var calls, waiting atomic.Int64
	release := make(chan struct{})
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			if waiting.Add(1) == callers {
				close(release)
			}
			got := get(t, c, "a", func(context.Context) (any, error) {
				calls.Add(1)
				<-release
				return new("1"), nil
			})
			if got != "1" {
				t.Errorf("got %s", got)
			}
		})
	}
	group.Wait()
	want(t, "loads", calls.Load(), int64(1))
}

// testStaleFill: what was loaded before an Invalidate is not kept after it.
func testStaleFill(t *testing.T, c cache.Cache) {
	for i := range 50 {
		key := fmt.Sprint(i)
		loading, release, first := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var once sync.Once
		go func() {
			defer close(first)
			// A cache may load again once it sees that the value is stale.
			_, _ = c.Load(t.Context(), key, time.Hour, text{}, func(context.Context) (any, error) {
				value := "new"
				once.Do(func() {
					value = "stale"
					close(loading)
					<-release
				})
				return &value, nil
			})
		}()
		<-loading
		c.Invalidate(t.Context(), key)
		close(release)
		<-first
		want(t, "after an Invalidate during a load", get(t, c, key, constant("new", new(atomic.Int64))), "new")
	}
}

// testLatecomer: who comes after an Invalidate does not join an older load.
func testLatecomer(t *testing.T, c cache.Cache) {
	loading, release, first := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once sync.Once
	go func() {
		defer close(first)
		_, _ = c.Load(t.Context(), "a", time.Hour, text{}, func(context.Context) (any, error) {
			value := "new"
			once.Do(func() {
				value = "stale"
				close(loading)
				<-release
			})
			return &value, nil
		})
	}()
	<-loading
	c.Invalidate(t.Context(), "a")
	done := make(chan string)
	go func() { done <- get(t, c, "a", constant("new", new(atomic.Int64))) }()
	select {
	case got := <-done: // it did not wait for the older load
		close(release)
		want(t, "latecomer", got, "new")
	case <-time.After(100 * time.Millisecond): // it may wait, as long as it gets the new value
		close(release)
		want(t, "latecomer", <-done, "new")
	}
	<-first
}

// testCancellation: a caller who leaves neither ends the load of the others nor
// waits for theirs.
func testCancellation(t *testing.T, c cache.Cache) {
	loading, release := make(chan struct{}), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	type key struct{}
	var first, second sync.WaitGroup
	first.Go(func() {
		_, err := c.Load(context.WithValue(ctx, key{}, "value"), "a", time.Hour, text{}, func(ctx context.Context) (any, error) {
			close(loading)
			<-release
			if ctx.Err() != nil || ctx.Value(key{}) != "value" {
				t.Error("the load did not get a context of its own, with the caller's values")
			}
			if _, limited := ctx.Deadline(); !limited {
				t.Error("the load has no time limit")
			}
			return new("1"), nil
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	<-loading
	leave()
	impatient, cancel := context.WithCancel(t.Context())
	second.Go(func() {
		_, err := c.Load(impatient, "a", time.Hour, text{}, func(context.Context) (any, error) { return nil, errors.New("a second load") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	cancel()
	second.Wait()
	close(release)
	first.Wait()
	want(t, "value", get(t, c, "a", constant("loaded again", new(atomic.Int64))), "1")
}

// testNoTTL: with no time to live nothing is kept.
func testNoTTL(t *testing.T, c cache.Cache) {
	var calls atomic.Int64
	for range 2 {
		if _, err := c.Load(t.Context(), "a", 0, text{}, constant("1", &calls)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "loads", calls.Load(), int64(2))
}

// testCoherence: a value is never older than the last Invalidate that returned
// before it was asked for.
func testCoherence(t *testing.T, c cache.Cache) {
	var truth, announced atomic.Int64
	var writers, readers sync.WaitGroup
	var done atomic.Bool
	writers.Go(func() {
		for range 2000 {
			now := truth.Add(1)
			c.Invalidate(t.Context(), "a")
			announced.Store(now)
		}
	})
	for range 4 {
		readers.Go(func() {
			for !done.Load() {
				least := announced.Load()
				var got int64
				_, _ = fmt.Sscan(get(t, c, "a", func(context.Context) (any, error) { return new(fmt.Sprint(truth.Load())), nil }), &got)
				if got < least {
					t.Errorf("got %d after %d was announced", got, least)
					return
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
}
