package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// fails fails the test unless err is an E.
func fails[E error](t testing.TB, err error) {
	t.Helper()
	_ = is[E](t, err)
}

// is fails the test unless err is an E, and returns it.
func is[E error](t testing.TB, err error) E {
	t.Helper()
	var target E
	if !errors.As(err, &target) {
		t.Fatalf("got error %v (%T), want %T", err, err, target)
	}
	return target
}

func whoKnows(_ context.Context, key any) (bool, error) { return key != "nobody", nil }

func sample(name string) item {
	return item{Name: name, Tags: []string{}}
}

func testRows(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	due := time.Date(2026, 11, 23, 2, 5, 49, 123456000, time.UTC)
	row := item{
		Group: new("a"), Name: "first", Rank: new(int64(7)), Score: 0.1, Ratio: new(2.5), Active: true, Flag: new(false),
		Due: &due, Tags: []string{"x", "<&>"}, Labels: map[string]string{"k": "v"}, Extra: json.RawMessage(`{"n":12345678901234567890}`),
	}
	ok(t, c.Create(ctx, &row))
	if len(row.ID) != 36 || row.ID[14] != '7' || row.Version != 1 || row.Created.IsZero() || !row.Created.Equal(row.Updated) {
		t.Fatalf("what the store fills in is wrong: %+v", row)
	}
	if stamp, err := time.Parse(time.RFC3339, row.Stamp); err != nil || !stamp.Equal(row.Updated) {
		t.Fatalf("text time %q, want %s: %v", row.Stamp, row.Updated, err)
	}
	got, err := c.Get(ctx, row.ID)
	ok(t, err)
	equal(t, "row read back", got, row)

	found, err := c.Exists(ctx, row.ID)
	ok(t, err)
	equal(t, "exists", found, true)

	changed, err := c.Update(ctx, row.ID, func(r *item) error {
		*r = item{ID: "other", Version: 99, Name: "renamed", Tags: []string{}}
		return nil
	})
	ok(t, err)
	equal(t, "key, version and creation are the store's", []any{changed.ID, changed.Version, changed.Created}, []any{row.ID, int64(2), row.Created})
	if changed.Updated.Before(row.Updated) {
		t.Fatal("an update went back in time")
	}
	got, err = c.Get(ctx, row.ID)
	ok(t, err)
	equal(t, "row after the update", got, changed)
	if got.Due != nil || got.Group != nil || got.Labels != nil || got.Extra != nil {
		t.Fatalf("NULL did not come back as nil: %+v", got)
	}

	refused := errors.New("no")
	_, err = c.Update(ctx, row.ID, func(r *item) error { r.Name = "lost"; return refused })
	if !errors.Is(err, refused) {
		t.Fatalf("got %v, want the error of mutate", err)
	}
	ok(t, c.Delete(ctx, row.ID))
	fails[*store.NotFound](t, c.Delete(ctx, row.ID))
	_, err = c.Get(ctx, row.ID)
	equal(t, "what is missing", *is[*store.NotFound](t, err), store.NotFound{Resource: "item", Key: row.ID})
	_, err = c.Update(ctx, row.ID, func(*item) error { t.Error("mutate ran for a missing row"); return nil })
	fails[*store.NotFound](t, err)
	found, err = c.Exists(ctx, row.ID)
	ok(t, err)
	equal(t, "exists", found, false)
}

func testIdentity(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	p := store.NewCollection(db, parts(), anyMaker())
	it := sample("one")
	ok(t, c.Create(ctx, &it))
	first, second := part{ItemID: it.ID}, part{ItemID: it.ID}
	ok(t, p.Create(ctx, &first))
	ok(t, p.Create(ctx, &second))
	if first.ID < 1 || second.ID <= first.ID {
		t.Fatalf("numbers %d, %d do not grow from 1", first.ID, second.ID)
	}
	ok(t, p.Delete(ctx, second.ID))
	third := part{ItemID: it.ID}
	ok(t, p.Create(ctx, &third))
	if third.ID <= second.ID {
		t.Fatalf("number %d was given twice, or went back, after %d", third.ID, second.ID)
	}
	chosen := part{ID: 1000, ItemID: it.ID, N: 5}
	ok(t, p.Create(ctx, &chosen))
	// The next number is behind the highest that there ever was, in a unit or not.
	for _, low := range []int64{500, -7} {
		ok(t, p.Create(ctx, &part{ID: low, ItemID: it.ID}))
	}
	fourth := part{ItemID: it.ID}
	ok(t, p.Create(ctx, &fourth))
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		ok(t, p.Create(ctx, &part{ID: 2000, ItemID: it.ID}))
		fifth := part{ItemID: it.ID}
		ok(t, p.Create(ctx, &fifth))
		if fourth.ID <= 1000 || fifth.ID <= 2000 {
			t.Errorf("numbers %d, %d after 1000 and 2000", fourth.ID, fifth.ID)
		}
		return nil
	}))
	for _, key := range []any{int64(1000), 1000, "1000"} {
		got, err := p.Get(ctx, key)
		ok(t, err)
		equal(t, "part by any form of its key", got, chosen)
	}
	for _, key := range []any{"01000", "1000 ", "1e3", "", "x", "99999999999999999999", int64(-1)} {
		_, err := p.Get(ctx, key)
		fails[*store.NotFound](t, err)
		found, err := p.Exists(ctx, key)
		ok(t, err)
		equal(t, "exists", found, false)
	}
}

func testConflicts(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	one := item{ID: "k", Group: new("g"), Name: "n", Tags: []string{}}
	ok(t, c.Create(ctx, &one))
	same := item{ID: "k", Group: new("h"), Name: "n", Tags: []string{}}
	conflict := is[*store.Conflict](t, c.Create(ctx, &same))
	equal(t, "columns of a taken key", conflict.Columns, []string{"id"})
	twin := item{Group: new("g"), Name: "n", Tags: []string{}}
	conflict = is[*store.Conflict](t, c.Create(ctx, &twin))
	equal(t, "columns of a taken group", conflict.Columns, []string{"group", "name"})
	if twin.ID != "" || twin.Version != 0 {
		t.Fatalf("a failed Create changed the row: %+v", twin)
	}
	ok(t, c.Create(ctx, &item{ID: "l", Group: new("g"), Name: "m", Tags: []string{}}))
	_, err := c.Update(ctx, "l", func(r *item) error { r.Name = "n"; return nil })
	fails[*store.Conflict](t, err)
	got, err := c.Get(ctx, "l")
	ok(t, err)
	equal(t, "name after a refused update", got.Name, "m")

	// A refused write leaves the rest of its unit usable.
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		after := sample("after")
		ok(t, c.Create(ctx, &after))
		return nil
	}))
}

func testReferences(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	p := store.NewCollection(db, parts(), anyMaker())
	it := sample("one")
	ok(t, c.Create(ctx, &it))

	bad := is[*store.InvalidReference](t, p.Create(ctx, &part{ItemID: "nothing"}))
	equal(t, "reference", *bad, store.InvalidReference{Pointer: "/itemId", Resource: "item", Key: "nothing"})
	row := part{ItemID: it.ID}
	ok(t, p.Create(ctx, &row))
	_, err := p.Update(ctx, row.ID, func(r *part) error { r.Next = new(int64(12345)); return nil })
	equal(t, "pointer", is[*store.InvalidReference](t, err).Pointer, "/next")
	_, err = p.Update(ctx, row.ID, func(r *part) error { r.Next = new(r.ID); return nil })
	ok(t, err)
	ok(t, p.Create(ctx, &part{ID: 77, ItemID: it.ID, Next: new(int64(77))}))

	conflict := is[*store.Conflict](t, c.Delete(ctx, it.ID))
	if conflict.Reason == "" || len(conflict.Columns) != 0 {
		t.Fatalf("deleting a row that is referred to: %+v", conflict)
	}

	// The target may come into being in the same unit.
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		fresh := sample("fresh")
		ok(t, c.Create(ctx, &fresh))
		return p.Create(ctx, &part{ItemID: fresh.ID})
	}))
}

func testReferencesElsewhere(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	asked := 0
	p := store.NewCollection(db, parts(), store.WithReference("maker", func(ctx context.Context, key any) (bool, error) {
		asked++
		if store.Writing(ctx) {
			t.Error("another service was asked while the unit was writing")
		}
		ok(t, db.Run(ctx, func(ctx context.Context) error { // must not join the caller's unit
			if _, err := db.Tx(ctx); err != nil {
				return err
			}
			return nil
		}))
		equal(t, "transactions open after a unit that should not have joined", db.Stats().Writer.InUse, 0)
		return whoKnows(ctx, key)
	}))
	it := sample("one")
	ok(t, c.Create(ctx, &it))
	ok(t, p.Create(ctx, &part{ID: 1, ItemID: it.ID}))
	equal(t, "calls for no reference", asked, 0)
	bad := is[*store.InvalidReference](t, p.Create(ctx, &part{ItemID: it.ID, Maker: new("nobody")}))
	equal(t, "reference", *bad, store.InvalidReference{Pointer: "/maker", Resource: "maker", Key: "nobody"})
	_, err := p.Update(ctx, 1, func(r *part) error { r.Maker = new("me"); return nil })
	ok(t, err)
	asked = 0
	_, err = p.Update(ctx, 1, func(r *part) error { r.N++; return nil })
	ok(t, err)
	equal(t, "calls for a reference that did not change", asked, 0)
	_, err = p.Update(ctx, 1, func(r *part) error { r.Maker = new("nobody"); return nil })
	fails[*store.InvalidReference](t, err)
	got, err := p.Get(ctx, 1)
	ok(t, err)
	equal(t, "part after a refused update", []any{*got.Maker, got.N}, []any{"me", int64(1)})

	err = db.Run(ctx, func(ctx context.Context) error {
		other := sample("two")
		ok(t, c.Create(ctx, &other))
		_, err := p.Update(ctx, 1, func(r *part) error { r.N = 9; return nil })
		ok(t, err) // nothing to ask
		return p.Create(ctx, &part{ItemID: other.ID, Maker: new("me")})
	})
	if !errors.Is(err, store.ErrCallAfterWrite) {
		t.Fatalf("got %v, want ErrCallAfterWrite", err)
	}
	err = db.Run(ctx, func(ctx context.Context) error {
		ok(t, p.Create(ctx, &part{ItemID: it.ID, Maker: new("me")})) // first the question, then the write
		_, err := p.Update(ctx, 1, func(r *part) error { r.Maker = new("you"); return nil })
		return err
	})
	if !errors.Is(err, store.ErrCallAfterWrite) {
		t.Fatalf("got %v, want ErrCallAfterWrite", err)
	}
	got, err = p.Get(ctx, 1)
	ok(t, err)
	equal(t, "part after units that failed", []any{*got.Maker, got.N}, []any{"me", int64(1)})
}

func testVersions(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	row := sample("one")
	ok(t, c.Create(ctx, &row))
	touch := func(ctx context.Context) error {
		_, err := c.Update(ctx, row.ID, func(r *item) error { r.Score++; return nil })
		return err
	}
	expect := func(versions ...int64) context.Context { return store.Expect(ctx, "items", row.ID, versions, false) }

	ok(t, touch(expect(1)))
	mismatch := is[*store.VersionMismatch](t, touch(expect(1)))
	equal(t, "mismatch", *mismatch, store.VersionMismatch{Resource: "item", Key: row.ID})
	fails[*store.VersionMismatch](t, touch(expect()))
	fails[*store.VersionMismatch](t, c.Delete(expect(1, 3), row.ID))
	ok(t, touch(expect(1, 2)))
	ok(t, touch(store.Expect(ctx, "items", row.ID, nil, true)))
	ok(t, touch(store.Detach(expect(1))))
	ok(t, touch(store.Expect(ctx, "parts", row.ID, nil, false)))    // another table
	ok(t, touch(store.Expect(ctx, "items", "another", nil, false))) // another row
	both := store.Expect(expect(7), "items", "another", nil, false)
	ok(t, touch(both))
	fails[*store.VersionMismatch](t, touch(both))

	// Within a unit the expectation is about the row as the unit found it.
	ok(t, db.Run(expect(8), func(ctx context.Context) error {
		return errors.Join(touch(ctx), touch(ctx), c.Delete(ctx, row.ID))
	}))
	fails[*store.NotFound](t, touch(expect(11)))
	fails[*store.NotFound](t, c.Delete(store.Expect(ctx, "items", row.ID, nil, true), row.ID))

	// A key that looks like a UUID, but is text, is met as it is written.
	shouting := item{ID: strings.ToUpper(aUUID), Name: "shouting", Tags: []string{}}
	ok(t, c.Create(ctx, &shouting))
	fails[*store.VersionMismatch](t, c.Delete(store.Expect(ctx, "items", shouting.ID, []int64{7}, false), shouting.ID))
	ok(t, c.Delete(store.Expect(ctx, "items", shouting.ID, []int64{1}, false), shouting.ID))

	where := store.Eq("name", "mine")
	other := sample("theirs")
	ok(t, c.Create(ctx, &other))
	_, err := c.Get(ctx, other.ID, where)
	fails[*store.NotFound](t, err)
	_, err = c.Update(ctx, other.ID, func(*item) error { return nil }, where)
	fails[*store.NotFound](t, err)
	fails[*store.NotFound](t, c.Delete(ctx, other.ID, where))
	_, err = c.Get(ctx, other.ID, store.Ne("name", "mine"), store.IsNull("group"), store.In("name", "a", "theirs"), store.Eq("group", nil))
	ok(t, err)
}

// testMistakes: what only a wrong program asks for is an error, never SQL.
func testMistakes(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	for name, q := range map[string]store.Query{
		"no limit":            {},
		"negative offset":     {Limit: 1, Offset: -1},
		"offset with cursor":  {Limit: 1, Offset: 1, Cursor: "x"},
		"unknown column":      {Limit: 1, Where: []store.Cond{store.Eq(`id" OR 1=1 --`, 1)}},
		"unknown sort column": {Limit: 1, Sort: []store.Order{{Column: "id; DROP TABLE items"}}},
		"JSON condition":      {Limit: 1, Where: []store.Cond{store.Eq("tags", "x")}},
		"JSON sort":           {Limit: 1, Sort: []store.Order{{Column: "tags"}}},
		"text for a number":   {Limit: 1, Where: []store.Cond{store.Eq("rank", "1")}},
		"number for text":     {Limit: 1, Where: []store.Cond{store.Eq("name", 1)}},
		"slice for a value":   {Limit: 1, Where: []store.Cond{store.Eq("name", []string{"a"})}},
		"less than nil":       {Limit: 1, Where: []store.Cond{store.Lt("rank", nil)}},
		"nil in a list":       {Limit: 1, Where: []store.Cond{store.In("rank", 1, nil)}},
		"no such comparison":  {Limit: 1, Where: []store.Cond{{Column: "rank", Op: 99}}},
		"too many values":     {Limit: 1, Where: []store.Cond{store.In("rank", make([]any, store.MaxIn+1)...)}},
	} {
		if _, err := c.List(ctx, q); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, broken := range map[string]func(*store.Table[item]){
		"unknown key":      func(t *store.Table[item]) { t.Key = "nope" },
		"key of no number": func(t *store.Table[item]) { t.KeyMode = store.KeyIdentity },
		"version of text":  func(t *store.Table[item]) { t.Version = "name" },
		"time of a number": func(t *store.Table[item]) { t.UpdatedAt = []string{"rank"} },
		"missing column":   func(t *store.Table[item]) { t.Columns = t.Columns[1:] },
		"column twice":     func(t *store.Table[item]) { t.Columns[1] = t.Columns[0] },
		"unknown unique":   func(t *store.Table[item]) { t.Unique = [][]string{{"nope"}} },
		"unchecked reference": func(t *store.Table[item]) {
			t.References = []store.Reference{{Column: "group", Pointer: "/group", Resource: "group"}}
		},
	} {
		table := items()
		broken(table)
		c := store.NewCollection(db, table)
		row := sample("x")
		if c.Create(ctx, &row) == nil {
			t.Errorf("%s: Create gives no error", name)
		}
		if _, err := c.List(ctx, store.Query{Limit: 1}); err == nil {
			t.Errorf("%s: List gives no error", name)
		}
	}
	if store.NewCollection(db, items(), store.WithReference("nope", whoKnows)).Delete(ctx, "x") == nil {
		t.Error("a reference in no column gives no error")
	}
}
