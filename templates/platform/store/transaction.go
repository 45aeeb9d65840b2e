package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"time"
)

// endTimeout bounds a ROLLBACK, which does not end with the ctx of its unit.
const endTimeout = 10 * time.Second

// Native is an engine's way of running statements beneath database/sql, whose rows
// may cost more than their work. conn is the driver's connection.
type Native interface {
	// Query copies the columns of each row to where dest, called anew, points, and
	// returns how many rows there were.
	Query(ctx context.Context, conn any, query string, args []any, dest func() []any) (int, error)
	// Exec returns how many rows were written.
	Exec(ctx context.Context, conn any, query string, args []any) (int64, error)
}

// transaction is a transaction on a connection of its own, or, if it is single, a
// statement that is one by itself.
type transaction struct {
	db     *DB
	conn   *sql.Conn
	single bool

	mu sync.Mutex
	tx *sql.Tx // with a Native, made when it is asked for
}

func (db *DB) beginTransaction(ctx context.Context, single bool) (*transaction, error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return nil, db.late(ctx, "connect to the database", err)
	}
	t := &transaction{db: db, conn: conn, single: single}
	switch {
	case db.native == nil:
		t.tx, err = conn.BeginTx(ctx, nil)
	case !single:
		_, err = t.exec(ctx, "BEGIN")
	}
	if err != nil {
		closeQuietly(conn)
		return nil, db.late(ctx, "begin a transaction", err)
	}
	return t, nil
}

// forHand returns the transaction for queries written by hand. With a Native, the
// driver's BeginTx finds the connection in a transaction, and joins it.
func (t *transaction) forHand(ctx context.Context) (*sql.Tx, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tx == nil {
		var err error
		if t.tx, err = t.conn.BeginTx(ctx, nil); err != nil {
			return nil, t.db.late(ctx, "join the transaction", err)
		}
	}
	return t.tx, nil
}

func (t *transaction) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if t.db.native == nil {
		return t.db.writes.execIn(ctx, t.tx, query, args...)
	}
	var rows int64
	err := t.conn.Raw(func(conn any) (err error) {
		rows, err = t.db.native.Exec(ctx, conn, query, args)
		return err
	})
	return driver.RowsAffected(rows), err
}

func (t *transaction) each(ctx context.Context, query string, args []any, dest func() []any) (int, error) {
	if t.db.native != nil {
		return t.db.queryOn(ctx, t.conn, query, args, dest)
	}
	rows, err := t.db.writes.queryIn(ctx, t.tx, query, args...)
	return drain(rows, err, dest)
}

// end commits or rolls back, and gives the connection back. One whose transaction
// did not end well may still be inside it, so it is dropped.
func (t *transaction) end(ctx context.Context, commit bool) error {
	err := t.finish(ctx, commit)
	if err != nil && ctx.Err() == nil {
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	closeQuietly(t.conn)
	return err
}

func (t *transaction) finish(ctx context.Context, commit bool) (err error) {
	if t.tx != nil { // with a Native this ends no more than the queries by hand
		if commit {
			err = t.tx.Commit()
		} else if err = t.tx.Rollback(); errors.Is(err, sql.ErrTxDone) { // the end of ctx came first
			err = nil
		}
	}
	if t.db.native == nil || t.single {
		return err
	}
	if commit {
		_, err = t.exec(ctx, "COMMIT")
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	_, err = t.exec(ctx, "ROLLBACK")
	return err
}

// each runs a query where ctx wants it: in the transaction of its unit once that has
// begun, else on the reader pool. Each row goes to where dest, called anew, points.
// It returns how many there were.
func (db *DB) each(ctx context.Context, query string, args []any, dest func() []any) (int, error) {
	if u := unitOf(ctx, db); u != nil {
		t, err := u.begun()
		if err != nil {
			return 0, err
		}
		if t != nil {
			return t.each(ctx, query, args, dest)
		}
	}
	if db.native == nil {
		rows, err := db.reads.query(ctx, query, args...)
		return drain(rows, err, dest)
	}
	conn, err := db.reader.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer closeQuietly(conn)
	return db.queryOn(ctx, conn, query, args, dest)
}

func (db *DB) queryOn(ctx context.Context, conn *sql.Conn, query string, args []any, dest func() []any) (n int, err error) {
	err = conn.Raw(func(conn any) (err error) {
		n, err = db.native.Query(ctx, conn, query, args, dest)
		return err
	})
	return n, err
}

// drain scans the rows of a query.
func drain(rows *sql.Rows, err error, dest func() []any) (n int, _ error) {
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for ; rows.Next(); n++ {
		if err := rows.Scan(dest()...); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}
