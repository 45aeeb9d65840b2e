package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// errDiscard makes database/sql close a connection instead of reusing it.
var errDiscard = driver.ErrBadConn

// takeTurn waits until the unit may open its transaction. Turns are taken in
// order: the pool of database/sql would pick among those who wait at random,
// which shows in the slowest requests.
func (db *DB) takeTurn(ctx context.Context) error {
	select {
	case db.turns <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(db.busyTimeout)
	defer timer.Stop()
	select {
	case db.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return fmt.Errorf("%w: no turn to write within %s", ErrBusy, db.busyTimeout)
	case <-ctx.Done():
		return db.unbegun(ctx, "wait for a turn to write", ctx.Err())
	}
}

// unbegun is the error of a transaction that could not begin. If time ran out,
// others had the database for too long.
func (db *DB) unbegun(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", doing, ErrBusy, ctx.Err())
	}
	return db.failure(ctx, doing, err)
}

func (db *DB) endTurn() { <-db.turns }

// closeQuietly gives a connection back. It only fails for a connection that is
// gone already.
func closeQuietly(conn *sql.Conn) { _ = conn.Close() }
