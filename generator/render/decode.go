package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// formats maps the formats that are enforced to the platform's constants.
var formats = map[string]string{
	"uuid": "wire.UUID", "email": "wire.Email", "uri": "wire.URI", "uri-reference": "wire.URIReference", "date": "wire.Date",
	"time": "wire.Time", "ipv4": "wire.IPv4", "ipv6": "wire.IPv6", "hostname": "wire.Hostname", "duration": "wire.Duration", "decimal": "wire.Decimal",
}

// typeDecl prints a named type and, when requests hold it, its decoder.
func typeDecl(g *goFile, t *model.Type) {
	if t.Form == model.FormEnum {
		enumDecl(g, t)
		return
	}
	g.P("%s", comment("", t.Name+" is", describe(t.Doc, "a message of the API.")))
	g.P("type %s struct {", t.Name)
	for _, f := range t.Fields {
		if f.Doc != "" {
			g.P("%s", comment("\t", "", f.Doc))
		}
		g.P("\t%s %s `%s`", f.Name, f.Go(), f.Tag(t))
	}
	g.P("}\n")
	if t.Decoded {
		decoder(g, t)
	}
}

// describe returns a document's description as the end of a sentence "X is …".
func describe(doc, otherwise string) string {
	doc = sentence(doc)
	if doc == "" {
		return otherwise
	}
	return "described as: " + doc
}

func enumDecl(g *goFile, t *model.Type) {
	g.P("%s", comment("", t.Name+" is", describe(t.Doc, "an enumeration of the API.")))
	g.P("type %s string\n", t.Name)
	g.P("// The values of %s.", t.Name)
	g.P("const (")
	for _, v := range t.Values {
		g.P("\t%s %s = %s", v.Name, t.Name, strconv.Quote(v.Value))
	}
	g.P(")\n")
	if !t.Checked {
		return
	}
	g.P("var %s = []string{", t.ValuesVar)
	for _, v := range t.Values {
		g.P("\tstring(%s),", v.Name)
	}
	g.P("}\n")
}

// decoder prints DecodeJSON: a switch over the properties, each read and checked
// in place.
func decoder(g *goFile, t *model.Type) {
	g.P("// DecodeJSON reads the value and reports every constraint that it breaks.")
	g.P("func (v *%s) DecodeJSON(d *wire.Decoder) {", t.Name)
	var required, readOnly []string
	for _, f := range t.Fields {
		switch {
		case f.Property.Schema.ReadOnly:
			readOnly = append(readOnly, strconv.Quote(f.Property.Name))
		case f.Property.Required:
			required = append(required, strconv.Quote(f.Property.Name))
		}
	}
	if t.Rules != nil {
		g.P("\tbegin := d.Mark()")
	}
	g.P("\tfor key := range d.Object(%s) {", strings.Join(required, ", "))
	g.P("\t\tswitch key {")
	for _, f := range t.Fields {
		if f.Property.Schema.ReadOnly {
			continue
		}
		g.P("\t\tcase %s:", strconv.Quote(f.Property.Name))
		decodeField(g, f)
	}
	if t.Schema.Closed && len(readOnly) > 0 {
		g.P("\t\tcase %s:", strings.Join(readOnly, ", "))
		g.P("\t\t\td.Skip() // read-only: the server decides")
	}
	g.P("\t\tdefault:")
	if t.Schema.Closed {
		g.P("\t\t\td.Unknown(key)")
	} else {
		g.P("\t\t\td.Skip()")
	}
	g.P("\t\t}\n\t}")
	if t.Schema.MinProperties > 0 || t.Schema.MaxProperties != nil {
		g.P("\td.Properties(d.Size(), %d, %d)", t.Schema.MinProperties, orUnbounded(t.Schema.MaxProperties))
	}
	if t.Rules != nil {
		g.P("\t%s.Check(d, begin)", t.Rules.Var)
	}
	if !t.Partial {
		for _, f := range t.Fields {
			defaultField(g, f)
		}
	}
	g.P("}\n")
}

// decodeField prints the reading of one property into v's field.
func decodeField(g *goFile, f *model.Field) {
	dst := "v." + f.Name
	switch {
	case f.Presence == model.OptionalNullable:
		g.P("%s = wire.NullableOf(d, %s)", dst, elementReader(f.Ref))
	case f.Presence == model.RequiredNullable:
		g.P("if !d.Null() {")
		readInto(g, f.Ref, dst, f.Pointer())
		g.P("}")
	default:
		readInto(g, f.Ref, dst, f.Pointer())
	}
}

// defaultField prints the default of an optional property.
func defaultField(g *goFile, f *model.Field) {
	s := f.Property.Schema
	if s.Default == nil || s.ReadOnly || f.Presence == model.Required || f.Presence == model.RequiredNullable {
		return
	}
	value, ok := model.GoLiteral(f.Ref, s.Default)
	if !ok {
		return
	}
	switch {
	case f.Presence == model.OptionalNullable:
		g.P("\tif !v.%s.Set {\n\t\tv.%s = wire.Some(%s)\n\t}", f.Name, f.Name, typed(f.Ref, value))
	case f.Pointer():
		g.P("\tif v.%s == nil {\n\t\tv.%s = new(%s)\n\t}", f.Name, f.Name, typed(f.Ref, value))
	default:
		g.P("\tif v.%s == nil {\n\t\tv.%s = %s\n\t}", f.Name, f.Name, value)
	}
}

// typed makes an untyped numeric constant carry the value's type.
func typed(r *model.Ref, value string) string {
	if r.Kind == model.RefInt || r.Kind == model.RefFloat {
		return r.Go() + "(" + value + ")"
	}
	return value
}

// readInto prints reading a value of type r into dst, and its checks.
func readInto(g *goFile, r *model.Ref, dst string, pointer bool) {
	value := dst
	if r.Kind == model.RefStruct {
		if pointer {
			g.P("%s = new(%s)", dst, r.Go())
		}
		g.P("%s.DecodeJSON(d)", dst)
		return
	}
	if r.Rules != nil {
		g.P("mark := d.Mark()")
		defer g.P("%s.Check(d, mark)", r.Rules.Var)
	}
	if pointer {
		g.P("%s = new(%s)", dst, reading(r))
		value = "*" + dst
	} else {
		g.P("%s = %s", dst, reading(r))
	}
	for _, line := range checks(r, value, "d") {
		g.P("%s", line)
	}
}

// reading is the expression that reads a value of type r from d.
func reading(r *model.Ref) string {
	switch r.Kind {
	case model.RefString:
		return "d." + textMethod(r) + "()"
	case model.RefEnum:
		return r.Go() + "(d.String())"
	case model.RefInt:
		return "d.Int64()"
	case model.RefFloat:
		return "d.Float64()"
	case model.RefBool:
		return "d.Bool()"
	case model.RefTime:
		return "d.Time()"
	case model.RefBytes:
		return "d.Bytes()"
	case model.RefFile:
		return "d.File()"
	case model.RefList:
		return "wire.List(d, " + elementReader(r.Elem) + ")"
	case model.RefMap:
		return "wire.Map(d, " + elementReader(r.Elem) + ")"
	}
	return "d.Raw()"
}

// textMethod is the method that reads a string: UUIDs are read in lower case, so
// that keys compare.
func textMethod(r *model.Ref) string {
	if r.Schema != nil && r.Schema.Format == "uuid" {
		return "UUID"
	}
	return "String"
}

// elementReader is a function value that reads one r.
func elementReader(r *model.Ref) string {
	lines := checks(r, "v", "d")
	if len(lines) == 0 && r.Rules == nil {
		switch r.Kind {
		case model.RefString:
			return "(*wire.Decoder)." + textMethod(r)
		case model.RefInt:
			return "(*wire.Decoder).Int64"
		case model.RefFloat:
			return "(*wire.Decoder).Float64"
		case model.RefBool:
			return "(*wire.Decoder).Bool"
		case model.RefTime:
			return "(*wire.Decoder).Time"
		case model.RefBytes:
			return "(*wire.Decoder).Bytes"
		case model.RefFile:
			return "(*wire.Decoder).File"
		case model.RefRaw:
			return "(*wire.Decoder).Raw"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "func(d *wire.Decoder) (v %s) {\n", r.Go())
	if r.Kind == model.RefStruct {
		b.WriteString("v.DecodeJSON(d)\n")
	} else {
		if r.Rules != nil {
			b.WriteString("mark := d.Mark()\n")
			lines = append(lines, r.Rules.Var+".Check(d, mark)")
		}
		b.WriteString("v = " + reading(r) + "\n")
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	b.WriteString("return v\n}")
	return b.String()
}
