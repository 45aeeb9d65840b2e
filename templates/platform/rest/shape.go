package rest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Kind says how a text is read as a JSON value.
type Kind int

// The kinds. A text that is not what its kind says stays a string, so that the
// decoder reports it.
const (
	Text    Kind = iota // a string
	Number              // a number
	Boolean             // true or false
	JSON                // JSON
	Scalar              // a number, a boolean or a string, by its look
	Binary              // a file of a multipart form
	Nested              // an object: name[property]=value, or JSON
)

// Field is a named member of a form, or of a parameter that is an object. One
// without a name stands for all that are not listed.
type Field struct {
	Name string
	Kind Kind // of the value; in a list, of each item
	// List says that the value is an array: the field is repeated or, with a
	// Split, its one value is taken apart.
	List  bool
	Split string
	// Null says that an empty text stands for null.
	Null bool
	// Fields are the properties of a Nested one.
	Fields []Field
}

// Fields are the members of a form or object. Others are read as text.
type Fields []Field

func (f Fields) named(name string) *Field {
	var other *Field
	for i := range f {
		switch f[i].Name {
		case name:
			return &f[i]
		case "":
			other = &f[i]
		}
	}
	return other
}

// maxMembers bounds the distinct members of a form or object.
const maxMembers = 1000

// maxNesting bounds the depth of name[a][b]=value.
const maxNesting = 8

// tree collects the members of an object that arrives as pairs, in the order in
// which their names first came.
type tree struct {
	fields  Fields
	members []*member
	byName  map[string]*member
	depth   int
}

// member is one name with all of its values.
type member struct {
	name   string
	field  *Field // nil: not listed
	values []string
	json   []bool // the value at the same index is JSON already
	inner  *tree  // of a Nested one
}

func newTree(fields Fields, depth int) *tree {
	return &tree{fields: fields, byName: map[string]*member{}, depth: depth}
}

// member returns the member of a name; false means that there are too many.
func (t *tree) member(name string) (*member, bool) {
	if m := t.byName[name]; m != nil {
		return m, true
	}
	if len(t.members) == maxMembers {
		return nil, false
	}
	m := &member{name: name, field: t.fields.named(name)}
	t.byName[name] = m
	t.members = append(t.members, m)
	return m, true
}

// add adds a pair. The name of a Nested field's member is taken apart.
func (t *tree) add(name, value string, isJSON bool) bool {
	if head, path, ok := brackets(name); ok {
		if f := t.fields.named(head); f != nil && f.Kind == Nested {
			m, room := t.member(head)
			return room && m.nested(path, value)
		}
		if f := t.fields.named(head); f != nil && f.List && path[len(path)-1] == "" && t.fields.named(name) == nil {
			name = head // tags[]=a, as many libraries write lists
		}
	}
	m, room := t.member(name)
	if room {
		m.values, m.json = append(m.values, value), append(m.json, isJSON)
	}
	return room
}

// nested adds a value below a member: path is what stood in the brackets.
func (m *member) nested(path []string, value string) bool {
	if m.inner == nil {
		m.inner = newTree(m.field.Fields, 1)
	}
	t := m.inner
	for i, name := range path {
		if name == "" && i == len(path)-1 && i > 0 {
			break // a[b][]=x: a list's item
		}
		next, room := t.member(name)
		if !room || i >= maxNesting {
			return false
		}
		if i == len(path)-1 || i == len(path)-2 && path[i+1] == "" {
			next.values, next.json = append(next.values, value), append(next.json, false)
			return true
		}
		if next.inner == nil {
			var fields Fields
			if next.field != nil {
				fields = next.field.Fields
			}
			next.inner = newTree(fields, i+2)
		}
		t = next.inner
	}
	return false
}

// brackets takes a[b][c] apart.
func brackets(name string) (head string, path []string, ok bool) {
	open := strings.IndexByte(name, '[')
	if open < 1 || name[len(name)-1] != ']' {
		return "", nil, false
	}
	return name[:open], strings.Split(name[open+1:len(name)-1], "]["), true
}

// json appends the object. The names of members that were given too often, or
// hold text that is not UTF-8, are reported to fault.
func (t *tree) json(dst []byte, fault func(name, message string)) []byte {
	dst = append(dst, '{')
	for i, m := range t.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(wire.AppendString(dst, m.name), ':')
		dst = m.append(dst, fault)
	}
	return append(dst, '}')
}

func (m *member) append(dst []byte, fault func(name, message string)) []byte {
	f := m.field
	if f == nil {
		f = &Field{Name: m.name}
		if len(m.values) > 1 {
			f = &Field{Name: m.name, List: true}
		}
	}
	if m.inner != nil {
		if len(m.values) > 0 {
			fault(m.name, "must be given in one way")
		}
		if f.List && m.inner.indexed() {
			return m.inner.array(dst, f, fault)
		}
		return m.inner.json(dst, fault)
	}
	for _, v := range m.values {
		if !utf8.ValidString(v) {
			fault(m.name, "must be valid UTF-8")
			break
		}
	}
	if !f.List {
		if len(m.values) > 1 {
			fault(m.name, "must be given once")
		}
		return appendValue(dst, f, m.values[0], m.json[0])
	}
	values := m.values
	if f.Split != "" && len(values) == 1 && !m.json[0] {
		values = split(values[0], f.Split)
		m.json = make([]bool, len(values))
	}
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, f, v, m.json[i])
	}
	return append(dst, ']')
}

// indexed tells whether the members are numbered from zero: tags[0]=a&tags[1]=b.
func (t *tree) indexed() bool {
	for i := range t.members {
		if t.byName[strconv.Itoa(i)] == nil {
			return false
		}
	}
	return true
}

// array appends the numbered members as an array.
func (t *tree) array(dst []byte, f *Field, fault func(name, message string)) []byte {
	dst = append(dst, '[')
	for i := range t.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		m := *t.byName[strconv.Itoa(i)]
		m.field = &Field{Name: m.name, Kind: f.Kind}
		dst = m.append(dst, fault)
	}
	return append(dst, ']')
}

// split takes a list apart; an empty text is a list of nothing.
func split(text, separator string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, separator)
}

// appendValue appends a text as the JSON that its field's kind makes of it.
func appendValue(dst []byte, f *Field, text string, isJSON bool) []byte {
	kind := f.Kind
	if isJSON && kind != Binary {
		kind = JSON
	}
	switch {
	case text == "" && f.Null && kind != Text:
		return append(dst, "null"...)
	case kind == Number && wire.IsNumber(text),
		kind == Boolean && (text == "true" || text == "false"),
		kind == Scalar && (wire.IsNumber(text) || text == "true" || text == "false"),
		(kind == JSON || kind == Nested) && wire.Valid([]byte(text)),
		kind == Binary && isJSON: // an index: see parts
		return append(dst, text...)
	}
	return wire.AppendString(dst, text)
}
