package rules

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// maxSteps and stepsPerByte bound the work for one value: choices within choices
// multiply.
const (
	maxSteps     = 50_000
	stepsPerByte = 8
)

// maxDepth bounds schemas that refer to one another about the same value.
const maxDepth = 1000

// Check reports what is wrong with the value that d has read since the mark. It
// says nothing about a value with which something is wrong already.
func (s *Schema) Check(d *wire.Decoder, mark int) {
	if !d.Sound() {
		return
	}
	s.report(d, []byte(d.Since(mark)))
}

func (s *Schema) report(d *wire.Decoder, text []byte) {
	for _, f := range s.faults(text) {
		d.Fault(f.message, f.path...)
	}
}

// Valid tells whether a JSON text satisfies the schema.
func (s *Schema) Valid(text []byte) bool { return wire.Valid(text) && len(s.faults(text)) == 0 }

func (s *Schema) faults(text []byte) []fault {
	v, ok := wire.Tree(text)
	if !ok {
		return []fault{{message: "is no JSON"}}
	}
	r := &run{steps: maxSteps + stepsPerByte*len(text)}
	faults, _ := r.check(s, v, nil)
	if r.steps <= 0 || r.tooDeep {
		return []fault{{message: "is too complex to check"}}
	}
	return faults
}

// fault is something wrong at a place below the value that is checked.
type fault struct {
	path    []string
	message string
}

// run is the check of one value.
type run struct {
	steps   int // that are left
	depth   int
	tooDeep bool
}

// seen is what a schema's keywords evaluated: members of an object, elements of
// an array.
type seen struct {
	members map[string]bool
	items   map[int]bool
}

func (e *seen) add(o seen) {
	for name := range o.members {
		e.member(name)
	}
	for i := range o.items {
		e.item(i)
	}
}

func (e *seen) member(name string) {
	if e.members == nil {
		e.members = map[string]bool{}
	}
	e.members[name] = true
}

func (e *seen) item(i int) {
	if e.items == nil {
		e.items = map[int]bool{}
	}
	e.items[i] = true
}

// check evaluates a schema. What a failed schema evaluated does not count.
func (r *run) check(s *Schema, v any, path []string) (faults []fault, have seen) {
	if s == nil {
		return nil, have
	}
	r.steps--
	if r.depth++; r.depth > maxDepth {
		r.tooDeep = true
	}
	defer func() { r.depth-- }()
	if r.steps <= 0 || r.tooDeep {
		return []fault{{path, "is too complex to check"}}, have
	}
	if s.never {
		return []fault{{path, "is not allowed"}}, have
	}
	c := &checking{run: r, s: s, path: path}
	c.value(v)
	c.applied(v)
	switch v := v.(type) {
	case map[string]any:
		c.object(v)
	case []any:
		c.array(v)
	}
	c.rest(v)
	return c.faults, c.seen
}

// checking is the check of one value against one schema.
type checking struct {
	*run
	s    *Schema
	path []string
	seen
	faults []fault
}

func (c *checking) fail(message string, below ...string) {
	c.faults = append(c.faults, fault{slices.Concat(c.path, below), message})
}

// in checks a part of the value, and keeps what is wrong with it.
func (c *checking) in(s *Schema, v any, below ...string) {
	faults, _ := c.check(s, v, slices.Concat(c.path, below))
	c.faults = append(c.faults, faults...)
}

// matches tells whether the same value satisfies another schema.
func (c *checking) matches(s *Schema, v any) ([]fault, bool) {
	faults, have := c.check(s, v, c.path)
	if len(faults) == 0 {
		c.add(have)
	}
	return faults, len(faults) == 0
}

// applied evaluates the keywords that apply schemas to the same value.
func (c *checking) applied(v any) {
	s := c.s
	for _, one := range append([]*Schema{s.ref}, s.all...) {
		if faults, ok := c.matches(one, v); !ok {
			c.faults = append(c.faults, faults...)
		}
	}
	c.choices(v)
	if s.not != nil {
		if faults, _ := c.check(s.not, v, c.path); len(faults) == 0 {
			c.fail("is what the schema rules out")
		}
	}
	if s.when != nil {
		branch := s.then
		if _, ok := c.matches(s.when, v); !ok {
			branch = s.otherwise
		}
		if faults, ok := c.matches(branch, v); !ok {
			c.faults = append(c.faults, faults...)
		}
	}
	if o, ok := v.(map[string]any); ok {
		for _, name := range sortedKeys(s.dependent) {
			if _, there := o[name]; !there {
				continue
			}
			if faults, ok := c.matches(s.dependent[name], v); !ok {
				c.faults = append(c.faults, faults...)
			}
		}
	}
}

func (c *checking) choices(v any) {
	s := c.s
	if len(s.anyOf) > 0 {
		found := false
		for _, one := range s.anyOf {
			_, ok := c.matches(one, v)
			found = found || ok
		}
		if !found {
			c.fail("matches none of the allowed shapes")
		}
	}
	if len(s.oneOf) > 0 {
		n := 0
		for _, one := range s.oneOf {
			if _, ok := c.matches(one, v); ok {
				n++
			}
		}
		switch {
		case n == 0:
			c.fail("matches none of the allowed shapes")
		case n > 1:
			c.fail("matches more than one of the allowed shapes")
		}
	}
}

// value evaluates the keywords about a value that has no parts.
func (c *checking) value(v any) {
	s := c.s
	if len(s.types) > 0 && !slices.ContainsFunc(s.types, func(t string) bool { return isType(t, v) }) {
		c.fail("must be " + strings.Join(s.types, " or "))
	}
	if s.enum != nil && !slices.Contains(s.enum, wire.CanonicalTree(v)) {
		switch len(s.enum) {
		case 0:
			c.fail("is not allowed")
		case 1:
			c.fail("must be " + s.enumText)
		default:
			c.fail("must be one of " + s.enumText)
		}
	}
	switch v := v.(type) {
	case string:
		c.text(v)
	case json.Number:
		c.number(v)
	}
}

func isType(t string, v any) bool {
	switch v := v.(type) {
	case nil:
		return t == "null"
	case string:
		return t == "string"
	case bool:
		return t == "boolean"
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	case json.Number:
		return t == "number" || t == "integer" && wire.IsWhole(v.String())
	}
	return false
}

func (c *checking) text(v string) {
	s, n := c.s, utf8.RuneCountInString(v)
	c.least(s.minLength, n, "be", "character", " long")
	c.most(s.maxLength, n, "be", "character", " long")
	if s.pattern != nil && !s.pattern.MatchString(v) {
		c.fail("must match the pattern " + s.pattern.String())
	}
	if s.formatted && !s.format.Valid(v) {
		c.fail("must be " + s.format.String())
	}
}

func (c *checking) number(v json.Number) {
	f, err := v.Float64()
	if err != nil {
		c.fail("is out of range")
		return
	}
	bound := func(limit *float64, holds func(float64) bool, words string) {
		if limit != nil && !holds(*limit) {
			c.fail(words + strconv.FormatFloat(*limit, 'f', -1, 64))
		}
	}
	bound(c.s.minimum, func(limit float64) bool { return f >= limit }, "must be at least ")
	bound(c.s.maximum, func(limit float64) bool { return f <= limit }, "must be at most ")
	bound(c.s.aboveMin, func(limit float64) bool { return f > limit }, "must be greater than ")
	bound(c.s.belowMax, func(limit float64) bool { return f < limit }, "must be less than ")
	bound(c.s.multipleOf, func(of float64) bool { return of <= 0 || wire.IsMultiple(f, of) }, "must be a multiple of ")
}

func (c *checking) least(limit *int, n int, verb, unit, tail string) {
	if limit != nil && n < *limit {
		c.fail("must " + verb + " at least " + count(*limit, unit) + tail)
	}
}

func (c *checking) most(limit *int, n int, verb, unit, tail string) {
	if limit != nil && n > *limit {
		c.fail("must " + verb + " at most " + count(*limit, unit) + tail)
	}
}

func count(n int, unit string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(unit, "y"):
		unit = strings.TrimSuffix(unit, "y") + "ies"
	default:
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
