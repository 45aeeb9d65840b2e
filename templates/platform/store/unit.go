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
	tx     *transaction
	broken error // what made the transaction unusable; it can only be rolled back
	// mendable: broken is no more than a broken rule on an engine that aborts on
	// it, and rolling back to a savepoint makes the transaction usable again.
	mendable bool
	ended    bool
	// single: the unit is one statement, which needs no transaction where the engine
	// can do without.
	single bool
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
	return db.run(ctx, &unit{db: db, parent: current(ctx), ctx: ctx}, fn)
}

func (db *DB) run(ctx context.Context, u *unit, fn func(ctx context.Context) error) error {
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
// itself. It is atomic without a savepoint; single says that one statement does it.
func (db *DB) write(ctx context.Context, single bool, fn func(ctx context.Context) error) error {
	if unitOf(ctx, db) != nil {
		return fn(ctx)
	}
	return db.run(ctx, &unit{db: db, parent: current(ctx), ctx: ctx, single: single && db.native != nil}, fn)
}

// Tx returns the transaction of the unit that ctx carries, begun if it had not
// been, for a query written by hand. It must not be committed or rolled back,
// and rows that it changes must be passed to Collection.Invalidate.
func (db *DB) Tx(ctx context.Context) (*sql.Tx, error) {
	u := unitOf(ctx, db)
	if u == nil {
		return nil, errors.New("a transaction was asked for outside a unit of work")
	}
	t, err := u.begin()
	if err != nil {
		return nil, err
	}
	return t.forHand(u.ctx)
}

// transaction returns the transaction of the unit that ctx carries, begun if it had
// not been.
func (db *DB) transaction(ctx context.Context) (*transaction, error) {
	return unitOf(ctx, db).begin()
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
func (u *unit) begin() (*transaction, error) {
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
	t, err := u.db.beginTransaction(u.ctx, u.single)
	if err != nil {
		u.db.endTurn()
		return nil, err
	}
	u.tx = t
	return t, nil
}

// begun returns the transaction, or nil when the unit has not written yet.
func (u *unit) begun() (*transaction, error) {
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
func (u *unit) spoil(err error) { u.ruin(err, false) }

// aborted says that a broken rule has cost the transaction, on an engine where it
// does.
func (u *unit) aborted(err error) {
	if u.db.dialect.AbortsOnError {
		u.ruin(err, true)
	}
}

func (u *unit) ruin(err error, mendable bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.broken == nil || u.mendable {
		u.broken = fmt.Errorf("the unit of work is spoilt by an earlier failure: %w", err)
		u.mendable = mendable
	}
}

// failed is the error of a statement that failed for another reason than a broken
// rule. That may have cost the transaction, so it spoils a unit that has one.
func (db *DB) failed(ctx context.Context, doing string, err error) error {
	u := unitOf(ctx, db)
	if u == nil || !u.writing() || errors.Is(err, ErrUnitEnded) {
		return db.failure(ctx, doing, err)
	}
	err = db.late(ctx, doing, err)
	u.spoil(err)
	return err
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
	if broken == nil && u.tx != nil && u.ctx.Err() != nil {
		broken = u.db.failure(u.ctx, "commit", u.ctx.Err())
	}
	u.mu.Unlock()
	if broken != nil {
		u.rollback()
		return broken
	}
	t := u.end()
	defer u.over()
	if t != nil {
		err := t.end(u.ctx, true)
		u.db.endTurn()
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
	t := u.end()
	defer u.over()
	if t != nil {
		u.discard(t)
	}
}

// discard rolls a transaction back. If that fails its connection is dropped, which
// does the same.
func (u *unit) discard(t *transaction) {
	_ = t.end(u.ctx, false)
	u.db.endTurn()
}

// end closes the unit for further work.
func (u *unit) end() *transaction {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	t := u.tx
	u.tx = nil
	return t
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
