package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func testValues(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	for name, text := range map[string]string{
		"empty":   "",
		"quotes":  `'";--\` + "`",
		"unicode": "Zoë 日本語 🙂 \u202eabc é",
		"lines":   "a\r\n\tb",
		"large":   strings.Repeat("0123456789abcde\n", 1<<16),
	} {
		row := item{Name: name, Note: &text, Tags: []string{text}, Extra: json.RawMessage(`"1e400"`), Labels: map[string]string{text: text}}
		ok(t, c.Create(ctx, &row))
		got, err := c.Get(ctx, row.ID)
		ok(t, err)
		equal(t, name, got, row)
		page, err := c.List(ctx, store.Query{Where: []store.Cond{store.Eq("note", text)}, Limit: 2})
		ok(t, err)
		equal(t, name+" found by its text", len(page.Items), 1)
	}
	for _, row := range []item{
		{Name: "max", Rank: new(int64(math.MaxInt64)), Score: math.MaxFloat64, Ratio: new(math.SmallestNonzeroFloat64)},
		{Name: "min", Rank: new(int64(math.MinInt64)), Score: -math.MaxFloat64, Ratio: new(1.0 / 3)},
		{Name: "zeros", Rank: new(int64(0)), Ratio: new(0.0), Flag: new(true), Due: new(time.Unix(0, 0).UTC())},
		{Name: "long ago", Due: new(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), Extra: json.RawMessage("null")},
		{Name: "far off", Due: new(time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC))},
		{Name: "nil slice in a column that is never NULL", Tags: nil},
	} {
		ok(t, c.Create(ctx, &row))
		got, err := c.Get(ctx, row.ID)
		ok(t, err)
		equal(t, row.Name, got, row)
	}
}

// testTexts: JSON comes back as it was written, and what some engine cannot hold is
// refused by all: it is no row's, and a cursor with it is damaged.
func testTexts(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	c := store.NewCollection(db, items())
	for _, document := range []string{
		`{ "b" : 1,"a":2, "b":3 }`, `"\u0000"`, `"\ud800"`, `"\udc00\ud800"`, `1e308`, `-0.0`, `12345678901234567890123456789`, `1.10`, `[]`, `null`, ` "x" `,
		`"` + strings.Repeat("0123456789abcdef", 1<<16) + `"`,
	} {
		row := sample("document")
		row.Extra = json.RawMessage(document)
		ok(t, c.Create(ctx, &row))
		got, err := c.Get(ctx, row.ID)
		ok(t, err)
		equal(t, "document", string(got.Extra), document)
	}
	for _, document := range []string{"", "nope", "\"\xff\"", "\"\x00\"", "{} {}"} {
		row := sample("no document")
		row.Extra = json.RawMessage(document)
		if err := c.Create(ctx, &row); err == nil || !strings.Contains(err.Error(), "extra") {
			t.Errorf("%q as JSON: %v", document, err)
		}
	}
	existing := sample("here")
	ok(t, c.Create(ctx, &existing))
	total, err := c.Count(ctx)
	ok(t, err)
	for _, bad := range []string{"a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80"} {
		for name, change := range map[string]func(*item){
			"name": func(r *item) { r.Name = bad },
			"note": func(r *item) { r.Note = &bad },
			"id":   func(r *item) { r.ID = bad },
		} {
			row := sample("bad")
			change(&row)
			if err := c.Create(ctx, &row); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%q as %s: %v", bad, name, err)
			}
			if name != "id" {
				_, err := c.Update(ctx, existing.ID, func(r *item) error { change(r); return nil })
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%q as the new %s: %v", bad, name, err)
				}
			}
		}
		_, err := c.Get(ctx, bad)
		fails[*store.NotFound](t, err)
		fails[*store.InvalidReference](t, store.NewCollection(db, parts(), anyMaker()).Create(ctx, &part{ItemID: bad}))
		for _, where := range []store.Cond{store.Eq("name", bad), store.In("name", bad), store.Lt("name", bad), store.Ge("name", bad)} {
			n, err := c.Count(ctx, where)
			ok(t, err)
			equal(t, fmt.Sprintf("rows where %+v", where), n, 0)
		}
		n, err := c.Count(ctx, store.Ne("name", bad))
		ok(t, err)
		equal(t, "rows whose name is another", n, total)
		ok(t, db.SaveKey(ctx, bad, bad+bad, [32]byte{1}, store.Replay{Status: 201}, time.Hour))
		replay, err := db.LookupKey(ctx, bad, bad+bad, [32]byte{1})
		ok(t, err)
		equal(t, "a key of odd bytes", replay.Status, 201)
	}
}
