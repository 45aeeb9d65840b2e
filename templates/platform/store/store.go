// Package store keeps a service's rows: typed collections over database/sql,
// with a unit of work, versions, keyset paging and idempotency keys. It knows
// no engine; what differs between engines is a Dialect.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const defaultBusyTimeout = 5 * time.Second

// DB is the opened database of one service. Its methods are safe for
// concurrent use.
type DB struct {
	name        string
	writer      *sql.DB
	reader      *sql.DB
	native      Native
	dialect     Dialect
	busyTimeout time.Duration
	now         func() time.Time
	afterClose  func() error
	migrator    func() *sql.DB
	turns       chan struct{} // one per unit that may write at once; first come, first served
	reads       *statements
	writes      *statements
	dependents  dependents
	saves       atomic.Uint64 // idempotency keys saved, for the sweep
}

// Config says what a DB is made of. An engine's package fills it in.
type Config struct {
	Name        string           // sets this database apart from others that share a cache; the service's name
	Writer      *sql.DB          // runs transactions
	Reader      *sql.DB          // runs reads outside transactions; may be the same as Writer
	Writers     int              // how many transactions may be open at once; 1 when zero
	Native      Native           // runs statements beneath database/sql; through it when nil
	Dialect     Dialect          // what the engine does its own way
	AfterClose  func() error     // run once the pools are closed; may be nil
	Migrator    func() *sql.DB   // opens a pool for Migrate alone; the Writer when nil
	BusyTimeout time.Duration    // how long a unit waits for its turn to write; 5 s when zero
	Now         func() time.Time // the clock of the columns that the store sets; time.Now when nil
}

// New returns a DB over pools that the engine's package has opened. The DB
// owns them from here on.
func New(c Config) *DB {
	if c.Writers <= 0 {
		c.Writers = 1
	}
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = defaultBusyTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &DB{
		name:        c.Name,
		writer:      c.Writer,
		reader:      c.Reader,
		native:      c.Native,
		dialect:     c.Dialect,
		busyTimeout: c.BusyTimeout,
		now:         c.Now,
		afterClose:  c.AfterClose,
		migrator:    c.Migrator,
		turns:       make(chan struct{}, c.Writers),
		reads:       newStatements(c.Reader),
		writes:      newStatements(c.Writer),
	}
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return db.failure(ctx, "ping the database", err)
	}
	return nil
}

// Close closes the pools. Units that still run fail.
func (db *DB) Close() error {
	db.reads.close()
	db.writes.close()
	err := db.reader.Close()
	if db.writer != db.reader {
		err = errors.Join(err, db.writer.Close())
	}
	if db.afterClose != nil {
		err = errors.Join(err, db.afterClose())
	}
	return err
}

// Stats describes the pools, for metrics.
type Stats struct {
	Writer sql.DBStats
	Reader sql.DBStats
}

// Stats returns the state of the pools.
func (db *DB) Stats() Stats {
	return Stats{Writer: db.writer.Stats(), Reader: db.reader.Stats()}
}

// clock returns the time that is written to rows: UTC, in microseconds, which
// is what a column can hold.
func (db *DB) clock() time.Time {
	return db.now().UTC().Truncate(time.Microsecond)
}

// failure turns an error of the driver into one that a caller can act on.
func (db *DB) failure(ctx context.Context, doing string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", doing, ended)
	}
	switch db.dialect.Classify(err).Kind {
	case ViolationBusy:
		return fmt.Errorf("%s: %w: %w", doing, ErrBusy, err)
	case ViolationUnavailable:
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
