package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// platformVersions is the table that records the store's own migrations; a
// service's are in goose's default table.
const platformVersions = "store_db_version"

// Migrate brings the database up to date: the store's own tables, then the
// numbered SQL files in the root of files. Any number of processes may call it
// at once; one of them does the work. Every file is applied once and as a whole.
func (db *DB) Migrate(ctx context.Context, files fs.FS) (err error) {
	unlock, err := db.dialect.Lock(ctx)
	if err != nil {
		return fmt.Errorf("lock the database for its migration: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	pool := db.writer
	if db.migrator != nil {
		pool = db.migrator()
		defer func() { err = errors.Join(err, pool.Close()) }()
	}
	own, err := goose.NewProvider(db.dialect.Goose, pool, nil,
		goose.WithTableName(platformVersions),
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(db.migrations()...))
	if err != nil {
		return fmt.Errorf("prepare the store's own tables: %w", err)
	}
	if _, err := own.Up(ctx); err != nil {
		return fmt.Errorf("migrate the store's own tables: %w", err)
	}
	provider, err := goose.NewProvider(db.dialect.Goose, pool, files, goose.WithDisableGlobalRegistry(true))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrations are the store's own. Once released, one is never changed.
func (db *DB) migrations() []*goose.Migration {
	up := func(version int64, statements ...string) *goose.Migration {
		return goose.NewGoMigration(version, &goose.GoFunc{
			RunTx: func(ctx context.Context, tx *sql.Tx) error {
				for _, statement := range statements {
					if _, err := tx.ExecContext(ctx, statement); err != nil {
						return err
					}
				}
				return nil
			},
		}, nil)
	}
	return []*goose.Migration{up(1, db.dialect.idempotencyTable()...)}
}
