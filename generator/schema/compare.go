package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Options are what the user allows a migration to do.
type Options struct {
	// Drop lets go of columns and tables that nothing uses any more.
	Drop bool
	// Renames are the user's own: "orders.total" -> "amount", "orders" -> "purchases".
	Renames map[string]string
}

// Change turns the tables that databases hold into those that the code wants.
type Change struct {
	Before, After []Table
	Tables        []TableChange
	Notes         []Note
	// Used are the renames of the options that found what they name.
	Used map[string]bool
}

// TableChange is what happens to one table.
type TableChange struct {
	Old     *Table // nil: it is made
	New     *Table // nil: it is dropped
	Columns []ColumnChange
	Dropped []Column
}

// ColumnChange is a column of the new table.
type ColumnChange struct {
	New Column
	// Old is where its values come from, nil: every row gets New.Fill.
	Old *Column
	// Fold is a column that was given up earlier; its values go where New has none.
	Fold *Column
}

// Note is a decision about rows that the user should know of.
type Note struct {
	Code          string
	Table, Column string
	Text, Hint    string
}

// Compare finds the change from the tables that databases hold to those that the
// code wants. Nothing is lost unless the options say so: a column or table that is
// wanted no more stays where it is, and takes no part.
func Compare(have, want []Table, o Options) *Change {
	c := &comparison{options: o, change: &Change{Before: have, Used: map[string]bool{}}, taken: map[string]bool{}, names: map[string]bool{}}
	for _, tables := range [][]Table{have, want} {
		for i := range tables {
			c.names[tables[i].Name] = true
		}
	}
	origins := c.origins(have, want)
	replaced := c.replaced(origins, want)
	for i := range want {
		w := want[i].clone()
		h := origins[w.Name]
		switch {
		case h == nil:
			c.made(&w)
		case replaced[w.Name]:
			c.replace(h)
			c.made(&w)
		default:
			c.table(h, &w)
		}
	}
	for i := range have {
		if !c.taken[have[i].Name] {
			c.retire(&have[i], have[i].Name)
		}
	}
	c.change.After = append(c.change.After, c.kept...)
	return c.change
}

type comparison struct {
	options Options
	change  *Change
	kept    []Table         // that nothing wants
	taken   map[string]bool // tables of before that have a successor
	names   map[string]bool // of tables, before and after
}

func (c *comparison) note(code, table, column, hint, format string, args ...any) {
	c.change.Notes = append(c.change.Notes, Note{Code: code, Table: table, Column: column, Hint: hint, Text: fmt.Sprintf(format, args...)})
}

// origins finds the table that each wanted one continues.
func (c *comparison) origins(have, want []Table) map[string]*Table {
	out := map[string]*Table{}
	for from, to := range c.options.Renames {
		old, wanted := find(have, from), find(want, to)
		if old != nil && wanted != nil && find(have, to) == nil && find(want, from) == nil {
			out[to] = old
			c.taken[from], c.change.Used[from] = true, true
		}
	}
	for i := range want {
		name := want[i].Name
		if old := find(have, name); old != nil && out[name] == nil && !c.taken[name] {
			out[name] = old
			c.taken[name] = true
		}
	}
	return out
}

// replaced are the tables whose rows cannot be carried over, for their keys cannot,
// and those that refer to such.
func (c *comparison) replaced(origins map[string]*Table, want []Table) map[string]bool {
	out := map[string]bool{}
	for i := range want {
		w := &want[i]
		if h := origins[w.Name]; h != nil {
			from := c.source(h, w, w.column(w.Key))
			out[w.Name] = from == nil || from.Name != h.Key || h.Identity != w.Identity || !lossless(from, w.column(w.Key))
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range want {
			w := &want[i]
			for _, ref := range w.References {
				if out[ref.Table] && !out[w.Name] && origins[w.Name] != nil {
					out[w.Name], changed = true, true
				}
			}
		}
	}
	return out
}

func (c *comparison) made(w *Table) {
	change := TableChange{New: w}
	for _, column := range w.Columns {
		change.Columns = append(change.Columns, ColumnChange{New: column})
	}
	c.change.Tables = append(c.change.Tables, change)
	c.change.After = append(c.change.After, *w)
}

// replace gives up a table whose rows the new one of that name cannot hold.
func (c *comparison) replace(h *Table) {
	name := c.unique(h.Name + "_before")
	c.note("table-replaced", h.Name, "", "copy what you need by hand, in a migration of your own",
		"%s gets another key, or belongs to what does: it starts empty, and its rows stay in %s", h.Name, name)
	c.retire(h, name)
}

func (c *comparison) unique(base string) string {
	name := base
	for n := 2; c.names[name]; n++ {
		name = base + strconv.Itoa(n)
	}
	c.names[name] = true
	return name
}

// retire drops a table that nothing wants, or keeps it without the ties that would
// hold back the tables that are in use.
func (c *comparison) retire(h *Table, name string) {
	if c.options.Drop {
		c.note("table-dropped", h.Name, "", "", "table %s is dropped with its rows", h.Name)
		c.change.Tables = append(c.change.Tables, TableChange{Old: h})
		return
	}
	kept := h.clone()
	kept.Name, kept.References, kept.Indexes, kept.Unused = name, nil, nil, true
	if !h.Unused && name == h.Name {
		c.note("table-kept", h.Name, "", "drop it with --allow-destructive, or say what it became with --rename "+h.Name+"=NEW",
			"the document has no %s any more: the table is kept with its rows", h.Name)
	}
	change := TableChange{Old: h, New: &kept}
	for i := range h.Columns {
		change.Columns = append(change.Columns, ColumnChange{New: h.Columns[i], Old: &h.Columns[i]})
	}
	c.change.Tables = append(c.change.Tables, change)
	c.kept = append(c.kept, kept)
}

// source finds the column that a wanted one continues.
func (c *comparison) source(h, w *Table, column *Column) *Column {
	for _, table := range []string{h.Name, w.Name} {
		for i := range h.Columns {
			old := &h.Columns[i]
			if c.options.Renames[table+"."+old.Name] == column.Name && h.column(column.Name) == nil {
				c.change.Used[table+"."+old.Name] = true
				return old
			}
		}
	}
	if same := h.column(column.Name); same != nil {
		return same
	}
	if old := h.column(column.From); column.From != "" && old != nil && w.column(column.From) == nil {
		return old
	}
	if column.Name == w.Key && w.column(h.Key) == nil {
		return h.column(h.Key)
	}
	return nil
}

// table matches the columns of a table with those that it had.
func (c *comparison) table(h, w *Table) {
	change := TableChange{Old: h, New: w}
	used := map[string]bool{}
	var kept []ColumnChange
	for _, column := range w.Columns {
		from := c.source(h, w, &column)
		if from == nil || used[from.Name] {
			c.added(w, column)
			change.Columns = append(change.Columns, ColumnChange{New: column})
			continue
		}
		used[from.Name] = true
		next := ColumnChange{New: column, Old: from, Fold: c.fold(h, w, &column)}
		change.Columns = append(change.Columns, next)
		c.values(w, from, &column)
		if !lossless(from, &column) {
			kept = append(kept, c.converted(h, w, &next, &change)...)
		}
		if from.Nullable && !column.Nullable {
			c.doubt(w, column, "rows without a value")
			if !column.Doubtful {
				c.note("filled", w.Name, column.Name, "", "rows without a value get %s in %s.%s, which the document requires now", column.Fill, w.Name, column.Name)
			}
		}
	}
	for i := range h.Columns {
		old := &h.Columns[i]
		if !used[old.Name] {
			kept = append(kept, c.unused(w, old, &change)...)
		}
	}
	for _, k := range kept {
		change.Columns = append(change.Columns, k)
		w.Columns = append(w.Columns, k.New)
	}
	c.guess(h, &change)
	c.change.Tables = append(c.change.Tables, change)
	c.change.After = append(c.change.After, *w)
}

// values tells of values that rows may hold and the document allows no more.
func (c *comparison) values(w *Table, old, column *Column) {
	if len(column.Values) > 0 && len(old.Values) == 0 {
		c.note("value-removed", w.Name, column.Name, "change such rows in a migration of your own",
			"rows may hold others than %s in %s.%s, and the document allows no others now", strings.Join(column.Values, ", "), w.Name, column.Name)
	}
	for _, v := range old.Values {
		if len(column.Values) > 0 && !slices.Contains(column.Values, v) {
			c.note("value-removed", w.Name, column.Name, "change such rows in a migration of your own, or take the value back",
				"rows may hold %q in %s.%s, which the document allows no more", v, w.Name, column.Name)
		}
	}
}

// fold finds the column that was given up under another name before the user said
// that it is this one.
func (c *comparison) fold(h, w *Table, column *Column) *Column {
	for i := range h.Columns {
		old := &h.Columns[i]
		for _, table := range []string{h.Name, w.Name} {
			if c.options.Renames[table+"."+old.Name] == column.Name && old.Unused && convertible(old, column) {
				c.change.Used[table+"."+old.Name] = true
				return old
			}
		}
	}
	return nil
}

func (c *comparison) added(w *Table, column Column) {
	if !column.Nullable {
		c.doubt(w, column, "rows from before")
	}
}

// doubt tells of a value that the schema of the document would refuse.
func (c *comparison) doubt(w *Table, column Column, who string) {
	if column.Doubtful {
		c.note("fill-doubtful", w.Name, column.Name, "give the property a default, or edit the migration before it first runs",
			"%s get %s in %s.%s, which is no true value", who, column.Fill, w.Name, column.Name)
	}
}

// converted keeps the values of a column whose new type cannot hold all of them.
func (c *comparison) converted(h, w *Table, next *ColumnChange, change *TableChange) []ColumnChange {
	old := next.Old
	what := "a value that cannot be converted"
	if !convertible(old, &next.New) {
		change.Columns[len(change.Columns)-1].Old, what = nil, "all rows"
	}
	if c.options.Drop {
		c.note("column-converted", w.Name, next.New.Name, "", "%s.%s becomes %s: %s becomes %s, and the former values are dropped",
			w.Name, next.New.Name, next.New.Kind, what, empty(&next.New))
		if change.Columns[len(change.Columns)-1].Old == nil {
			change.Dropped = append(change.Dropped, *old)
		}
		return nil
	}
	kept := *old
	kept.Name = freeColumn(h, w, old.Name+"_"+old.Kind)
	kept.Nullable, kept.Unused = true, true
	c.note("column-converted", w.Name, next.New.Name, "drop the former values with --allow-destructive when you need them no more",
		"%s.%s becomes %s: %s becomes %s, and the former values stay in %s", w.Name, next.New.Name, next.New.Kind, what, empty(&next.New), kept.Name)
	return []ColumnChange{{New: kept, Old: old}}
}

func empty(c *Column) string {
	if c.Nullable {
		return "NULL"
	}
	return c.Fill
}

func freeColumn(h, w *Table, base string) string {
	name := base
	for n := 2; h.column(name) != nil || w.column(name) != nil; n++ {
		name = base + strconv.Itoa(n)
	}
	return name
}

// unused drops a column that nothing wants, or keeps it where inserts may leave it out.
func (c *comparison) unused(w *Table, old *Column, change *TableChange) []ColumnChange {
	if c.options.Drop {
		c.note("column-dropped", w.Name, old.Name, "", "%s.%s is dropped with its values", w.Name, old.Name)
		change.Dropped = append(change.Dropped, *old)
		return nil
	}
	kept := *old
	kept.Nullable, kept.Unused = true, true
	if !old.Unused {
		c.note("column-kept", w.Name, old.Name, "drop it with --allow-destructive", "nothing uses %s.%s any more: the column is kept with its values", w.Name, old.Name)
	}
	return []ColumnChange{{New: kept, Old: old}}
}

// guess points at a column that came as another of its kind went: it may be the same
// one under another name.
func (c *comparison) guess(h *Table, change *TableChange) {
	var gone, come []string
	kinds := map[string]string{}
	for _, column := range change.Columns {
		if column.Old != nil && column.New.Unused && !column.Old.Unused && column.New.Name == column.Old.Name {
			gone = append(gone, column.Old.Name)
			kinds[column.Old.Name] = column.Old.Kind
		}
	}
	for _, column := range change.Dropped {
		if !column.Unused && change.New.column(column.Name) == nil {
			gone = append(gone, column.Name)
			kinds[column.Name] = column.Kind
		}
	}
	for _, column := range change.Columns {
		if column.Old == nil && h.column(column.New.Name) == nil {
			come = append(come, column.New.Name)
			kinds[column.New.Name] = column.New.Kind
		}
	}
	for _, old := range gone {
		same := func(name string) bool { return kinds[name] == kinds[old] }
		if i := slices.IndexFunc(come, same); i >= 0 {
			c.note("column-renamed", change.New.Name, old,
				fmt.Sprintf("if they are one, say so: --rename %s.%s=%s, or x-backend: {renamed-from: …} on the property", change.New.Name, old, come[i]),
				"%s.%s went and %s.%s came, both %s", change.New.Name, old, change.New.Name, come[i], kinds[old])
		}
	}
}
