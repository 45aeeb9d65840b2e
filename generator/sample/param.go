package sample

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strconv"

	"github.com/e6b96b0c/backend/generator/model"
)

// ParamGenerator makes values of one parameter, in the form in which they travel.
type ParamGenerator struct {
	p    *model.Parameter
	g    Generator
	kept []byte // JSON: the one value, nil for a new one each time
}

// Keep returns a generator that makes one value, the same each time.
func (g ParamGenerator) Keep(r *rand.Rand) ParamGenerator {
	g.kept = g.g.Append(nil, r)
	return g
}

// Param prepares a generator for a parameter.
func Param(p *model.Parameter, o Options) (ParamGenerator, error) {
	s := filled(p)
	c := &compiler{o: o, budget: maxNodes, rules: &ruleCache{}, trial: rand.New(rand.NewPCG(1, 2))}
	n, err := c.node(s, place{name: p.Name, path: p.Name, top: true, required: true})
	if err != nil {
		return ParamGenerator{}, err
	}
	return ParamGenerator{p: p, g: Generator{n}}, nil
}

// filled is the parameter's schema, less the values that would not travel as
// what they are: an empty segment makes another path, and an empty array reads
// as one of one empty item.
func filled(p *model.Parameter) *model.Schema {
	s := p.Schema
	if s == nil || p.Media != "" {
		return s
	}
	least := *s
	switch {
	case s.Kind == model.KindString && p.In == "path":
		least.MinLength = max(s.MinLength, 1)
	case s.Kind == model.KindArray && (s.MaxItems == nil || *s.MaxItems > 0):
		least.MinItems = max(s.MinItems, 1)
	default:
		return s
	}
	return &least
}

// Append appends a value as AppendParam does.
func (g ParamGenerator) Append(dst []byte, r *rand.Rand) []byte {
	if g.kept != nil {
		return AppendParam(dst, g.p, g.kept)
	}
	var room [64]byte
	return AppendParam(dst, g.p, g.g.Append(room[:0], r))
}

// Value appends the JSON value before it is serialised.
func (g ParamGenerator) Value(dst []byte, r *rand.Rand) []byte { return g.g.Append(dst, r) }

// AppendParam appends a JSON value serialised by the parameter's style and
// explode (OpenAPI 3.1, "Style Values"): a path segment, "name=value" pairs for
// query and cookie, the bare value for a header. Everything but a header is
// percent-encoded. An empty array that would travel as repeated pairs leaves
// nothing (RFC 6570, section 3.2.8).
func AppendParam(dst []byte, p *model.Parameter, value []byte) []byte {
	value = bytes.TrimSpace(value)
	w := writer{dst: dst, raw: p.In == "header"}
	if p.Media != "" {
		w.lead(p)
		w.text(string(value))
		return w.dst
	}
	switch first(value) {
	case '[':
		w.array(p, elements(value))
	case '{':
		w.object(p, members(value))
	default:
		switch p.Style {
		case "label":
			w.dst = append(w.dst, '.')
		case "matrix":
			w.dst = append(append(append(w.dst, ';'), p.Name...), '=')
		default:
			w.lead(p)
		}
		w.scalar(value)
	}
	return w.dst
}

func first(v []byte) byte {
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

// writer appends percent-encoded text, or raw text for headers.
type writer struct {
	dst []byte
	raw bool
}

// lead writes "name=" where the parameter travels by name.
func (w *writer) lead(p *model.Parameter) {
	if p.In == "query" || p.In == "cookie" {
		w.text(p.Name)
		w.dst = append(w.dst, '=')
	}
}

func (w *writer) scalar(v []byte) {
	if first(v) != '"' {
		w.text(string(v))
		return
	}
	if len(v) >= 2 && bytes.IndexByte(v, '\\') < 0 {
		w.bytes(v[1 : len(v)-1])
		return
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		w.text(s)
	}
}

func (w *writer) text(s string) { w.bytes([]byte(s)) }

func (w *writer) bytes(s []byte) {
	const hex = "0123456789ABCDEF"
	for _, b := range s {
		if w.raw || unreserved(b) {
			w.dst = append(w.dst, b)
		} else {
			w.dst = append(w.dst, '%', hex[b>>4], hex[b&15])
		}
	}
}

// unreserved characters need no encoding anywhere (RFC 3986, 2.3).
func unreserved(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
		b == '-' || b == '.' || b == '_' || b == '~'
}

// delimiter parts what is in one value.
func delimiter(style string) string {
	switch style {
	case "spaceDelimited":
		return "%20"
	case "pipeDelimited":
		return "%7C"
	}
	return ","
}

func (w *writer) array(p *model.Parameter, items []json.RawMessage) {
	sep := delimiter(p.Style)
	switch p.Style {
	case "label":
		w.dst = append(w.dst, '.')
		if p.Explode {
			sep = "."
		}
	case "matrix":
		w.dst = append(append(append(w.dst, ';'), p.Name...), '=')
		if p.Explode {
			sep = ";" + p.Name + "="
		}
	default:
		if p.Explode && p.In != "path" && p.In != "header" {
			sep = "&" + string(escape(p.Name)) + "="
			if p.In == "cookie" {
				sep = "; " + p.Name + "="
			}
		}
	}
	if p.Style != "label" && p.Style != "matrix" {
		if len(items) == 0 && p.Explode {
			return
		}
		w.lead(p)
	}
	for i, item := range items {
		if i > 0 {
			w.dst = append(w.dst, sep...)
		}
		w.scalar(item)
	}
}

type pair struct {
	name  string
	value json.RawMessage
}

func (w *writer) object(p *model.Parameter, pairs []pair) {
	sep, eq := ",", ","
	switch {
	case p.Style == "deepObject":
		w.deep(p, pairs)
		return
	case p.Style == "label":
		w.dst = append(w.dst, '.')
		if p.Explode {
			sep, eq = ".", "="
		}
	case p.Style == "matrix" && p.Explode:
		w.dst = append(w.dst, ';')
		sep, eq = ";", "="
	case p.Style == "matrix":
		w.dst = append(append(append(w.dst, ';'), p.Name...), '=')
	case p.Explode && p.In == "query":
		sep, eq = "&", "="
	case p.Explode && p.In == "cookie":
		sep, eq = "; ", "="
	case p.Explode:
		eq = "="
	default:
		w.lead(p)
		sep = delimiter(p.Style)
		eq = sep
	}
	for i, m := range pairs {
		if i > 0 {
			w.dst = append(w.dst, sep...)
		}
		w.text(m.name)
		w.dst = append(w.dst, eq...)
		w.scalar(m.value)
	}
}

func (w *writer) deep(p *model.Parameter, pairs []pair) {
	begun := len(w.dst)
	for _, m := range pairs {
		w.nested(begun, p.Name+"["+m.name+"]", m.value)
	}
}

// nested writes a value below a name in brackets: objects by their members' names,
// arrays by number.
func (w *writer) nested(begun int, name string, v json.RawMessage) {
	switch first(v) {
	case '{':
		for _, m := range members(v) {
			w.nested(begun, name+"["+m.name+"]", m.value)
		}
		return
	case '[':
		for i, item := range elements(v) {
			w.nested(begun, name+"["+strconv.Itoa(i)+"]", item)
		}
		return
	}
	if len(w.dst) > begun {
		w.dst = append(w.dst, '&')
	}
	w.text(name)
	w.dst = append(w.dst, '=')
	w.scalar(v)
}

func escape(s string) []byte {
	w := writer{}
	w.text(s)
	return w.dst
}

func elements(v []byte) []json.RawMessage {
	var items []json.RawMessage
	if json.Unmarshal(v, &items) != nil {
		return nil
	}
	return items
}

// members lists an object's members by name.
func members(v []byte) []pair {
	var m map[string]json.RawMessage
	if json.Unmarshal(v, &m) != nil {
		return nil
	}
	var pairs []pair
	for _, name := range sortedKeys(m) {
		pairs = append(pairs, pair{name, m[name]})
	}
	return pairs
}
