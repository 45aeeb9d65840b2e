package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/sample"
)

// Bounds of what examples.json holds.
const (
	exampleRows = 3       // per table
	maxExample  = 4 << 10 // bytes of a value
)

// exampleTables are the resources of a service that nothing in the API creates, and
// whose rows stand for themselves or below one another: parents first.
func exampleTables(s *model.Service) []*model.Resource {
	var out []*model.Resource
	for _, r := range s.Resources {
		if r.Creatable || r.Parent != nil && !slices.Contains(out, r.Parent) || r.Parent != nil && r.Parent.KeyParts != nil {
			continue
		}
		if !slices.ContainsFunc(r.Columns, func(c *model.Column) bool { return refers(r, c) && !c.Nullable }) {
			out = append(out, r)
		}
	}
	return out
}

// refers reports whether a column names a row of a table that is no parent.
func refers(r *model.Resource, c *model.Column) bool {
	return c != r.ParentColumn && slices.ContainsFunc(r.References, func(ref *model.Reference) bool { return ref.Column == c })
}

// examplesFile is examples.gen.go: how example rows come into the database.
func examplesFile(p *model.Project, s *model.Service, tables []*model.Resource) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.P("// examples.json holds rows for the tables that nothing in the API writes. It is yours to change.")
	g.P("//\n//go:embed examples.json\nvar examples []byte\n")
	g.P("// LoadExamples puts the rows of examples.json into their tables, where these are empty.")
	g.P("func (d Defaults) LoadExamples(ctx context.Context) error {")
	g.P("\treturn store.LoadExamples(ctx, d.db, examples,")
	for _, r := range tables {
		function, parts := "Examples", ""
		if r.KeyParts != nil {
			function = "JoinedExamples"
		}
		for _, c := range r.KeyParts {
			parts += ", " + strconv.Quote(c.Name)
		}
		g.P("\t\tstore.%s(d.%s%s),", function, r.Field, parts)
	}
	g.P("\t)\n}\n")
	return g
}

// exampleFile is examples.json. The user owns it: rows are easily changed.
func exampleFile(tables []*model.Resource, path string) plan.File {
	e := &exampler{keys: map[*model.Resource][]json.RawMessage{}, scopes: map[string]json.RawMessage{}}
	var b bytes.Buffer
	b.WriteString("{\n")
	for i, r := range tables {
		fmt.Fprintf(&b, "  %s: [", quoteJSON(r.Table))
		for n, row := range e.rows(r) {
			if n > 0 {
				b.WriteByte(',')
			}
			b.WriteString("\n    " + row)
		}
		b.WriteString("\n  ]")
		if i < len(tables)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	return plan.File{Path: path, Data: b.Bytes(), Owner: plan.Yours}
}

func quoteJSON(s string) string {
	text, _ := json.Marshal(s) // a string always can be
	return string(text)
}

// exampler makes the example rows of one service.
type exampler struct {
	keys   map[*model.Resource][]json.RawMessage // of the rows that were made
	scopes map[string]json.RawMessage            // values of path parameters, the same for every table
}

// rows makes rows of a resource, as JSON objects by column.
func (e *exampler) rows(r *model.Resource) []string {
	var out []string
	seen := map[string]bool{}
	for seed := uint64(1); len(out) < exampleRows && seed <= 3*exampleRows; seed++ {
		n := len(out)
		if r.Singleton && n == 1 {
			break
		}
		row, key, ok := e.row(r, seed, n)
		if !ok || seen[string(key)] {
			continue
		}
		seen[string(key)] = true
		e.keys[r] = append(e.keys[r], key)
		out = append(out, row)
	}
	return out
}

// row makes one row and its natural key; not ok where some column has no value.
func (e *exampler) row(r *model.Resource, seed uint64, n int) (row string, key json.RawMessage, ok bool) {
	message := e.message(r.Schema, seed)
	var b strings.Builder
	add := func(c *model.Column, value json.RawMessage) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteJSON(c.Name) + ": " + string(value))
	}
	for _, c := range r.Columns {
		var value json.RawMessage
		switch {
		case c.Rule == "version" || c.Rule == "created" || c.Rule == "updated", c == r.Key && r.KeyParts != nil:
			continue // the store's own
		case c == r.ParentColumn:
			keys := e.keys[r.Parent]
			if len(keys) == 0 {
				return "", nil, false
			}
			value = keys[n%len(keys)]
		case refers(r, c):
			continue // nullable, and the row that it would name has yet to be made
		case slices.Contains(r.Scopes, c):
			value = e.scope(r, c, n)
		case c == r.Natural() && c.Kind == "integer":
			value = json.RawMessage(strconv.Itoa(n + 1))
		default:
			if value = message[c.Property]; c.Property == "" {
				value = nil
			}
			if value == nil {
				value = plain(c, seed)
			}
		}
		if c == r.Natural() {
			key = value
			if value == nil {
				key = json.RawMessage(strconv.Itoa(n)) // the store makes it
				continue
			}
		}
		switch {
		case value == nil || string(value) == "null":
			if !c.Nullable {
				return "", nil, false
			}
		case !fits(c, value):
			return "", nil, false
		default:
			add(c, value)
		}
	}
	return "{" + b.String() + "}", key, true
}

// message makes what a schema requires, by property.
func (e *exampler) message(s *model.Schema, seed uint64) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	text := sample.Example(s, sample.Options{Direction: sample.Response, Minimal: true}, seed)
	if len(text) > maxExample || json.Unmarshal(text, &out) != nil {
		return nil
	}
	return out
}

// plain makes a value of a column that the message leaves out, unless it is an object or
// a list: those would make rows nobody reads. The first row has what the document shows.
func plain(c *model.Column, seed uint64) json.RawMessage {
	if c.Schema == nil || c.Kind == "json" {
		return nil
	}
	value := sample.Example(c.Schema, sample.Options{Direction: sample.Response, Literal: seed == 1}, seed)
	if len(value) > maxExample {
		return nil
	}
	return value
}

// scope is the value of a parent which nothing creates: the key of its example, or else
// the same for every table.
func (e *exampler) scope(r *model.Resource, c *model.Column, n int) json.RawMessage {
	above, _, _ := strings.Cut(r.Path, "/{"+c.Param+"}")
	for parent, keys := range e.keys {
		if parent.Path == above && parent != r && len(keys) > 0 {
			key := keys[n%len(keys)]
			if key == nil {
				continue // the only one of its kind
			}
			if c.Kind == "text" && key[0] != '"' {
				return json.RawMessage(quoteJSON(string(key)))
			}
			return key
		}
	}
	if e.scopes[c.Param] == nil {
		value := json.RawMessage(quoteJSON("example"))
		switch {
		case c.Kind == "integer":
			value = json.RawMessage("1")
		case c.Schema != nil && sample.Check(c.Schema, value, sample.Response) != nil:
			value = sample.Example(c.Schema, sample.Options{Direction: sample.Response, Literal: true}, 1)
		}
		e.scopes[c.Param] = value
	}
	return e.scopes[c.Param]
}

// fits reports whether a value has the kind of its column.
func fits(c *model.Column, value json.RawMessage) bool {
	switch c.Kind {
	case "text", "uuid", "time":
		return len(value) > 0 && value[0] == '"'
	case "integer":
		_, err := strconv.ParseInt(string(value), 10, 64)
		return err == nil
	case "real":
		_, err := strconv.ParseFloat(string(value), 64)
		return err == nil
	case "boolean":
		return string(value) == "true" || string(value) == "false"
	}
	return true
}
