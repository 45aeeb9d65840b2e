package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// planWrite decides how a request body becomes a row.
func (ob *opBuilder) planWrite() string {
	op, r := ob.op, ob.op.Resource
	fields, reason := ob.bodyFields()
	if reason != "" {
		return reason
	}
	if op.KeyParam == nil && op.Kind != OpCreate && !r.Singleton {
		op.KeyField = fieldFor(fields, r.Key.Property)
		if op.KeyField == nil || r.KeyParts != nil || op.KeyField.Presence == OptionalNullable || op.Body.Inner != nil {
			return "the body does not name the row"
		}
		op.Upsert = false
	}
	kept := 0
	for _, c := range r.Columns {
		fill, reason := ob.fill(c, fields)
		if reason != "" {
			return reason
		}
		if fill != nil && fill.Source == SourceBody {
			kept++
		}
		if op.Upsert && op.Kind == OpPatch && fill != nil && fill.Source == SourceBody && fill.Value != "" {
			op.Fresh = append(op.Fresh, &Fill{Column: c, Source: SourceValue, Value: fill.Value})
			fill.Value = ""
		}
		switch {
		case fill == nil:
		case op.Upsert && fill.Source != SourceBody && fill.Source != SourceFile:
			op.Fresh = append(op.Fresh, fill)
		default:
			op.Fills = append(op.Fills, fill)
		}
	}
	if ob.lost > kept {
		return "most of what requests carry has another form in responses"
	}
	return ob.tooMuchAssumed()
}

// changeByBody lets a change of fixed values keep what its body says of other columns.
func (ob *opBuilder) changeByBody() {
	op, r := ob.op, ob.op.Resource
	fields, reason := ob.bodyFields()
	if reason != "" {
		return
	}
	for _, f := range fields {
		c := r.columnFor(f.Property.Name)
		if c == nil || c.Rule != "" || c == r.Natural() || c == r.ParentColumn || slices.Contains(r.Scopes, c) || f.Property.Schema.ReadOnly || f.Property.Schema.WriteOnly ||
			!usable(f.Ref, c.Ref) && !convertible(f.Ref, c.Ref) || slices.ContainsFunc(op.Fills, func(fill *Fill) bool { return fill.Column == c }) {
			continue
		}
		if fill, reason := ob.fillFromBody(c, f); reason == "" {
			op.Fills = append(op.Fills, fill)
		}
	}
}

// planMany decides how every element of a list becomes a row.
func (ob *opBuilder) planMany() string {
	op := ob.op
	if op.Body == nil || op.Body.Ref == nil || op.Body.Ref.Kind != RefList || op.Body.Ref.Elem.Kind != RefStruct {
		return "the body is no list of objects"
	}
	for _, c := range op.Resource.Columns {
		fill, reason := ob.fill(c, op.Body.Ref.Elem.Named.Fields)
		if reason != "" {
			return reason
		}
		if fill != nil {
			op.Fills = append(op.Fills, fill)
		}
	}
	return ob.tooMuchAssumed()
}

// bodyFields are the members of the body that columns are filled from: those of what
// its envelope holds, if it has one.
func (ob *opBuilder) bodyFields() ([]*Field, string) {
	op := ob.op
	switch {
	case op.Body == nil && op.Kind != OpCreate && !op.Upsert:
		return nil, "there is no body to write"
	case op.Body == nil:
		return nil, ""
	case op.Body.Ref == nil:
		return nil, "the body is " + op.Body.Media + ", neither JSON nor a form"
	case op.Body.Ref.Kind != RefStruct:
		return nil, "the body is no object with named properties"
	case op.Kind == OpPatch && strings.Contains(op.Body.Media, "json-patch"):
		return nil, "the body is a JSON Patch"
	}
	t := op.Body.Ref.Named
	if _, inner := unwrap(t.Schema, op.Place()); inner != nil {
		f := fieldFor(t.Fields, inner.Name)
		if f != nil && f.Ref.Kind == RefStruct && f.Presence != OptionalNullable {
			op.Body.Inner = f
			t = f.Ref.Named
		}
	}
	if op.Kind == OpPatch {
		t.Partial = true
	}
	return t.Fields, ""
}

// fill decides where a column's value comes from; nil leaves it as it is.
func (ob *opBuilder) fill(c *Column, fields []*Field) (*Fill, string) {
	op, r := ob.op, ob.op.Resource
	create := op.Kind == OpCreate || op.Kind == OpMany || op.Upsert
	for _, p := range op.ParentParams {
		if p.Column == c {
			if !create {
				return nil, ""
			}
			return &Fill{Column: c, Source: SourceParam, Param: p.Param, Parts: p.Parts}, ""
		}
	}
	switch {
	case c.Rule == "created" || c.Rule == "updated" || c.Rule == "version":
		return nil, ""
	case (c == r.Key || slices.Contains(r.KeyParts, c)) && !create:
		return nil, ""
	case c == r.Key && r.KeyParts != nil:
		return &Fill{Column: c, Source: SourceKey}, ""
	case c == r.Natural() && op.KeyParam != nil:
		if !convertible(op.KeyParam.Ref, c.Ref) && !usable(op.KeyParam.Ref, c.Ref) {
			return nil, fmt.Sprintf("path parameter %s is %s but the key is %s", op.KeyParam.Name, op.KeyParam.Ref.describe(), c.Ref.describe())
		}
		return &Fill{Column: c, Source: SourceParam, Param: op.KeyParam}, ""
	}
	if fill := ob.fileFill(c, fields); fill != nil {
		return fill, ""
	}
	f := fieldFor(fields, c.Property)
	if f != nil && (f.Property.Schema.ReadOnly || f.Property.Schema.WriteOnly) {
		f = nil
	}
	if f != nil && !usable(f.Ref, c.Ref) && !convertible(f.Ref, c.Ref) {
		if base, ok := overlay(f.Ref, c.Ref); ok {
			return ob.fillOver(c, f, base)
		}
		if inner := boxed(f, c); inner != nil {
			fill, reason := ob.fillFromBody(c, inner)
			if fill != nil {
				fill.Outer = f
			}
			return fill, reason
		}
		if !c.Nullable {
			return nil, fmt.Sprintf("property %s has one type in requests and another in responses", c.Property)
		}
		ob.lost++ // what responses call by that name is another thing
		f = nil
	}
	switch {
	case f != nil:
		return ob.fillFromBody(c, f)
	case c == r.Key || !create:
		return nil, ""
	}
	if value, ok := GoLiteral(c.Ref, c.Schema.defaultOrConst()); ok {
		return &Fill{Column: c, Source: SourceValue, Value: value}, ""
	}
	if c.Nullable {
		return nil, ""
	}
	value, ok := ob.neutral(c)
	if !ok {
		return nil, fmt.Sprintf("nothing supplies the required response property %s", c.label())
	}
	ob.assume(c)
	return &Fill{Column: c, Source: SourceValue, Value: value}, ""
}

// boxed returns the only member, called value, of an object that stands for a plain
// value in requests; nil if the property is none.
func boxed(f *Field, c *Column) *Field {
	if f.Ref.Kind != RefStruct || len(f.Ref.Named.Fields) != 1 || f.Presence == OptionalNullable || f.Presence == RequiredNullable {
		return nil
	}
	inner := f.Ref.Named.Fields[0]
	if Plain(inner.JSON) != "value" || inner.Property.Schema.WriteOnly || !usable(inner.Ref, c.Ref) && !convertible(inner.Ref, c.Ref) {
		return nil
	}
	if f.Presence == Optional && inner.Presence == Required {
		optional := *inner // absent with what holds it
		optional.Presence = Optional
		return &optional
	}
	return inner
}

// fillOver fills a column by laying the body's value over one that has all that
// responses require.
func (ob *opBuilder) fillOver(c *Column, f *Field, base string) (*Fill, string) {
	if f.Presence != Required && !c.Nullable {
		if _, ok := neutral(c, true); !ok {
			return nil, fmt.Sprintf("responses require %s but requests may leave it out", c.label())
		}
	}
	return &Fill{Column: c, Source: SourceBody, Field: f, Base: base, Without: writeOnlyPaths(f.Ref)}, ""
}

func (ob *opBuilder) fillFromBody(c *Column, f *Field) (*Fill, string) {
	fill := &Fill{Column: c, Source: SourceBody, Field: f, Without: writeOnlyPaths(f.Ref)}
	if fill.Among = c.Ref.Kind == RefEnum && !sameText(f.Property.Schema, c.Ref.Schema); fill.Among {
		c.Ref.Named.Checked = true
	}
	changes := ob.op.Kind == OpPatch && !ob.op.Upsert || ob.op.Kind == OpChangeMany || ob.op.Kind == OpChange
	if f.Presence == Required || changes || c == ob.op.Resource.Key {
		return fill, ""
	}
	for _, s := range []*Schema{f.Property.Schema, c.Schema} {
		if value, ok := GoLiteral(c.Ref, s.defaultOrConst()); ok {
			fill.Value = value
			return fill, ""
		}
	}
	if c.Nullable {
		return fill, ""
	}
	value, ok := neutral(c, true)
	refers := slices.ContainsFunc(ob.op.Resource.References, func(ref *Reference) bool { return ref.Column == c })
	if !ok || refers {
		return nil, fmt.Sprintf("responses require %s but requests may leave it out", c.label())
	}
	ob.assume(c)
	fill.Value = value
	return fill, ""
}

// neutral is the neutral value of a required property that no request carries. Texts
// and numbers that say nothing are counted: see tooMuchAssumed.
func (ob *opBuilder) neutral(c *Column) (string, bool) {
	if value, ok := neutral(c, false); ok {
		return value, true
	}
	if secret(c.label()) {
		return "", false
	}
	value, ok := neutral(c, true)
	if ok {
		ob.stretched = append(ob.stretched, c.label())
	}
	return value, ok
}

// secret reports whether a property is named like something that gives access: one
// that says nothing would be worse than none.
func secret(name string) bool {
	n := Plain(name)
	for _, word := range []string{"token", "secret", "password", "signature", "credential", "apikey", "privatekey"} {
		if strings.Contains(n, word) {
			return true
		}
	}
	return false
}

// tooMuchAssumed says that an answer would be made of neutral values for the most
// part, which is no answer.
func (ob *opBuilder) tooMuchAssumed() string {
	sourced := 0
	for _, c := range ob.op.Resource.Columns {
		if c.Property != "" && !slices.Contains(ob.stretched, c.label()) {
			sourced++
		}
	}
	if len(ob.stretched) <= sourced {
		return ""
	}
	return fmt.Sprintf("nothing supplies the required response property %s, nor most of the others", ob.stretched[0])
}

// unkept lists the properties of requests that rows do not keep: those that are only
// written, and those that responses have in another form.
func (o *Op) unkept() (names []string) {
	if o.Body == nil || o.Body.Ref == nil || o.Upload != nil {
		return nil
	}
	message := o.Body.Ref
	if o.Body.Inner != nil {
		message = o.Body.Inner.Ref
	}
	if o.Kind == OpMany {
		message = message.Elem
	}
	switch o.Kind {
	case OpCreate, OpReplace, OpPatch, OpMany, OpChange:
	default:
		return nil
	}
	if message == nil || message.Kind != RefStruct {
		return nil
	}
	for _, f := range message.Named.Fields {
		c := o.Resource.columnFor(f.Property.Name)
		filled := slices.ContainsFunc(slices.Concat(o.Fills, o.Fresh), func(fill *Fill) bool { return fill.Field == f || fill.Outer == f || fill.Column == c })
		if f.Property.Schema.ReadOnly || f == o.KeyField || filled || c != nil && o.Kind != OpChange && (c.Rule != "" || c == o.Resource.Natural()) {
			continue
		}
		names = append(names, f.Property.Name)
	}
	return names
}

func (ob *opBuilder) assume(c *Column) {
	if !slices.Contains(ob.op.Assumed, c.label()) {
		ob.op.Assumed = append(ob.op.Assumed, c.label())
	}
}

func (c *Column) label() string {
	if c.Property != "" {
		return c.Property
	}
	return c.Name
}

func fieldFor(fields []*Field, property string) *Field {
	for _, f := range fields {
		if f.Property.Name == property && property != "" {
			return f
		}
	}
	return nil
}

func (s *Schema) defaultOrConst() Literal {
	switch {
	case s == nil:
		return nil
	case s.Const != nil:
		return s.Const
	}
	return s.Default
}

// convertible reports whether a value of a can be turned into one of b: strings and
// enums, numbers, and messages that have the same JSON.
func convertible(a, b *Ref) bool {
	switch {
	case isText(a) && isText(b), isNumber(a) && isNumber(b), isNumber(a) && b.Kind == RefString:
		return true
	case a.Kind == RefStruct && b.Kind == RefStruct, a.Kind == RefList && b.Kind == RefList, a.Kind == RefMap && b.Kind == RefMap,
		a.Kind == RefStruct && b.Kind == RefMap:
		return sameJSON(a.Schema, b.Schema, map[[2]*Schema]bool{})
	case b.Kind == RefRaw && (a.Kind == RefStruct || a.Kind == RefList || a.Kind == RefMap):
		return b.Schema != nil && (b.Schema.Kind == KindAny || sameJSON(a.Schema, b.Schema, map[[2]*Schema]bool{}))
	}
	return false
}

// sameJSON reports whether everything that schema a accepts has the shape that
// schema b describes: the members that b requires are required in a, and members
// of one name are alike. Bounds are not compared.
func sameJSON(a, b *Schema, seen map[[2]*Schema]bool) bool {
	if a == b || b == nil || b.Kind == KindAny {
		return true
	}
	if a == nil || a.Nullable && !b.Nullable {
		return false
	}
	if seen[[2]*Schema{a, b}] {
		return true
	}
	seen[[2]*Schema{a, b}] = true
	switch {
	case a.Kind == KindInteger && b.Kind == KindNumber:
		return true
	case b.Kind == KindUnion && a.Kind != KindUnion:
		return slices.ContainsFunc(append(slices.Clone(b.AnyOf), b.OneOf...), func(v *Schema) bool { return sameJSON(a, v, seen) })
	case a.Kind != b.Kind:
		return false
	case a.Kind == KindString:
		return sameText(a, b)
	case a.Kind == KindArray:
		return sameJSON(a.Items, b.Items, seen)
	case a.Kind != KindObject:
		return a.Kind == KindInteger || a.Kind == KindNumber || a.Kind == KindBoolean
	}
	for _, p := range b.Properties {
		q := a.Property(p.Name)
		switch {
		case q == nil || q.Schema.WriteOnly:
			if p.Required && !p.Schema.WriteOnly || q == nil && a.Additional != nil {
				return false
			}
		case p.Required && !q.Required, !sameJSON(q.Schema, p.Schema, seen):
			return false
		}
	}
	if b.Closed {
		for _, q := range a.Properties {
			if b.Property(q.Name) == nil && !q.Schema.WriteOnly {
				return false
			}
		}
		return a.Closed || a.Additional == nil
	}
	return b.Additional == nil || a.Additional == nil || sameJSON(a.Additional, b.Additional, seen)
}

// sameText reports whether the texts that a accepts have the form that b wants.
func sameText(a, b *Schema) bool {
	for _, v := range a.Enum {
		if b.Enum != nil && !slices.ContainsFunc(b.Enum, func(w Literal) bool { return string(w) == string(v) }) {
			return false
		}
	}
	return (b.Enum == nil || a.Enum != nil) && (b.Format == a.Format || !stringFormats(b.Format))
}

// stringFormats reports whether texts of the format differ from other texts.
func stringFormats(format string) bool {
	return stringFormat(format) || format == "uuid" || format == "date-time" || format == "byte"
}

// GoLiteral returns the Go expression of a JSON literal, when the type has one.
func GoLiteral(r *Ref, l Literal) (string, bool) {
	if len(l) == 0 || string(l) == "null" {
		return "", false
	}
	text, isText := Text(l)
	switch r.Kind {
	case RefString:
		return strconv.Quote(text), isText
	case RefEnum:
		for _, v := range r.Named.Values {
			if isText && v.Value == text {
				return v.Name, true
			}
		}
	case RefInt:
		if _, err := strconv.ParseInt(string(l), 10, 64); err == nil {
			return string(l), true
		}
	case RefFloat:
		if _, err := strconv.ParseFloat(string(l), 64); err == nil {
			return string(l), true
		}
	case RefBool:
		return string(l), string(l) == "true" || string(l) == "false"
	case RefList:
		return r.Go() + "{}", string(l) == "[]"
	}
	return "", false
}

// neutral is the value of a property that nobody supplies: an empty list or map,
// a zero counter, false, the first state. Lenient also takes an empty text, zero,
// the nil UUID, about:blank and objects of nothing but such values.
func neutral(c *Column, lenient bool) (string, bool) {
	s, n := c.Schema, Plain(c.Property)
	switch c.Ref.Kind {
	case RefList:
		return c.Ref.Go() + "{}", s == nil || s.MinItems == 0
	case RefMap:
		return c.Ref.Go() + "{}", s == nil || s.MinProperties == 0
	case RefBool:
		return "false", true
	case RefEnum:
		if lenient || len(c.Ref.Named.Values) == 1 || strings.HasSuffix(n, "status") || strings.HasSuffix(n, "state") || strings.HasSuffix(n, "phase") {
			return c.Ref.Named.Values[0].Name, true
		}
	case RefInt, RefFloat:
		counter := strings.HasSuffix(n, "count") || strings.HasPrefix(n, "numberof") || strings.HasPrefix(n, "total") ||
			slices.Contains([]string{"likes", "views", "balance", "stock"}, n)
		return "0", (counter || lenient) && s.allowsZero()
	case RefString:
		return neutralText(s), lenient && neutralText(s) != ""
	case RefStruct:
		if lenient {
			return neutralStruct(c.Ref, 0)
		}
	}
	return "", false
}

// neutralText is the Go expression of a text that says nothing, "" if the schema
// accepts none.
func neutralText(s *Schema) string {
	if s == nil || s.Pattern != "" || s.Enum != nil || s.MinLength > 0 && s.Format == "" {
		return ""
	}
	switch s.Format {
	case "uri", "url", "uri-reference", "iri":
		return `"about:blank"` // RFC 6694
	case "uuid":
		return `"00000000-0000-0000-0000-000000000000"` // RFC 9562, section 5.9
	case "date", "time", "email", "ipv4", "ipv6", "hostname", "duration", "date-time", "byte", "binary":
		return ""
	}
	return `""`
}

// maxNeutralDepth bounds objects within objects of neutral values.
const maxNeutralDepth = 3

// overlay returns the value that a message of a is laid over to become one of b:
// members of one name have the same JSON, and those that b requires and a lacks are
// neutral. Messages that hold themselves are laid over none.
func overlay(a, b *Ref) (base string, ok bool) { return overlayIn(a, b, 0) }

func overlayIn(a, b *Ref, depth int) (base string, ok bool) {
	switch {
	case depth > maxNeutralDepth:
		return "", false
	case a.Kind == RefList && b.Kind == RefList:
		return overlayIn(a.Elem, b.Elem, depth+1)
	case a.Kind != RefStruct || b.Kind != RefStruct:
		return "", false
	}
	var members []string
	for _, f := range b.Named.Fields {
		from := fieldFor(a.Named.Fields, f.Property.Name)
		if from != nil && !from.Property.Schema.WriteOnly {
			same := sameJSON(nonNull(from.Property.Schema), nonNull(f.Property.Schema), map[[2]*Schema]bool{})
			switch {
			case same && (from.Presence == Required || f.Presence != Required):
				continue
			case !same:
				inner, ok := overlayIn(from.Ref, f.Ref, depth+1)
				if !ok || f.Presence != Required {
					return "", false
				}
				members = append(members, f.Name+": "+inner)
				continue
			}
		}
		if f.Presence != Required || f.Property.Schema.WriteOnly {
			continue
		}
		value, ok := neutralMember(f, 1)
		if !ok {
			return "", false
		}
		members = append(members, f.Name+": "+value)
	}
	return b.Named.Name + "{" + strings.Join(members, ", ") + "}", true
}

// nonNull is a schema without null: JSON's null leaves what it is laid over.
func nonNull(s *Schema) *Schema {
	if s == nil || !s.Nullable {
		return s
	}
	plain := *s
	plain.Nullable = false
	return &plain
}

// neutralMember is the neutral value of a required member of a message.
func neutralMember(f *Field, depth int) (string, bool) {
	if value, ok := GoLiteral(f.Ref, f.Property.Schema.defaultOrConst()); ok {
		return value, true
	}
	if f.Ref.Kind == RefStruct {
		return neutralStruct(f.Ref, depth)
	}
	return neutral(&Column{Property: f.JSON, Ref: f.Ref, Schema: f.Property.Schema}, true)
}

// neutralStruct is a message whose required members are all neutral.
func neutralStruct(r *Ref, depth int) (string, bool) {
	if depth == maxNeutralDepth {
		return "", false
	}
	var members []string
	for _, f := range r.Named.Fields {
		if f.Presence != Required || f.Property.Schema.WriteOnly {
			continue
		}
		value, ok := neutralMember(f, depth+1)
		if !ok {
			return "", false
		}
		members = append(members, f.Name+": "+value)
	}
	return r.Named.Name + "{" + strings.Join(members, ", ") + "}", true
}

func (s *Schema) allowsZero() bool {
	if s == nil {
		return true
	}
	if s.Minimum != nil && (*s.Minimum > 0 || *s.Minimum == 0 && s.ExclusiveMinimum) {
		return false
	}
	return s.Maximum == nil || *s.Maximum > 0 || *s.Maximum == 0 && !s.ExclusiveMaximum
}

// writeOnlyPaths lists the write-only members of a raw value, "a/b" for nested
// ones; typed values drop theirs by their struct tags.
func writeOnlyPaths(r *Ref) []string {
	if r.Kind != RefRaw {
		return nil
	}
	var out []string
	within := map[*Schema]bool{} // on the way from the root: schemas recurse
	var walk func(s *Schema, prefix string)
	walk = func(s *Schema, prefix string) {
		if s == nil || within[s] || !holdsWriteOnly(s, map[*Schema]bool{}) {
			return
		}
		within[s] = true
		defer delete(within, s)
		for _, p := range s.Properties {
			if p.Schema.WriteOnly {
				if !slices.Contains(out, prefix+p.Name) {
					out = append(out, prefix+p.Name)
				}
				continue
			}
			walk(p.Schema, prefix+p.Name+"/")
		}
		for _, v := range slices.Concat(s.OneOf, s.AnyOf, []*Schema{s.Items}) {
			walk(v, prefix)
		}
	}
	walk(r.Schema, "")
	return out
}

// holdsWriteOnly reports whether some member of a schema, however deep, is
// write-only.
func holdsWriteOnly(s *Schema, seen map[*Schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	for _, p := range s.Properties {
		if p.Schema.WriteOnly || holdsWriteOnly(p.Schema, seen) {
			return true
		}
	}
	return slices.ContainsFunc(slices.Concat(s.OneOf, s.AnyOf, []*Schema{s.Items, s.Additional}), func(v *Schema) bool {
		return holdsWriteOnly(v, seen)
	})
}

// planResult decides what the default implementation answers.
func (ob *opBuilder) planResult() string {
	op, r := ob.op, ob.op.Resource
	success := op.Success()
	if op.Upsert && op.Kind == OpReplace {
		success = op.changed()
	}
	result := &Result{Status: defaultStatus(op.Kind), Location: op.Kind == OpCreate && r.ItemPath != "" && op.Ending == ""}
	schema, reason := ob.answer(success, result)
	if reason != "" {
		return reason
	}
	if success != nil {
		for _, h := range success.Headers {
			if strings.EqualFold(h.Name, "ETag") {
				result.ETag = (r.KeyParts != nil || op.Kind != OpClear) && !(r.Singleton && r.File != nil && op.Upload == nil)
			}
		}
		if reason := result.headers(success.Headers, false); reason != "" {
			return reason
		}
	}
	result.GoName = ob.resultName(result.Status)
	if schema != nil {
		if reason := ob.message(result, schema); reason != "" {
			return reason
		}
	}
	op.Result = result
	if op.Upsert && op.Kind == OpReplace {
		ob.planCreated(schema)
	}
	return ob.tooMuchAssumed()
}

// changed is the success of a PUT that found its row: the one beside 201, if there is one.
func (o *Op) changed() *Response {
	for _, r := range o.Responses {
		if r.Status == "200" || r.Status == "202" || r.Status == "204" {
			return r
		}
	}
	return o.Success()
}

// answer decides the status and the schema of an answer, nil for no body.
func (ob *opBuilder) answer(success *Response, result *Result) (*Schema, string) {
	op, r := ob.op, ob.op.Resource
	if success == nil {
		if op.Kind == OpMany {
			return nil, ""
		}
		if op.Kind == OpDelete || op.Kind == OpClear || op.Many != nil || len(r.Schema.Properties) == 0 {
			result.Status = 204
			return nil, ""
		}
		result.Media = "application/json"
		return r.Schema, ""
	}
	result.Status = success.code(result.Status)
	media := JSON(success.Content)
	told := len(success.Content) > 0 || op.Kind != OpGet && op.Kind != OpCreate
	switch {
	case bodyless(result.Status), (told || r.told) && len(success.Content) == 0:
		return nil, ""
	case told && media == nil:
		return nil, "the response is " + success.Content[0].Type + ", not JSON"
	case !told || media.Schema == nil || media.Schema.Kind == KindAny:
		if len(r.Schema.Properties) == 0 {
			return nil, "the response has no schema"
		}
		result.Media = "application/json" // the document leaves it open
		return r.Schema, ""
	}
	result.Media = jsonType(media.Type)
	return media.Schema, ""
}

// message plans the body of a response that is made from one row, in its envelope.
func (ob *opBuilder) message(result *Result, schema *Schema) string {
	r := ob.op.Resource
	result.Ref = ob.t.ref(schema, result.GoName+"Body")
	nothing := result.Ref.Kind == RefMap || result.Ref.Kind == RefRaw && schema.Kind == KindObject && len(schema.Properties) == 0
	switch {
	case nothing && schema.MinProperties == 0:
		return "" // {}: the document describes nothing more
	case ob.op.Kind == OpMany:
		return "the answer to creating many has no source"
	case ob.op.Kind == OpClear || ob.op.Kind == OpDeleteMany:
		return "the answer to deleting many has no source"
	case ob.op.Kind == OpChangeMany:
		return "the answer to changing many has no source"
	case len(r.Schema.Properties) == 0 && ob.op.Kind == OpGet:
		return "what it shows of the " + r.Name + " is not stored with it"
	case result.Ref.Kind != RefStruct:
		return "the response is no object that a row could fill"
	}
	result.Message = result.Ref
	if _, inner := unwrap(schema, ob.op.Place()); inner != nil {
		if f := fieldFor(result.Ref.Named.Fields, inner.Name); f != nil && f.Ref.Kind == RefStruct {
			result.Message = f.Ref
			env, reason := (&ListPlan{}).around(ob, result.Ref.Named, f)
			if reason != "" {
				return reason
			}
			result.Envelope = env
		}
	}
	fields, reason := ob.project(result.Message.Named)
	if reason != "" {
		return reason
	}
	result.Fields = fields
	result.Func = ob.projection(r, result.Message.Named)
	return ""
}

// planCreated plans the answer of a PUT that created: 201 where it is declared beside
// another success.
func (ob *opBuilder) planCreated(schema *Schema) {
	op := ob.op
	i := slices.IndexFunc(op.Responses, func(r *Response) bool { return r.Status == "201" })
	if i < 0 || op.Result.Status == 201 {
		return
	}
	created := &Result{Status: 201}
	other, reason := ob.answer(op.Responses[i], created)
	if reason != "" || other != nil && schema == nil || other != nil && ob.t.ref(other, "").Named != op.Result.Ref.Named {
		return // one answer serves both
	}
	created.GoName = ob.resultName(201)
	if reason := created.headers(op.Responses[i].Headers, false); reason != "" {
		return
	}
	if other != nil {
		created.Ref, created.Message, created.Envelope = op.Result.Ref, op.Result.Message, op.Result.Envelope
		created.Fields, created.Func = op.Result.Fields, op.Result.Func
	}
	op.Created = created
}

func defaultStatus(kind OpKind) int {
	switch kind {
	case OpCreate, OpMany:
		return 201
	case OpDelete, OpClear, OpDeleteMany:
		return 204
	}
	return 200
}

// projection names the function that turns the resource's row into a message.
func (ob *opBuilder) projection(r *Resource, t *Type) string {
	key := r.Row + ">" + t.Name
	if name, ok := ob.sc.projections[key]; ok {
		return name
	}
	name := ob.sc.locals.take(goLocal(t.Name) + "Of")
	ob.sc.projections[key] = name
	return name
}

// project finds a source for every field of a message made from a row.
func (ob *opBuilder) project(t *Type) ([]*FieldSource, string) {
	var out []*FieldSource
	for _, f := range t.Fields {
		s := f.Property.Schema
		if s.WriteOnly {
			continue
		}
		c := ob.op.Resource.byProperty(f.Property.Name)
		switch {
		case c != nil && c.among(f.Ref) && (usable(c.Ref, f.Ref) || convertible(c.Ref, f.Ref) || c.stamps(f.Ref)):
			out = append(out, &FieldSource{Field: f, Source: SourceColumn, Column: c})
			continue
		case f.Presence == Optional || f.Presence == OptionalNullable:
			if value, ok := GoLiteral(f.Ref, s.Const); ok && f.Presence == Optional {
				out = append(out, &FieldSource{Field: f, Source: SourceValue, Value: value})
			}
			continue
		case f.Presence == RequiredNullable:
			continue // null
		}
		if value, ok := GoLiteral(f.Ref, s.defaultOrConst()); ok {
			out = append(out, &FieldSource{Field: f, Source: SourceValue, Value: value})
			continue
		}
		value, ok := ob.neutral(&Column{Property: f.JSON, Ref: f.Ref, Schema: s})
		if !ok {
			return nil, "nothing supplies the required response property " + f.Property.Name
		}
		if !slices.Contains(ob.op.Assumed, f.Property.Name) {
			ob.op.Assumed = append(ob.op.Assumed, f.Property.Name)
		}
		out = append(out, &FieldSource{Field: f, Source: SourceValue, Value: value})
	}
	return out, ""
}

// among reports whether a column has none but the values that a message lists.
func (c *Column) among(as *Ref) bool {
	if as.Kind != RefEnum || c.Schema == nil {
		return true
	}
	values := c.Schema.Enum
	if values == nil && c.Schema.Const != nil {
		values = []Literal{c.Schema.Const}
	}
	return values != nil && !slices.ContainsFunc(values, func(v Literal) bool {
		_, ok := GoLiteral(as, v)
		return !ok && string(v) != "null"
	})
}

// stamps reports whether a column that the store fills with a time can be shown as a
// time or as a text, whichever of the two it is itself.
func (c *Column) stamps(as *Ref) bool {
	written := c.Rule == "created" || c.Rule == "updated"
	return written && (c.Ref.Kind == RefTime && as.Kind == RefString && plainText(as.Schema) || c.Ref.Kind == RefString && as.Kind == RefTime)
}

func (r *Resource) byProperty(name string) *Column {
	for _, c := range r.Columns {
		if c.Property == name && name != "" {
			return c
		}
	}
	return nil
}
