package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// convert turns a value of one type into another that is not quite the same: a
// string into an enum or back, a number into another, a message into one that has
// the same JSON.
func convert(from, to *model.Ref, value string) string {
	switch {
	case from.Go() == to.Go():
		return value
	case isText(from) && isText(to), isNumber(from) && isNumber(to):
		return to.Go() + "(" + value + ")"
	case from.Kind == model.RefInt && to.Kind == model.RefString:
		return "strconv.FormatInt(" + value + ", 10)"
	case from.Kind == model.RefFloat && to.Kind == model.RefString:
		return "strconv.FormatInt(int64(" + value + "), 10)" // a key that the document calls a number
	}
	return "wire.Convert[" + to.Go() + "](" + value + ")"
}

func isText(r *model.Ref) bool { return r.Kind == model.RefString || r.Kind == model.RefEnum }

func isNumber(r *model.Ref) bool { return r.Kind == model.RefInt || r.Kind == model.RefFloat }

func convertPointer(from, to *model.Ref, value string) string {
	switch {
	case from.Go() == to.Go():
		return value
	case isText(from) && isText(to):
		return "(*" + to.Go() + ")(" + value + ")"
	}
	return "wire.ConvertPtr[" + to.Go() + "](" + value + ")"
}

// fillExpr is the expression of a column's value on create and replace.
func fillExpr(f *model.Fill, body string) string {
	c := f.Column
	switch f.Source {
	case model.SourceParam:
		if f.Parts != nil {
			return joined(f.Parts)
		}
		return convert(f.Param.Ref, c.Ref, "in."+f.Param.GoName)
	case model.SourceFile:
		if c.Nullable {
			return "new(" + f.Value + ")"
		}
		return f.Value
	case model.SourceValue:
		if c.Nullable && !c.Ref.Nilable() {
			return "new(" + typed(c.Ref, f.Value) + ")"
		}
		return f.Value
	}
	value := bodyExpr(f, bodyField(f, body))
	if len(f.Without) > 0 {
		quotedPaths := make([]string, len(f.Without))
		for i, p := range f.Without {
			quotedPaths[i] = strconv.Quote(p)
		}
		return fmt.Sprintf("wire.Without(%s, %s)", value, strings.Join(quotedPaths, ", "))
	}
	return value
}

// bodyField is the member of the body that a column is filled from.
func bodyField(f *model.Fill, body string) string {
	switch {
	case f.Outer == nil:
		return body + "." + f.Field.Name
	case f.Outer.Pointer():
		value := fmt.Sprintf("wire.Or(%s.%s, %s{}).%s", body, f.Outer.Name, f.Outer.Ref.Go(), f.Field.Name)
		if inner := f.Outer.Ref.Named.Fields[0]; inner.Presence == model.Required && !inner.Ref.Nilable() {
			return "wire.NonZero(" + value + ")"
		}
		return value
	}
	return body + "." + f.Outer.Name + "." + f.Field.Name
}

func bodyExpr(f *model.Fill, field string) string {
	c, from, to := f.Column, f.Field.Ref, f.Column.Ref
	if f.Base != "" {
		return overExpr(f, field, f.Base)
	}
	if to.Nilable() {
		if f.Field.Presence == model.OptionalNullable {
			field += ".Value"
		}
		field = convert(from, to, field)
		if to.Kind == model.RefList && !c.Nullable {
			return "wire.NonNil(" + field + ")"
		}
		return field
	}
	pointer := field
	switch f.Field.Presence {
	case model.Required:
		value := convert(from, to, field)
		if c.Nullable {
			return "new(" + value + ")"
		}
		return value
	case model.OptionalNullable:
		pointer = field + ".Ptr()"
	}
	otherwise := f.Value
	switch {
	case otherwise == "" && c.Nullable:
		return convertPointer(from, to, pointer)
	case otherwise == "":
		otherwise = zero(to)
	}
	value := "wire.Or(" + convertPointer(from, to, pointer) + ", " + otherwise + ")"
	if c.Nullable {
		return "new(" + value + ")"
	}
	return value
}

// overExpr lays the body's value over a base.
func overExpr(f *model.Fill, field, base string) string {
	pointer := f.Field.Pointer() || f.Field.Presence == model.OptionalNullable
	if f.Field.Presence == model.OptionalNullable {
		field += ".Ptr()"
	}
	switch {
	case f.Column.Ref.Kind == model.RefList:
		if f.Field.Presence == model.OptionalNullable {
			field = "wire.Or(" + field + ", nil)"
		}
		return "wire.OverEach(" + base + ", " + field + ")"
	case !f.Column.Nullable:
		return "wire.Over(" + base + ", " + field + ")"
	case pointer:
		return "wire.OverPtr(" + base + ", " + field + ")"
	}
	return "new(wire.Over(" + base + ", " + field + "))"
}

func zero(r *model.Ref) string {
	switch r.Kind {
	case model.RefString, model.RefEnum:
		return `""`
	case model.RefInt, model.RefFloat:
		return "0"
	case model.RefBool:
		return "false"
	}
	return r.Go() + "{}"
}

// projection is one function from a row to a message.
type projection struct {
	name     string
	resource *model.Resource
	message  *model.Type
	fields   []*model.FieldSource
}

// projections lists the service's projection functions, each once.
func projections(s *model.Service) []projection {
	var out []projection
	seen := map[string]bool{}
	add := func(name string, r *model.Resource, t *model.Ref, fields []*model.FieldSource) {
		if name == "" || seen[name] {
			return
		}
		seen[name] = true
		out = append(out, projection{name, r, t.Named, fields})
	}
	for _, op := range s.Operations {
		switch {
		case op.Many != nil && op.Many.Item != nil:
			add(op.Many.ItemFunc, op.Resource, op.Many.Item, op.Many.ItemFrom)
		case op.List != nil:
			add(op.List.ItemFunc, op.Resource, op.List.Item, op.List.ItemFrom)
		case op.Result != nil && op.Result.Ref != nil:
			add(op.Result.Func, op.Resource, op.Result.Message, op.Result.Fields)
		}
	}
	return out
}

func projectionFunc(g *goFile, p projection) {
	g.P("// %s is a row of %s as clients read it.", p.name, p.resource.Table)
	argument := "_"
	for _, f := range p.fields {
		if f.Column != nil {
			argument = "row"
		}
	}
	g.P("func %s(%s %s) %s {", p.name, argument, p.resource.Row, p.message.Name)
	g.P("\treturn %s{", p.message.Name)
	for _, f := range p.fields {
		value := present(f.Field, f.Value)
		if f.Source == model.SourceColumn {
			value = columnExpr(f.Column, f.Field)
		}
		g.P("\t\t%s: %s,", f.Field.Name, value)
	}
	g.P("\t}\n}\n")
}

// columnExpr is a column's value as the field of a message wants it.
func columnExpr(c *model.Column, f *model.Field) string {
	value, from, to := "row."+c.GoName, c.Ref, f.Ref
	if to.Nilable() {
		value = convert(from, to, value)
		switch {
		case f.Presence == model.OptionalNullable:
			return fmt.Sprintf("wire.Nullable[%s]{Set: true, Null: %s == nil, Value: %s}", to.Go(), value, value)
		case f.Presence == model.Required && to.Kind == model.RefList:
			return "wire.NonNil(" + value + ")"
		}
		return value
	}
	if c.Nullable {
		switch f.Presence {
		case model.OptionalNullable:
			return "wire.FromPtr(" + convertPointer(from, to, value) + ")"
		case model.Required:
			return "wire.Or(" + convertPointer(from, to, value) + ", " + zero(to) + ")"
		}
		return convertPointer(from, to, value)
	}
	value = convert(from, to, value)
	switch {
	case f.Presence == model.OptionalNullable:
		return "wire.Some(" + value + ")"
	case f.Pointer():
		return "new(" + value + ")"
	}
	return value
}
