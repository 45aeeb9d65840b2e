package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// card is a row whose key and references are UUIDs.
type card struct {
	ID      string
	Holder  *string
	Serial  string
	Version int64
}

func cards() *store.Table[card] {
	return &store.Table[card]{
		Name: "cards", Resource: "card", Key: "id", Version: "version",
		Columns: []store.Column{
			{Name: "id", Kind: store.UUID},
			{Name: "holder", Kind: store.UUID, Nullable: true},
			{Name: "serial", Kind: store.UUID},
			{Name: "version", Kind: store.Integer},
		},
		Fields:     func(c *card) []any { return []any{&c.ID, &c.Holder, &c.Serial, &c.Version} },
		Unique:     [][]string{{"serial"}},
		References: []store.Reference{{Column: "holder", Pointer: "/holder", Resource: "card", Table: "cards", Key: "id"}},
	}
}

const aUUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

// noUUIDs are texts that look like UUIDs to one parser or another.
func noUUIDs() []string {
	return []string{
		"", "x", aUUID + "0", aUUID[1:], "{" + aUUID + "}", "urn:uuid:" + aUUID, strings.ReplaceAll(aUUID, "-", ""),
		strings.Replace(aUUID, "a", "g", 1), strings.ReplaceAll(aUUID, "-", "_"), " " + aUUID[1:], aUUID[:35] + "\x00", aUUID[:34] + "é", "' OR 1=1 --",
	}
}

// testUUIDs: a UUID is the same in either case, comes back in lower case, and what
// is no UUID is equal to none.
func testUUIDs(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, cards())
	upper := strings.ToUpper(aUUID)
	holder := upper
	row := card{ID: upper, Serial: upper}
	ok(t, c.Create(ctx, &row))
	equal(t, "row as written", row, card{ID: aUUID, Serial: aUUID, Version: 1})
	second := card{Serial: "00000000-0000-0000-0000-00000000000F", Holder: &holder}
	ok(t, c.Create(ctx, &second))
	equal(t, "reference as written", []string{*second.Holder, holder}, []string{aUUID, upper})
	for _, key := range []string{upper, aUUID} {
		got, err := c.Get(ctx, key)
		ok(t, err)
		equal(t, "row by either case", got, row)
		_, err = c.Get(ctx, second.ID, store.Eq("holder", key), store.Ne("serial", key), store.In("holder", "x", key))
		ok(t, err)
	}
	equal(t, "a key that is taken", is[*store.Conflict](t, c.Create(ctx, &card{ID: upper, Serial: second.ID})).Columns, []string{"id"})
	equal(t, "a serial that is taken", is[*store.Conflict](t, c.Create(ctx, &card{Serial: upper})).Columns, []string{"serial"})
	fails[*store.InvalidReference](t, c.Create(ctx, &card{Serial: second.ID, Holder: &second.Serial}))
	// The expectation is about the row, however its key is written.
	stale := store.Expect(ctx, "cards", upper, []int64{7}, false)
	fails[*store.VersionMismatch](t, c.Delete(stale, aUUID))
	_, err := c.Update(store.Expect(ctx, "cards", aUUID, []int64{7}, false), upper, func(*card) error { return nil })
	fails[*store.VersionMismatch](t, err)

	for _, bad := range noUUIDs() {
		testNoUUID(t, c, second.ID, bad)
	}
	testUUIDOrder(t, db)
}

func testNoUUID(t *testing.T, c *store.Collection[card], existing, bad string) {
	t.Helper()
	ctx := t.Context()
	_, err := c.Get(ctx, bad)
	fails[*store.NotFound](t, err)
	fails[*store.NotFound](t, c.Delete(ctx, bad))
	_, err = c.Update(ctx, bad, func(*card) error { return nil })
	fails[*store.NotFound](t, err)
	found, err := c.Exists(ctx, bad)
	ok(t, err)
	equal(t, "exists", found, false)
	for _, test := range []struct {
		where store.Cond
		want  int64
	}{
		{store.Eq("id", bad), 0},
		{store.Ne("id", bad), 2},
		{store.Ne("holder", bad), 2},
		{store.In("id", bad, existing), 1},
		{store.In("id", bad), 0},
		{store.Lt("id", bad), 0},
		{store.Le("id", bad), 0},
		{store.Gt("id", bad), 0},
		{store.Ge("id", bad), 0},
	} {
		n, err := c.Count(ctx, test.where)
		ok(t, err)
		equal(t, fmt.Sprintf("rows where %+v", test.where), n, test.want)
		_, err = c.Get(ctx, existing, test.where)
		if test.where.Op <= store.OpNe || test.where.Op == store.OpIn {
			equal(t, fmt.Sprintf("one row where %+v", test.where), err == nil, test.want > 0)
		}
	}
	reference := is[*store.InvalidReference](t, c.Create(ctx, &card{Serial: aUUID[:35] + "f", Holder: &bad}))
	equal(t, "reference", *reference, store.InvalidReference{Pointer: "/holder", Resource: "card", Key: bad})
	err = c.Create(ctx, &card{Serial: bad})
	if err == nil || !strings.Contains(err.Error(), "serial") {
		t.Fatalf("%q as a serial: %v", bad, err)
	}
}

// testUUIDOrder: UUIDs are sorted as their text is, page by page.
func testUUIDOrder(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := store.NewCollection(db, cards())
	var want []string
	ok(t, db.Run(ctx, func(ctx context.Context) error {
		for _, first := range "f0a95c" {
			row := card{ID: string(first) + aUUID[1:], Serial: string(first) + aUUID[1:35] + "1"}
			if err := c.Create(ctx, &row); err != nil && first != 'a' { // that one exists
				return err
			}
		}
		return nil
	}))
	all, err := c.List(ctx, store.Query{Limit: 100})
	ok(t, err)
	for _, row := range all.Items {
		want = append(want, row.ID)
	}
	equal(t, "keys are sorted", slices.IsSorted(want), true)
	for _, desc := range []bool{false, true} {
		var got []string
		q := store.Query{Limit: 2, Sort: []store.Order{{Column: "holder"}, {Column: "id", Desc: desc}}, Where: []store.Cond{store.IsNull("holder")}}
		for first := true; first || q.Cursor != ""; first = false {
			page, err := c.List(ctx, q)
			ok(t, err)
			for _, row := range page.Items {
				got = append(got, row.ID)
			}
			q.Cursor = page.Next
		}
		if desc {
			slices.Reverse(got)
		}
		equal(t, "pages", got, slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !slices.Contains(got, id) }))
		equal(t, "rows", len(got), len(want)-1)
	}
}

// testSwallowed: a write that breaks a rule costs nothing but itself, so an
// override may go on with its unit. It is the same on engines that abort.
func testSwallowed(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	p := store.NewCollection(db, parts(), anyMaker())
	cc := store.NewCollection(db, cards())
	ok(t, c.Create(ctx, &item{ID: "k", Group: new("g"), Name: "n", Tags: []string{}}))
	ok(t, c.Create(ctx, &item{ID: "l", Group: new("g"), Name: "m", Tags: []string{}}))
	ok(t, p.Create(ctx, &part{ID: 5, ItemID: "k"}))
	ok(t, db.SaveKey(ctx, "s", "taken", [32]byte{1}, store.Replay{Status: 200}, 1<<40))
	for name, write := range map[string]func(ctx context.Context) error{
		"create, key": func(ctx context.Context) error { return c.Create(ctx, &item{ID: "k", Tags: []string{}}) },
		"create, group": func(ctx context.Context) error {
			return c.Create(ctx, &item{Group: new("g"), Name: "n", Tags: []string{}})
		},
		"create, number":    func(ctx context.Context) error { return p.Create(ctx, &part{ID: 5, ItemID: "k"}) },
		"create, reference": func(ctx context.Context) error { return p.Create(ctx, &part{ItemID: "nothing"}) },
		"create, no UUID":   func(ctx context.Context) error { return cc.Create(ctx, &card{Serial: aUUID, Holder: new("x")}) },
		"update, group": func(ctx context.Context) error {
			_, err := c.Update(ctx, "l", func(r *item) error { r.Name = "n"; return nil })
			return err
		},
		"update, reference": func(ctx context.Context) error {
			_, err := p.Update(ctx, 5, func(r *part) error { r.ItemID = "nothing"; return nil })
			return err
		},
		"update, version": func(ctx context.Context) error {
			_, err := c.Update(store.Expect(ctx, "items", "l", []int64{9}, false), "l", func(r *item) error { r.Name = "n"; return nil })
			return err
		},
		"delete, referred to": func(ctx context.Context) error { return c.Delete(ctx, "k") },
		"delete, missing":     func(ctx context.Context) error { return c.Delete(ctx, "nothing") },
		"key": func(ctx context.Context) error {
			return db.SaveKey(ctx, "s", "taken", [32]byte{1}, store.Replay{}, 1<<40)
		},
		"nested": func(ctx context.Context) error {
			return db.Run(ctx, func(ctx context.Context) error {
				lost := sample("lost")
				return errors.Join(c.Create(ctx, &lost), c.Create(ctx, &item{ID: "k", Tags: []string{}}))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := sample("before "+name), sample("after "+name)
			ok(t, db.Run(ctx, func(ctx context.Context) error {
				ok(t, c.Create(ctx, &before))
				if write(ctx) == nil {
					t.Error("the write breaks no rule")
				}
				if write(ctx) == nil { // and again, after the first
					t.Error("the write breaks no rule the second time")
				}
				return c.Create(ctx, &after)
			}))
			for _, row := range []item{before, after} {
				got, err := c.Get(ctx, row.ID)
				ok(t, err)
				equal(t, "row", got, row)
			}
		})
	}
	n, err := c.Count(ctx, store.Eq("name", "lost"))
	ok(t, err)
	equal(t, "rows of nested units that failed", n, 0)
}
