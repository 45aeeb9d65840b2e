package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// SQL is the migration that carries out a change on an engine; "" when the engine
// has nothing to do.
func (c *Change) SQL(engine model.Engine) string {
	w := &writer{engine: engine, change: c}
	if engine.Alter.Rebuild {
		w.rebuild()
	} else {
		w.alter()
	}
	return w.b.String()
}

// Migration is a whole migration file around the statements of a change.
func (c *Change) Migration(statements string) []byte {
	var b strings.Builder
	b.WriteString("-- +goose Up\n")
	for _, n := range c.Notes {
		b.WriteString("-- " + n.Text + "\n")
	}
	if statements == "" {
		statements = "SELECT 1;\n" // another engine has something to do; numbers are the same for all
	}
	b.WriteString(statements)
	b.WriteString("\n-- +goose Down\n-- There is no way down: values that were converted or dropped cannot be made again.\n-- Restore a backup.\nSELECT 1;\n")
	return []byte(b.String())
}

type writer struct {
	engine model.Engine
	change *Change
	b      strings.Builder
}

// add writes a statement. One that goose could take for two is fenced.
func (w *writer) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.ContainsAny(text, ";") || strings.Contains(text, "--") {
		w.b.WriteString("-- +goose StatementBegin\n" + text + ";\n-- +goose StatementEnd\n")
		return
	}
	w.b.WriteString(text + ";\n")
}

// dropIndexes drops the indexes that the tables have no more, but of those that
// without names, which go with theirs.
func (w *writer) dropIndexes(without map[string]bool) {
	after := physical(w.engine, w.change.After)
	made := map[string]bool{} // where an older table of the name makes room
	for _, t := range w.change.Tables {
		if t.Old == nil {
			made[t.New.Name] = true
		}
	}
	for _, x := range physical(w.engine, w.change.Before) {
		if !without[x.table] && (made[x.table] || w.moves(x) || !slices.ContainsFunc(after, x.same)) {
			w.add("DROP INDEX IF EXISTS %s", identifier(x.name))
		}
	}
}

// createIndexes makes the indexes that are new, and all of the tables that anew names.
func (w *writer) createIndexes(anew map[string]bool) {
	before := physical(w.engine, w.change.Before)
	for _, x := range physical(w.engine, w.change.After) {
		if anew[x.table] || w.moves(x) || !slices.ContainsFunc(before, x.same) {
			w.b.WriteString(x.create())
		}
	}
}

// moves reports whether a column of an index is another one after the change, though
// it may be called the same.
func (w *writer) moves(x index) bool {
	for i := range w.change.Tables {
		t := &w.change.Tables[i]
		if t.Old == nil || t.New == nil || t.Old.Name != x.table {
			continue
		}
		heirs := t.heirs()
		return slices.ContainsFunc(x.columns, func(name string) bool {
			heir, ok := heirs[name]
			return !ok || t.Columns[heir].New.Name != name
		})
	}
	return false
}

// literal is the value that rows get that have none.
func (w *writer) literal(c *Column) string {
	if c.Fill == Now {
		return w.engine.Alter.Now
	}
	switch c.Kind {
	case "text", "uuid":
		var text string
		if json.Unmarshal([]byte(c.Fill), &text) != nil {
			text = ""
		}
		return w.quote(text)
	case "boolean":
		if c.Fill == "true" {
			return w.engine.Alter.True
		}
		return w.engine.Alter.False
	case "json":
		return w.quote(c.Fill)
	}
	return c.Fill
}

// quote is a text as an SQL expression on one line: a line of its own could be an
// instruction to goose. No column holds U+0000.
func (w *writer) quote(text string) string {
	var b strings.Builder
	controls := false
	b.WriteByte('\'')
	for _, r := range text {
		switch {
		case r == '\'':
			b.WriteString("''")
		case r == 0:
		case r < ' ':
			controls = true
			b.WriteString("' || " + strings.ReplaceAll(w.engine.Alter.Char, "{x}", strconv.Itoa(int(r))) + " || '")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	if controls {
		return "(" + b.String() + ")"
	}
	return b.String()
}

// value is the expression of a column's new value; name says what an old column is
// called where the expression stands.
func (w *writer) value(c *ColumnChange, name func(*Column) string) string {
	if c.Old == nil {
		if c.New.Nullable {
			return "NULL"
		}
		return w.literal(&c.New)
	}
	text := w.converted(c.Old, &c.New, name)
	if c.Fold != nil {
		missing := text + " IS NULL"
		if !c.New.Nullable {
			missing += " OR " + text + " = " + w.literal(&c.New)
		}
		text = fmt.Sprintf("CASE WHEN %s THEN COALESCE(%s, %s) ELSE %s END", missing, w.converted(c.Fold, &c.New, name), text, text)
	}
	if !c.New.Nullable && (c.Old.Nullable || c.Fold != nil || !lossless(c.Old, &c.New)) {
		text = fmt.Sprintf("COALESCE(%s, %s)", text, w.literal(&c.New))
	}
	return text
}

// converted is an old column's value as the new one's kind.
func (w *writer) converted(old, column *Column, name func(*Column) string) string {
	x := name(old)
	if old.Kind == column.Kind {
		return x
	}
	return strings.ReplaceAll(w.engine.Alter.Convert[old.Kind+">"+column.Kind], "{x}", x)
}

// quoted names a column as it is called in its table.
func quoted(c *Column) string { return identifier(c.Name) }

// expand fills in a text of the adapter.
func expand(text, table, added, column string) string {
	return strings.NewReplacer("{table}", table, "{new}", added, "{column}", column).Replace(text)
}

// renamed says what the tables of before are called after.
func (c *Change) renamed() map[string]string {
	out := map[string]string{}
	for _, t := range c.Tables {
		if t.Old != nil && t.New != nil {
			out[t.Old.Name] = t.New.Name
		}
	}
	return out
}

// references returns a table's foreign keys from before as they would read after:
// with the new names of tables and columns.
func (c *Change) references(t *TableChange) map[Reference]Reference {
	out := map[Reference]Reference{}
	names := c.renamed()
	for _, ref := range t.Old.References {
		after := ref
		for _, column := range t.Columns {
			if column.Old != nil && column.Old.Name == ref.Column && column.Old.Kind == column.New.Kind {
				after.Column = column.New.Name
				break
			}
		}
		if names[ref.Table] != "" {
			after.Table = names[ref.Table]
		}
		for _, other := range c.Tables {
			if other.Old == nil || other.New == nil || other.Old.Name != ref.Table {
				continue
			}
			for _, column := range other.Columns {
				if column.Old != nil && column.Old.Name == ref.Key {
					after.Key = column.New.Name
					break
				}
			}
		}
		out[after] = ref
	}
	return out
}
