package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// formats maps the formats that are enforced to the platform's constants.
var formats = map[string]string{
	"uuid": "wire.UUID", "email": "wire.Email", "uri": "wire.URI", "uri-reference": "wire.URIReference", "date": "wire.Date",
	"time": "wire.Time", "ipv4": "wire.IPv4", "ipv6": "wire.IPv6", "hostname": "wire.Hostname",
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
		g.P("\t%s %s `%s`", f.Name, f.Go(), f.Tag())
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
		return "d.String()"
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
	case model.RefList:
		return "wire.List(d, " + elementReader(r.Elem) + ")"
	case model.RefMap:
		return "wire.Map(d, " + elementReader(r.Elem) + ")"
	}
	return "d.Raw()"
}

// elementReader is a function value that reads one r.
func elementReader(r *model.Ref) string {
	lines := checks(r, "v", "d")
	if len(lines) == 0 {
		switch r.Kind {
		case model.RefString:
			return "(*wire.Decoder).String"
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
		case model.RefRaw:
			return "(*wire.Decoder).Raw"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "func(d *wire.Decoder) (v %s) {\n", r.Go())
	if r.Kind == model.RefStruct {
		b.WriteString("v.DecodeJSON(d)\n")
	} else {
		b.WriteString("v = " + reading(r) + "\n")
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	b.WriteString("return v\n}")
	return b.String()
}

// checks are the statements that enforce a schema's constraints on an expression;
// at is the wire.Check they report to.
func checks(r *model.Ref, value, at string) []string {
	s := r.Schema
	if s == nil {
		return nil
	}
	switch r.Kind {
	case model.RefString:
		return stringChecks(r, value, at)
	case model.RefEnum:
		return []string{fmt.Sprintf("%s.Enum(string(%s), %s...)", at, value, r.Named.ValuesVar)}
	case model.RefInt:
		return integerChecks(s, value, at)
	case model.RefFloat:
		return numberChecks(s, value, at)
	case model.RefBool:
		if word := string(s.Const); word == "true" || word == "false" {
			return []string{fmt.Sprintf("%s.ConstBool(%s, %s)", at, value, word)}
		}
	case model.RefList:
		return listChecks(r, value, at)
	case model.RefMap:
		if s.MinProperties > 0 || s.MaxProperties != nil {
			return []string{fmt.Sprintf("%s.Properties(len(%s), %d, %d)", at, value, s.MinProperties, orUnbounded(s.MaxProperties))}
		}
	case model.RefRaw:
		return rawChecks(r, value, at)
	}
	return nil
}

func stringChecks(r *model.Ref, value, at string) (lines []string) {
	s := r.Schema
	if s.MinLength > 0 || s.MaxLength != nil {
		lines = append(lines, fmt.Sprintf("%s.Length(%s, %d, %d)", at, value, s.MinLength, orUnbounded(s.MaxLength)))
	}
	if r.Pattern != nil {
		lines = append(lines, fmt.Sprintf("%s.Pattern(%s, %s)", at, value, r.Pattern.Var))
	}
	if f := formats[s.Format]; f != "" {
		lines = append(lines, fmt.Sprintf("%s.Format(%s, %s)", at, value, f))
	}
	if text, ok := model.Text(s.Const); ok {
		lines = append(lines, fmt.Sprintf("%s.Const(%s, %s)", at, value, strconv.Quote(text)))
	}
	return lines
}

func integerChecks(s *model.Schema, value, at string) (lines []string) {
	low, lowExclusive, high, highExclusive := s.Minimum, s.ExclusiveMinimum, s.Maximum, s.ExclusiveMaximum
	if s.Format == "int32" {
		if low == nil {
			low = new(float64(math.MinInt32))
		}
		if high == nil {
			high = new(float64(math.MaxInt32))
		}
	}
	bound := func(limit *float64, exclusive bool, name string) {
		if limit == nil {
			return
		}
		if exclusive {
			name = "Exclusive" + name
		}
		if *limit == math.Trunc(*limit) && math.Abs(*limit) < 1<<62 {
			lines = append(lines, fmt.Sprintf("%s.%sInt(%s, %d)", at, name, value, int64(*limit)))
			return
		}
		lines = append(lines, fmt.Sprintf("%s.%s(float64(%s), %s)", at, name, value, float(*limit)))
	}
	bound(low, lowExclusive, "Min")
	bound(high, highExclusive, "Max")
	if m := s.MultipleOf; m != nil && *m >= 1 && *m == math.Trunc(*m) && *m < 1<<62 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOfInt(%s, %d)", at, value, int64(*m)))
	} else if m != nil && *m > 0 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOf(float64(%s), %s)", at, value, float(*m)))
	}
	if list, ok := numbers(s.Enum, true); ok {
		lines = append(lines, fmt.Sprintf("%s.EnumInt(%s, %s)", at, value, list))
	}
	if list, ok := numbers([]model.Literal{s.Const}, true); ok {
		lines = append(lines, fmt.Sprintf("%s.ConstInt(%s, %s)", at, value, list))
	}
	return lines
}

func numberChecks(s *model.Schema, value, at string) (lines []string) {
	bound := func(limit *float64, exclusive bool, name string) {
		if limit == nil {
			return
		}
		if exclusive {
			name = "Exclusive" + name
		}
		lines = append(lines, fmt.Sprintf("%s.%s(%s, %s)", at, name, value, float(*limit)))
	}
	bound(s.Minimum, s.ExclusiveMinimum, "Min")
	bound(s.Maximum, s.ExclusiveMaximum, "Max")
	if m := s.MultipleOf; m != nil && *m > 0 {
		lines = append(lines, fmt.Sprintf("%s.MultipleOf(%s, %s)", at, value, float(*m)))
	}
	if list, ok := numbers(s.Enum, false); ok {
		lines = append(lines, fmt.Sprintf("%s.EnumFloat(%s, %s)", at, value, list))
	}
	if list, ok := numbers([]model.Literal{s.Const}, false); ok {
		lines = append(lines, fmt.Sprintf("%s.ConstFloat(%s, %s)", at, value, list))
	}
	return lines
}

func listChecks(r *model.Ref, value, at string) (lines []string) {
	s := r.Schema
	method := "Items"
	if at == "p" { // a parameter's Items iterates
		method = "ItemCount"
	}
	if s.MinItems > 0 || s.MaxItems != nil {
		lines = append(lines, fmt.Sprintf("%s.%s(len(%s), %d, %d)", at, method, value, s.MinItems, orUnbounded(s.MaxItems)))
	}
	if s.UniqueItems {
		lines = append(lines, fmt.Sprintf("wire.Unique(%s, %s)", at, value))
	}
	return lines
}

func rawChecks(r *model.Ref, value, at string) []string {
	if at != "d" {
		return nil
	}
	if types := r.Schema.Types; len(types) > 0 {
		quoted := make([]string, len(types))
		for i, t := range types {
			quoted[i] = strconv.Quote(t)
		}
		return []string{fmt.Sprintf("d.KindIs(%s, %s)", value, strings.Join(quoted, ", "))}
	}
	if len(r.Variants) == 0 {
		return nil
	}
	method := "AnyOf"
	if len(r.Schema.OneOf) > 0 {
		method = "OneOf"
	}
	variants := make([]string, len(r.Variants))
	for i, v := range r.Variants {
		variants[i] = variant(v)
	}
	return []string{fmt.Sprintf("wire.%s(d, %s, %s)", method, value, strings.Join(variants, ", "))}
}

// variant is a function value that tries one member of a union.
func variant(r *model.Ref) string {
	if r.Kind == model.RefStruct {
		return "wire.As[" + r.Go() + "]"
	}
	lines := checks(r, "v", "d")
	if len(lines) == 0 {
		return "func(d *wire.Decoder) { _ = " + reading(r) + " }"
	}
	return "func(d *wire.Decoder) {\nv := " + reading(r) + "\n" + strings.Join(lines, "\n") + "\n}"
}

func orUnbounded(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// numbers prints JSON numbers as Go arguments; false when one is none.
func numbers(list []model.Literal, integer bool) (string, bool) {
	out := make([]string, len(list))
	for i, l := range list {
		if integer {
			if _, err := strconv.ParseInt(string(l), 10, 64); err != nil {
				return "", false
			}
		} else if _, err := strconv.ParseFloat(string(l), 64); err != nil {
			return "", false
		}
		out[i] = string(l)
	}
	return strings.Join(out, ", "), len(out) > 0
}
