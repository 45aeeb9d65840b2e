package schema

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
	"github.com/e6b96b0c/backend/templates/testenv"
)

// database is an engine that migrations are tried on.
type database struct {
	engine model.Engine
	// migrate applies files in order, like a generated project does.
	migrate func(t *testing.T, files fs.FS)
	db      *sql.DB
	// shape lists tables, columns, keys and indexes.
	shape string
}

func engine(t *testing.T, name string) model.Engine {
	t.Helper()
	a, err := templates.FindAdapter("store", name)
	if err != nil {
		t.Fatal(err)
	}
	return model.Engine{
		Name: a.Name, Types: a.Types, Identity: a.Identity, MaxIndexBytes: a.MaxIndexBytes, LongIndex: a.LongIndex, Alter: model.Alter(a.Alter),
	}
}

func openSQLite(t *testing.T) *database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_foreign_keys=on&_dqs=0"}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &database{
		engine: engine(t, "sqlite"), db: db,
		migrate: func(t *testing.T, files fs.FS) {
			t.Helper()
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Migrate(t.Context(), files); err != nil {
				t.Fatal(err)
			}
		},
		shape: `SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' || c."notnull" || c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
				WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT IN ('goose_db_version', 'store_db_version', 'idempotency_keys')
			UNION ALL SELECT m.name || ' ' || f."from" || ' > ' || f."table" || '.' || f."to" || ' ' || f.on_delete FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
			UNION ALL SELECT tbl_name || ': ' || name || ' ' || sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name <> 'idempotency_keys'
			ORDER BY 1`,
	}
}

// openPostgres makes a schema of its own in a database.
func openPostgres(t *testing.T, url, schema string) *database {
	t.Helper()
	mark := "?"
	if strings.Contains(url, "?") {
		mark = "&"
	}
	db, err := sql.Open("pgx", url+mark+"default_query_exec_mode=simple_protocol&search_path="+schema) // no plan outlives a change
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	return &database{
		engine: engine(t, "postgres"), db: db,
		migrate: func(t *testing.T, files fs.FS) {
			t.Helper()
			p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
			if err == nil {
				_, err = p.Up(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		shape: `SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || is_identity || ' ' || COALESCE(collation_name, '') || COALESCE(column_default, '')
				FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'
			UNION ALL SELECT conrelid::regclass || ' ' || replace(pg_get_constraintdef(oid), ' NOT VALID', '') FROM pg_constraint
				WHERE contype IN ('p', 'f') AND connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'goose_db_version'
			UNION ALL SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%pkey%'
			ORDER BY 1`,
	}
}

func (d *database) strings(t *testing.T, query string) []string {
	t.Helper()
	rows, err := d.db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if !s.Valid {
			s.String = "NULL"
		}
		out = append(out, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (d *database) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := d.db.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// engines runs a test on each; every call of open gives an empty database.
func engines(t *testing.T, test func(t *testing.T, open func(t *testing.T) *database)) {
	t.Run("SQLite", func(t *testing.T) { test(t, openSQLite) })
	t.Run("Postgres", func(t *testing.T) {
		url, n := testenv.Postgres(t), 0
		test(t, func(t *testing.T) *database {
			n++
			return openPostgres(t, url, fmt.Sprintf("schema%d", n))
		})
	})
}

// migration applies what turns one schema into another, and holds the outcome to
// what a fresh database of that schema looks like.
func migration(t *testing.T, open func(t *testing.T) *database, d *database, files fstest.MapFS, have, want []Table, o Options) *Change {
	t.Helper()
	change := Compare(have, want, o)
	name := fmt.Sprintf("%04d_update.sql", len(files)+1)
	text := change.Migration(change.SQL(d.engine))
	files[name] = &fstest.MapFile{Data: text}
	defer func() {
		if t.Failed() {
			t.Logf("%s", text)
		}
	}()
	d.migrate(t, files)
	fresh := open(t)
	fresh.migrate(t, fstest.MapFS{"0001_init.sql": {Data: Init(d.engine, change.After)}})
	if got, want := d.strings(t, d.shape), fresh.strings(t, d.shape); !slices.Equal(got, want) {
		t.Errorf("the tables are\n%s\nand would be\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return change
}

func start(t *testing.T, d *database, tables []Table) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{"0001_init.sql": {Data: Init(d.engine, tables)}}
	d.migrate(t, files)
	return files
}

// table makes a table of "name kind" columns; "?" behind a kind takes NULL, and the
// first is the key.
func table(name string, columns ...string) Table {
	t := Table{Name: name}
	for _, c := range columns {
		n, kind, _ := strings.Cut(c, " ")
		nullable := strings.HasSuffix(kind, "?")
		kind = strings.TrimSuffix(kind, "?")
		fill := map[string]string{"text": `"it's; -- none"`, "uuid": `"00000000-0000-0000-0000-000000000000"`, "integer": "0", "real": "0", "boolean": "false", "time": Now, "json": `{"a;":1}`}[kind]
		if t.Key == "" {
			t.Key, t.Identity = n, kind == "integer"
		}
		t.Columns = append(t.Columns, Column{Name: n, Kind: kind, Nullable: nullable, Fill: fill, Bytes: 100})
	}
	return t
}
