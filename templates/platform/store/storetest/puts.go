package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// testPuts: a row that is not there is made, once, however many put it; one that is
// there is changed, and keeps what a new one would have got.
func testPuts(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	put := func(ctx context.Context, key string) (item, bool, error) {
		fresh := sample("new")
		fresh.ID = key
		return c.Put(ctx, fresh, func(r *item) error {
			r.Score++
			return nil
		})
	}
	row, created, err := put(ctx, "k")
	ok(t, err)
	if !created || row.Name != "new" || row.Score != 1 || row.Version != 1 {
		t.Errorf("created %v: %+v", created, row)
	}
	_, err = c.Update(ctx, "k", func(r *item) error { r.Name = "old"; return nil })
	ok(t, err)
	row, created, err = put(ctx, "k")
	ok(t, err)
	if created || row.Name != "old" || row.Score != 2 || row.Version != 3 {
		t.Errorf("changed, created %v: %+v", created, row)
	}
	refusal := errors.New("no")
	if _, _, err = c.Put(ctx, item{ID: "x", Tags: []string{}}, func(*item) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("error of the change: %v", err)
	}
	// If-Match of a row that is not there.
	_, _, err = put(store.Expect(ctx, "items", "absent", []int64{1}, false), "absent")
	fails[*store.VersionMismatch](t, err)
	_, err = c.Get(ctx, "absent")
	fails[*store.NotFound](t, err)

	const writers = 8
	var group sync.WaitGroup
	made := make(chan bool, writers)
	for range writers {
		group.Go(func() {
			_, created, err := put(ctx, "raced")
			if err != nil {
				t.Error(err)
			}
			made <- created
		})
	}
	group.Wait()
	close(made)
	times := 0
	for created := range made {
		if created {
			times++
		}
	}
	row, err = c.Get(ctx, "raced")
	ok(t, err)
	if times != 1 || row.Score != writers {
		t.Errorf("created %d times, %v of %d changes kept", times, row.Score, writers)
	}
	inUnit(t, db, c)
}

// inUnit: a Put joins the unit that its context carries.
func inUnit(t *testing.T, db *store.DB, c *store.Collection[item]) {
	t.Helper()
	ctx := t.Context()
	undone := errors.New("undone")
	err := db.Run(ctx, func(ctx context.Context) error {
		if _, _, err := c.Put(ctx, item{ID: "u", Tags: []string{}}, func(*item) error { return nil }); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	_, err = c.Get(ctx, "u")
	fails[*store.NotFound](t, err)
}

// testDeleteAll: what the conditions name goes, all of it, and nothing else.
func testDeleteAll(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	const many = 520 // more than one page
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		for i := range many {
			row := sample(fmt.Sprint(i))
			row.Group = new([]string{"a", "b"}[i/510])
			if err := c.Create(ctx, &row); err != nil {
				return err
			}
		}
		return nil
	}))
	undone := errors.New("undone")
	if err := db.Run(ctx, func(ctx context.Context) error {
		if err := c.DeleteAll(ctx); err != nil {
			return err
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	ok(t, c.DeleteAll(ctx, store.Eq("group", "a")))
	ok(t, c.DeleteAll(ctx, store.Eq("group", "none")))
	n, err := c.Count(ctx)
	ok(t, err)
	equal(t, "rows left", n, int64(10))
}

// testMany: what many keys name changes or goes together, or not at all, whatever the
// order in which units name it.
func testMany(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	for i := range 6 {
		row := sample(fmt.Sprint(i))
		row.ID = row.Name
		ok(t, c.Create(ctx, &row))
	}
	rename := func(name string) func(*item) error {
		return func(row *item) error { row.Name = name; return nil }
	}
	rows, err := c.UpdateMany(ctx, []any{"4", "0", "4"}, rename("both"))
	ok(t, err)
	equal(t, "rows", len(rows), 2)
	equal(t, "order", rows[0].ID+rows[1].ID, "40")
	equal(t, "version", rows[0].Version, int64(2))
	var absent *store.NotFound
	if _, err := c.UpdateMany(ctx, []any{"1", "none"}, rename("half")); !errors.As(err, &absent) || absent.Key != "none" {
		t.Fatal(err)
	}
	if err := c.DeleteMany(ctx, []any{"1", "none", "2"}); !errors.As(err, &absent) {
		t.Fatal(err)
	}
	one, err := c.Get(ctx, "1")
	ok(t, err)
	equal(t, "name", one.Name, sample("1").Name)
	var wait sync.WaitGroup
	for i := range 8 {
		keys := []any{"0", "1", "2", "3"}
		if i%2 == 1 {
			slices.Reverse(keys)
		}
		wait.Go(func() {
			if _, err := c.UpdateMany(ctx, keys, func(row *item) error { row.Score++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	three, err := c.Get(ctx, "3")
	ok(t, err)
	equal(t, "score", three.Score, sample("3").Score+8)
	ok(t, c.DeleteMany(ctx, []any{"0", "1", "1", "2"}))
	ok(t, c.DeleteMany(ctx, nil))
	n, err := c.Count(ctx)
	ok(t, err)
	equal(t, "rows left", n, int64(3))
}
