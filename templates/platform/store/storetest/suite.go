// Package storetest is the conformance suite of stores: what every engine must
// do, tested against the real one.
package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// Engine is what the suite has to know about an engine.
type Engine struct {
	// Database makes an empty database and returns a function that opens it,
	// any number of times at once. Both clean up by t.
	Database func(t testing.TB) (open func(t testing.TB) *store.DB)
	// Types gives the column types by kind, and Identity what follows the name
	// of a column with numbers that the database gives.
	Types    map[store.Kind]string
	Identity string
	// Quote is the quote around identifiers.
	Quote string
}

// Run runs the whole suite.
func Run(t *testing.T, engine Engine) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"Rows", testRows},
		{"Identity", testIdentity},
		{"Conflicts", testConflicts},
		{"Puts", testPuts},
		{"DeleteAll", testDeleteAll},
		{"Many", testMany},
		{"References", testReferences},
		{"ReferencesElsewhere", testReferencesElsewhere},
		{"Versions", testVersions},
		{"Values", testValues},
		{"Texts", testTexts},
		{"UUIDs", testUUIDs},
		{"Swallowed", testSwallowed},
		{"Mistakes", testMistakes},
		{"Units", testUnits},
		{"NestedUnits", testNestedUnits},
		{"EndedUnits", testEndedUnits},
		{"Filters", testFilters},
		{"Paging", testPaging},
		{"PagingProperty", testPagingProperty},
		{"Cursors", testCursors},
		{"ConcurrentUpdates", testConcurrentUpdates},
		{"Busy", testBusy},
		{"Coherence", testCoherence},
		{"Cache", testCache},
		{"Cascade", testCascade},
		{"Migration", testMigration},
		{"Restart", testRestart},
		{"Idempotency", testIdempotency},
		{"IdempotencyRace", testIdempotencyRace},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, engine) })
	}
}

// item is a row with every kind of column. Some names are keywords of SQL.
type item struct {
	ID      string
	Group   *string
	Name    string
	Rank    *int64
	Score   float64
	Ratio   *float64
	Active  bool
	Flag    *bool
	Due     *time.Time
	Tags    []string
	Labels  map[string]string
	Extra   json.RawMessage
	Note    *string
	Version int64
	Created time.Time
	Updated time.Time
	Stamp   string
}

func items() *store.Table[item] {
	return &store.Table[item]{
		Name:     "items",
		Resource: "item",
		Columns: []store.Column{
			{Name: "id", Kind: store.Text},
			{Name: "group", Kind: store.Text, Nullable: true},
			{Name: "name", Kind: store.Text},
			{Name: "rank", Kind: store.Integer, Nullable: true},
			{Name: "score", Kind: store.Real},
			{Name: "ratio", Kind: store.Real, Nullable: true},
			{Name: "active", Kind: store.Boolean},
			{Name: "flag", Kind: store.Boolean, Nullable: true},
			{Name: "due", Kind: store.Time, Nullable: true},
			{Name: "tags", Kind: store.JSON},
			{Name: "labels", Kind: store.JSON, Nullable: true},
			{Name: "extra", Kind: store.JSON, Nullable: true},
			{Name: "note", Kind: store.Text, Nullable: true},
			{Name: "version", Kind: store.Integer},
			{Name: "created_at", Kind: store.Time},
			{Name: "updated_at", Kind: store.Time},
			{Name: "stamp", Kind: store.Text},
		},
		Fields: func(r *item) []any {
			return []any{
				&r.ID, &r.Group, &r.Name, &r.Rank, &r.Score, &r.Ratio, &r.Active, &r.Flag,
				store.NullTimeField(&r.Due), store.JSONField(&r.Tags), store.JSONField(&r.Labels), store.JSONField(&r.Extra),
				&r.Note, &r.Version, store.TimeField(&r.Created), store.TimeField(&r.Updated), &r.Stamp,
			}
		},
		Key:       "id",
		Version:   "version",
		CreatedAt: []string{"created_at"},
		UpdatedAt: []string{"updated_at", "stamp"},
		Unique:    [][]string{{"group", "name"}},
	}
}

// part is a row with a number for a key and references.
type part struct {
	ID     int64
	ItemID string
	Next   *int64
	Maker  *string
	N      int64
}

func parts() *store.Table[part] {
	return &store.Table[part]{
		Name:     "parts",
		Resource: "part",
		Columns: []store.Column{
			{Name: "id", Kind: store.Integer},
			{Name: "item_id", Kind: store.Text},
			{Name: "next", Kind: store.Integer, Nullable: true},
			{Name: "maker", Kind: store.Text, Nullable: true},
			{Name: "n", Kind: store.Integer},
		},
		Fields:  func(r *part) []any { return []any{&r.ID, &r.ItemID, &r.Next, &r.Maker, &r.N} },
		Key:     "id",
		KeyMode: store.KeyIdentity,
		References: []store.Reference{
			{Column: "item_id", Pointer: "/itemId", Resource: "item", Table: "items", Key: "id"},
			{Column: "next", Pointer: "/next", Resource: "part", Table: "parts", Key: "id"},
			{Column: "maker", Pointer: "/maker", Resource: "maker"},
		},
	}
}

// migrations creates the suite's tables.
func (e Engine) migrations() fstest.MapFS {
	var up strings.Builder
	up.WriteString("-- +goose Up\n")
	e.create(&up, "items", items().Columns, "id", "", "UNIQUE ("+e.quote("group")+", name)")
	e.create(&up, "parts", parts().Columns, "", "id",
		"FOREIGN KEY (item_id) REFERENCES items (id) ON DELETE RESTRICT", "FOREIGN KEY ("+e.quote("next")+") REFERENCES parts (id)")
	e.create(&up, "leaves", leaves("", "").Columns, "id", "", "FOREIGN KEY (owner) REFERENCES items (id) ON DELETE CASCADE")
	e.create(&up, "twigs", leaves("", "").Columns, "id", "", "FOREIGN KEY (owner) REFERENCES leaves (id) ON DELETE CASCADE")
	e.create(&up, "cards", cards().Columns, "id", "", "UNIQUE (serial)", "FOREIGN KEY (holder) REFERENCES cards (id)")
	return fstest.MapFS{"0001_init.sql": &fstest.MapFile{Data: []byte(up.String())}}
}

func (e Engine) create(w *strings.Builder, table string, columns []store.Column, key, identity string, constraints ...string) {
	var lines []string
	for _, c := range columns {
		line := "\t" + e.quote(c.Name) + " " + e.Types[c.Kind]
		switch {
		case c.Name == identity:
			line = "\t" + e.quote(c.Name) + " " + e.Identity
		case c.Name == key:
			line += " NOT NULL PRIMARY KEY"
		case !c.Nullable:
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	for _, c := range constraints {
		lines = append(lines, "\t"+c)
	}
	fmt.Fprintf(w, "CREATE TABLE %s (\n%s\n);\n", e.quote(table), strings.Join(lines, ",\n"))
}

func (e Engine) quote(name string) string { return e.Quote + name + e.Quote }

// open opens a new database with the suite's tables.
func (e Engine) open(t testing.TB) *store.DB {
	t.Helper()
	db := e.Database(t)(t)
	ok(t, db.Migrate(t.Context(), e.migrations()))
	return db
}

// anyMaker is a service that knows every maker but "nobody".
func anyMaker() store.Option {
	return store.WithReference("maker", whoKnows)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[V any](t testing.TB, what string, got, want V) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
