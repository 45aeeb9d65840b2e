package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache/local"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

// testConcurrentUpdates: no increment is lost, across handles on the database.
func testConcurrentUpdates(t *testing.T, e Engine) {
	const writers, rounds = 8, 25
	ctx := t.Context()
	open := e.Database(t)
	handles := []*store.DB{open(t), open(t)}
	ok(t, handles[0].Migrate(ctx, e.migrations()))
	row := sample("counter")
	ok(t, store.NewCollection(handles[0], items()).Create(ctx, &row))
	var group sync.WaitGroup
	var refused atomic.Int64
	for w := range writers {
		db := handles[w%len(handles)]
		c := store.NewCollection(db, items())
		group.Go(func() {
			for range rounds {
				_, err := c.Update(ctx, row.ID, func(r *item) error { r.Score++; return nil })
				var mismatch *store.VersionMismatch
				switch {
				case errors.As(err, &mismatch):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	got, err := store.NewCollection(handles[1], items()).Get(ctx, row.ID)
	ok(t, err)
	applied := writers*rounds - refused.Load()
	equal(t, "increments", []int64{int64(got.Score), got.Version}, []int64{applied, applied + 1})
	if applied == 0 {
		t.Fatal("every update was refused")
	}

	// The same tag twice: one of two writers is told.
	expecting := store.Expect(ctx, "items", row.ID, []int64{got.Version}, false)
	results := make([]error, 2)
	for i := range results {
		c := store.NewCollection(handles[i], items())
		group.Go(func() {
			_, results[i] = c.Update(expecting, row.ID, func(r *item) error { r.Score++; return nil })
		})
	}
	group.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("two writers with the same tag: %v, %v", results[0], results[1])
	}
	fails[*store.VersionMismatch](t, errors.Join(results...))
}

// testBusy: who waits for a turn to write waits no longer than its ctx, and
// reads do not wait at all.
func testBusy(t *testing.T, e Engine) {
	db := e.open(t)
	c := store.NewCollection(db, items())
	row := sample("x")
	ok(t, c.Create(t.Context(), &row))
	ok(t, db.Run(t.Context(), func(ctx context.Context) error {
		_, err := c.Update(ctx, row.ID, func(r *item) error { r.Score++; return nil })
		ok(t, err)
		_, err = c.Get(t.Context(), row.ID)
		ok(t, err)
		if db.Stats().Writer.InUse == 0 {
			t.Error("the stats show no open transaction")
		}
		late, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = c.Update(late, row.ID, func(r *item) error { r.Score++; return nil })
		if !errors.Is(err, store.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrBusy by the deadline", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = c.Update(gone, row.ID, func(r *item) error { r.Score++; return nil })
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrBusy) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		return nil
	}))
	got, err := c.Get(t.Context(), row.ID)
	ok(t, err)
	equal(t, "updates that took effect", got.Score, 1)
	equal(t, "open transactions", db.Stats().Writer.InUse, 0)
}

// testCoherence: once a commit has been seen, by its writer or in a list, no
// read by key shows an older row, however reads, writes and rollbacks overlap.
func testCoherence(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	kept, err := local.New(local.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, kept.Close()) })
	c := store.NewCollection(db, items(), store.WithCache(kept, time.Hour))
	const keys, rounds = 3, 60
	var seen [keys]atomic.Int64
	for k := range keys {
		ok(t, c.Create(ctx, &item{ID: fmt.Sprint(k), Name: fmt.Sprint(k), Tags: []string{}}))
	}
	saw := func(k int, version int64) {
		for {
			old := seen[k].Load()
			if version <= old || seen[k].CompareAndSwap(old, version) {
				return
			}
		}
	}
	var writers, readers sync.WaitGroup
	var done atomic.Bool
	for k := range keys {
		writers.Go(func() {
			for i := range rounds {
				bump := func(ctx context.Context) error {
					row, err := c.Update(ctx, fmt.Sprint(k), func(r *item) error { r.Score++; return nil })
					if err == nil && i%3 == 0 {
						return errGiveUp
					}
					if err == nil {
						store.AfterCommit(ctx, func() { saw(k, row.Version) })
					}
					return err
				}
				if err := db.Run(ctx, bump); err != nil && !errors.Is(err, errGiveUp) {
					t.Error(err)
				}
			}
		})
		readers.Go(func() {
			for !done.Load() {
				if k == 0 { // somebody who knows of commits only by looking
					page, err := c.List(ctx, store.Query{Limit: keys})
					if err != nil {
						t.Error(err)
					}
					for i, row := range page.Items {
						saw(i, row.Version)
					}
				}
				for i := range keys {
					least := seen[i].Load()
					got, err := c.Get(ctx, fmt.Sprint(i))
					if err != nil || got.Version < least {
						t.Errorf("row %d: got version %d after %d had been seen: %v", i, got.Version, least, err)
						return
					}
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
	if kept.Stats().Hits == 0 {
		t.Fatal("nothing was ever read from the cache")
	}
}

// testCache: what is cached is what Get returns, by key and condition.
func testCache(t *testing.T, e Engine) {
	b := newUnitBench(t, e)
	ctx := t.Context()
	row := sample("one")
	ok(t, b.items.Create(ctx, &row))
	for range 2 {
		got, err := b.items.Get(ctx, row.ID)
		ok(t, err)
		equal(t, "row", got, row)
		_, err = b.items.Get(ctx, row.ID, store.Eq("name", "two"))
		fails[*store.NotFound](t, err)
	}
	// Proof that it is the cache which answers: a change behind its back.
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		tx, err := b.db.Tx(ctx)
		ok(t, err)
		_, err = tx.ExecContext(ctx, "UPDATE items SET name = 'unseen'")
		return err
	}))
	got, err := b.items.Get(ctx, row.ID)
	ok(t, err)
	equal(t, "name that is cached", got.Name, "one")
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		got, err := b.items.Get(ctx, row.ID)
		ok(t, err)
		equal(t, "name in a unit", got.Name, "unseen")
		return nil
	}))
	b.items.Invalidate(ctx, row.ID)
	got, err = b.items.Get(ctx, row.ID)
	ok(t, err)
	equal(t, "name after Invalidate", got.Name, "unseen")

	ok(t, b.items.Delete(ctx, row.ID))
	_, err = b.items.Get(ctx, row.ID)
	fails[*store.NotFound](t, err)
	back := item{ID: row.ID, Name: "back", Tags: []string{}}
	ok(t, b.items.Create(ctx, &back))
	got, err = b.items.Get(ctx, row.ID)
	ok(t, err)
	equal(t, "row made anew under an old key", got, back)
}
