package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
	"github.com/e6b96b0c/backend/templates/platform/store/storetest"
)

func engine() storetest.Engine {
	return storetest.Engine{
		Database: func(t testing.TB) func(testing.TB) *store.DB {
			path := filepath.Join(t.TempDir(), "data?#%41", "test.db")
			return func(t testing.TB) *store.DB { return open(t, path, sqlite.Options{}) }
		},
		Types: map[store.Kind]string{
			store.Text: "TEXT", store.UUID: "TEXT", store.Integer: "INTEGER", store.Real: "REAL",
			store.Boolean: "INTEGER", store.Time: "INTEGER", store.JSON: "TEXT",
		},
		Identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
		Quote:    `"`,
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, engine())
}

// TestMain is also the process that TestProcesses starts several times.
func TestMain(m *testing.M) {
	if path := os.Getenv(starterPath); path != "" {
		os.Exit(starter(path))
	}
	os.Exit(m.Run())
}

const (
	starterPath   = "SQLITE_TEST_STARTER"
	starterWrites = 20
)

func counters() *store.Table[counter] {
	return &store.Table[counter]{
		Name:     "counters",
		Resource: "counter",
		Columns:  []store.Column{{Name: "id", Kind: store.Integer}, {Name: "n", Kind: store.Integer}},
		Fields:   func(r *counter) []any { return []any{&r.ID, &r.N} },
		Key:      "id",
		KeyMode:  store.KeyIdentity,
	}
}

type counter struct{ ID, N int64 }

// starter does what a service does when it starts, and then counts.
func starter(path string) int {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, path, sqlite.Options{BusyTimeout: time.Minute})
	if err == nil {
		err = db.Migrate(ctx, fstest.MapFS{"0001_init.sql": {Data: []byte(
			"-- +goose Up\nCREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL);\nINSERT INTO counters VALUES (1, 0);\n")}})
	}
	for i := 0; err == nil && i < starterWrites; i++ {
		_, err = store.NewCollection(db, counters()).Update(ctx, 1, func(c *counter) error { c.N++; return nil })
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

// TestProcesses: six processes start at once on a file that does not exist,
// migrate it once, and lose no write.
func TestProcesses(t *testing.T) {
	const processes = 6
	path := filepath.Join(t.TempDir(), "shared.db")
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), starterPath+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	db := open(t, path, sqlite.Options{})
	got, err := store.NewCollection(db, counters()).Get(t.Context(), 1)
	if err != nil || got.N != processes*starterWrites {
		t.Fatalf("counted %d of %d: %v", got.N, processes*starterWrites, err)
	}
}

func open(t testing.TB, path string, o sqlite.Options) *store.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return db
}

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	db := open(t, filepath.Join(dir, "x.db"), sqlite.Options{})
	if err := db.Migrate(t.Context(), fstest.MapFS{}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 { // the database, its log and its index
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: mode %v, %v", info.Mode(), err)
	}
}

// TestPragmas asks each pool what it really runs with.
func TestPragmas(t *testing.T) {
	for _, level := range []struct {
		o    sqlite.Options
		want string
	}{{sqlite.Options{}, "1"}, {sqlite.Options{Synchronous: sqlite.Full}, "2"}} {
		db := open(t, filepath.Join(t.TempDir(), "x.db"), level.o)
		err := db.Run(t.Context(), func(ctx context.Context) error {
			tx, err := db.Tx(ctx)
			if err != nil {
				return err
			}
			for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": level.want, "foreign_keys": "1", "busy_timeout": "5000"} {
				var got string
				if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %s, want %s: %v", pragma, got, want, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestLockedByAnother: a file that another program keeps locked is ErrBusy.
func TestLockedByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, sqlite.Options{BusyTimeout: 10 * time.Millisecond})
	other, patient := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{BusyTimeout: time.Hour})
	var row counter
	c := store.NewCollection(db, counters())
	if err := db.Migrate(t.Context(), fstest.MapFS{"0001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL);\n")}}); err != nil {
		t.Fatal(err)
	}
	err := other.Run(t.Context(), func(ctx context.Context) error {
		if _, err := other.Tx(ctx); err != nil {
			return err
		}
		if err := c.Create(t.Context(), &row); !errors.Is(err, store.ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		late, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if err := store.NewCollection(patient, counters()).Create(late, &row); !errors.Is(err, store.ErrBusy) {
			t.Errorf("got %v, want ErrBusy at the deadline", err)
		}
		_, err := c.Count(t.Context()) // reads go on
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), &row); err != nil {
		t.Fatal(err)
	}
}

// TestUnavailable: what the engine's surroundings keep it from is ErrUnavailable, with
// the engine's own words, and works again when they allow it.
func TestUnavailable(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	if err := db.Migrate(t.Context(), fstest.MapFS{"0001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL);\n")}}); err != nil {
		t.Fatal(err)
	}
	c := store.NewCollection(db, counters())
	pragma := func(text string) {
		err := db.Run(t.Context(), func(ctx context.Context) error {
			tx, err := db.Tx(ctx)
			if err == nil {
				_, err = tx.ExecContext(ctx, text)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pragma("PRAGMA max_page_count = 1") // the one connection that writes keeps it
	err := db.Run(t.Context(), func(ctx context.Context) error {
		for range 5000 { // until the last page is full
			if err := c.Create(ctx, &counter{}); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got %v", err)
	}
	pragma("PRAGMA max_page_count = 1000000")
	if err := c.Create(t.Context(), &counter{}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"empty": "", "memory": ":memory:", "folder": dir, "slash": dir + "/x/", "below a file": garbage + "/x.db", "garbage": garbage, "zero byte": "a\x00b",
	} {
		if db, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil {
			_ = db.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "x.db"), sqlite.Options{Synchronous: "OFF"}); err == nil {
		t.Error("synchronous OFF: no error")
	}
}

func TestOpenService(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, test := range []struct {
		url, file string
		shared    bool
	}{
		{"sqlite:" + dir + "/one.db", "one.db", false},
		{"sqlite://" + dir + "/two.db", "two.db", false},
		{"sqlite:three.db", "three.db", false},
		{"sqlite:sub/fo%20ur%3F%23.db?synchronous=full", "sub/fo ur?#.db", false},
		{"sqlite:" + dir + "/fi%25ve.db?synchronous=NORMAL", "fi%ve.db", false},
		{"sqlite:" + dir + "/one.db", "one-orders.db", true},
		{"sqlite://" + dir + "/six.db?synchronous=full", "six-orders.db", true},
		{"sqlite:sub.d/seven", "sub.d/seven-orders", true},
	} {
		db, err := sqlite.OpenService(t.Context(), test.url, store.Place{Service: "orders", Shared: test.shared})
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, test.file)); err != nil {
			t.Errorf("%s: %v", test.url, err)
		}
	}
	for _, bad := range []string{
		"", "sqlite:", "sqlite://", "sqlite:///", "postgres://localhost/x", "sqlite://host/x.db", "sqlite:x.db?mode=ro", "sqlite:x.db?_pragma=foreign_keys(0)",
		"sqlite:x.db?synchronous=off", "sqlite:x.db#y", "sqlite:%zz", "sqlite::memory:", "://", "x.db",
	} {
		if db, err := sqlite.OpenService(t.Context(), bad, store.Place{Service: "orders"}); err == nil {
			_ = db.Close()
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestOpenRace: handles that open a new file at once all succeed, while others
// close theirs.
func TestOpenRace(t *testing.T) {
	dir := t.TempDir()
	for i := range 40 {
		path := filepath.Join(dir, fmt.Sprint(i))
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				if err == nil {
					err = db.Close()
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}
