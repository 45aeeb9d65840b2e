package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/store/postgres"
	"github.com/e6b96b0c/backend/templates/testenv"
)

// TestMain is also the process that TestProcesses starts several times.
func TestMain(m *testing.M) {
	if url := os.Getenv(starterURL); url != "" {
		os.Exit(starter(url))
	}
	os.Exit(m.Run())
}

const (
	starterURL    = "POSTGRES_TEST_STARTER"
	starterWrites = 20
)

// starter does what a service does when it starts, and then counts.
func starter(url string) int {
	ctx := context.Background()
	db, err := postgres.OpenService(ctx, url, store.Place{Service: "shop", Shared: true})
	if err == nil {
		err = db.Migrate(ctx, countersTable())
	}
	for i := 0; err == nil && i < starterWrites; i++ {
		_, err = store.NewCollection(db, counters()).Update(ctx, 1, increment)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestProcesses: six processes start at once on an empty database, make and migrate
// their schema once, and lose no write.
func TestProcesses(t *testing.T) {
	const processes = 6
	url := testenv.Postgres(t)
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), starterURL+"="+url)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	got, err := store.NewCollection(open(t, url, store.Place{Service: "shop", Shared: true}), counters()).Get(t.Context(), 1)
	if err != nil || got.N != processes*starterWrites {
		t.Fatalf("counted %d of %d: %v", got.N, processes*starterWrites, err)
	}
	if left := admin[int](t, url, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'"); left != 0 {
		t.Errorf("%d locks are left", left)
	}
}

// TestPlaces: each service has a schema of its own, and a throwaway goes when it is
// closed, with nothing else.
func TestPlaces(t *testing.T) {
	url := testenv.Postgres(t)
	schemas := func() string {
		return admin[string](t, url, "SELECT COALESCE(string_agg(nspname, ' ' ORDER BY nspname), '') FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'")
	}
	count := func(p store.Place) *store.DB {
		db := open(t, url, p)
		ok(t, db.Migrate(t.Context(), countersTable()))
		_, err := store.NewCollection(db, counters()).Update(t.Context(), 1, increment)
		ok(t, err)
		return db
	}
	count(store.Place{Service: "Orders", Shared: true})
	kept := count(store.Place{Service: "users", Shared: true})
	first := count(store.Place{Service: "users", Shared: true, Scratch: "run1"})
	second := count(store.Place{Service: "users", Scratch: "run2"})
	if got := schemas(); got != "Orders run1_users run2_users users" {
		t.Fatalf("schemas: %s", got)
	}
	ok(t, first.Close())
	ok(t, second.Close())
	if got := schemas(); got != "Orders users" {
		t.Fatalf("schemas after the throwaways were closed: %s", got)
	}
	got, err := store.NewCollection(kept, counters()).Get(t.Context(), 1)
	if err != nil || got.N != 1 {
		t.Fatalf("counter of the service that was kept: %d, %v", got.N, err)
	}
	// A search_path in a service's own URL is a schema that is there, or none.
	own := open(t, url+"&search_path=users", store.Place{Service: "other"})
	if got, err := store.NewCollection(own, counters()).Get(t.Context(), 1); err != nil || got.N != 1 {
		t.Fatalf("counter by search_path: %d, %v", got.N, err)
	}
	if _, err := postgres.OpenService(t.Context(), url+"&search_path=users", store.Place{Service: "other", Shared: true}); err == nil {
		t.Error("a search_path for all services gives no error")
	}
}

// TestSession asks the server what a unit really runs with.
func TestSession(t *testing.T) {
	db := open(t, testenv.Postgres(t)+"&idle_in_transaction_session_timeout=9s", store.Place{Service: "shop"})
	ok(t, db.Run(t.Context(), func(ctx context.Context) error {
		tx, err := db.Tx(ctx)
		ok(t, err)
		for name, want := range map[string]string{
			"application_name": "shop", "timezone": "UTC", "transaction_isolation": "read committed", "lock_timeout": "5s", "statement_timeout": "30s",
			"idle_in_transaction_session_timeout": "9s", "search_path": `"shop"`,
		} {
			var got string
			ok(t, tx.QueryRowContext(ctx, "SHOW "+name).Scan(&got))
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		return nil
	}))
}

// TestMigrationLock: who waits for another's migration waits no longer than its
// ctx, and nobody leaves the lock behind. A migration may take its time.
func TestMigrationLock(t *testing.T) {
	url := testenv.Postgres(t)
	ctx := t.Context()
	gate, err := pgx.Connect(ctx, url)
	ok(t, err)
	_, err = gate.Exec(ctx, "SELECT pg_advisory_lock(42)")
	ok(t, err)
	slow := countersTable()
	slow["0002_slow.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nSET LOCAL lock_timeout = 0;\nSELECT pg_advisory_xact_lock(42);\n")}
	first, second := open(t, url+"&statement_timeout=100ms", store.Place{Service: "shop"}), open(t, url, store.Place{Service: "shop"})
	done := make(chan error)
	go func() { done <- first.Migrate(ctx, slow) }()
	for admin[int](t, url, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 0 {
		if t.Failed() {
			return
		}
	}
	late, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := second.Migrate(late, slow); !errors.Is(err, store.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a migration that waits for another: %v", err)
	}
	ok(t, gate.Close(ctx))
	ok(t, <-done)
	ok(t, second.Migrate(ctx, slow))
	if left := admin[int](t, url, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'"); left != 0 {
		t.Errorf("%d locks are left", left)
	}
}

// TestLostReference: a row that vanishes between the check and the write costs the
// transaction here. The unit says so, and a nested one can be undone by itself.
func TestLostReference(t *testing.T) {
	url := testenv.Postgres(t)
	db, c := counted(t, url)
	table := counters()
	table.Name, table.Resource = "owned", "owned counter"
	table.References = []store.Reference{{Column: "n", Pointer: "/n", Resource: "counter", Table: "counters", Key: "id"}}
	ok(t, db.Migrate(t.Context(), fstest.MapFS{"0001_init.sql": countersTable()["0001_init.sql"], "0002_owned.sql": {Data: []byte(
		"-- +goose Up\nCREATE TABLE owned (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n BIGINT NOT NULL REFERENCES counters (id));\n")}}))
	owned := store.NewCollection(db, table)
	// lose writes a row in ctx whose owner vanishes meanwhile.
	lose := func(ctx context.Context) error {
		owner := counter{}
		ok(t, c.Create(t.Context(), &owner))
		result := make(chan error)
		ok(t, db.Run(t.Context(), func(inner context.Context) error {
			ok(t, c.Delete(inner, owner.ID))
			go func() { result <- owned.Create(ctx, &counter{N: owner.ID}) }()
			for admin[int](t, url, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted") == 0 {
				if t.Failed() {
					break
				}
			}
			return nil
		}))
		return <-result
	}
	var lost *store.InvalidReference
	err := db.Run(t.Context(), func(ctx context.Context) error {
		if err := lose(ctx); !errors.As(err, &lost) {
			t.Errorf("a reference that vanished: %v", err)
		}
		_, err := c.Get(ctx, 1)
		if err == nil || !strings.Contains(err.Error(), "spoilt by an earlier failure") {
			t.Errorf("the unit goes on: %v", err)
		}
		return nil
	})
	if !errors.As(err, &lost) {
		t.Errorf("the unit is committed: %v", err)
	}
	ok(t, db.Run(t.Context(), func(ctx context.Context) error {
		_, err := c.Update(ctx, 1, increment)
		ok(t, err)
		if err := db.Run(ctx, lose); !errors.As(err, &lost) {
			t.Errorf("a nested unit: %v", err)
		}
		_, err = c.Update(ctx, 1, increment)
		return err
	}))
}

type note struct{ ID, Text string }

// TestTooLong: a value that does not fit an index is refused by name, and a unit goes
// on without the nested one that tried.
func TestTooLong(t *testing.T) {
	db := open(t, testenv.Postgres(t), store.Place{Service: "notes"})
	if err := db.Migrate(t.Context(), fstest.MapFS{"0001_a.sql": {Data: []byte(
		"-- +goose Up\nCREATE TABLE notes (id UUID PRIMARY KEY, text TEXT COLLATE \"C\" NOT NULL);\nCREATE INDEX notes_text ON notes (text);\n")}}); err != nil {
		t.Fatal(err)
	}
	notes := store.NewCollection(db, &store.Table[note]{
		Name: "notes", Resource: "note", Key: "id",
		Columns: []store.Column{{Name: "id", Kind: store.UUID}, {Name: "text", Kind: store.Text}},
		Fields:  func(n *note) []any { return []any{&n.ID, &n.Text} },
	})
	random := make([]byte, 20_000) // what repeats would be compressed
	_, _ = rand.Read(random)       // it never fails
	var long *store.TooLong
	err := db.Run(t.Context(), func(ctx context.Context) error {
		err := db.Run(ctx, func(ctx context.Context) error { return notes.Create(ctx, &note{Text: hex.EncodeToString(random)}) })
		if !errors.As(err, &long) || long.Resource != "note" {
			t.Errorf("got %v, want TooLong", err)
		}
		return notes.Create(ctx, &note{Text: "short"})
	})
	if n, countErr := notes.Count(t.Context()); err != nil || countErr != nil || n != 1 {
		t.Errorf("%d rows, %v, %v", n, err, countErr)
	}
}
