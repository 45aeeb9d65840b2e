package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

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
		return db.late(ctx, "wait for a turn to write", ctx.Err())
	}
}

// late is failure for what waits for others: a transaction that begins, and its
// statements. If time ran out, others had the database, or a row, for too long.
func (db *DB) late(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", doing, ErrBusy, ctx.Err())
	}
	return db.failure(ctx, doing, err)
}

func (db *DB) endTurn() { <-db.turns }

// closeQuietly gives a connection back. It only fails for a connection that is
// gone already.
func closeQuietly(conn *sql.Conn) { _ = conn.Close() }
