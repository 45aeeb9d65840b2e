package schema

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates"
)

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
		"new columns": {
			with(table("users", "id uuid", "name text", "nick text?", "vip boolean", "seen time"), child),
			Options{},
			`SELECT name || COALESCE(nick, '-') || CASE WHEN vip THEN 'vip' ELSE 'not' END || CASE WHEN seen > 0 THEN 'seen' END FROM users`,
			[]string{"Ann-notseen"},
			"",
		},
		"text with marks": {
			with(table("users", "id uuid", "name text", "nick text", "more json"), child),
			Options{},
			`SELECT nick FROM users`,
			[]string{"it's; -- none"},
			"",
		},
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
		"to text": {
			with(parent, table("posts", "id integer", "user_id uuid", "title text", "rank text")),
			Options{},
			`SELECT rank FROM posts ORDER BY 1`,
			[]string{"it's; -- none", "low"},
			"filled",
		},
		"to integer": {
			with(parent, table("posts", "id integer", "user_id uuid", "title integer", "rank text?")),
			Options{},
			`SELECT title || title_text FROM posts ORDER BY 1`,
			[]string{"0one", "77"},
			"column-converted",
		},
		"to integer, dropped": {
			with(parent, table("posts", "id integer", "user_id uuid", "title integer?", "rank text?")),
			Options{Drop: true},
			`SELECT title FROM posts ORDER BY id`,
			[]string{"NULL", "7"},
			"column-converted",
		},
		"to time": {
			with(parent, table("posts", "id integer", "user_id uuid", "title time?", "rank text?")),
			Options{},
			`SELECT title_text FROM posts ORDER BY title_text`,
			[]string{"7", "one"},
			"column-converted",
		},
		"to json": {
			with(parent, table("posts", "id integer", "user_id uuid", "title json", "rank text?")),
			Options{},
			`SELECT title FROM posts ORDER BY id`,
			[]string{`"one"`, `"7"`},
			"",
		},
		"keys become text": {func() []Table {
			posts := table("posts", "id integer", "user_id text", "title text", "rank text?")
			posts.Indexes = child.Indexes
			return with(table("users", "id text", "name text"), posts)
		}(), Options{}, `SELECT name || title FROM users JOIN posts ON user_id = users.id ORDER BY 1`, []string{"Ann7", "Annone"}, ""},
		"another key": {
			with(table("users", "id integer", "name text"), table("posts", "id integer", "user_id integer", "title text", "rank text?")),
			Options{},
			`SELECT (SELECT name FROM users_before) || (SELECT count(*) FROM users) || (SELECT count(*) FROM posts) || (SELECT count(*) FROM posts_before)`,
			[]string{"Ann002"},
			"table-replaced table-replaced",
		},
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

// hostileFills are defaults of a document that could end the statement they stand in,
// or speak to goose.
var hostileFills = []string{"it's; -- none", "\r\n\n x \t", "x\n-- +goose StatementEnd\nDROP TABLE users;", "x\n-- +goose ENVSUB ON\n${HOME}", "'\n;", "ü\u2028\x7f"}

// filled adds a column to a table with a row, and returns what the row has there.
func filled(t *testing.T, open func(t *testing.T) *database, text string) string {
	t.Helper()
	d := open(t)
	base := []Table{table("users", "id uuid", "name text")}
	files := start(t, d, base)
	d.exec(t, `INSERT INTO users (id, name) VALUES ('11111111-1111-7111-8111-111111111111', 'Ann')`)
	want := []Table{table("users", "id uuid", "name text", "nick text")}
	fill, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	want[0].Columns[2].Fill = string(fill)
	migration(t, open, d, files, base, want, Options{})
	return d.strings(t, "SELECT nick FROM users")[0]
}

func TestFills(t *testing.T) {
	engines(t, func(t *testing.T, open func(t *testing.T) *database) {
		for _, text := range hostileFills {
			if got := filled(t, open, text); got != text {
				t.Errorf("%q became %q", text, got)
			}
		}
	})
}

// FuzzQuote holds a text as SQL against what the database makes of it.
func FuzzQuote(f *testing.F) {
	for _, text := range hostileFills {
		f.Add(text)
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	a, err := templates.FindAdapter("store", "sqlite")
	if err != nil {
		f.Fatal(err)
	}
	w := &writer{engine: model.Engine{Alter: model.Alter(a.Alter)}}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1000 { // an expression may be 1,000 deep
			return
		}
		expression, got := w.quote(text), ""
		if strings.ContainsAny(expression, "\r\n") {
			t.Fatalf("%q has lines: %q", text, expression)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT "+expression).Scan(&got); err != nil || got != strings.ReplaceAll(text, "\x00", "") {
			t.Fatalf("%q became %q: %v", text, got, err)
		}
	})
}
