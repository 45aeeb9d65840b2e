package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// pool opens a pool of at most n connections.
func pool(config *pgx.ConnConfig, n int) *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetConnector(*config)})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return db
}

// connector makes connections that native and BeginTx know.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("pgx gave a connection of another kind"), conn.Close())
	}
	return &connection{inner}, nil
}

type connection struct{ *stdlib.Conn }

// IsValid makes database/sql keep the connection after a rollback that it did
// itself.
func (c *connection) IsValid() bool { return !c.Conn.Conn().IsClosed() }

// BeginTx begins a transaction at the session's default level, or joins the one
// that the store has begun on this connection, and which it will end.
func (c *connection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	conn := c.Conn.Conn()
	switch {
	case conn.IsClosed():
		return nil, driver.ErrBadConn
	case o.Isolation != driver.IsolationLevel(sql.LevelDefault) || o.ReadOnly:
		return nil, errors.New("only the default level of transactions is provided for")
	case conn.PgConn().TxStatus() != idle:
		return joined{}, nil
	}
	return c.Conn.BeginTx(ctx, o)
}

// idle is the status of a session outside of transactions.
const idle = 'I'

// joined ends with the transaction that it has joined.
type joined struct{}

func (joined) Commit() error { return nil }

func (joined) Rollback() error { return nil }

// native runs statements on pgx's connection. It keeps prepared statements itself.
type native struct{}

func (native) Query(ctx context.Context, conn any, query string, args []any, dest func() []any) (n int, err error) {
	c, err := inside(conn)
	if err != nil {
		return 0, err
	}
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var s scanner
	for ; rows.Next(); n++ {
		if err := s.scan(rows, dest()); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// scanner scans rows. An Int64Field is set from a value that is scanned in its place:
// for a Scan pgx would put one on the heap.
type scanner struct {
	ready bool
	room  [2]held // most rows have a time of creation and one of change
	held  []held
}

type held struct {
	column int
	field  store.Int64Field
	value  pgtype.Int8
}

func (s *scanner) scan(rows pgx.Rows, dest []any) error {
	if !s.ready {
		s.ready, s.held = true, s.room[:0]
		for i, d := range dest { // the same columns in every row
			if _, ok := d.(store.Int64Field); ok {
				s.held = append(s.held, held{column: i})
			}
		}
	}
	for i := range s.held {
		h := &s.held[i]
		h.field, _ = dest[h.column].(store.Int64Field)
		dest[h.column] = &h.value
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	for i := range s.held {
		h := &s.held[i]
		value := &h.value.Int64
		if !h.value.Valid {
			value = nil
		}
		dest[h.column] = h.field
		if err := h.field.SetInt64(value); err != nil {
			return err
		}
	}
	return nil
}

func (native) Exec(ctx context.Context, conn any, query string, args []any) (int64, error) {
	c, err := inside(conn)
	if err != nil {
		return 0, err
	}
	tag, err := c.Exec(ctx, query, args...)
	if err == nil && query == "COMMIT" && tag.String() == "ROLLBACK" {
		return 0, pgx.ErrTxCommitRollback
	}
	return tag.RowsAffected(), err
}

func inside(conn any) (*pgx.Conn, error) {
	c, ok := conn.(*connection)
	if !ok {
		return nil, fmt.Errorf("not a connection of this pool: %T", conn)
	}
	return c.Conn.Conn(), nil
}
