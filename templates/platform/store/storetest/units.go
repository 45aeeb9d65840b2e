package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache/local"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

var errGiveUp = errors.New("give up")

// unitBench is a database with everything that a unit can leave behind.
type unitBench struct {
	db    *store.DB
	items *store.Collection[item]
	parts *store.Collection[part]
}

func newUnitBench(t testing.TB, e Engine) unitBench {
	db := e.open(t)
	kept, err := local.New(local.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, kept.Close()) })
	return unitBench{
		db:    db,
		items: store.NewCollection(db, items(), store.WithCache(kept, time.Hour)),
		parts: store.NewCollection(db, parts(), store.WithCache(kept, time.Hour), anyMaker()),
	}
}

func (b unitBench) count(t testing.TB) int64 {
	t.Helper()
	n, err := b.items.Count(t.Context())
	ok(t, err)
	m, err := b.parts.Count(t.Context())
	ok(t, err)
	return n + m
}

func testUnits(t *testing.T, e Engine) {
	b := newUnitBench(t, e)
	ctx := t.Context()
	kept := sample("kept")
	ok(t, b.items.Create(ctx, &kept))
	_, err := b.items.Get(ctx, kept.ID) // now cached
	ok(t, err)

	// everything is what an override does that calls the default, writes a
	// second collection, and then ends in its own way.
	everything := func(ctx context.Context) error {
		row := sample("new")
		ok(t, b.items.Create(ctx, &row))
		ok(t, b.parts.Create(ctx, &part{ItemID: row.ID}))
		_, err := b.items.Update(ctx, kept.ID, func(r *item) error { r.Score = 5; return nil })
		ok(t, err)
		got, err := b.items.Get(ctx, kept.ID)
		ok(t, err)
		equal(t, "a unit's own write, read in it", got.Score, 5)
		_, err = b.items.Get(ctx, row.ID)
		ok(t, err)
		n, err := b.items.Count(ctx)
		ok(t, err)
		equal(t, "rows counted in the unit", n, 2)
		ok(t, b.db.SaveKey(ctx, "scope", "key", [32]byte{1}, store.Replay{Status: 201}, time.Hour))
		store.AfterCommit(ctx, func() { t.Error("a hook ran without a commit") })
		outside, err := b.items.Get(store.Detach(ctx), kept.ID)
		ok(t, err)
		equal(t, "what others see meanwhile", outside.Score, 0)
		return nil
	}
	nothing := func(how string) {
		t.Helper()
		equal(t, "rows after "+how, b.count(t), 1)
		got, err := b.items.Get(ctx, kept.ID)
		ok(t, err)
		equal(t, "the row that was there, after "+how, got, kept)
		replay, err := b.db.LookupKey(ctx, "scope", "key", [32]byte{1})
		ok(t, err)
		equal(t, "idempotency key after "+how, replay, nil)
	}

	err = b.db.Run(ctx, func(ctx context.Context) error { return errors.Join(everything(ctx), errGiveUp) })
	if !errors.Is(err, errGiveUp) {
		t.Fatalf("got %v, want the unit's own error", err)
	}
	nothing("an error")

	func() {
		defer func() { equal(t, "panic", recover(), any("stop")) }()
		_ = b.db.Run(ctx, func(ctx context.Context) error { ok(t, everything(ctx)); panic("stop") })
	}()
	nothing("a panic")

	cancelled, cancel := context.WithCancel(ctx)
	err = b.db.Run(cancelled, func(ctx context.Context) error { ok(t, everything(ctx)); cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	nothing("a cancellation")

	// A statement that fails because its own ctx has ended spoils the unit.
	err = b.db.Run(ctx, func(ctx context.Context) error {
		ok(t, everything(ctx))
		short, cancel := context.WithCancel(ctx)
		cancel()
		row := sample("cut short")
		if b.items.Create(short, &row) == nil {
			t.Error("a write with an ended ctx succeeded")
		}
		return nil // as if nothing had happened
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the failure that spoilt the unit", err)
	}
	nothing("a failure that was ignored")

	testCommit(t, b, kept)
}

func testCommit(t *testing.T, b unitBench, kept item) {
	ctx := t.Context()
	var order []string
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		equal(t, "writing before a write", store.Writing(ctx), false)
		_, err := b.items.Get(ctx, kept.ID)
		ok(t, err)
		equal(t, "writing after a read", store.Writing(ctx), false)
		store.AfterCommit(ctx, func() {
			got, err := b.items.Get(t.Context(), kept.ID)
			ok(t, err)
			order = append(order, "first: "+got.Name)
		})
		store.AfterCommit(ctx, func() { order = append(order, "second") })
		_, err = b.items.Update(ctx, kept.ID, func(r *item) error { r.Name = "changed"; return nil })
		ok(t, err)
		equal(t, "writing after a write", store.Writing(ctx), true)
		equal(t, "writing in a detached ctx", store.Writing(store.Detach(ctx)), false)
		return nil
	}))
	equal(t, "hooks", order, []string{"first: changed", "second"})

	// Tx is the unit's own transaction; its changes are announced by hand.
	_, err := b.items.Get(ctx, kept.ID)
	ok(t, err)
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		tx, err := b.db.Tx(ctx)
		ok(t, err)
		again, err := b.db.Tx(ctx)
		ok(t, err)
		equal(t, "second call of Tx", again, tx)
		_, err = tx.ExecContext(ctx, "UPDATE items SET name = 'by hand'")
		ok(t, err)
		b.items.Invalidate(ctx, kept.ID)
		return nil
	}))
	got, err := b.items.Get(ctx, kept.ID)
	ok(t, err)
	equal(t, "name after SQL by hand", got.Name, "by hand")
	if _, err := b.db.Tx(ctx); err == nil {
		t.Error("Tx outside a unit gives no error")
	}
	ran := false
	store.AfterCommit(ctx, func() { ran = true })
	equal(t, "hook outside a unit ran", ran, true)
}

func testNestedUnits(t *testing.T, e Engine) {
	b := newUnitBench(t, e)
	ctx := t.Context()
	var hooks []string
	add := func(ctx context.Context, name string) {
		t.Helper()
		row := item{ID: name, Name: name, Tags: []string{}}
		ok(t, b.items.Create(ctx, &row))
		store.AfterCommit(ctx, func() { hooks = append(hooks, name) })
	}
	nested := func(ctx context.Context, result error, names ...string) {
		t.Helper()
		err := b.db.Run(ctx, func(ctx context.Context) error {
			for _, name := range names {
				add(ctx, name)
			}
			return result
		})
		if !errors.Is(err, result) {
			t.Fatalf("got %v, want %v", err, result)
		}
	}
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		nested(ctx, errGiveUp, "undone before the unit wrote")
		equal(t, "writing after everything was undone", store.Writing(ctx), false)
		nested(ctx, nil, "a")
		nested(ctx, errGiveUp, "undone after the unit wrote")
		add(ctx, "b")
		ok(t, b.db.Run(ctx, func(ctx context.Context) error {
			add(ctx, "c")
			nested(ctx, errGiveUp, "undone two levels down")
			return nil
		}))
		return nil
	}))
	page, err := b.items.List(ctx, store.Query{Limit: 10})
	ok(t, err)
	var names []string
	for _, row := range page.Items {
		names = append(names, row.ID)
	}
	equal(t, "rows", names, []string{"a", "b", "c"})
	equal(t, "hooks", hooks, []string{"a", "b", "c"})

	// A panic in a nested unit that is recovered outside it must not commit half.
	err = b.db.Run(ctx, func(ctx context.Context) error {
		defer func() { _ = recover() }()
		return b.db.Run(ctx, func(ctx context.Context) error { add(ctx, "half"); panic("stop") })
	})
	if err == nil {
		t.Fatal("a unit with a panic inside was committed")
	}
	equal(t, "rows after the panic", b.count(t), 3)

	// Two databases, two units: one may fail without the other.
	other := newUnitBench(t, e)
	ok(t, b.db.Run(ctx, func(ctx context.Context) error {
		add(ctx, "mine")
		err := other.db.Run(ctx, func(ctx context.Context) error {
			row := sample("theirs")
			ok(t, other.items.Create(ctx, &row))
			got, err := b.items.Exists(ctx, "mine")
			ok(t, err)
			equal(t, "the outer unit's row seen in the inner one", got, true)
			return errGiveUp
		})
		if !errors.Is(err, errGiveUp) {
			t.Errorf("got %v", err)
		}
		return nil
	}))
	equal(t, "rows of the outer unit", b.count(t), 4)
	equal(t, "rows of the inner unit", other.count(t), 0)
}

// testEndedUnits: a ctx that outlives its unit does no work behind its back.
func testEndedUnits(t *testing.T, e Engine) {
	b := newUnitBench(t, e)
	for _, commits := range []bool{true, false} {
		var leaked context.Context
		_ = b.db.Run(t.Context(), func(ctx context.Context) error {
			leaked = ctx
			row := sample("x")
			ok(t, b.items.Create(ctx, &row))
			if commits {
				return b.items.Delete(ctx, row.ID)
			}
			return errGiveUp
		})
		row := sample("late")
		failures := []error{b.items.Create(leaked, &row), b.items.Delete(leaked, "x")}
		_, err := b.items.Get(leaked, "x")
		failures = append(failures, err)
		_, err = b.db.Tx(leaked)
		failures = append(failures, err, b.db.Run(leaked, func(context.Context) error { return nil }))
		if slices.ContainsFunc(failures, func(err error) bool { return !errors.Is(err, store.ErrUnitEnded) }) {
			t.Fatalf("got %v, want ErrUnitEnded each time", failures)
		}
		equal(t, "rows", b.count(t), 0)
	}
}
