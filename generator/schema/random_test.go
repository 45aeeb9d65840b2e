package schema

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestRandomChanges: whatever becomes of a schema, the migrated tables are those that
// a fresh database has, no row is lost, and no value of a column that stays.
func TestRandomChanges(t *testing.T) {
	engines(t, func(t *testing.T, open func(t *testing.T) *database) {
		rounds := 30
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
