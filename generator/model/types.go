package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// typer makes the Go types of one service. A component is one type; inline
// schemas of one shape share a type; recursion ends in a pointer.
type typer struct {
	names    *allocator
	types    []*Type
	patterns []*Pattern
	rules    []*Rules
	byName   map[string]*Type // component name -> type
	byShape  map[string]*Type // fingerprint of an inline schema -> type
	refs     map[*Schema]*Ref
	// open are the arrays, maps and unions that are being typed within the current
	// struct: one that holds itself without a struct between has no Go type.
	open map[*Schema]bool
	// unenforced collects what validators leave out: "Schema.field: keyword".
	unenforced []string
}

func newTyper(names *allocator) *typer {
	return &typer{
		names: names, byName: map[string]*Type{}, byShape: map[string]*Type{},
		open: map[*Schema]bool{}, refs: map[*Schema]*Ref{},
	}
}

// ref returns the Go type of a schema; hint names an inline one.
func (t *typer) ref(s *Schema, hint string) *Ref {
	if s == nil {
		return &Ref{Kind: RefRaw, Schema: &Schema{Kind: KindAny}}
	}
	if t.open[s] {
		r := &Ref{Kind: RefRaw, Schema: &Schema{Kind: KindAny}, Rules: t.shared(s.Whole, label(s, hint))}
		if r.Rules == nil {
			t.unenforced = append(t.unenforced, label(s, hint)+": what it holds of itself is kept as raw JSON")
		}
		return r
	}
	if r, ok := t.refs[s]; ok {
		return r
	}
	r := &Ref{Schema: s}
	t.refs[s] = r // before the members: schemas recurse
	t.open[s] = true
	t.fill(r, s, hint)
	if r.Kind != RefStruct {
		r.Rules = t.rulesOf(s, hint)
	}
	delete(t.open, s)
	for _, keyword := range s.Unenforced {
		t.unenforced = append(t.unenforced, label(s, hint)+": "+keyword)
	}
	return r
}

func label(s *Schema, hint string) string {
	if s.Name != "" {
		return s.Name
	}
	return hint
}

func (t *typer) fill(r *Ref, s *Schema, hint string) {
	switch s.Kind {
	case KindString:
		t.fillString(r, s, hint)
	case KindInteger:
		r.Kind = RefInt
	case KindNumber:
		r.Kind = RefFloat
	case KindBoolean:
		r.Kind = RefBool
	case KindArray:
		r.Kind, r.Elem = RefList, t.element(s.Items, singular(hint)+"Item")
	case KindObject:
		t.fillObject(r, s, hint)
	case KindUnion:
		r.Kind = RefRaw
		variants := append(append([]*Schema(nil), s.OneOf...), s.AnyOf...)
		for i, v := range variants {
			name := v.Name
			if name == "" {
				name = v.Title
			}
			if name == "" {
				name = fmt.Sprintf("%s%d", hint, i+1)
			}
			r.Variants = append(r.Variants, t.ref(v, name))
		}
	default:
		r.Kind = RefRaw
	}
}

// element is the Go type of what an array or map holds. What may be null is kept as
// raw JSON, and checked all the same.
func (t *typer) element(s *Schema, hint string) *Ref {
	r := t.ref(s, hint)
	if s == nil || !s.Nullable || s.Kind == KindNull {
		return r
	}
	return &Ref{Kind: RefRaw, Schema: &Schema{Kind: KindUnion, AnyOf: []*Schema{s}}, Variants: []*Ref{r}, Null: true}
}

// rulesOf returns the rules of a schema, shared by those that have the same.
func (t *typer) rulesOf(s *Schema, hint string) *Rules {
	return t.shared(s.Rules, label(s, hint))
}

func (t *typer) shared(text Literal, name string) *Rules {
	if text == nil {
		return nil
	}
	for _, known := range t.rules {
		if known.Text == string(text) {
			return known
		}
	}
	out := &Rules{Var: t.names.take(goLocal(name) + "Rules"), Text: string(text)}
	t.rules = append(t.rules, out)
	return out
}

func (t *typer) fillString(r *Ref, s *Schema, hint string) {
	switch {
	case s.File:
		r.Kind = RefFile
	case s.Enum != nil && enumerable(s):
		r.Kind, r.Named = RefEnum, t.enum(s, hint)
	case s.Format == "date-time":
		r.Kind = RefTime
	case s.Format == "byte":
		r.Kind = RefBytes
	default:
		r.Kind = RefString
		r.Pattern = t.pattern(s, hint)
	}
}

// enumerable reports whether every member can be a Go string constant.
func enumerable(s *Schema) bool {
	for _, v := range s.Enum {
		if len(v) == 0 || v[0] != '"' {
			return false
		}
	}
	return len(s.Enum) > 0
}

// Text returns the string that a JSON string literal stands for.
func Text(l Literal) (string, bool) {
	var s string
	if len(l) == 0 || l[0] != '"' || json.Unmarshal(l, &s) != nil {
		return "", false
	}
	return s, true
}

func (t *typer) enum(s *Schema, hint string) *Type {
	key := "enum:" + joinLiterals(s.Enum)
	if s.Name != "" {
		key = "component:" + s.Name + key
	}
	if known := t.byShape[key]; known != nil {
		return known
	}
	name := t.names.take(GoName(label(s, hint)))
	out := &Type{Name: name, Doc: s.Description, Form: FormEnum, Schema: s, ValuesVar: t.names.take(goLocal(plural(name)))}
	for i, v := range s.Enum {
		text, _ := Text(v)
		if slices.ContainsFunc(s.Enum[:i], func(w Literal) bool { return string(w) == string(v) }) {
			continue // written twice
		}
		out.Values = append(out.Values, EnumValue{Name: t.names.take(name + enumSuffix(text)), Value: text})
	}
	t.byShape[key] = out
	t.types = append(t.types, out)
	return out
}

func joinLiterals(list []Literal) string {
	parts := make([]string, len(list))
	for i, l := range list {
		parts[i] = string(l)
	}
	return strings.Join(parts, ",")
}

// pattern returns the compiled form of an ECMA-262 pattern, nil when there is
// none or when Go's RE2 cannot run it, which is noted.
func (t *typer) pattern(s *Schema, hint string) *Pattern {
	if s.Pattern == "" {
		return nil
	}
	expr, ok := RE2(s.Pattern)
	if !ok && s.Backtracks {
		expr = s.Pattern
	} else if !ok {
		t.unenforced = append(t.unenforced, label(s, hint)+": pattern "+s.Pattern)
		return nil
	}
	for _, p := range t.patterns {
		if p.Expr == expr && p.Backtracks == !ok {
			return p
		}
	}
	p := &Pattern{Var: t.names.take(goLocal(hint) + "Pattern"), Expr: expr, Backtracks: !ok}
	t.patterns = append(t.patterns, p)
	return p
}

func (t *typer) fillObject(r *Ref, s *Schema, hint string) {
	if len(s.Properties) == 0 {
		if s.Closed {
			r.Kind = RefRaw
			return
		}
		r.Kind, r.Elem = RefMap, t.element(s.Additional, hint+"Value")
		return
	}
	for _, p := range s.Properties {
		if !Taggable(p.Name) {
			r.Kind = RefRaw
			if s.Rules == nil {
				t.unenforced = append(t.unenforced, fmt.Sprintf("%s: kept as raw JSON, for property %.40q cannot be a Go field", label(s, hint), p.Name))
			}
			return
		}
	}
	r.Kind = RefStruct // before the members, which may refer back to it
	r.Named = t.structure(s, hint)
}

// Taggable reports whether encoding/json accepts the name in a struct tag.
func Taggable(name string) bool {
	if name == "" || name == "-" || len(name) > 200 { // "-" means no field at all
		return false
	}
	for _, c := range name {
		switch {
		case unicode.IsLetter(c), unicode.IsDigit(c):
		case strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c):
		default:
			return false
		}
	}
	return true
}

func (t *typer) structure(s *Schema, hint string) *Type {
	if s.Name != "" {
		if known := t.byName[s.Name]; known != nil {
			return known
		}
	}
	shape := ""
	if s.Name == "" {
		shape = shapeOf(s, map[*Schema]bool{})
		if known := t.byShape[shape]; known != nil {
			return known
		}
	}
	out := &Type{Name: t.names.takeType(GoName(label(s, hint))), Doc: s.Description, Form: FormStruct, Schema: s}
	if s.Name != "" {
		t.byName[s.Name] = out
	} else {
		t.byShape[shape] = out
	}
	t.types = append(t.types, out)
	outside := t.open
	t.open = map[*Schema]bool{}
	defer func() { t.open = outside }()
	out.Rules = t.rulesOf(s, out.Name)
	fields := newAllocator("DecodeJSON")
	for _, p := range s.Properties {
		out.Fields = append(out.Fields, t.field(p, s, out.Name, fields))
	}
	return out
}

func (t *typer) field(p *Property, s *Schema, owner string, names *allocator) *Field {
	f := &Field{
		Name: names.take(GoName(p.Name)), JSON: p.Name, Doc: p.Schema.Description, Property: p,
		Ref: t.member(p, s, owner+GoName(p.Name)), Presence: presenceOf(p),
	}
	// A struct that holds itself by value has no size. No finite JSON satisfies such
	// a schema, so it does not matter that the pointer lets null in.
	if f.Presence == Required && holdsByValue(p.Schema, s, false, map[*Schema]bool{}) {
		f.Presence = RequiredNullable
	}
	return f
}

func presenceOf(p *Property) Presence {
	switch {
	case p.Required && !p.Schema.Nullable:
		return Required
	case p.Required:
		return RequiredNullable
	case p.Schema.Nullable:
		return OptionalNullable
	}
	return Optional
}

// member is the Go type of a property of s. One that wire.Nullable would hold
// within itself is kept as raw JSON, and checked all the same.
func (t *typer) member(p *Property, s *Schema, hint string) *Ref {
	r := t.ref(p.Schema, hint)
	if presenceOf(p) == OptionalNullable && holdsByValue(p.Schema, s, true, map[*Schema]bool{}) {
		return &Ref{Kind: RefRaw, Schema: &Schema{Kind: KindUnion, AnyOf: []*Schema{p.Schema}}, Variants: []*Ref{r}}
	}
	return r
}

// holdsByValue reports whether the Go type of s holds that of target without a
// pointer between: by way of required members, and with nullable also of those
// that wire.Nullable holds.
func holdsByValue(s, target *Schema, nullable bool, seen map[*Schema]bool) bool {
	if s == nil || s.Kind != KindObject || seen[s] {
		return false
	}
	if s == target || s.Name != "" && s.Name == target.Name {
		return true
	}
	seen[s] = true
	for _, p := range s.Properties {
		byValue := p.Required && !p.Schema.Nullable || nullable && !p.Required && p.Schema.Nullable
		if byValue && holdsByValue(p.Schema, target, nullable, seen) {
			return true
		}
	}
	return false
}

// shapeOf is a text that two inline schemas share exactly when their Go types
// and validators would be the same.
func shapeOf(s *Schema, seen map[*Schema]bool) string {
	if s == nil {
		return "nil"
	}
	if s.Name != "" {
		return "#" + s.Name
	}
	if seen[s] {
		return "loop"
	}
	seen[s] = true
	defer delete(seen, s)
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%v|%s|%v|%v|%s|%s|%d|%s|%s", s.Kind, s.Nullable, s.Format, s.ReadOnly, s.WriteOnly, s.Const,
		joinLiterals(s.Enum), s.MinLength, number(s.MaxLength), s.Pattern)
	fmt.Fprintf(&b, "|%v|%q|%s", s.File, s.MediaTypes, s.Rules)
	fmt.Fprintf(&b, "|%s|%s|%v|%v|%s|%d|%s|%v|%v|%d|%s|%s", decimal(s.Minimum), decimal(s.Maximum), s.ExclusiveMinimum,
		s.ExclusiveMaximum, decimal(s.MultipleOf), s.MinItems, number(s.MaxItems), s.UniqueItems, s.Closed,
		s.MinProperties, number(s.MaxProperties), s.Default)
	for _, p := range s.Properties {
		fmt.Fprintf(&b, "{%q %v %s}", p.Name, p.Required, shapeOf(p.Schema, seen))
	}
	for _, child := range []*Schema{s.Items, s.Additional} {
		b.WriteString("(" + shapeOf(child, seen) + ")")
	}
	for _, v := range append(append([]*Schema(nil), s.OneOf...), s.AnyOf...) {
		b.WriteString("<" + shapeOf(v, seen) + ">")
	}
	return b.String()
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func decimal(n *float64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

// usable reports whether values of type a can be assigned to type b as they are.
func usable(a, b *Ref) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case RefStruct, RefEnum:
		return a.Named == b.Named
	case RefList, RefMap:
		return usable(a.Elem, b.Elem)
	}
	return true
}
