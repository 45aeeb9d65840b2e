package schema

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
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
	db, err := sql.Open("sqlite", "file:"+path+"?_foreign_keys=on&_dqs=0")
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

func TestRowsSurvive(t *testing.T) {
	parent := table("users", "id uuid", "name text")
	child := table("posts", "id integer", "user_id uuid", "title text", "rank text?")
	child.References = []Reference{{Column: "user_id", Table: "users", Key: "id", Cascade: true}}
	child.Indexes = [][]string{{"user_id"}, {"title", "id"}}
	const id = "11111111-1111-7111-8111-111111111111"
	base := []Table{parent, child}
	with := func(users, posts Table) []Table {
		posts.References = child.References
		return []Table{users, posts}
	}
	for name, test := range map[string]struct {
		want    []Table
		options Options
		query   string
		rows    []string
		notes   string
	}{
		"new columns": {with(table("users", "id uuid", "name text", "nick text?", "vip boolean", "seen time"), child), Options{},
			`SELECT name || COALESCE(nick, '-') || CASE WHEN vip THEN 'vip' ELSE 'not' END || CASE WHEN seen > 0 THEN 'seen' END FROM users`, []string{"Ann-notseen"}, ""},
		"text with marks": {with(table("users", "id uuid", "name text", "nick text", "more json"), child), Options{},
			`SELECT nick FROM users`, []string{"it's; -- none"}, ""},
		"a parent anew keeps its children": {with(table("users", "id uuid", "name text?"), child), Options{}, `SELECT title FROM posts ORDER BY title`, []string{"7", "one"}, ""},
		"removed":                          {with(table("users", "id uuid"), child), Options{}, `SELECT name FROM users`, []string{"Ann"}, "column-kept"},
		"dropped":                          {with(table("users", "id uuid"), child), Options{Drop: true}, `SELECT count(*) FROM users`, []string{"1"}, "column-dropped"},
		"renamed":                          {with(table("users", "id uuid", "label text"), child), Options{Renames: map[string]string{"users.name": "label"}}, `SELECT label FROM users`, []string{"Ann"}, ""},
		"guess":                            {with(table("users", "id uuid", "label text"), child), Options{}, `SELECT name || label FROM users`, []string{"Annit's; -- none"}, "column-kept column-renamed"},
		"table renamed": {func() []Table {
			t := with(table("people", "id uuid", "name text"), child)
			t[1].References = []Reference{{Column: "user_id", Table: "people", Key: "id", Cascade: true}}
			return t
		}(), Options{Renames: map[string]string{"users": "people"}}, `SELECT name || title FROM people JOIN posts ON user_id = people.id ORDER BY 1`, []string{"Ann7", "Annone"}, ""},
		"table removed": {[]Table{parent}, Options{}, `SELECT title FROM posts ORDER BY 1`, []string{"7", "one"}, "table-kept"},
		"table dropped": {[]Table{parent}, Options{Drop: true}, `SELECT name FROM users`, []string{"Ann"}, "table-dropped"},
		"to text": {with(parent, table("posts", "id integer", "user_id uuid", "title text", "rank text")), Options{},
			`SELECT rank FROM posts ORDER BY 1`, []string{"it's; -- none", "low"}, ""},
		"to integer": {with(parent, table("posts", "id integer", "user_id uuid", "title integer", "rank text?")), Options{},
			`SELECT title || title_text FROM posts ORDER BY 1`, []string{"0one", "77"}, "column-converted"},
		"to integer, dropped": {with(parent, table("posts", "id integer", "user_id uuid", "title integer?", "rank text?")), Options{Drop: true},
			`SELECT title FROM posts ORDER BY id`, []string{"NULL", "7"}, "column-converted"},
		"to time": {with(parent, table("posts", "id integer", "user_id uuid", "title time?", "rank text?")), Options{},
			`SELECT title_text FROM posts ORDER BY title_text`, []string{"7", "one"}, "column-converted"},
		"to json": {with(parent, table("posts", "id integer", "user_id uuid", "title json", "rank text?")), Options{},
			`SELECT title FROM posts ORDER BY id`, []string{`"one"`, `"7"`}, ""},
		"keys become text": {func() []Table {
			posts := table("posts", "id integer", "user_id text", "title text", "rank text?")
			posts.Indexes = child.Indexes
			return with(table("users", "id text", "name text"), posts)
		}(), Options{}, `SELECT name || title FROM users JOIN posts ON user_id = users.id ORDER BY 1`, []string{"Ann7", "Annone"}, ""},
		"another key": {with(table("users", "id integer", "name text"), table("posts", "id integer", "user_id integer", "title text", "rank text?")), Options{},
			`SELECT (SELECT name FROM users_before) || (SELECT count(*) FROM users) || (SELECT count(*) FROM posts) || (SELECT count(*) FROM posts_before)`, []string{"Ann002"}, "table-replaced table-replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, open func(t *testing.T) *database) {
				d := open(t)
				files := start(t, d, base)
				d.exec(t, `INSERT INTO users (id, name) VALUES ('`+id+`', 'Ann')`)
				d.exec(t, `INSERT INTO posts (id, user_id, title, rank) VALUES (5, '`+id+`', 'one', 'low'), (9, '`+id+`', '7', NULL)`)
				change := migration(t, open, d, files, base, test.want, test.options)
				var notes []string
				for _, n := range change.Notes {
					notes = append(notes, n.Code)
				}
				slices.Sort(notes)
				if got := strings.Join(notes, " "); got != test.notes {
					t.Errorf("notes %q, want %q", got, test.notes)
				}
				if got := d.strings(t, test.query); !slices.Equal(got, test.rows) {
					t.Errorf("%s: %q, want %q", test.query, got, test.rows)
				}
			})
		})
	}
}

// TestNumbersGoOn: a table that is made anew gives no number a second time.
func TestNumbersGoOn(t *testing.T) {
	engines(t, func(t *testing.T, open func(t *testing.T) *database) {
		d := open(t)
		base := []Table{table("posts", "id integer", "title text")}
		files := start(t, d, base)
		d.exec(t, `INSERT INTO posts (title) VALUES ('a'), ('b'), ('c')`)
		d.exec(t, `DELETE FROM posts`)
		migration(t, open, d, files, base, []Table{table("posts", "id integer", "title text?")}, Options{})
		d.exec(t, `INSERT INTO posts (title) VALUES ('d')`)
		if got := d.strings(t, `SELECT id FROM posts`); !slices.Equal(got, []string{"4"}) {
			t.Errorf("the next number is %v", got)
		}
	})
}

// TestLateRename: a rename that the user tells of after the new column was made finds
// the values of the old one.
func TestLateRename(t *testing.T) {
	engines(t, func(t *testing.T, open func(t *testing.T) *database) {
		d := open(t)
		base, want := []Table{table("posts", "id integer", "title text")}, []Table{table("posts", "id integer", "name text")}
		files := start(t, d, base)
		d.exec(t, `INSERT INTO posts (title) VALUES ('a'), ('b')`)
		change := migration(t, open, d, files, base, want, Options{})
		d.exec(t, `INSERT INTO posts (name) VALUES ('new')`)
		d.exec(t, `UPDATE posts SET name = 'changed' WHERE title = 'b'`)
		change = migration(t, open, d, files, change.After, want, Options{Renames: map[string]string{"posts.title": "name"}})
		if got := d.strings(t, `SELECT name FROM posts ORDER BY id`); !slices.Equal(got, []string{"a", "changed", "new"}) || !change.Used["posts.title"] {
			t.Errorf("%v", got)
		}
		change = migration(t, open, d, files, change.After, want, Options{Drop: true})
		if len(change.After[0].Columns) != 2 {
			t.Errorf("%+v", change.After)
		}
	})
}

// TestRandomChanges: whatever becomes of a schema, the migrated tables are those that
// a fresh database has, no row is lost, and no value of a column that stays.
func TestRandomChanges(t *testing.T) {
	engines(t, func(t *testing.T, open func(t *testing.T) *database) {
		rounds := 60
		if testing.Short() {
			rounds = 10
		}
		for seed := range rounds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(seed), 1))
				d := open(t)
				have := randomTables(r)
				files := start(t, d, have)
				fillRows(t, d, r, have)
				for range 3 {
					values := contents(t, d, have)
					change := migration(t, open, d, files, have, randomTables(r), Options{Drop: r.IntN(4) == 0})
					after := contents(t, d, change.After)
					for _, tc := range change.Tables {
						for _, c := range tc.Columns {
							if tc.Old == nil || c.Old == nil || c.Old.Kind != c.New.Kind || c.Old.Nullable && !c.New.Nullable {
								continue
							}
							was, is := values[tc.Old.Name+"."+c.Old.Name], after[tc.New.Name+"."+c.New.Name]
							if !slices.Equal(was, is) {
								t.Errorf("%s.%s was %v, and %s.%s is %v", tc.Old.Name, c.Old.Name, was, tc.New.Name, c.New.Name, is)
							}
						}
					}
					if t.Failed() {
						return
					}
					have = change.After
				}
			})
		}
	})
}

// randomTables are up to three tables of few names, so that two draws have some in
// common; later ones may refer to earlier ones.
func randomTables(r *rand.Rand) []Table {
	kinds := []string{"text", "uuid", "integer", "real", "boolean", "time", "json"}
	var out []Table
	for _, name := range []string{"a", "b", "c"} {
		if r.IntN(5) == 0 {
			continue
		}
		t := table(name, "id "+[]string{"uuid", "uuid", "uuid", "text", "integer"}[r.IntN(5)])
		for _, c := range []string{"p", "q", "r", "s"} {
			if r.IntN(3) == 0 {
				continue
			}
			kind := kinds[r.IntN(len(kinds))]
			column := table("", c+" "+kind+[]string{"", "?"}[r.IntN(2)]).Columns[0]
			if kind == "text" && r.IntN(3) == 0 {
				column.Bytes = 0
			}
			t.Columns = append(t.Columns, column)
			if kind != "json" && r.IntN(2) == 0 {
				t.Indexes = append(t.Indexes, []string{c})
			}
		}
		if len(out) > 0 && r.IntN(2) == 0 {
			parent := out[r.IntN(len(out))]
			column := table("", "ref "+parent.Columns[0].Kind+[]string{"", "?"}[r.IntN(2)]).Columns[0]
			t.Columns = append(t.Columns, column)
			t.References = append(t.References, Reference{Column: "ref", Table: parent.Name, Key: "id", Cascade: r.IntN(2) == 0})
		}
		out = append(out, t)
	}
	return out
}

// fillRows puts three rows into every table.
func fillRows(t *testing.T, d *database, r *rand.Rand, tables []Table) {
	t.Helper()
	for _, table := range tables {
		for n := range 3 {
			var names, values []string
			for _, c := range table.Columns {
				names = append(names, c.Name)
				v := map[string]string{
					"text": fmt.Sprintf("'%s%d'", []string{"x", "", "-"}[r.IntN(3)], n+r.IntN(2)), "uuid": fmt.Sprintf("'0000000%d-0000-7000-8000-000000000000'", n),
					"integer": fmt.Sprint(n + 1), "real": "1.5", "boolean": "(1 = 1)", "time": fmt.Sprint(1700000000000001 + n), "json": `'{"a": [1]}'`,
				}[c.Kind]
				switch {
				case c.Name == "id" && c.Kind == "text":
					v = fmt.Sprintf("'k%d'", n)
				case c.Name == "ref" && c.Kind == "text":
					v = "'k0'"
				case c.Nullable && r.IntN(3) == 0:
					v = "NULL"
				}
				values = append(values, v)
			}
			d.exec(t, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", identifier(table.Name), identifiers(names), strings.Join(values, ", ")))
		}
	}
}

// contents are the values of every column, sorted.
func contents(t *testing.T, d *database, tables []Table) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range tables {
		for _, c := range table.Columns {
			values := d.strings(t, fmt.Sprintf("SELECT CAST(%s AS TEXT) FROM %s", identifier(c.Name), identifier(table.Name)))
			slices.Sort(values)
			out[table.Name+"."+c.Name] = values
		}
	}
	return maps.Clone(out)
}
