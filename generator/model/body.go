package model

import (
	"reflect"
	"slices"
	"strings"
)

// OpBody is a request body as a field of the request struct.
type OpBody struct {
	GoName string // "Body"; "Form", "Text", … for one beside it
	Ref    *Ref   // nil: raw bytes
	// Inner is the member of an envelope that holds what is written, nil for none.
	Inner    *Field
	Required bool
	Media    string    // the media type that is preferred
	Reads    []string  // all that become this value, the preferred one first
	Text     bool      // it is a text as it stands, not JSON
	Form     *FormPlan // how forms become it; nil: none does
}

// FormPlan says how the fields of a form become the members of a JSON object.
type FormPlan struct {
	Var    string // Go variable
	Fields []*FormField
}

// FormField is one field of a form; one without a name stands for all others.
type FormField struct {
	Name   string
	Kind   string // Text, Number, Boolean, JSON, Scalar, Binary, Nested
	List   bool
	Split  string // what parts the items of a list in one value; "": the field is repeated
	Null   bool   // an empty text is null
	Fields []*FormField
}

// maxFormDepth bounds how deep the objects of a form are described.
const maxFormDepth = 6

// Bodies lists the bodies that an operation can have.
func (o *Op) Bodies() []*OpBody {
	if o.Body == nil {
		return nil
	}
	return append([]*OpBody{o.Body}, o.Others...)
}

// body plans the request's body.
func (ob *opBuilder) body() {
	if plan := ob.b.uploads(ob.op.Operation); plan != nil {
		ob.uploadBody(plan)
		return
	}
	ob.plainBody()
}

// plainBody plans a body that is held in memory: a value per Go type that its media types amount to.
func (ob *opBuilder) plainBody() {
	body := ob.op.Operation.Body
	if body == nil || len(body.Content) == 0 {
		return
	}
	content := slices.Clone(body.Content)
	if best := Structured(content); best != nil {
		slices.SortStableFunc(content, func(a, b Media) int { return rank(a, best) - rank(b, best) })
	}
	for i := range content {
		ob.addBody(&content[i], body.Required)
	}
	others := ob.op.Others
	if len(others) > 0 { // only one of them is there
		ob.op.Body.Required = false
	}
	for _, b := range ob.op.Bodies() {
		ob.op.Consumes = append(ob.op.Consumes, b.Reads...)
	}
}

func rank(m Media, best *Media) int {
	if m.Type == best.Type {
		return 0
	}
	return 1
}

// addBody plans how a media type is read.
func (ob *opBuilder) addBody(m *Media, required bool) {
	b := ob.bodyOf(m)
	b.Required, b.Media, b.Reads = required, m.Type, []string{m.Type}
	op := ob.op
	if op.Body == nil {
		b.GoName = "Body"
		op.Body = b
		return
	}
	for _, known := range op.Bodies() {
		same := b.Ref == nil && known.Ref == nil || b.Ref != nil && known.Ref != nil && usable(b.Ref, known.Ref) && sameChecks(b.Ref, known.Ref)
		if !same || b.Text != known.Text {
			continue
		}
		known.Reads = append(known.Reads, m.Type)
		if known.Form == nil {
			known.Form = b.Form
		}
		return
	}
	b.GoName, b.Required = ob.inputs.take(bodyName(b)), false
	op.Others = append(op.Others, b)
}

// sameChecks reports whether two values of one Go type are checked alike.
func sameChecks(a, b *Ref) bool {
	return a.Kind == RefStruct || a.Schema == b.Schema || shapeOf(a.Schema, map[*Schema]bool{}) == shapeOf(b.Schema, map[*Schema]bool{})
}

func bodyName(b *OpBody) string {
	switch {
	case b.Ref == nil:
		return "Bytes"
	case b.Text:
		return "Text"
	case b.Form != nil:
		return "Form"
	}
	return "JSON"
}

func (ob *opBuilder) bodyOf(m *Media) *OpBody {
	s, media := m.Schema, bare(m.Type)
	binary := s != nil && s.Kind == KindString && s.Format == "binary"
	switch {
	case IsJSON(m.Type) && !(binary && strings.HasSuffix(media, "*")):
		return &OpBody{Ref: ob.t.ref(s, ob.op.GoName+"Body")}
	case IsForm(m.Type) && s != nil && s.Kind == KindObject:
		b := &OpBody{Ref: ob.t.ref(s, ob.op.GoName+"Form")}
		if b.Ref.Kind != RefStruct && b.Ref.Kind != RefMap {
			break
		}
		b.Form = ob.form(b.Ref, ob.op.GoName, formFields(s, m, 0))
		return b
	case strings.HasPrefix(media, "text/") && !binary && (s == nil || s.Kind == KindString || s.Kind == KindAny):
		if s == nil || s.Kind == KindAny {
			s = &Schema{Kind: KindString}
		}
		if r := ob.t.ref(s, ob.op.GoName+"Text"); r.Kind == RefString || r.Kind == RefEnum {
			if r.Rules != nil {
				ob.t.unenforced = append(ob.t.unenforced, ob.op.GoName+"Text: rules about a body that is a text")
			}
			return &OpBody{Ref: r, Text: true}
		}
	}
	return &OpBody{}
}

// form returns the plan with the given fields; operations whose forms are alike
// share one.
func (ob *opBuilder) form(r *Ref, hint string, fields []*FormField) *FormPlan {
	for _, known := range ob.s.Forms {
		if reflect.DeepEqual(known.Fields, fields) {
			return known
		}
	}
	if r.Kind == RefStruct {
		hint = r.Named.Name
	}
	out := &FormPlan{Var: ob.t.names.take(goLocal(hint) + "Fields"), Fields: fields}
	ob.s.Forms = append(ob.s.Forms, out)
	return out
}

// oneBody drops what the default implementation does not read: the media types of
// another type than the one that rows are made from.
func (ob *opBuilder) oneBody() {
	op := ob.op
	if len(op.Others) == 0 {
		return
	}
	op.Others, op.Consumes = nil, op.Body.Reads
	op.Body.Required = op.Operation.Body.Required
}

// formFields describes the properties of an object that travels as a form.
func formFields(s *Schema, m *Media, depth int) []*FormField {
	var out []*FormField
	for _, p := range s.Properties {
		var e Encoding
		if m != nil {
			e = m.Encoding[p.Name]
		}
		out = append(out, formField(p.Name, p.Schema, e, depth))
	}
	if s.Additional != nil {
		if f := formField("", s.Additional, Encoding{}, depth); !f.plain() {
			out = append(out, f)
		}
	}
	return out
}

// plain reports whether the field is read as one that is not described.
func (f *FormField) plain() bool { return f.Kind == "Text" && !f.List }

func formField(name string, s *Schema, e Encoding, depth int) *FormField {
	f := &FormField{Name: name, Kind: formKind(s), Null: s.Nullable}
	switch {
	case len(e.Types) > 0 && !s.File && s.Kind != KindArray && slices.ContainsFunc(e.Types, IsJSON):
		f.Kind = "JSON"
	case s.Kind == KindArray:
		f.List, f.Kind = true, formKind(s.Items)
		f.Split = listSeparator(e.Style, e.Explode || e.Style == "")
	case f.Kind == "Nested" && depth < maxFormDepth:
		f.Fields = formFields(s, nil, depth+1)
		if !slices.ContainsFunc(f.Fields, func(f *FormField) bool { return !f.plain() }) {
			f.Fields = nil // all of them texts, as fields that are not described
		}
	}
	return f
}

// listSeparator is what parts the items of an array in one value.
func listSeparator(style string, explode bool) string {
	switch {
	case explode:
		return ""
	case style == "spaceDelimited":
		return " "
	case style == "pipeDelimited":
		return "|"
	}
	return ","
}

func formKind(s *Schema) string {
	if s == nil {
		return "JSON"
	}
	switch s.Kind {
	case KindString:
		if s.File {
			return "Binary"
		}
		return "Text"
	case KindInteger, KindNumber:
		return "Number"
	case KindBoolean:
		return "Boolean"
	case KindObject:
		return "Nested"
	case KindUnion, KindRaw:
		variants := append(slices.Clone(s.OneOf), s.AnyOf...)
		if len(variants) > 0 && !slices.ContainsFunc(variants, func(v *Schema) bool { return !scalarKind(v.Kind) }) {
			return "Scalar"
		}
		if len(s.Types) > 0 && !slices.Contains(s.Types, "object") && !slices.Contains(s.Types, "array") {
			return "Scalar"
		}
	}
	return "JSON"
}

func scalarKind(k Kind) bool {
	return k == KindString || k == KindInteger || k == KindNumber || k == KindBoolean
}
