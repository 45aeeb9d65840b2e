// Package postgres opens PostgreSQL as a store: one schema for each service, and
// one pool, whose connections units of work never take to the last.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

const (
	lockRetry   = 50 * time.Millisecond
	dropTimeout = 10 * time.Second
)

// OpenService opens the database of one service at a URL such as
// postgres://user:password@host:5432/database. The service keeps to a schema of its
// name, which is made if it is missing; if the URL is for one service only, its
// search_path may name another. The query takes pgx's parameters, settings of the
// session and pool_max_conns, 10 by default. A throwaway has a schema apart, which
// closing the DB drops.
//
// A server that cannot be reached is store.ErrUnavailable within seconds.
func OpenService(ctx context.Context, rawURL string, p store.Place) (*store.DB, error) {
	s, err := parse(rawURL, p)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	db := pool(s.config, s.connections)
	c := store.Config{
		Name:   p.Service,
		Writer: db,
		Reader: db,
		// A unit may wait for a read outside of it, which needs a connection, too.
		Writers:  s.connections - max(1, s.connections/4),
		Migrator: s.migrator,
		Native:   native{},
		Dialect: store.Dialect{
			Goose:         goose.DialectPostgres,
			Quote:         '"',
			Numbered:      true,
			ReturningKey:  true,
			AbortsOnError: true,
			AdvanceKey:    advanceKey,
			FindText:      [3]string{"strpos(lower(", ` COLLATE "C"), `, ") > 0"},
			LockRow:       " FOR NO KEY UPDATE", // rows that refer to it may still be added
			Types:         store.Types{Key: `TEXT COLLATE "C"`, Integer: "BIGINT", Bytes: "BYTEA"},
			Classify:      classify,
			Lock:          s.lock,
		},
	}
	if s.scratch {
		c.AfterClose = s.drop
	}
	return store.New(c), nil
}

// advanceKey makes the sequence behind an identity column go on after a number that
// a row brought itself.
func advanceKey(table, key string) string {
	table, key = pgx.Identifier{table}.Sanitize(), strings.ReplaceAll(key, "'", "''")
	column := pgx.Identifier{key}.Sanitize()
	return " RETURNING (SELECT setval(s, " + column + ") FROM (SELECT pg_get_serial_sequence('" + strings.ReplaceAll(table, "'", "''") +
		"', '" + key + "')::regclass AS s) q WHERE " + column + " > COALESCE(pg_sequence_last_value(s), 0))"
}

// migrator opens a pool for migrations, which may take their time.
func (s *settings) migrator() *sql.DB {
	config := s.config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	return pool(config, 1)
}

// prepare connects for the first time and sees to the schema.
func (s *settings) prepare(ctx context.Context) (err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		return fmt.Errorf("the database %s holds text in %s; make it with ENCODING 'UTF8'", s.config.Database, encoding)
	}
	if s.schema == "" {
		return nil
	}
	// Who made the schema may have no right to make one, so look first.
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", s.schema).Scan(&exists)
	if err != nil || exists {
		return err
	}
	// IF NOT EXISTS fails when two do it at once.
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+s.path)
	if err != nil {
		err = fmt.Errorf("make the schema %s: %w", s.path, err)
	}
	return errors.Join(err, unlock())
}

func (s *settings) connect(ctx context.Context) (*pgx.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, s.config.ConnectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(limited, s.config)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	default:
		return nil, s.explain(err)
	}
}

// lock takes the lock of this schema's migrations, on a connection of its own: the
// pool may be busy, and the lock goes with the connection if this process dies.
//
// It polls, as goose's own locker does, because a session that waits inside
// pg_advisory_lock holds a snapshot, for which CREATE INDEX CONCURRENTLY in a
// migration would wait in turn. goose's polls once a second at most, which makes
// six replicas start for as many seconds.
func (s *settings) lock(ctx context.Context) (unlock func() error, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte("migrate " + s.path)) // a hash never fails
	id := int64(h.Sum64())                      // #nosec G115 -- any 64 bits will do
	retry := time.NewTicker(lockRetry)
	defer retry.Stop()
	for {
		var held bool
		if err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", id).Scan(&held); err != nil {
			break
		}
		if held {
			return func() error { return release(conn, id) }, nil
		}
		select {
		case <-retry.C:
			continue
		case <-ctx.Done():
			err = fmt.Errorf("%w: the schema %s is being migrated by another process: %w", store.ErrBusy, s.path, ctx.Err())
		}
		break
	}
	return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// release gives the lock back before the connection goes: the server notices the
// end of a connection a little later.
func release(conn *pgx.Conn, id int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	_, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", id)
	return errors.Join(err, conn.Close(ctx))
}

// drop removes a throwaway.
func (s *settings) drop() error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	conn, err := s.connect(ctx)
	if err != nil {
		return fmt.Errorf("drop the schema %s: %w", s.path, err)
	}
	_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+s.path+" CASCADE")
	return errors.Join(err, conn.Close(ctx))
}
