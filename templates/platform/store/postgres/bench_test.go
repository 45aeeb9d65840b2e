package postgres_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/testenv"
)

// The benchmarks compare the store with what one would write by hand over pgx
// alone, in the same run, and count the CPU time of this process only: the server's
// is the same for both. What is one transaction here is one there.

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
		{Name: "id", Kind: store.UUID},
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
	id UUID NOT NULL PRIMARY KEY,
	customer_id TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	note TEXT COLLATE "C",
	total DOUBLE PRECISION NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX orders_customer_id ON orders (customer_id);
`

const (
	columns   = "id, customer_id, status, note, total, version, created_at, updated_at"
	selectOne = "SELECT " + columns + " FROM bench.orders WHERE id = $1"
	insertOne = "INSERT INTO bench.orders (" + columns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	updateOne = "UPDATE bench.orders SET customer_id = $1, status = $2, note = $3, total = $4, version = $5, created_at = $6, updated_at = $7 WHERE id = $8 AND version = $9"
	selectAll = "SELECT " + columns + " FROM bench.orders WHERE customer_id = $1 ORDER BY id LIMIT $2"
)

// bench is one database, opened by the store and by pgx alone.
type bench struct {
	store  *store.DB
	orders *store.Collection[order]
	pgx    *pgxpool.Pool
	ids    []string
}

func newBench(b *testing.B) bench {
	b.Helper()
	url := testenv.Postgres(b)
	db := open(b, url, store.Place{Service: "bench"})
	must(b, db.Migrate(b.Context(), fstest.MapFS{"0001_init.sql": {Data: []byte(ordersTable)}}))
	x := bench{store: db, orders: store.NewCollection(db, orders)}
	var err error
	x.pgx, err = pgxpool.New(b.Context(), url+"&pool_max_conns=10")
	must(b, err)
	b.Cleanup(x.pgx.Close)
	must(b, db.Run(b.Context(), func(ctx context.Context) error {
		for i := range 1000 {
			row := order{CustomerID: fmt.Sprint("customer", i%50), Status: "pending", Total: 12.5}
			must(b, x.orders.Create(ctx, &row))
			x.ids = append(x.ids, row.ID)
		}
		return nil
	}))
	return x
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// measure runs one side of a comparison.
func measure(b *testing.B, name string, run func(b *testing.B, i int)) {
	b.Run(name, func(b *testing.B) {
		run(b, 0) // what is prepared once is
		b.ReportAllocs()
		began, i := cpu(b), 0
		for b.Loop() {
			i++
			run(b, i)
		}
		b.ReportMetric(float64(cpu(b)-began)/float64(i), "cpu-ns/op")
	})
}

// cpu is the CPU time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func scanOrder(row interface{ Scan(...any) error }, o *order) error {
	var created, updated int64
	err := row.Scan(&o.ID, &o.CustomerID, &o.Status, &o.Note, &o.Total, &o.Version, &created, &updated)
	o.CreatedAt, o.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return err
}

func BenchmarkGet(b *testing.B) {
	x := newBench(b)
	measure(b, "store", func(b *testing.B, i int) {
		_, err := x.orders.Get(b.Context(), x.ids[i%len(x.ids)])
		must(b, err)
	})
	measure(b, "by hand", func(b *testing.B, i int) {
		var o order
		must(b, scanOrder(x.pgx.QueryRow(b.Context(), selectOne, x.ids[i%len(x.ids)]), &o))
	})
}

// values are those of a new order.
func values(o order) []any {
	now := time.Now()
	o.ID, o.Version, o.CreatedAt, o.UpdatedAt = uuid.Must(uuid.NewV7()).String(), 1, now, now
	return []any{o.ID, o.CustomerID, o.Status, o.Note, o.Total, o.Version, o.CreatedAt.UnixMicro(), o.UpdatedAt.UnixMicro()}
}

func BenchmarkCreate(b *testing.B) {
	x := newBench(b)
	fresh := order{CustomerID: "c", Status: "pending", Total: 1}
	create := func(ctx context.Context) error {
		row := fresh
		return x.orders.Create(ctx, &row)
	}
	measure(b, "store, in a unit", func(b *testing.B, _ int) { must(b, x.store.Run(b.Context(), create)) })
	measure(b, "by hand, in a transaction", func(b *testing.B, _ int) {
		must(b, pgx.BeginFunc(b.Context(), x.pgx, func(tx pgx.Tx) error {
			_, err := tx.Exec(b.Context(), insertOne, values(fresh)...)
			return err
		}))
	})
	measure(b, "store, alone", func(b *testing.B, _ int) { must(b, create(b.Context())) })
	measure(b, "by hand, alone", func(b *testing.B, _ int) {
		_, err := x.pgx.Exec(b.Context(), insertOne, values(fresh)...)
		must(b, err)
	})
}

func BenchmarkUpdate(b *testing.B) {
	x := newBench(b)
	measure(b, "store", func(b *testing.B, i int) {
		_, err := x.orders.Update(b.Context(), x.ids[i%len(x.ids)], func(o *order) error { o.Total++; return nil })
		must(b, err)
	})
	measure(b, "by hand", func(b *testing.B, i int) {
		must(b, pgx.BeginFunc(b.Context(), x.pgx, func(tx pgx.Tx) error {
			var o order
			if err := scanOrder(tx.QueryRow(b.Context(), selectOne+" FOR NO KEY UPDATE", x.ids[i%len(x.ids)]), &o); err != nil {
				return err
			}
			_, err := tx.Exec(b.Context(), updateOne, o.CustomerID, o.Status, o.Note, o.Total+1, o.Version+1,
				o.CreatedAt.UnixMicro(), time.Now().UnixMicro(), o.ID, o.Version)
			return err
		}))
	})
}

func BenchmarkList(b *testing.B) {
	x := newBench(b)
	measure(b, "store", func(b *testing.B, _ int) {
		page, err := x.orders.List(b.Context(), store.Query{Where: []store.Cond{store.Eq("customer_id", "customer7")}, Limit: 20})
		must(b, err)
		if len(page.Items) != 20 || page.HasMore {
			b.Fatal(len(page.Items))
		}
	})
	measure(b, "by hand", func(b *testing.B, _ int) {
		rows, err := x.pgx.Query(b.Context(), selectAll, "customer7", 20)
		must(b, err)
		defer rows.Close()
		list := make([]order, 0, 20)
		for rows.Next() {
			list = append(list, order{})
			must(b, scanOrder(rows, &list[len(list)-1]))
		}
		must(b, rows.Err())
		if len(list) != 20 {
			b.Fatal(len(list))
		}
	})
}
