package rest

import (
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Style says how a parameter that is an object travels.
type Style int

// The styles; see OpenAPI, "Style Values".
const (
	Whole  Style = iota // one JSON text
	Deep                // filter[status]=open&filter[age]=3
	Spread              // status=open&age=3: each property a parameter of its own
	Listed              // status,open,age,3
	Named               // status=open,age=3
	Value               // one number, boolean or text, whichever decode takes
)

// Object describes a parameter that is an object, or any JSON.
type Object struct {
	In, Name string
	Style    Style
	// Prefix and Split are what stands before the value, and between its members:
	// "" and "," unless the document says otherwise.
	Prefix, Split string
	Required      bool
	Fields        Fields
}

// Object reads a parameter that is an object with decode, if it was sent.
func (r *Request) Object(o Object, decode func(*wire.Decoder)) {
	t := newTree(o.Fields, 0)
	text, sent, room := []byte(nil), false, true
	switch o.Style {
	case Deep:
		t = newTree(Fields{{Name: o.Name, Kind: Nested, Fields: o.Fields}}, 0)
		for _, q := range r.pairsIn(o.In) {
			if head, _, ok := brackets(q.name); ok && head == o.Name {
				sent, room = true, t.add(q.name, q.value, false) && room
			}
		}
		if sent {
			t = t.members[0].inner
		}
	case Spread:
		for _, q := range r.pairsIn(o.In) {
			if o.Fields.named(strings.TrimSuffix(q.name, "[]")) != nil {
				sent, room = true, t.add(q.name, q.value, false) && room
			}
		}
	default:
		p := r.named(o.In, o.Name)
		if sent = p.Set(); !sent {
			break
		}
		value, ok := p.Cut(o.Prefix).one()
		switch {
		case !ok:
			return
		case o.Style == Value:
			r.value(value, o, decode)
			return
		case o.Style == Whole:
			text = []byte(value)
			if !wire.Valid(text) {
				p.Unreadable("must be JSON")
				return
			}
		case !t.list(value, o):
			p.Unreadable("must be a list of names and values")
			return
		}
	}
	switch {
	case !room || t == nil:
		r.refuse(problem.BadRequest("the " + o.In + " parameter " + o.Name + " has too many members, or they are nested too deeply"))
	case sent:
		names := []string{o.Name}
		if o.Style == Spread {
			names = nil
		}
		if text == nil {
			text = t.json(nil, func(name, message string) {
				r.errs.Add(problem.FieldError{In: o.In, Pointer: wire.Pointer(append(names, name)...), Message: message})
			})
		}
		r.decode(wire.NewPart(&r.errs, text, nil, o.In, names...), decode)
	case o.Required:
		r.errs.Add(problem.FieldError{In: o.In, Pointer: wire.Pointer(o.Name), Message: "is required"})
	}
}

// list reads a Listed or Named value into t; false means that it is malformed.
func (t *tree) list(value string, o Object) bool {
	parts := split(value, orElse(o.Split, ","))
	if o.Style == Named {
		for _, part := range parts {
			name, value, ok := strings.Cut(part, "=")
			if !ok || !t.add(name, value, false) {
				return false
			}
		}
		return true
	}
	if len(parts)%2 != 0 {
		return false
	}
	for i := 0; i < len(parts); i += 2 {
		if !t.add(parts[i], parts[i+1], false) {
			return false
		}
	}
	return true
}

// named returns the parameter in a place.
func (r *Request) named(in, name string) *Param {
	switch in {
	case "path":
		return r.Path(name)
	case "header":
		return r.Header(name)
	case "cookie":
		return r.Cookie(name)
	}
	return r.Query(name)
}

// pairsIn lists the parameters of a place that has them by name and value.
func (r *Request) pairsIn(in string) []pair {
	if in != "cookie" {
		return r.queryPairs()
	}
	var out []pair
	for _, c := range r.http.Cookies() {
		out = append(out, pair{unescaped(c.Name), unescaped(c.Value)})
	}
	return out
}

// value reads a text that may be a number or boolean, by its look, or a string that
// only looks like one.
func (r *Request) value(text string, o Object, decode func(*wire.Decoder)) {
	var errs [2]wire.Errors
	for i, kind := range []Kind{Scalar, Text} {
		d := wire.NewPart(&errs[i], appendValue(nil, &Field{Kind: kind}, text, false), nil, o.In, o.Name)
		r.decode(d, decode)
		if errs[i].Len() == 0 {
			return
		}
	}
	for _, fault := range errs[0].List() {
		r.errs.Add(fault)
	}
}
