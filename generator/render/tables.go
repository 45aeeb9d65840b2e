package render

import (
	"fmt"
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
	if r.KeyForm != nil {
		g.P("\tKeyForm: store.KeyForm{%s},", keyForm(r.KeyForm))
	}
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
		pointer = ", Pointer: " + strconv.Quote("/"+pointerToken(ref.Column.Property))
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

// keyForm is the form of a table's keys as Go.
func keyForm(form []model.KeyPart) string {
	parts := make([]string, len(form))
	for i, p := range form {
		if p.From == "" {
			parts[i] = "{Text: " + strconv.Quote(p.Text) + "}"
			continue
		}
		from := strconv.Quote(p.From)
		switch p.From {
		case model.HexDigits:
			from = "store.Hex"
		case model.PlainChars:
			from = "store.Alphanumeric"
		}
		parts[i] = fmt.Sprintf("{From: %s, Length: %d}", from, p.Length)
	}
	return strings.Join(parts, ", ")
}
