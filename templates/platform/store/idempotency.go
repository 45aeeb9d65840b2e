package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

const (
	idempotencyKeys = "idempotency_keys"
	// sweepEvery and sweepSize bound the work of removing expired keys: more are
	// removed than added, and no save removes many.
	sweepEvery = 64
	sweepSize  = 256
	// maxKeyColumn is how many bytes Types.Key promises to hold.
	maxKeyColumn = 255
)

// Replay is a response that is kept under an idempotency key.
type Replay struct {
	Status int
	Header map[string][]string
	Body   []byte
}

// LookupKey returns the response that was saved under key in scope, or nil if
// there is none or it has expired. It returns *KeyReused if requestHash is not
// that of the request which the response was for.
func (db *DB) LookupKey(ctx context.Context, scope, key string, requestHash [32]byte) (*Replay, error) {
	q := text{dialect: &db.dialect}
	q.sql("SELECT ", db.dialect.quoteAll([]string{"request_hash", "status", "header", "body"}), " FROM ").name(idempotencyKeys)
	q.sql(" WHERE ").name("scope").sql(" = ").bind(keyColumn(scope))
	q.sql(" AND ").name("idempotency_key").sql(" = ").bind(keyColumn(key))
	q.sql(" AND ").name("expires_at").sql(" > ").bind(db.clock().UnixMicro())
	var (
		hash, header []byte
		replay       Replay
	)
	found, err := db.queryRow(ctx, q.String(), q.args, &hash, &replay.Status, &header, &replay.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up an idempotency key: %w", err)
	case !found:
		return nil, nil
	case !bytes.Equal(hash, requestHash[:]):
		return nil, &KeyReused{Key: key}
	}
	if err := json.Unmarshal(header, &replay.Header); err != nil {
		return nil, fmt.Errorf("read a saved response: %w", err)
	}
	return &replay, nil
}

// SaveKey keeps the response to a request under key in scope for ttl. It joins
// the unit that ctx carries, so that the key is saved exactly when the request
// has taken effect. It returns *KeyTaken if another unit was first.
func (db *DB) SaveKey(ctx context.Context, scope, key string, requestHash [32]byte, replay Replay, ttl time.Duration) error {
	header, err := json.Marshal(replay.Header)
	if err != nil {
		return fmt.Errorf("save a response: %w", err)
	}
	body := replay.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	now := db.clock()
	return db.write(ctx, false, func(ctx context.Context) error {
		if err := db.expire(ctx, scope, key, now); err != nil {
			return err
		}
		q := text{dialect: &db.dialect}
		q.sql("INSERT INTO ").name(idempotencyKeys).sql(" (", db.dialect.quoteAll([]string{
			"scope", "idempotency_key", "request_hash", "status", "header", "body", "expires_at",
		}), ") VALUES (").bind(keyColumn(scope)).sql(", ").bind(keyColumn(key)).sql(", ").bind(requestHash[:]).sql(", ").bind(int64(replay.Status))
		q.sql(", ").bind(header).sql(", ").bind(body).sql(", ").bind(now.Add(ttl).UnixMicro()).sql(")", unlessTaken)
		saved, err := db.exec(ctx, "save an idempotency key", &q)
		if err == nil && saved == 0 {
			return &KeyTaken{Key: key}
		}
		return err
	})
}

// expire removes the key if it has expired, and now and then some other
// expired keys, the oldest first.
func (db *DB) expire(ctx context.Context, scope, key string, now time.Time) error {
	q := text{dialect: &db.dialect}
	q.sql("DELETE FROM ").name(idempotencyKeys)
	q.sql(" WHERE ").name("scope").sql(" = ").bind(keyColumn(scope))
	q.sql(" AND ").name("idempotency_key").sql(" = ").bind(keyColumn(key))
	q.sql(" AND ").name("expires_at").sql(" <= ").bind(now.UnixMicro())
	if _, err := db.exec(ctx, "remove an expired idempotency key", &q); err != nil {
		return err
	}
	if db.saves.Add(1)%sweepEvery != 0 {
		return nil
	}
	return db.sweep(ctx, now)
}

func (db *DB) sweep(ctx context.Context, now time.Time) error {
	// DELETE … LIMIT is not portable; the expiry of the last one to go is.
	last := text{dialect: &db.dialect}
	last.sql("SELECT ").name("expires_at").sql(" FROM ").name(idempotencyKeys)
	last.sql(" WHERE ").name("expires_at").sql(" <= ").bind(now.UnixMicro())
	last.sql(" ORDER BY ").name("expires_at").sql(" LIMIT 1 OFFSET ").bind(int64(sweepSize - 1))
	until := now.UnixMicro()
	if _, err := db.queryRow(ctx, last.String(), last.args, &until); err != nil {
		return err
	}
	q := text{dialect: &db.dialect}
	q.sql("DELETE FROM ").name(idempotencyKeys).sql(" WHERE ").name("expires_at").sql(" <= ").bind(until)
	_, err := db.exec(ctx, "sweep idempotency keys", &q)
	return err
}

// exec runs a statement in the unit of ctx, and returns how many rows it wrote.
func (db *DB) exec(ctx context.Context, doing string, q *text) (int64, error) {
	tx, err := db.transaction(ctx)
	if err != nil {
		return 0, err
	}
	result, err := tx.exec(ctx, q.String(), q.args...)
	if err != nil {
		return 0, db.failed(ctx, doing, err)
	}
	return result.RowsAffected()
}

// keyColumn is text as the key columns hold it: as it is, or, if it is too long or
// of a kind that no column can hold, its hash.
func keyColumn(text string) string {
	if len(text) <= maxKeyColumn && holdable(text) {
		return text
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
}

// idempotencyTable is the first of the store's own migrations.
func (d *Dialect) idempotencyTable() []string {
	q := text{dialect: d}
	q.sql("CREATE TABLE ").name(idempotencyKeys).sql(" (\n")
	for _, column := range []struct{ name, kind string }{
		{"scope", d.Types.Key},
		{"idempotency_key", d.Types.Key},
		{"request_hash", d.Types.Bytes},
		{"status", d.Types.Integer},
		{"header", d.Types.Bytes},
		{"body", d.Types.Bytes},
		{"expires_at", d.Types.Integer},
	} {
		q.sql("\t").name(column.name).sql(" ", column.kind, " NOT NULL,\n")
	}
	q.sql("\tPRIMARY KEY (", d.quoteAll([]string{"scope", "idempotency_key"}), ")\n)")
	index := text{dialect: d}
	index.sql("CREATE INDEX ").name(idempotencyKeys + "_expires_at").sql(" ON ").name(idempotencyKeys)
	index.sql(" (").name("expires_at").sql(")")
	return []string{q.String(), index.String()}
}
