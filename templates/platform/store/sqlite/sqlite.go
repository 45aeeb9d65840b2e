// Package sqlite opens SQLite files as stores: write-ahead logging, one
// connection that writes and several that read, which never wait for it.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

const defaultBusyTimeout = 5 * time.Second

// Options tunes Open. The zero value means the defaults.
type Options struct {
	// Name sets the database apart from others that share a cache: the name of
	// the service. The path when empty.
	Name string
	// Synchronous says when a commit reaches the disk. With Normal, the
	// default, a power cut or a crash of the operating system may lose the
	// latest commits, but nothing older and never a part of one; a crash of the
	// process loses nothing. With Full every commit waits for the disk.
	Synchronous Synchronous
	// BusyTimeout is how long a write waits for others, in this process or
	// another, before it fails with store.ErrBusy; 5 s when zero.
	BusyTimeout time.Duration
	// Readers is how many connections read at once; twice the number of CPUs
	// when zero.
	Readers int
	// Now is the clock of the rows' times; time.Now when nil.
	Now func() time.Time
}

// Synchronous is a value of SQLite's pragma of that name.
type Synchronous string

// The levels that make sense with write-ahead logging.
const (
	Normal Synchronous = "NORMAL"
	Full   Synchronous = "FULL"
)

// Open opens the SQLite file at path, and creates it, and the folder it is in,
// where they are missing, readable by the current user only.
func Open(ctx context.Context, path string, o Options) (*store.DB, error) {
	if err := o.complete(path); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	writer, err := pool(path, o, 1, "_txlock=immediate", "_foreign_keys=on")
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	reader, err := pool(path, o, o.Readers, "_query_only=1", "_foreign_keys=on")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", path, err), writer.Close())
	}
	// Where a migration makes a table anew, foreign keys must not act on the old one's
	// rows. They can be turned off outside of transactions only, and migrations are some.
	migrator, err := connector(path, o, "_txlock=immediate", "_foreign_keys=off")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", path, err), reader.Close(), writer.Close())
	}
	lock := func(ctx context.Context) (func() error, error) { return lockFile(ctx, path+".lock") }
	if err := warmUp(ctx, lock, writer, reader); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", path, err), reader.Close(), writer.Close())
	}
	return store.New(store.Config{
		Name:        o.Name,
		Writer:      writer,
		Reader:      reader,
		Writers:     1,
		BusyTimeout: o.BusyTimeout,
		Now:         o.Now,
		Migrator: func() *sql.DB {
			db := sql.OpenDB(migrator)
			db.SetMaxOpenConns(1)
			return db
		},
		Dialect: store.Dialect{
			Goose:    goose.DialectSQLite3,
			Quote:    '"',
			FindText: [3]string{"instr(lower(", "), ", ") > 0"}, // lower knows ASCII alone
			Types:    store.Types{Key: "TEXT", Integer: "INTEGER", Bytes: "BLOB"},
			Classify: classify,
			Lock:     lock,
		},
	}), nil
}

// OpenService opens the database of one service: sqlite:/path/to/file.db,
// sqlite:///path/to/file.db or, relative to the working directory,
// sqlite:file.db. The query ?synchronous=full sets Options.Synchronous. Where the
// URL is shared, each service has a file beside that one: shop.db becomes
// shop-orders.db. Scratch means nothing here: who throws files away names the path.
func OpenService(ctx context.Context, rawURL string, p store.Place) (*store.DB, error) {
	path, o, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if p.Shared {
		extension := filepath.Ext(path)
		path = strings.TrimSuffix(path, extension) + "-" + p.Service + extension
	}
	o.Name = p.Service
	return Open(ctx, path, o)
}

func parseURL(rawURL string) (path string, o Options, err error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return "", o, fmt.Errorf("%q is not a URL: %w", rawURL, errors.Unwrap(err))
	case u.Scheme != "sqlite":
		return "", o, fmt.Errorf("%q is not a sqlite: URL", rawURL)
	case u.Host != "" || u.User != nil:
		return "", o, fmt.Errorf("%q names a host; write sqlite:///%s%s", rawURL, u.Host, u.Path)
	case u.Fragment != "":
		return "", o, fmt.Errorf("%q has a fragment; write %%23 for # in a path", rawURL)
	}
	path = u.Path
	if u.Opaque != "" {
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", o, fmt.Errorf("%q is not a URL: %w", rawURL, err)
		}
	}
	for name, values := range u.Query() {
		if name != "synchronous" {
			return "", o, fmt.Errorf("%q: unknown parameter %q; only synchronous is known", rawURL, name)
		}
		o.Synchronous = Synchronous(strings.ToUpper(values[0]))
	}
	if err := o.complete(path); err != nil {
		return "", o, fmt.Errorf("%q: %w", rawURL, err)
	}
	return path, o, nil
}

// complete fills in the defaults.
func (o *Options) complete(path string) error {
	switch {
	case path == "" || strings.HasSuffix(path, "/"):
		return errors.New("the path of the database file is missing")
	case strings.HasPrefix(path, ":memory:"):
		return errors.New("a database in memory cannot be shared by connections; name a file")
	case strings.ContainsRune(path, 0):
		return errors.New("the path of the database file holds a zero byte")
	}
	if o.Name == "" {
		o.Name = path
	}
	if o.Synchronous == "" {
		o.Synchronous = Normal
	}
	if o.Synchronous != Normal && o.Synchronous != Full {
		return fmt.Errorf("synchronous is %q; it must be NORMAL or FULL", o.Synchronous)
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = defaultBusyTimeout
	}
	if o.Readers <= 0 {
		o.Readers = 2 * runtime.NumCPU()
	}
	return nil
}

// create makes sure that the file exists before SQLite does it with wider
// permissions. SQLite gives its side files those of the database.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the operator names the file
	if err != nil {
		return err
	}
	return file.Close()
}

func pool(path string, o Options, connections int, settings ...string) (*sql.DB, error) {
	c, err := connector(path, o, settings...)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func connector(path string, o Options, settings ...string) (driver.Connector, error) {
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: strings.Join(append([]string{
		"_busy_timeout=" + strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10),
		"_journal_mode=WAL",
		"_synchronous=" + string(o.Synchronous),
		"_dqs=0",
	}, settings...), "&")}
	return sqlite.NewConnector(uri.String())
}

// warmUp connects for the first time, under the lock: of several processes that
// turn write-ahead logging on at once, all but one would fail, busy timeout or
// not.
func warmUp(ctx context.Context, lock func(context.Context) (func() error, error), pools ...*sql.DB) (err error) {
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for _, db := range pools {
		if err := db.PingContext(ctx); err != nil {
			return err
		}
	}
	return nil
}
