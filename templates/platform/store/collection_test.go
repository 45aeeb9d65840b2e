package store

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// thing is a row with the kinds of columns that matter here.
type thing struct {
	ID     int64
	Name   string
	Rank   *int64
	Score  float64
	Flag   *bool
	When   time.Time
	Maybe  *time.Time
	Tags   []string
	Raw    json.RawMessage
	Serial int64
}

func things() *Table[thing] {
	return &Table[thing]{
		Name:     "things",
		Resource: "thing",
		Columns: []Column{
			{Name: "id", Kind: Integer},
			{Name: "name", Kind: Text},
			{Name: "rank", Kind: Integer, Nullable: true},
			{Name: "score", Kind: Real},
			{Name: "flag", Kind: Boolean, Nullable: true},
			{Name: "when", Kind: Time},
			{Name: "maybe", Kind: Time, Nullable: true},
			{Name: "tags", Kind: JSON},
			{Name: "raw", Kind: JSON, Nullable: true},
			{Name: "version", Kind: Integer},
		},
		Fields: func(r *thing) []any {
			return []any{
				&r.ID, &r.Name, &r.Rank, &r.Score, &r.Flag, TimeField(&r.When), NullTimeField(&r.Maybe),
				JSONField(&r.Tags), JSONField(&r.Raw), &r.Serial,
			}
		},
		Key:     "id",
		KeyMode: KeyIdentity,
		Version: "version",
	}
}

// numbered is an engine unlike SQLite in everything that shows in SQL.
func numbered() Dialect {
	return Dialect{Quote: '`', Numbered: true, ReturningKey: true, LockRow: " FOR UPDATE", Types: Types{Key: "VARCHAR(255)", Integer: "BIGINT", Bytes: "BLOB"}}
}

func newThings(t *testing.T) *Collection[thing] {
	t.Helper()
	c := NewCollection(&DB{dialect: numbered()}, things())
	if c.broken != nil {
		t.Fatal(c.broken)
	}
	return c
}

func TestStatements(t *testing.T) {
	l := newThings(t).layout
	const all = "`id`, `name`, `rank`, `score`, `flag`, `when`, `maybe`, `tags`, `raw`, `version`"
	for got, want := range map[string]string{
		l.lockRow:   "SELECT " + all + " FROM `things` WHERE `id` = $1 FOR UPDATE",
		l.insertRow: "INSERT INTO `things` (" + all + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		l.insertNew: "INSERT INTO `things` (" + strings.TrimPrefix(all, "`id`, ") + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING `id`",
		l.updateRow: "UPDATE `things` SET `name` = $1, `rank` = $2, `score` = $3, `flag` = $4, `when` = $5, `maybe` = $6, `tags` = $7, `raw` = $8, `version` = $9 WHERE `id` = $10 AND `version` = $11",
		l.deleteRow: "DELETE FROM `things` WHERE `id` = $1",
		l.countFrom: "SELECT COUNT(*) FROM `things`",
	} {
		if got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	d := Dialect{Quote: '"'}
	if got := d.quote(`a"; DROP TABLE b --`); got != `"a""; DROP TABLE b --"` {
		t.Errorf("a name broke out of its quotes: %s", got)
	}
}

func TestKeyset(t *testing.T) {
	c := newThings(t)
	for _, test := range []struct {
		sort   []Order
		values []any
		order  string
		where  string
		args   []any
	}{
		{nil, []any{int64(5)}, "`id`", "(`id` > $1)", []any{int64(5)}},
		{[]Order{{Column: "id", Desc: true}, {Column: "name"}}, []any{int64(5)}, "`id` DESC", "(`id` < $1)", []any{int64(5)}},
		{
			[]Order{{Column: "name", Desc: true}, {Column: "name"}},
			[]any{"n", int64(5)},
			"`name` DESC, `id`",
			"`name` <= $1 AND (`name` < $2 OR (`name` = $3 AND (`id` > $4)))",
			[]any{"n", "n", "n", int64(5)},
		},
		{
			[]Order{{Column: "rank"}},
			[]any{int64(1), int64(5)},
			"`rank` IS NULL, `rank`, `id`",
			"(`rank` > $1 OR `rank` IS NULL OR (`rank` = $2 AND (`id` > $3)))",
			[]any{int64(1), int64(1), int64(5)},
		},
		{
			[]Order{{Column: "rank"}},
			[]any{nil, int64(5)},
			"`rank` IS NULL, `rank`, `id`",
			"(1 = 0 OR (`rank` IS NULL AND (`id` > $1)))",
			[]any{int64(5)},
		},
		{
			[]Order{{Column: "rank", Desc: true}},
			[]any{nil, int64(5)},
			"`rank` IS NULL DESC, `rank` DESC, `id`",
			"(`rank` IS NOT NULL OR (`rank` IS NULL AND (`id` > $1)))",
			[]any{int64(5)},
		},
		{
			[]Order{{Column: "rank", Desc: true}},
			[]any{int64(1), int64(5)},
			"`rank` IS NULL DESC, `rank` DESC, `id`",
			"(`rank` < $1 OR (`rank` = $2 AND (`id` > $3)))",
			[]any{int64(1), int64(1), int64(5)},
		},
	} {
		terms, err := c.terms(test.sort)
		if err != nil {
			t.Fatal(err)
		}
		order, where := &text{dialect: &c.db.dialect}, &text{dialect: &c.db.dialect}
		for i, term := range terms {
			if i > 0 {
				order.sql(", ")
			}
			term.order(order)
		}
		after(where, terms, test.values)
		if order.String() != test.order || where.String() != test.where || !reflect.DeepEqual(where.args, test.args) {
			t.Errorf("%+v:\nORDER BY %s\nWHERE %s %v\nwant\nORDER BY %s\nWHERE %s %v",
				test.sort, order, where, where.args, test.order, test.where, test.args)
		}
	}
}

// TestRowCodec: what a cache outside the process gives back is the row.
func TestRowCodec(t *testing.T) {
	codec := rowCodec[thing]{things()}
	when := time.Date(2026, 11, 23, 2, 5, 49, 123456000, time.UTC)
	for _, row := range []thing{
		{When: when, Tags: []string{}},
		{
			ID: 1<<63 - 1, Name: "\x00<é>", Rank: new(int64(-1 << 63)), Score: 0.1, Flag: new(false), When: when, Maybe: &when,
			Tags: []string{"a"}, Raw: json.RawMessage(`{"n":12345678901234567890}`), Serial: 1 << 60,
		},
		{Score: 1e300, Flag: new(true), When: time.Time{}, Tags: nil},
		{Score: 7, When: when}, // a whole number in a Real column
	} {
		data, err := codec.Encode(&row)
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, &row) {
			t.Errorf("\n got %+v\nwant %+v", got, &row)
		}
	}
	for _, data := range []string{"", "null", "{}", "[]", `["1","n",null,0,null,0,null,null,null,0]`, `[1,"n",null,0,null,"0",null,null,null,0]`} {
		if got, err := codec.Decode([]byte(data)); err == nil {
			t.Errorf("%s: decoded as %+v", data, got)
		}
	}
	if _, err := codec.Encode("not a row"); err == nil {
		t.Error("a text was encoded as a row")
	}
}

// FuzzCursor: a cursor is refused, or is a position whose values the columns
// could hold; and never more than that.
func FuzzCursor(f *testing.F) {
	c := NewCollection(&DB{dialect: numbered()}, things())
	terms, err := c.terms([]Order{{Column: "name"}, {Column: "rank", Desc: true}, {Column: "score"}, {Column: "flag"}, {Column: "maybe"}})
	if err != nil {
		f.Fatal(err)
	}
	list := shape{text: "SELECT", terms: terms}
	for _, row := range []thing{
		{ID: 1, Name: "n"},
		{ID: -5, Name: "\u2028é\x00", Rank: new(int64(1 << 62)), Score: 1e-9, Flag: new(true), Maybe: new(time.Unix(1, 0))},
	} {
		text, err := c.cursorOf(list.digest(), terms, &row)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add("")
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := decodeCursor(text)
		if err == nil && at.Key != nil {
			return // a row that the database would be asked for
		}
		values, err := c.position(context.Background(), text, list.digest(), terms)
		if err != nil {
			var invalid *InvalidCursor
			if !errors.As(err, &invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		var row thing
		fields := c.table.Fields(&row)
		for i, term := range terms {
			if err := scan(fields[term.index], values[i]); err != nil {
				t.Fatalf("%q: %s cannot hold %v: %v", text, term.column.Name, values[i], err)
			}
		}
		again, err := c.cursorOf(list.digest(), terms, &row)
		if err != nil {
			t.Fatal(err)
		}
		if at, err = decodeCursor(again); err != nil || at.Key != nil {
			return // too long for a cursor of its own
		}
		back, err := c.position(context.Background(), again, list.digest(), terms)
		if err != nil || !reflect.DeepEqual(back, values) {
			t.Fatalf("%q: %v became %v: %v", text, values, back, err)
		}
	})
}

func TestDigest(t *testing.T) {
	lists := []shape{
		{text: "a"},
		{text: "b"},
		{text: "a", args: []any{int64(1)}},
		{text: "a", args: []any{"1"}},
		{text: "a", args: []any{"1", "2"}},
		{text: "a", args: []any{"1\" \"2"}},
		{text: "a", terms: []term{{column: Column{Name: "x"}}}},
		{text: "a", terms: []term{{column: Column{Name: "x"}, desc: true}}},
	}
	seen := make(map[string]int)
	for i, list := range lists {
		if j, twice := seen[list.digest()]; twice {
			t.Errorf("lists %+v and %+v have the same digest", lists[j], list)
		}
		seen[list.digest()] = i
	}
}
