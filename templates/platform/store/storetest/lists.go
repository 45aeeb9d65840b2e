package storetest

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func ids(rows []item) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row.ID
	}
	return out
}

func testFilters(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i, row := range []item{
		{Group: new("a"), Rank: new(int64(1)), Score: 1.5, Active: true, Due: new(noon)},
		{Group: new("B"), Rank: new(int64(2)), Score: 2.5, Flag: new(true), Due: new(noon.Add(time.Hour))},
		{Group: nil, Rank: nil, Score: 3.5, Active: true},
		{Group: new("é"), Rank: new(int64(3)), Score: -1, Flag: new(false)},
	} {
		row.ID, row.Name, row.Tags = fmt.Sprint(i), fmt.Sprint("n", i), []string{}
		ok(t, c.Create(ctx, &row))
	}
	berlin := time.FixedZone("CET", 3600)
	type name string
	for _, test := range []struct {
		where []store.Cond
		want  string
	}{
		{nil, "0123"},
		{[]store.Cond{store.Eq("group", "a")}, "0"},
		{[]store.Cond{store.Eq("group", name("a"))}, "0"},
		{[]store.Cond{store.Eq("group", new("a"))}, "0"},
		{[]store.Cond{store.Eq("group", "b")}, ""},
		{[]store.Cond{store.Eq("group", nil)}, "2"},
		{[]store.Cond{store.Eq("group", (*string)(nil))}, "2"},
		{[]store.Cond{store.IsNull("group")}, "2"},
		{[]store.Cond{store.Ne("group", "a")}, "123"},
		{[]store.Cond{store.Search("b", "group")}, "1"},
		{[]store.Cond{store.Search("N2", "group", "name")}, "2"},
		{[]store.Cond{store.Search("%", "group", "name")}, ""},
		{[]store.Cond{store.Search("É", "group")}, ""},
		{[]store.Cond{store.Search("é", "group")}, "3"},
		{[]store.Cond{store.Search("n", "name"), store.Eq("group", "a")}, "0"},
		{[]store.Cond{store.Search("", "group")}, "0123"},
		{[]store.Cond{store.Search("a\x00", "group")}, ""},
		{[]store.Cond{store.Search("a")}, ""},
		{[]store.Cond{store.Ne("group", nil)}, "013"},
		{[]store.Cond{store.Ne("name", "n0")}, "123"},
		{[]store.Cond{store.Lt("group", "a")}, "1"},
		{[]store.Cond{store.Gt("group", "z")}, "3"},
		{[]store.Cond{store.Le("rank", 2)}, "01"},
		{[]store.Cond{store.Ge("rank", 2)}, "13"},
		{[]store.Cond{store.Ge("score", 2)}, "12"},
		{[]store.Cond{store.Gt("score", 1.5)}, "12"},
		{[]store.Cond{store.Eq("rank", 2.0)}, "1"},
		{[]store.Cond{store.Eq("rank", 1.5)}, ""},
		{[]store.Cond{store.Ne("rank", 1.5)}, "0123"},
		{[]store.Cond{store.In("rank", 1.5, 3.0)}, "3"},
		{[]store.Cond{store.Lt("rank", 1.5)}, "0"},
		{[]store.Cond{store.Le("rank", 2.5)}, "01"},
		{[]store.Cond{store.Gt("rank", 1.5)}, "13"},
		{[]store.Cond{store.Ge("rank", 2.5)}, "3"},
		{[]store.Cond{store.Ge("rank", -1e300)}, "013"},
		{[]store.Cond{store.Gt("rank", 1e300)}, ""},
		{[]store.Cond{store.Lt("rank", math.MaxInt64)}, "013"},
		{[]store.Cond{store.Lt("rank", math.Inf(-1))}, ""},
		{[]store.Cond{store.Eq("rank", 1e300)}, ""},
		{[]store.Cond{store.Lt("rank", math.NaN())}, ""},
		{[]store.Cond{store.Eq("active", true)}, "02"},
		{[]store.Cond{store.Eq("active", false)}, "13"},
		{[]store.Cond{store.Ne("flag", true)}, "023"},
		{[]store.Cond{store.Eq("due", noon.In(berlin))}, "0"},
		{[]store.Cond{store.Gt("due", noon)}, "1"},
		{[]store.Cond{store.In("rank", 1, int32(3), uint8(9))}, "03"},
		{[]store.Cond{store.In("rank")}, ""},
		{[]store.Cond{store.Ge("rank", 1), store.Eq("active", true), store.In("group", "a", "B")}, "0"},
		{[]store.Cond{store.Ge("stamp", noon), store.Eq("rank", 2)}, "1"},
		{[]store.Cond{store.Eq("name", "x' OR '1'='1")}, ""},
	} {
		page, err := c.List(ctx, store.Query{Where: test.where, Limit: 10})
		ok(t, err)
		equal(t, fmt.Sprintf("rows where %+v", test.where), strings.Join(ids(page.Items), ""), test.want)
		n, err := c.Count(ctx, test.where...)
		ok(t, err)
		equal(t, fmt.Sprintf("count where %+v", test.where), n, int64(len(test.want)))
	}
}

func testPaging(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	empty, err := c.List(ctx, store.Query{Limit: 5})
	ok(t, err)
	equal(t, "empty list", empty, store.Page[item]{Items: []item{}})
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		for i := range store.MaxLimit + 5 {
			ok(t, c.Create(ctx, &item{ID: fmt.Sprintf("%05d", i), Name: fmt.Sprint(i), Tags: []string{}}))
		}
		return nil
	}))
	page, err := c.List(ctx, store.Query{Limit: 1 << 30})
	ok(t, err)
	equal(t, "largest page", []any{len(page.Items), page.HasMore, page.Next != ""}, []any{store.MaxLimit, true, true})
	page, err = c.List(ctx, store.Query{Limit: 5, Cursor: page.Next})
	ok(t, err)
	equal(t, "last page", []any{len(page.Items), page.HasMore, page.Next}, []any{5, false, ""})

	page, err = c.List(ctx, store.Query{Limit: 2, Offset: 3})
	ok(t, err)
	equal(t, "by offset", ids(page.Items), []string{"00003", "00004"})
	page, err = c.List(ctx, store.Query{Limit: 2, Cursor: page.Next})
	ok(t, err)
	equal(t, "on from an offset", ids(page.Items), []string{"00005", "00006"})
	page, err = c.List(ctx, store.Query{Limit: 2, Offset: 1 << 40})
	ok(t, err)
	equal(t, "beyond the end", []any{len(page.Items), page.HasMore}, []any{0, false})

	// The order is by bytes, and a long or odd text is a position like any other.
	b := store.NewCollection(e.dbWithTexts(t), items())
	var names []string
	for cursor, first := "", true; first || cursor != ""; first = false {
		page, err := b.List(ctx, store.Query{Sort: []store.Order{{Column: "name"}}, Limit: 1, Cursor: cursor})
		ok(t, err)
		names, cursor = append(names, page.Items[0].Name), page.Next
	}
	equal(t, "names are in the order of bytes", slices.IsSorted(names), true)
	equal(t, "names", len(names), len(texts()))
}

func texts() []string {
	long := strings.Repeat("x", 100_000)
	return []string{"", "A", "B", "Z", "a", "b", "é", "Ä", "ß", "日", "🙂", "a\x01", "a b", "a\u0301", long, long + "y", "\U0010ffff", "\uffff"}
}

func (e Engine) dbWithTexts(t testing.TB) *store.DB {
	db := e.open(t)
	c := store.NewCollection(db, items())
	for _, text := range texts() {
		ok(t, c.Create(t.Context(), &item{Name: text, Tags: []string{}}))
	}
	return db
}

// orders are the columns that the property test sorts by, with the same order
// worked out in Go.
func orders() map[string]func(a, b item) int {
	return map[string]func(a, b item) int{
		"id":    func(a, b item) int { return cmp.Compare(a.ID, b.ID) },
		"group": func(a, b item) int { return nullsLast(a.Group, b.Group, cmp.Compare) },
		"rank":  func(a, b item) int { return nullsLast(a.Rank, b.Rank, cmp.Compare) },
		"score": func(a, b item) int { return cmp.Compare(a.Score, b.Score) },
		"ratio": func(a, b item) int { return nullsLast(a.Ratio, b.Ratio, cmp.Compare) },
		"flag": func(a, b item) int {
			return nullsLast(a.Flag, b.Flag, func(a, b bool) int {
				switch {
				case a == b:
					return 0
				case b:
					return -1
				default:
					return 1
				}
			})
		},
		"due": func(a, b item) int { return nullsLast(a.Due, b.Due, time.Time.Compare) },
	}
}

func nullsLast[V any](a, b *V, compare func(a, b V) int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	default:
		return compare(*a, *b)
	}
}

// maybe returns one of a few values, so that ties abound, or nil.
func maybe[V any](r *rand.Rand, values ...V) *V {
	if i := r.IntN(len(values) + 1); i < len(values) {
		return &values[i]
	}
	return nil
}

func randomItem(r *rand.Rand, n int) item {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 1000, time.UTC)
	return item{
		ID:    fmt.Sprintf("%04x-%d", r.IntN(1<<16), n),
		Name:  fmt.Sprint(n), // unique with any group
		Group: maybe(r, "a", "B", "é", ""),
		Rank:  maybe[int64](r, -1, 0, 1),
		Score: float64(r.IntN(3)) / 3,
		Ratio: maybe(r, -0.1, 1e-9, 0.1),
		Flag:  maybe(r, true, false),
		Due:   maybe(r, noon, noon.Add(time.Microsecond)),
		Tags:  []string{},
	}
}

// testPagingProperty: whatever the rows, the order, the filter and the size of
// pages, the pages together are the sorted list, also while rows come and go.
func testPagingProperty(t *testing.T, e Engine) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	var rows []item
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		for n := range 60 {
			row := randomItem(r, n)
			ok(t, c.Create(ctx, &row))
			rows = append(rows, row)
		}
		return nil
	}))
	compare := orders()
	columns := make([]string, 0, len(compare))
	for column := range compare {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	extra := len(rows)
	for range 60 {
		q := store.Query{Limit: 1 + r.IntN(20)}
		var less []func(a, b item) int
		for _, i := range r.Perm(len(columns))[:r.IntN(4)] {
			order := store.Order{Column: columns[i], Desc: r.IntN(2) == 0}
			q.Sort = append(q.Sort, order)
			less = append(less, directed(compare[columns[i]], order.Desc))
		}
		less = append(less, compare["id"])
		want := slices.Clone(rows)
		if r.IntN(2) == 0 {
			q.Where = []store.Cond{store.Ge("rank", 0)}
			want = slices.DeleteFunc(want, func(row item) bool { return row.Rank == nil || *row.Rank < 0 })
		}
		slices.SortFunc(want, func(a, b item) int {
			for _, f := range less {
				if d := f(a, b); d != 0 {
					return d
				}
			}
			return 0
		})
		var passing []string // rows that come and go between pages
		var got []string
		for first := true; first || q.Cursor != ""; first = false {
			page, err := c.List(ctx, q)
			ok(t, err)
			got = append(got, ids(page.Items)...)
			q.Cursor = page.Next
			for _, id := range passing {
				if r.IntN(2) == 0 {
					_ = c.Delete(ctx, id) // it may be gone already
				}
			}
			extra++
			row := randomItem(r, extra)
			ok(t, c.Create(ctx, &row))
			passing = append(passing, row.ID)
		}
		got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(passing, id) })
		equal(t, fmt.Sprintf("all pages of %+v", q), got, ids(want))
		for _, id := range passing {
			_ = c.Delete(ctx, id)
		}
	}
}

func directed(compare func(a, b item) int, desc bool) func(a, b item) int {
	if !desc {
		return compare
	}
	return func(a, b item) int { return compare(b, a) }
}

func testCursors(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	long := strings.Repeat("long", 1000)
	for i := range 4 {
		row := item{ID: fmt.Sprint(i), Name: fmt.Sprint(i, long), Rank: new(int64(i)), Tags: []string{}}
		ok(t, c.Create(ctx, &row))
	}
	base := store.Query{Limit: 1, Sort: []store.Order{{Column: "rank"}}, Where: []store.Cond{store.Ge("rank", 0)}}
	page, err := c.List(ctx, base)
	ok(t, err)
	with := func(q store.Query, cursor string) error {
		q.Cursor = cursor
		_, err := c.List(ctx, q)
		return err
	}
	ok(t, with(base, page.Next))
	for name, other := range map[string]store.Query{
		"direction": {Limit: 1, Sort: []store.Order{{Column: "rank", Desc: true}}, Where: base.Where},
		"order":     {Limit: 1, Sort: []store.Order{{Column: "score"}}, Where: base.Where},
		"value":     {Limit: 1, Sort: base.Sort, Where: []store.Cond{store.Ge("rank", 1)}},
		"operator":  {Limit: 1, Sort: base.Sort, Where: []store.Cond{store.Gt("rank", 0)}},
		"no filter": {Limit: 1, Sort: base.Sort},
	} {
		t.Run(name, func(t *testing.T) { fails[*store.InvalidCursor](t, with(other, page.Next)) })
	}
	plain, err := base64.RawURLEncoding.DecodeString(page.Next)
	ok(t, err)
	for _, forged := range []string{
		strings.Replace(string(plain), `"v":[0`, `"v":["0"`, 1),
		strings.Replace(string(plain), `"v":[0`, `"v":[0.5`, 1),
		strings.Replace(string(plain), `"v":[0`, `"v":[{}`, 1),
		strings.Replace(string(plain), `"v":[0`, `"v":[0,0`, 1),
		strings.Replace(string(plain), `"v":[0`, `"v":[9223372036854775808`, 1),
		strings.Replace(string(plain), `"0"]`, `null]`, 1),
		strings.Replace(string(plain), `}`, `,"k":[]}`, 1),
		strings.Replace(string(plain), `}`, `,"k":"gone"}`, 1),
		string(plain) + "{}",
		"null", "[]", "{}", "",
	} {
		if forged == string(plain) {
			t.Fatal("the forgery did not change the cursor")
		}
		if forged != "" {
			fails[*store.InvalidCursor](t, with(base, base64.RawURLEncoding.EncodeToString([]byte(forged))))
		}
	}
	for _, garbled := range []string{"%", "a", page.Next + "=", page.Next[:len(page.Next)-2], page.Next + strings.Repeat("A", 1<<20)} {
		fails[*store.InvalidCursor](t, with(base, garbled))
	}

	// A cursor that would not fit a URL points at its row instead.
	byName := store.Query{Limit: 1, Sort: []store.Order{{Column: "name"}}}
	page, err = c.List(ctx, byName)
	ok(t, err)
	if len(page.Next) > 200 {
		t.Fatalf("a cursor of %d bytes", len(page.Next))
	}
	ok(t, with(byName, page.Next))
	ok(t, c.Delete(ctx, page.Items[0].ID))
	fails[*store.InvalidCursor](t, with(byName, page.Next))
}
