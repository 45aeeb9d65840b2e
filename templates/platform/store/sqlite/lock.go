package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

const lockRetry = 10 * time.Millisecond

// lockFile takes an exclusive lock that other processes, and other callers in
// this one, respect. It is SQLite's own lock on an empty database beside the
// real one: portable, and gone with the process that held it.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	if err := create(path); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "_txlock=exclusive"}
	connector, err := sqlite.NewConnector(uri.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	retry := time.NewTicker(lockRetry)
	defer retry.Stop()
	for {
		// The lock outlives ctx, so the transaction must not end with it.
		tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
		if err == nil {
			return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
		}
		if classify(err).Kind != store.ViolationBusy {
			return nil, errors.Join(err, db.Close())
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%w: %s is held by another process: %w", store.ErrBusy, path, ctx.Err()), db.Close())
		}
	}
}
