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
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		return ctx.Err()
	}
}

func (db *DB) endTurn() { <-db.turns }

// closeQuietly gives a connection back. It only fails for a connection that is
// gone already.
func closeQuietly(conn *sql.Conn) { _ = conn.Close() }
