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
	var fields []*Field
	switch {
	case op.Body == nil && op.Kind != OpCreate:
		return "there is no body to write"
	case op.Body == nil:
	case op.Body.Ref == nil:
		return "the body is " + op.Body.Media + ", neither JSON nor a form"
	case op.Body.Ref.Kind != RefStruct:
		return "the body is no object with named properties"
	case op.Kind == OpPatch && strings.Contains(op.Body.Media, "json-patch"):
		return "the body is a JSON Patch"
	default:
		fields = op.Body.Ref.Named.Fields
		if op.Kind == OpPatch {
			op.Body.Ref.Named.Partial = true
		}
	}
	for _, c := range r.Columns {
		fill, reason := ob.fill(c, fields)
		if reason != "" {
			return reason
		}
		if fill != nil {
			op.Fills = append(op.Fills, fill)
		}
	}
	return ""
}

// fill decides where a column's value comes from; nil leaves it as it is.
func (ob *opBuilder) fill(c *Column, fields []*Field) (*Fill, string) {
	op, r := ob.op, ob.op.Resource
	create := op.Kind == OpCreate
	for _, p := range op.ParentParams {
		if p.Column == c {
			if !create {
				return nil, ""
			}
			return &Fill{Column: c, Source: SourceParam, Param: p.Param}, ""
		}
	}
	if c.Rule == "created" || c.Rule == "updated" || c.Rule == "version" || c == r.Key && !create {
		return nil, ""
	}
	f := fieldFor(fields, c.Property)
	if f != nil && (f.Property.Schema.ReadOnly || f.Property.Schema.WriteOnly) {
		f = nil
	}
	if f != nil && !usable(f.Ref, c.Ref) && !convertible(f.Ref, c.Ref) {
		return nil, fmt.Sprintf("property %s has one type in requests and another in responses", c.Property)
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
	value, ok := neutral(c, false)
	if !ok {
		return nil, fmt.Sprintf("nothing supplies the required response property %s", c.label())
	}
	ob.assume(c)
	return &Fill{Column: c, Source: SourceValue, Value: value}, ""
}

func (ob *opBuilder) fillFromBody(c *Column, f *Field) (*Fill, string) {
	fill := &Fill{Column: c, Source: SourceBody, Field: f, Without: writeOnlyPaths(f.Ref)}
	if f.Presence == Required || ob.op.Kind == OpPatch || c == ob.op.Resource.Key {
		return fill, ""
	}
	if value, ok := GoLiteral(c.Ref, f.Property.Schema.defaultOrConst()); ok {
		fill.Value = value
		return fill, ""
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

// convertible reports whether a Go conversion turns a into b: strings and enums.
func convertible(a, b *Ref) bool {
	text := func(r *Ref) bool { return r.Kind == RefString || r.Kind == RefEnum }
	return text(a) && text(b)
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
// a zero counter, false, the first state. Lenient also takes an empty string,
// zero, for a property that clients may leave out.
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
		if strings.HasSuffix(n, "status") || strings.HasSuffix(n, "state") || strings.HasSuffix(n, "phase") {
			return c.Ref.Named.Values[0].Name, true
		}
	case RefInt, RefFloat:
		counter := strings.HasSuffix(n, "count") || strings.HasPrefix(n, "numberof") || strings.HasPrefix(n, "total") ||
			slices.Contains([]string{"likes", "views", "balance", "stock"}, n)
		return "0", (counter || lenient) && s.allowsZero()
	case RefString:
		return `""`, lenient && s != nil && s.MinLength == 0 && s.Pattern == "" && s.Format == "" && s.Enum == nil
	}
	return "", false
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
	status := defaultStatus(op.Kind)
	result := &Result{Location: op.Kind == OpCreate && r.ItemPath != ""}
	var schema *Schema
	if success == nil {
		if op.Kind != OpDelete {
			schema, result.Media = r.Schema, "application/json"
		}
	} else {
		if code, err := strconv.Atoi(success.Status); err == nil {
			status = code
		}
		media := JSON(success.Content)
		switch {
		case len(success.Content) == 0 && op.Kind == OpGet:
			return "the response declares no content"
		case len(success.Content) == 0 || bodyless(status):
		case media == nil:
			return "the response is " + success.Content[0].Type + ", not JSON"
		default:
			schema, result.Media = media.Schema, jsonType(media.Type)
			if schema == nil {
				return "the response has no schema"
			}
		}
		for _, h := range success.Headers {
			if strings.EqualFold(h.Name, "ETag") {
				result.ETag = true
			}
		}
		if reason := result.headers(success.Headers, false); reason != "" {
			return reason
		}
	}
	result.Status = status
	result.GoName = ob.resultName(status)
	if schema != nil {
		result.Ref = ob.t.ref(schema, result.GoName+"Body")
		if result.Ref.Kind != RefStruct {
			return "the response is no object that a row could fill"
		}
		fields, reason := ob.project(result.Ref.Named)
		if reason != "" {
			return reason
		}
		result.Fields = fields
		result.Func = ob.projection(r, result.Ref.Named)
	}
	op.Result = result
	return ""
}

func defaultStatus(kind OpKind) int {
	switch kind {
	case OpCreate:
		return 201
	case OpDelete:
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
		case c != nil && (usable(c.Ref, f.Ref) || convertible(c.Ref, f.Ref)):
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
		value, ok := neutral(&Column{Property: f.JSON, Ref: f.Ref, Schema: s}, false)
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

func (r *Resource) byProperty(name string) *Column {
	for _, c := range r.Columns {
		if c.Property == name && name != "" {
			return c
		}
	}
	return nil
}
