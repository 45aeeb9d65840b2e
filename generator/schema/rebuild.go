package schema

import (
	"slices"
	"strconv"
	"strings"
)

// rebuild changes tables by making them anew. Foreign keys are off meanwhile, so
// dropping a table touches no other, and what refers to it finds the new one.
func (w *writer) rebuild() {
	anew, gone := map[string]bool{}, map[string]bool{} // by name after, by name before
	for i := range w.change.Tables {
		t := &w.change.Tables[i]
		switch {
		case t.New == nil:
			gone[t.Old.Name] = true
		case t.Old == nil:
			anew[t.New.Name] = true
		case w.needsRebuild(t):
			anew[t.New.Name], gone[t.Old.Name] = true, true
		}
	}
	w.dropIndexes(gone)
	for _, t := range w.change.Tables {
		if t.New == nil {
			w.add("DROP TABLE %s", identifier(t.Old.Name))
		}
	}
	for _, t := range w.change.Tables {
		if t.Old != nil && t.New != nil && t.Old.Name != t.New.Name {
			w.add("ALTER TABLE %s RENAME TO %s", identifier(t.Old.Name), identifier(t.New.Name))
		}
	}
	for i := range w.change.Tables {
		t := &w.change.Tables[i]
		switch {
		case t.New == nil:
		case t.Old == nil:
			w.b.WriteString(createTable(w.engine, t.New, t.New.Name))
		case anew[t.New.Name]:
			w.anew(t)
		default:
			for _, c := range t.Columns {
				if c.Old == nil {
					w.add("ALTER TABLE %s ADD COLUMN %s", identifier(t.New.Name), columnDDL(w.engine, t.New, &c.New))
				}
			}
		}
	}
	w.createIndexes(anew)
}

// needsRebuild reports whether a change is more than new columns that may be NULL.
func (w *writer) needsRebuild(t *TableChange) bool {
	if len(t.Dropped) > 0 {
		return true
	}
	before := w.change.references(t)
	for _, ref := range t.New.References {
		if _, ok := before[ref]; !ok {
			return true
		}
	}
	if len(before) != len(t.New.References) {
		return true
	}
	return slices.ContainsFunc(t.Columns, func(c ColumnChange) bool {
		if c.Old == nil {
			return !c.New.Nullable
		}
		return c.Old.Name != c.New.Name || c.Old.Kind != c.New.Kind || c.Old.Nullable != c.New.Nullable || c.Fold != nil
	})
}

// anew makes a table again, in its new form, with the rows that it has.
func (w *writer) anew(t *TableChange) {
	name := t.New.Name
	fresh := name + "_new"
	for n := 2; find(w.change.Before, fresh) != nil || find(w.change.After, fresh) != nil; n++ {
		fresh = name + "_new" + strconv.Itoa(n)
	}
	w.b.WriteString(createTable(w.engine, t.New, fresh))
	var names, values []string
	for i := range t.Columns {
		names = append(names, t.Columns[i].New.Name)
		values = append(values, w.value(&t.Columns[i], quoted))
	}
	w.add("INSERT INTO %s (%s)\nSELECT %s\nFROM %s", identifier(fresh), identifiers(names), strings.Join(values, ", "), identifier(name))
	if t.New.Identity {
		w.b.WriteString(expand(w.engine.Alter.KeepNumbers, name, fresh, t.New.Key))
	}
	w.add("DROP TABLE %s", identifier(name))
	w.add("ALTER TABLE %s RENAME TO %s", identifier(fresh), identifier(name))
}
