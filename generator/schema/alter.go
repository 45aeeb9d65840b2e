package schema

import (
	"slices"
)

// alter changes tables where they stand.
func (w *writer) alter() {
	existing := func(t TableChange) bool { return t.Old != nil && t.New != nil }
	w.dropReferences()
	w.dropIndexes(nil)
	for _, t := range w.change.Tables {
		if t.New == nil {
			w.add("DROP TABLE %s", identifier(t.Old.Name))
		}
	}
	for _, t := range w.change.Tables {
		if existing(t) && t.Old.Name != t.New.Name {
			w.add("ALTER TABLE %s RENAME TO %s", identifier(t.Old.Name), identifier(t.New.Name))
		}
	}
	for i := range w.change.Tables {
		if existing(w.change.Tables[i]) {
			w.alterTable(&w.change.Tables[i])
		}
	}
	made := map[string]bool{}
	for _, t := range w.change.Tables {
		if t.Old == nil {
			w.b.WriteString(createTable(w.engine, t.New, t.New.Name))
			made[t.New.Name] = true
		}
	}
	w.addReferences()
	w.createIndexes(made)
}

// tied reports whether a foreign key has to go while its columns change.
func (w *writer) tied(t *TableChange, ref Reference) bool {
	changes := func(table *TableChange, name string) bool {
		return slices.ContainsFunc(table.Columns, func(c ColumnChange) bool {
			return c.New.Name == name && (c.Old == nil || c.Old.Kind != c.New.Kind)
		})
	}
	if changes(t, ref.Column) {
		return true
	}
	for i := range w.change.Tables {
		if other := &w.change.Tables[i]; other.New != nil && other.New.Name == ref.Table && other.Old != nil && changes(other, ref.Key) {
			return true
		}
	}
	return false
}

// dropReferences drops the foreign keys that are wanted no more, or that are in the way.
func (w *writer) dropReferences() {
	for i := range w.change.Tables {
		t := &w.change.Tables[i]
		if t.Old == nil {
			continue
		}
		var after map[Reference]Reference
		if t.New != nil {
			after = w.change.references(t)
		}
		for _, ref := range t.Old.References {
			stays := false
			for next, before := range after {
				if before == ref && slices.Contains(t.New.References, next) && !w.tied(t, next) {
					stays = true
				}
			}
			if !stays {
				w.b.WriteString(expand(w.engine.Alter.DropReference, t.Old.Name, "", ref.Column))
			}
		}
	}
}

// addReferences adds the foreign keys that are new and those that were in the way.
// Rows from before need not satisfy them: there may be some that never did.
func (w *writer) addReferences() {
	for i := range w.change.Tables {
		t := &w.change.Tables[i]
		if t.Old == nil || t.New == nil {
			continue
		}
		before := w.change.references(t)
		for _, ref := range t.New.References {
			if _, had := before[ref]; !had || w.tied(t, ref) {
				w.add("ALTER TABLE %s ADD %s %s", identifier(t.New.Name), foreignKey(ref), w.engine.Alter.Unchecked)
			}
		}
	}
}

// alterTable changes the columns of a table, which has its new name already.
func (w *writer) alterTable(t *TableChange) {
	heirs := t.heirs()
	name := func(c *Column) string { // of an old column, once heirs have their names
		if i, ok := heirs[c.Name]; ok {
			return identifier(t.Columns[i].New.Name)
		}
		return identifier(c.Name)
	}
	table := identifier(t.New.Name)
	w.dropColumns(t, heirs, false)
	w.renameColumns(t, heirs)
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Old != nil && heirs[c.Old.Name] == i {
			continue
		}
		own := identifier(c.New.Name)
		switch {
		case c.Old != nil:
			nullable := c.New
			nullable.Nullable = true
			w.add("ALTER TABLE %s ADD COLUMN %s", table, columnDDL(w.engine, t.New, &nullable))
			w.add("UPDATE %s SET %s = %s", table, own, w.value(c, name))
			if !c.New.Nullable {
				w.add("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, own)
			}
		case c.New.Nullable:
			w.add("ALTER TABLE %s ADD COLUMN %s", table, columnDDL(w.engine, t.New, &c.New))
		default:
			w.add("ALTER TABLE %s ADD COLUMN %s DEFAULT %s", table, columnDDL(w.engine, t.New, &c.New), w.literal(&c.New))
			w.add("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, own)
		}
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Old != nil && heirs[c.Old.Name] == i {
			w.alterColumn(t, c, name)
		}
	}
	w.dropColumns(t, heirs, true)
}

// dropColumns drops those that nothing takes the place of: first what may be in the
// way of a new one, in the end what values came from.
func (w *writer) dropColumns(t *TableChange, heirs map[string]int, folded bool) {
	for _, c := range t.Dropped {
		source := slices.ContainsFunc(t.Columns, func(n ColumnChange) bool { return n.Fold != nil && n.Fold.Name == c.Name })
		if _, heir := heirs[c.Name]; !heir && source == folded {
			w.add("ALTER TABLE %s DROP COLUMN %s", identifier(t.New.Name), identifier(c.Name))
		}
	}
}

// heirs finds for every old column the new one that takes its place: one of its kind
// if there is one.
func (t *TableChange) heirs() map[string]int {
	out := map[string]int{}
	for _, same := range []bool{true, false} {
		for i, c := range t.Columns {
			if c.Old == nil || (c.Old.Kind == c.New.Kind) != same {
				continue
			}
			if _, taken := out[c.Old.Name]; !taken {
				out[c.Old.Name] = i
			}
		}
	}
	return out
}

// renameColumns gives heirs their names: by way of a third one where names go round.
func (w *writer) renameColumns(t *TableChange, heirs map[string]int) {
	table := identifier(t.New.Name)
	var round []string
	for i := range t.Old.Columns {
		old := t.Old.Columns[i].Name
		heir, ok := heirs[old]
		if !ok || t.Columns[heir].New.Name == old {
			continue
		}
		name := t.Columns[heir].New.Name
		if t.Old.column(name) != nil {
			w.add("ALTER TABLE %s RENAME COLUMN %s TO %s", table, identifier(old), identifier("moving_"+name))
			round = append(round, name)
			continue
		}
		w.add("ALTER TABLE %s RENAME COLUMN %s TO %s", table, identifier(old), identifier(name))
	}
	for _, name := range round {
		w.add("ALTER TABLE %s RENAME COLUMN %s TO %s", table, identifier("moving_"+name), identifier(name))
	}
}

// alterColumn changes what an heir holds.
func (w *writer) alterColumn(t *TableChange, c *ColumnChange, name func(*Column) string) {
	table, own := identifier(t.New.Name), identifier(c.New.Name)
	if c.New.Nullable && !c.Old.Nullable {
		w.add("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", table, own)
	}
	switch {
	case c.Old.Kind != c.New.Kind:
		w.add("ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %s", table, own, w.engine.Types[c.New.Kind], w.value(c, name))
	case c.Fold != nil:
		w.add("UPDATE %s SET %s = %s", table, own, w.value(c, name))
	case c.Old.Nullable && !c.New.Nullable:
		w.add("UPDATE %s SET %s = %s WHERE %s IS NULL", table, own, w.literal(&c.New), own)
	}
	if c.Old.Nullable && !c.New.Nullable {
		w.add("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, own)
	}
}
