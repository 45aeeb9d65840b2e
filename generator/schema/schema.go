// Package schema is the tables of a service as data: what the lock records of
// them, the SQL that makes them, and the SQL that turns those of one generation
// into those of the next without losing a row.
package schema

import (
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// Table is one table as a service's database holds it.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
	Key     string   `json:"key"`
	// Identity says that the database numbers the key.
	Identity   bool        `json:"identity,omitempty"`
	References []Reference `json:"references,omitempty"`
	// Indexes are groups of columns; what of them fits an index is up to the engine.
	Indexes [][]string `json:"indexes,omitempty"`
	// Unused says that the document has no such resource any more: the table is kept
	// for the sake of its rows.
	Unused bool `json:"unused,omitempty"`
}

// Column is one column of a table.
type Column struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"` // text, uuid, integer, real, boolean, time, json
	Nullable bool   `json:"nullable,omitempty"`
	// Bytes bounds what the column holds, 0: nothing does.
	Bytes int `json:"bytes,omitempty"`
	// Values are those that an enum allows.
	Values []string `json:"values,omitempty"`
	// Shape is the form of a json column's values.
	Shape *Shape `json:"shape,omitempty"`
	// Unused says that no row of the document has it any more: it is kept for the
	// sake of its values, and takes NULL.
	Unused bool `json:"unused,omitempty"`

	// Fill is what rows get that have no value: a JSON literal, or Now.
	Fill string `json:"-"`
	// Doubtful says that the schema of the property does not allow Fill.
	Doubtful bool `json:"-"`
	// From is the former name of the column that the document gives, "" for none.
	From string `json:"-"`
}

// Now is the Fill of times at which a row was written.
const Now = "now"

// Reference is a foreign key.
type Reference struct {
	Column  string `json:"column"`
	Table   string `json:"table"`
	Key     string `json:"key"`
	Cascade bool   `json:"cascade,omitempty"` // rows go with what they refer to
}

// Of returns the tables of a service, each after those that it refers to as far as
// the document's order allows.
func Of(s *model.Service) []Table {
	var out []Table
	for _, r := range s.Resources {
		t := Table{Name: r.Table, Key: r.Key.Name, Identity: r.Key.Ref.Kind == model.RefInt, Indexes: indexes(r)}
		for _, c := range r.Columns {
			t.Columns = append(t.Columns, columnOf(r, c))
		}
		for _, ref := range r.References {
			if ref.Use == nil {
				t.References = append(t.References, Reference{
					Column: ref.Column.Name, Table: ref.Target.Table, Key: ref.Target.Key.Name, Cascade: ref.Column == r.ParentColumn,
				})
			}
		}
		out = append(out, t)
	}
	return out
}

func columnOf(r *model.Resource, c *model.Column) Column {
	out := Column{Name: c.Name, Kind: c.Kind, Nullable: c.Nullable, From: c.RenamedFrom}
	if most := r.MaxBytes(c.Name); most < model.Unbounded {
		out.Bytes = max(most, 1)
	}
	if c.Ref.Kind == model.RefEnum && c.Ref.Named != nil {
		for _, v := range c.Ref.Named.Values {
			out.Values = append(out.Values, v.Value)
		}
	}
	if c.Kind == "json" {
		out.Shape = shapeOf(c.Ref)
	}
	out.Fill, out.Doubtful = fill(c)
	return out
}

// column returns a table's column by name, nil when there is none.
func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

func (t *Table) clone() Table {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	out.References = slices.Clone(t.References)
	out.Indexes = slices.Clone(t.Indexes)
	return out
}

func find(tables []Table, name string) *Table {
	for i := range tables {
		if tables[i].Name == name {
			return &tables[i]
		}
	}
	return nil
}

// indexes lists the column groups that lists filter and sort by, and references.
func indexes(r *model.Resource) [][]string {
	var out [][]string
	seen := map[string]bool{r.Key.Name: true}
	add := func(names ...string) {
		key := strings.Join(names, ",")
		if !seen[key] {
			seen[key] = true
			out = append(out, names)
		}
	}
	for _, ref := range r.References {
		add(ref.Column.Name)
	}
	for _, c := range r.Scopes {
		add(c.Name)
	}
	for _, op := range r.Service.Operations {
		if op.Resource != r || op.List == nil {
			continue
		}
		for _, f := range op.List.Filters {
			if f.Column != nil { // a search looks at every row
				add(f.Column.Name)
			}
		}
		if op.List.Sort == nil {
			continue
		}
		for _, choice := range op.List.Sort.Choices {
			if !choice.Column.Nullable {
				add(choice.Column.Name, r.Key.Name)
			}
		}
	}
	// A longer index serves its own beginning.
	return slices.DeleteFunc(out, func(short []string) bool {
		return slices.ContainsFunc(out, func(long []string) bool { return len(long) > len(short) && slices.Equal(long[:len(short)], short) })
	})
}
