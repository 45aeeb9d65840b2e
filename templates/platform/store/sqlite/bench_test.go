package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/e6b96b0c/backend/templates/platform/cache/local"
	"github.com/e6b96b0c/backend/templates/platform/store"
	sqlitestore "github.com/e6b96b0c/backend/templates/platform/store/sqlite"
)

type order struct {
	ID         string
	CustomerID string
	Status     string
	Note       *string
	Total      float64
	Version    int64
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

var orders = &store.Table[order]{
	Name:     "orders",
	Resource: "order",
	Columns: []store.Column{
		{Name: "id", Kind: store.Text},
		{Name: "customer_id", Kind: store.Text},
		{Name: "status", Kind: store.Text},
		{Name: "note", Kind: store.Text, Nullable: true},
		{Name: "total", Kind: store.Real},
		{Name: "version", Kind: store.Integer},
		{Name: "created_at", Kind: store.Time},
		{Name: "updated_at", Kind: store.Time},
	},
	Fields: func(r *order) []any {
		return []any{
			&r.ID, &r.CustomerID, &r.Status, &r.Note, &r.Total, &r.Version,
			store.TimeField(&r.CreatedAt), store.TimeField(&r.UpdatedAt),
		}
	},
	Key:       "id",
	Version:   "version",
	CreatedAt: []string{"created_at"},
	UpdatedAt: []string{"updated_at"},
}

const ordersTable = `-- +goose Up
CREATE TABLE orders (
	id TEXT NOT NULL PRIMARY KEY,
	customer_id TEXT NOT NULL,
	status TEXT NOT NULL,
	note TEXT,
	total REAL NOT NULL,
	version INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX orders_customer_id ON orders (customer_id);
`

const columns = "id, customer_id, status, note, total, version, created_at, updated_at"

// bench is one file, opened by the store and by database/sql alone.
type bench struct {
	store          *store.DB
	orders         *store.Collection[order]
	writer, reader *sql.DB
	ids            []string
}

func newBench(b *testing.B, opts ...store.Option) bench {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.db")
	db, err := sqlitestore.Open(b.Context(), path, sqlitestore.Options{})
	must(b, err)
	must(b, db.Migrate(b.Context(), fstest.MapFS{"0001_init.sql": {Data: []byte(ordersTable)}}))
	x := bench{store: db, orders: store.NewCollection(db, orders, opts...), writer: pool(b, path, "_txlock=immediate", 1), reader: pool(b, path, "_query_only=1", 4)}
	must(b, db.Run(b.Context(), func(ctx context.Context) error {
		for i := range 1000 {
			row := order{CustomerID: fmt.Sprint("customer", i%50), Status: "pending", Total: 12.5}
			must(b, x.orders.Create(ctx, &row))
			x.ids = append(x.ids, row.ID)
		}
		return nil
	}))
	b.Cleanup(func() {
		must(b, x.reader.Close())
		must(b, x.writer.Close())
		must(b, db.Close())
	})
	b.ReportAllocs()
	return x
}

func pool(b *testing.B, path, extra string, connections int) *sql.DB {
	u := url.URL{Scheme: "file", Path: path, RawQuery: "_busy_timeout=5000&_journal_mode=WAL&_synchronous=NORMAL&_foreign_keys=on&" + extra}
	connector, err := sqlite.NewConnector(u.String())
	must(b, err)
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func scanOrder(rows interface{ Scan(...any) error }, o *order) error {
	var created, updated int64
	err := rows.Scan(&o.ID, &o.CustomerID, &o.Status, &o.Note, &o.Total, &o.Version, &created, &updated)
	o.CreatedAt, o.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return err
}

func BenchmarkGet(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		x := newBench(b)
		for i := 0; b.Loop(); i++ {
			_, err := x.orders.Get(b.Context(), x.ids[i%len(x.ids)])
			must(b, err)
		}
	})
	b.Run("cached", func(b *testing.B) {
		kept, err := local.New(local.Options{})
		must(b, err)
		b.Cleanup(func() { must(b, kept.Close()) })
		x := newBench(b, store.WithCache(kept, time.Hour))
		for i := 0; b.Loop(); i++ {
			_, err := x.orders.Get(b.Context(), x.ids[i%len(x.ids)])
			must(b, err)
		}
	})
	b.Run("by hand", func(b *testing.B) {
		x := newBench(b)
		stmt, err := x.reader.Prepare("SELECT " + columns + " FROM orders WHERE id = ?")
		must(b, err)
		for i := 0; b.Loop(); i++ {
			var o order
			must(b, scanOrder(stmt.QueryRowContext(b.Context(), x.ids[i%len(x.ids)]), &o))
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		x := newBench(b)
		for b.Loop() {
			must(b, x.orders.Create(b.Context(), &order{CustomerID: "c", Status: "pending", Total: 1}))
		}
	})
	b.Run("by hand", func(b *testing.B) {
		x := newBench(b)
		stmt, err := x.writer.Prepare("INSERT INTO orders (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
		must(b, err)
		for b.Loop() {
			now := time.Now().UnixMicro()
			tx, err := x.writer.BeginTx(b.Context(), nil)
			must(b, err)
			_, err = tx.StmtContext(b.Context(), stmt).ExecContext(b.Context(), uuid.Must(uuid.NewV7()).String(), "c", "pending", nil, 1.0, 1, now, now)
			must(b, err)
			must(b, tx.Commit())
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		x := newBench(b)
		for i := 0; b.Loop(); i++ {
			_, err := x.orders.Update(b.Context(), x.ids[i%len(x.ids)], func(o *order) error { o.Total++; return nil })
			must(b, err)
		}
	})
	b.Run("by hand", func(b *testing.B) {
		x := newBench(b)
		get, err := x.writer.Prepare("SELECT " + columns + " FROM orders WHERE id = ?")
		must(b, err)
		set, err := x.writer.Prepare("UPDATE orders SET customer_id = ?, status = ?, note = ?, total = ?, version = ?, created_at = ?, updated_at = ? WHERE id = ? AND version = ?")
		must(b, err)
		for i := 0; b.Loop(); i++ {
			tx, err := x.writer.BeginTx(b.Context(), nil)
			must(b, err)
			var o order
			must(b, scanOrder(tx.StmtContext(b.Context(), get).QueryRowContext(b.Context(), x.ids[i%len(x.ids)]), &o))
			o.Total++
			_, err = tx.StmtContext(b.Context(), set).ExecContext(b.Context(), o.CustomerID, o.Status, o.Note, o.Total, o.Version+1,
				o.CreatedAt.UnixMicro(), time.Now().UnixMicro(), o.ID, o.Version)
			must(b, err)
			must(b, tx.Commit())
		}
	})
}

func BenchmarkList(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		x := newBench(b)
		for b.Loop() {
			page, err := x.orders.List(b.Context(), store.Query{Where: []store.Cond{store.Eq("customer_id", "customer7")}, Limit: 20})
			must(b, err)
			if len(page.Items) != 20 {
				b.Fatal(len(page.Items))
			}
		}
	})
	b.Run("by hand", func(b *testing.B) {
		x := newBench(b)
		stmt, err := x.reader.Prepare("SELECT " + columns + " FROM orders WHERE customer_id = ? ORDER BY id LIMIT ?")
		must(b, err)
		for b.Loop() {
			rows, err := stmt.QueryContext(b.Context(), "customer7", 20)
			must(b, err)
			list := make([]order, 0, 20)
			for rows.Next() {
				list = append(list, order{})
				must(b, scanOrder(rows, &list[len(list)-1]))
			}
			must(b, rows.Err())
			if len(list) != 20 {
				b.Fatal(len(list))
			}
		}
	})
}
