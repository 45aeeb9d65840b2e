package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// identifier quotes an SQL name; names are made by the model and hold only
// a-z, 0-9 and _.
func identifier(name string) string { return `"` + name + `"` }

func identifiers(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = identifier(name)
	}
	return strings.Join(quoted, ", ")
}

// Init is the first migration of a service on an engine: its tables and indexes.
func Init(engine model.Engine, tables []Table) []byte {
	var b strings.Builder
	b.WriteString("-- +goose Up\n")
	index := physical(engine, tables)
	for i := range tables {
		b.WriteString(createTable(engine, &tables[i], tables[i].Name))
		for _, x := range index {
			if x.table == tables[i].Name {
				b.WriteString(x.create())
			}
		}
	}
	if len(tables) == 0 {
		b.WriteString("SELECT 1;\n")
	}
	b.WriteString("\n-- +goose Down\n")
	for i := len(tables) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "DROP TABLE %s;\n", identifier(tables[i].Name))
	}
	if len(tables) == 0 {
		b.WriteString("SELECT 1;\n")
	}
	return []byte(b.String())
}

// createTable is the statement that makes a table, under a name of its own or another.
func createTable(engine model.Engine, t *Table, name string) string {
	var lines []string
	for i := range t.Columns {
		lines = append(lines, "    "+columnDDL(engine, t, &t.Columns[i]))
	}
	for _, ref := range t.References {
		lines = append(lines, "    "+foreignKey(ref))
	}
	return fmt.Sprintf("CREATE TABLE %s (\n%s\n);\n", identifier(name), strings.Join(lines, ",\n"))
}

func foreignKey(ref Reference) string {
	action := "RESTRICT"
	if ref.Cascade {
		action = "CASCADE" // a child goes with its parent
	}
	return fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE %s",
		identifier(ref.Column), identifier(ref.Table), identifier(ref.Key), action)
}

func columnDDL(engine model.Engine, t *Table, c *Column) string {
	if c.Name == t.Key && t.Identity {
		return identifier(c.Name) + " " + engine.Identity
	}
	ddl := identifier(c.Name) + " " + engine.Types[c.Kind]
	if !c.Nullable {
		ddl += " NOT NULL"
	}
	if c.Name == t.Key {
		ddl += " PRIMARY KEY"
	}
	return ddl
}

// index is an index as an engine has it.
type index struct {
	name, table, method string
	columns             []string
}

func (x index) create() string {
	return fmt.Sprintf("CREATE INDEX %s ON %s%s (%s);\n", identifier(x.name), identifier(x.table), x.method, identifiers(x.columns))
}

func (x index) same(y index) bool {
	return x.name == y.name && x.table == y.table && x.method == y.method && slices.Equal(x.columns, y.columns)
}

// physical are the indexes that an engine gives to tables.
func physical(engine model.Engine, tables []Table) []index {
	var out []index
	taken := map[string]bool{}
	for i := range tables {
		t := &tables[i]
		var long []string // columns with an index for long values
		for _, columns := range t.Indexes {
			method := ""
			if !fits(engine, t, columns) {
				columns = columns[:1]
				if engine.LongIndex == "" || slices.Contains(long, columns[0]) {
					continue
				}
				long = append(long, columns[0])
				method = " USING " + engine.LongIndex
			}
			base := model.IndexName(t.Name, columns)
			name := base
			for n := 2; taken[name]; n++ {
				name = base + strconv.Itoa(n)
			}
			taken[name] = true
			out = append(out, index{name: name, table: t.Name, method: method, columns: columns})
		}
	}
	return out
}

// fits reports whether whatever some columns hold fits an index of the engine.
func fits(engine model.Engine, t *Table, columns []string) bool {
	if engine.MaxIndexBytes == 0 {
		return true
	}
	bytes := 0
	for _, name := range columns {
		c := t.column(name)
		if c == nil || c.Bytes == 0 || c.Bytes > engine.MaxIndexBytes {
			return false
		}
		bytes += c.Bytes
	}
	return bytes <= engine.MaxIndexBytes
}
