package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

type unitKey struct{}

// unit is one unit of work: at most one transaction, begun at the first write.
type unit struct {
	db     *DB
	parent *unit           // the enclosing unit of another database
	ctx    context.Context // bounds the transaction: its end rolls back

	mu     sync.Mutex
	conn   *sql.Conn
	tx     *sql.Tx
	broken error // what made the transaction unusable; it can only be rolled back
	ended  bool
	marks  int      // savepoints made so far
	hooks  []func() // run after the commit
	ends   []func() // run when the unit is over, committed or not
}

// Run runs fn as a unit of work: what the collections write in fn's ctx is
// committed when fn returns nil, and rolled back when it returns an error,
// panics, or ctx ends.
//
// The transaction begins at the first write, or at the first call of Tx, so a
// fn that only reads holds no lock. Reads before that see what is committed;
// from then on they see the unit's own writes.
//
// In a ctx that carries a unit of this DB, fn joins it. A nested Run is all or
// nothing by itself: on an error its own writes are undone, and if the caller
// handles the error the unit goes on without them. A statement that fails for
// another reason than a broken rule (the disk is full, its ctx ended) spoils
// the whole unit: nothing of it can be committed any more.
//
// When Run returns an error, nothing was committed, with one exception that no
// database can avoid: a commit whose answer was lost.
func (db *DB) Run(ctx context.Context, fn func(ctx context.Context) error) error {
	if u := unitOf(ctx, db); u != nil {
		return u.nest(ctx, fn)
	}
	u := &unit{db: db, parent: current(ctx), ctx: ctx}
	returned := false
	defer func() {
		if !returned { // fn panicked
			u.rollback()
		}
	}()
	err := fn(context.WithValue(ctx, unitKey{}, u))
	returned = true
	if err != nil {
		u.rollback()
		return err
	}
	return u.commit()
}

// write runs one write of a collection in the unit of ctx, or as a unit by
// itself. It is a single statement and so needs no savepoint to be atomic.
func (db *DB) write(ctx context.Context, fn func(ctx context.Context) error) error {
	if unitOf(ctx, db) != nil {
		return fn(ctx)
	}
	return db.Run(ctx, fn)
}

// Tx returns the transaction of the unit that ctx carries, begun if it had not
// been, for a query written by hand. It must not be committed or rolled back,
// and rows that it changes must be passed to Collection.Invalidate.
func (db *DB) Tx(ctx context.Context) (*sql.Tx, error) {
	u := unitOf(ctx, db)
	if u == nil {
		return nil, errors.New("a transaction was asked for outside a unit of work")
	}
	return u.begin()
}

// AfterCommit calls fn once the unit that ctx carries is committed, before Run
// returns, and never if it is rolled back. Outside a unit it calls fn at once.
func AfterCommit(ctx context.Context, fn func()) {
	u := current(ctx)
	if u == nil {
		fn()
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hooks = append(u.hooks, fn)
}

// Detach returns ctx without its unit of work and its preconditions. It is what
// a call of another service gets: that service's writes are its own.
func Detach(ctx context.Context) context.Context {
	if current(ctx) != nil {
		ctx = context.WithValue(ctx, unitKey{}, (*unit)(nil))
	}
	if ctx.Value(expectationKey{}) != nil {
		ctx = context.WithValue(ctx, expectationKey{}, (*expectation)(nil))
	}
	return ctx
}

// Writing reports whether a unit of work that ctx carries has begun to write.
func Writing(ctx context.Context) bool {
	for u := current(ctx); u != nil; u = u.parent {
		if u.writing() {
			return true
		}
	}
	return false
}

func current(ctx context.Context) *unit {
	u, _ := ctx.Value(unitKey{}).(*unit)
	return u
}

func unitOf(ctx context.Context, db *DB) *unit {
	for u := current(ctx); u != nil; u = u.parent {
		if u.db == db {
			return u
		}
	}
	return nil
}

func (u *unit) writing() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tx != nil
}

// begin returns the unit's transaction and begins it at the first call.
func (u *unit) begin() (*sql.Tx, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.usable(); err != nil {
		return nil, err
	}
	if u.tx != nil {
		return u.tx, nil
	}
	if err := u.db.takeTurn(u.ctx); err != nil {
		return nil, err
	}
	u.db.writes.prepareWanted(u.ctx)
	conn, err := u.db.writer.Conn(u.ctx)
	if err != nil {
		u.db.endTurn()
		return nil, u.db.unbegun(u.ctx, "connect to the database", err)
	}
	tx, err := conn.BeginTx(u.ctx, nil)
	if err != nil {
		closeQuietly(conn)
		u.db.endTurn()
		return nil, u.db.unbegun(u.ctx, "begin a transaction", err)
	}
	u.conn, u.tx = conn, tx
	return tx, nil
}

// begun returns the transaction, or nil when the unit has not written yet.
func (u *unit) begun() (*sql.Tx, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tx, u.usable()
}

func (u *unit) usable() error {
	if u.ended {
		return ErrUnitEnded
	}
	return u.broken
}

// spoil makes the unit fail whatever follows.
func (u *unit) spoil(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.broken == nil {
		u.broken = fmt.Errorf("the unit of work is spoilt by an earlier failure: %w", err)
	}
}

// atEnd calls fn when the unit is over, whatever its outcome.
func (u *unit) atEnd(fn func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ends = append(u.ends, fn)
}

func (u *unit) commit() error {
	u.mu.Lock()
	broken := u.broken
	u.mu.Unlock()
	if broken != nil {
		u.rollback()
		return broken
	}
	tx, conn := u.end()
	defer u.over()
	if tx != nil {
		err := tx.Commit()
		u.release(conn, err)
		if err != nil {
			return u.db.failure(u.ctx, "commit", err)
		}
	}
	// Fences come down before the hooks, which may read.
	u.over()
	for _, hook := range u.hooks {
		hook()
	}
	return nil
}

func (u *unit) rollback() {
	tx, conn := u.end()
	defer u.over()
	if tx != nil {
		err := tx.Rollback()
		if errors.Is(err, sql.ErrTxDone) { // the end of ctx came first
			err = nil
		}
		u.release(conn, err)
	}
}

// end closes the unit for further work.
func (u *unit) end() (*sql.Tx, *sql.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	tx, conn := u.tx, u.conn
	u.tx, u.conn = nil, nil
	return tx, conn
}

// over runs what waits for the end of the unit, once.
func (u *unit) over() {
	u.mu.Lock()
	ends := u.ends
	u.ends = nil
	u.mu.Unlock()
	for _, end := range ends {
		end()
	}
}

// release gives the connection and the turn back. A connection whose
// transaction did not end well may still be inside it, so it is dropped.
func (u *unit) release(conn *sql.Conn, err error) {
	if err != nil && u.ctx.Err() == nil {
		_ = conn.Raw(func(any) error { return errDiscard })
	}
	closeQuietly(conn)
	u.db.endTurn()
}
