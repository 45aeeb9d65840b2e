package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// together calls fn n times at once, each time with its number.
func together(n int, fn func(i int)) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	group.Wait()
}

// testMigration: six starters at once, each with a handle of its own: on an
// empty database, and on one that lacks the latest migration. Several times
// over, because a race is not lost every time.
func testMigration(t *testing.T, e Engine) {
	ctx := t.Context()
	files := e.migrations()
	files["0002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE more (n INTEGER);\n")}
	handles := make([]*store.DB, 6)
	for range 5 {
		open := e.Database(t)
		together(len(handles), func(i int) { handles[i] = open(t) })
		for _, latest := range []fs.FS{e.migrations(), files} {
			if t.Failed() {
				return
			}
			together(len(handles), func(i int) {
				if err := handles[i].Migrate(ctx, latest); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for i, db := range handles {
		ok(t, store.NewCollection(db, items()).Create(ctx, &item{Name: fmt.Sprint(i), Tags: []string{}}))
		ok(t, db.Ping(ctx))
	}
	n, err := store.NewCollection(handles[0], items()).Count(ctx)
	ok(t, err)
	equal(t, "rows", n, int64(len(handles)))

	ok(t, handles[0].Migrate(ctx, files)) // again changes nothing
	ok(t, handles[0].Migrate(ctx, fstest.MapFS{}))

	// A migration that fails leaves nothing of itself behind.
	files["0003_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE later (n INTEGER);\nINSERT INTO nowhere VALUES (1);\n")}
	if handles[0].Migrate(ctx, files) == nil {
		t.Fatal("a bad migration gives no error")
	}
	files["0003_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE later (n INTEGER);\n")}
	ok(t, handles[0].Migrate(ctx, files))
	n, err = store.NewCollection(handles[0], items()).Count(ctx)
	ok(t, err)
	equal(t, "rows", n, int64(len(handles)))
}

// testRestart: what was committed is there when the database is opened again.
func testRestart(t *testing.T, e Engine) {
	ctx := t.Context()
	open := e.Database(t)
	db := open(t)
	ok(t, db.Migrate(ctx, e.migrations()))
	row := sample("kept")
	ok(t, store.NewCollection(db, items()).Create(ctx, &row))
	ok(t, db.SaveKey(ctx, "s", "k", [32]byte{7}, store.Replay{Status: 201, Body: []byte("x")}, time.Hour))
	if err := db.Run(ctx, func(ctx context.Context) error {
		lost := sample("lost")
		ok(t, store.NewCollection(db, items()).Create(ctx, &lost))
		return errGiveUp
	}); !errors.Is(err, errGiveUp) {
		t.Fatal(err)
	}
	ok(t, db.Close())
	if db.Ping(ctx) == nil {
		t.Error("a closed database answers")
	}

	db = open(t)
	ok(t, db.Migrate(ctx, e.migrations()))
	page, err := store.NewCollection(db, items()).List(ctx, store.Query{Limit: 5})
	ok(t, err)
	equal(t, "rows", page.Items, []item{row})
	replay, err := db.LookupKey(ctx, "s", "k", [32]byte{7})
	ok(t, err)
	equal(t, "replay", *replay, store.Replay{Status: 201, Body: []byte("x")})
}

func testIdempotency(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	replay, err := db.LookupKey(ctx, "op", "k", [32]byte{1})
	ok(t, err)
	equal(t, "unknown key", replay, nil)
	saved := store.Replay{Status: 201, Header: map[string][]string{"Location": {"/a"}, "X": {"1", "2"}}, Body: []byte("{\"a\":1}\n\x00\xff")}
	ok(t, db.SaveKey(ctx, "op", "k", [32]byte{1}, saved, time.Hour))
	replay, err = db.LookupKey(ctx, "op", "k", [32]byte{1})
	ok(t, err)
	equal(t, "replay", *replay, saved)
	_, err = db.LookupKey(ctx, "op", "k", [32]byte{2})
	equal(t, "reused key", is[*store.KeyReused](t, err).Key, "k")
	for _, other := range [][2]string{{"op2", "k"}, {"op", "K"}, {"o", "pk"}} {
		replay, err = db.LookupKey(ctx, other[0], other[1], [32]byte{1})
		ok(t, err)
		equal(t, "another key", replay, nil)
	}
	equal(t, "taken key", is[*store.KeyTaken](t, db.SaveKey(ctx, "op", "k", [32]byte{1}, saved, time.Hour)).Key, "k")

	// An expired key is free again, and expired keys do not pile up.
	ok(t, db.SaveKey(ctx, "op", "old", [32]byte{1}, store.Replay{Status: 204}, -time.Second))
	replay, err = db.LookupKey(ctx, "op", "old", [32]byte{2})
	ok(t, err)
	equal(t, "expired key", replay, nil)
	ok(t, db.SaveKey(ctx, "op", "old", [32]byte{2}, store.Replay{Status: 204}, time.Hour))
	replay, err = db.LookupKey(ctx, "op", "old", [32]byte{2})
	ok(t, err)
	equal(t, "a key taken anew", []int{replay.Status, len(replay.Body)}, []int{204, 0})
	left := 0
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		for i := range 200 {
			ok(t, db.SaveKey(ctx, "op", fmt.Sprint("expired", i), [32]byte{}, store.Replay{}, -time.Second))
		}
		tx, err := db.Tx(ctx)
		ok(t, err)
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM idempotency_keys").Scan(&left)
	}))
	if left > 80 {
		t.Fatalf("%d keys are kept where 2 are alive", left)
	}
	for key, hash := range map[string][32]byte{"k": {1}, "old": {2}} {
		replay, err = db.LookupKey(ctx, "op", key, hash)
		ok(t, err)
		if replay == nil {
			t.Fatalf("the sweep removed %q, which is alive", key)
		}
	}
}

// testIdempotencyRace: of many requests with one key, one takes effect, and the
// others answer as it did.
func testIdempotencyRace(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	hash := [32]byte{3}
	request := func(n int) (string, error) {
		for {
			replay, err := db.LookupKey(ctx, "create", "key", hash)
			if err != nil {
				return "", err
			}
			if replay != nil {
				return string(replay.Body), nil
			}
			row := sample(fmt.Sprint("by ", n))
			err = db.Run(ctx, func(ctx context.Context) error {
				if err := c.Create(ctx, &row); err != nil {
					return err
				}
				return db.SaveKey(ctx, "create", "key", hash, store.Replay{Status: 201, Body: []byte(row.ID)}, time.Hour)
			})
			var taken *store.KeyTaken
			if !errors.As(err, &taken) {
				return row.ID, err
			}
		}
	}
	answers := make([]string, 12)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			var err error
			if answers[i], err = request(i); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	page, err := c.List(ctx, store.Query{Limit: 10})
	ok(t, err)
	equal(t, "rows", len(page.Items), 1)
	for _, answer := range answers {
		equal(t, "answer", answer, page.Items[0].ID)
	}
}
