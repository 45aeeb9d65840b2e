package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// storeFile is store.gen.go: rows and tables, as data.
func storeFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.P("// migrations are the statements that make this service's tables, in order: a folder")
	g.P("// for each engine that is compiled in.")
	g.P("//\n//go:embed migrations")
	g.P("var migrations embed.FS\n")
	g.P("// Migrations returns the folder of SQL files that make this service's tables on an engine.")
	g.P("func Migrations(engine string) (fs.FS, error) {\n\treturn fs.Sub(migrations, \"migrations/\"+engine)\n}\n")
	for _, r := range s.Resources {
		rowType(g, r)
		table(g, r)
	}
	return g
}

func rowType(g *goFile, r *model.Resource) {
	g.P("// %s is a stored %s. Rows that Get returns may be shared: change them in Update.", r.Row, r.Name)
	g.P("type %s struct {", r.Row)
	for _, c := range r.Columns {
		g.P("\t%s %s", c.GoName, c.Go())
	}
	g.P("}\n")
}

func table(g *goFile, r *model.Resource) {
	g.P("var %s = store.Table[%s]{", r.Var, r.Row)
	g.P("\tName: %s, Resource: %s,", strconv.Quote(r.Table), strconv.Quote(r.Name))
	g.P("\tColumns: []store.Column{")
	for _, c := range r.Columns {
		nullable := ""
		if c.Nullable {
			nullable = ", Nullable: true"
		}
		g.P("\t\t{Name: %s, Kind: store.%s%s},", strconv.Quote(c.Name), storeKind(c), nullable)
	}
	g.P("\t},")
	g.P("\tFields: func(r *%s) []any {", r.Row)
	fields := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		fields[i] = fieldExpr(c)
	}
	g.P("\t\treturn []any{\n\t\t\t%s,\n\t\t}\n\t},", strings.Join(fields, ",\n\t\t\t"))
	mode := "store.KeyUUID"
	if r.Key.Ref.Kind == model.RefInt {
		mode = "store.KeyIdentity"
	}
	g.P("\tKey: %s, KeyMode: %s, Version: %s,", strconv.Quote(r.Key.Name), mode, strconv.Quote(r.Version.Name))
	for _, rule := range []struct{ rule, field string }{{"created", "CreatedAt"}, {"updated", "UpdatedAt"}} {
		var names []string
		for _, c := range r.Columns {
			if c.Rule == rule.rule {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			g.P("\t%s: []string{%s},", rule.field, quoted(names))
		}
	}
	if len(r.References) > 0 {
		g.P("\tReferences: []store.Reference{")
		for _, ref := range r.References {
			reference(g, ref)
		}
		g.P("\t},")
	}
	g.P("}\n")
}

func reference(g *goFile, ref *model.Reference) {
	pointer := ""
	if ref.Column.Property != "" {
		pointer = ", Pointer: " + strconv.Quote("/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(ref.Column.Property))
	}
	if ref.Use != nil {
		g.P("\t\t{Column: %s, Resource: %s%s}, // asked of service %s", strconv.Quote(ref.Column.Name), strconv.Quote(ref.Target.Name), pointer, ref.Use.Service.Name)
		return
	}
	g.P("\t\t{Column: %s, Resource: %s%s, Table: %s, Key: %s},", strconv.Quote(ref.Column.Name), strconv.Quote(ref.Target.Name),
		pointer, strconv.Quote(ref.Target.Table), strconv.Quote(ref.Target.Key.Name))
}

func storeKind(c *model.Column) string {
	return map[string]string{"text": "Text", "uuid": "UUID", "integer": "Integer", "real": "Real", "boolean": "Boolean", "time": "Time", "json": "JSON"}[c.Kind]
}

func fieldExpr(c *model.Column) string {
	switch {
	case c.Kind == "json":
		return "store.JSONField(&r." + c.GoName + ")"
	case c.Kind == "time" && c.Nullable:
		return "store.NullTimeField(&r." + c.GoName + ")"
	case c.Kind == "time":
		return "store.TimeField(&r." + c.GoName + ")"
	}
	return "&r." + c.GoName
}

// migration is the first migration of a service on an engine: its tables and indexes.
func migration(engine model.Engine, s *model.Service) []byte {
	var b strings.Builder
	b.WriteString("-- +goose Up\n")
	names := map[string]bool{}
	for _, r := range s.Resources {
		createTable(&b, engine, r, names)
	}
	if len(s.Resources) == 0 {
		b.WriteString("SELECT 1;\n")
	}
	b.WriteString("\n-- +goose Down\n")
	for i := len(s.Resources) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "DROP TABLE %s;\n", identifier(s.Resources[i].Table))
	}
	if len(s.Resources) == 0 {
		b.WriteString("SELECT 1;\n")
	}
	return []byte(b.String())
}

// identifier quotes an SQL name; names are made by the model and hold only
// a-z, 0-9 and _.
func identifier(name string) string { return `"` + name + `"` }

// createTable prints a table and its indexes; taken holds the service's index names.
func createTable(b *strings.Builder, engine model.Engine, r *model.Resource, taken map[string]bool) {
	fmt.Fprintf(b, "CREATE TABLE %s (\n", identifier(r.Table))
	var lines []string
	for _, c := range r.Columns {
		lines = append(lines, "    "+columnDDL(engine, r, c))
	}
	for _, ref := range r.References {
		if ref.Use != nil {
			continue
		}
		action := "RESTRICT"
		if ref.Column == r.ParentColumn {
			action = "CASCADE" // a child goes with its parent
		}
		lines = append(lines, fmt.Sprintf("    FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE %s",
			identifier(ref.Column.Name), identifier(ref.Target.Table), identifier(ref.Target.Key.Name), action))
	}
	b.WriteString(strings.Join(lines, ",\n") + "\n);\n")
	var long []string // columns with an index for long values
	for _, columns := range indexes(r) {
		method := ""
		if !fits(engine, r, columns) {
			columns = columns[:1]
			if engine.LongIndex == "" || slices.Contains(long, columns[0]) {
				continue
			}
			long = append(long, columns[0])
			method = " USING " + engine.LongIndex
		}
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = identifier(c)
		}
		base := model.IndexName(r.Table, columns)
		name := base
		for n := 2; taken[name]; n++ {
			name = base + strconv.Itoa(n)
		}
		taken[name] = true
		fmt.Fprintf(b, "CREATE INDEX %s ON %s%s (%s);\n", identifier(name), identifier(r.Table), method, strings.Join(names, ", "))
	}
}

// fits reports whether whatever some columns hold fits an index of the engine.
func fits(engine model.Engine, r *model.Resource, columns []string) bool {
	if engine.MaxIndexBytes == 0 {
		return true
	}
	bytes := 0
	for _, name := range columns {
		most := r.MaxBytes(name)
		if most > engine.MaxIndexBytes {
			return false
		}
		bytes += most
	}
	return bytes <= engine.MaxIndexBytes
}

func columnDDL(engine model.Engine, r *model.Resource, c *model.Column) string {
	if c == r.Key && c.Ref.Kind == model.RefInt {
		return identifier(c.Name) + " " + engine.Identity
	}
	ddl := identifier(c.Name) + " " + engine.Types[c.Kind]
	if !c.Nullable {
		ddl += " NOT NULL"
	}
	if c == r.Key {
		ddl += " PRIMARY KEY"
	}
	return ddl
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
			add(f.Column.Name)
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

// serviceFile is service.go, which is the user's from then on.
func serviceFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.owned = false
	g.doc = comment("", "Package "+s.Package+" is the service "+s.Name+".", sentence(s.Doc)) + "\n"
	g.P("// Service is the %s service. Defaults implements every operation; declare a method of", s.Name)
	g.P("// the same name on *Service to override one. An override may call d.Defaults.X, read and")
	g.P("// write other collections, and return any problem: all of it is one unit of work that")
	g.P("// commits when the response is ready, or leaves nothing behind.")
	g.P("type Service struct {\n\tDefaults\n}\n")
	g.P("var _ Server = (*Service)(nil)\n")
	g.P("// New makes the service on its defaults.")
	g.P("func New(d Defaults) *Service {\n\treturn &Service{Defaults: d}\n}")
	return g
}
