// Package sample makes JSON values that satisfy a schema. A schema is compiled
// once into a tree of small generators, and each value is then appended to a
// caller's buffer: about a microsecond and no allocation for a typical body, so
// that the load tester can make a fresh body for every request.
//
// All randomness comes from the caller's generator, so a seed fixes every byte.
package sample

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/e6b96b0c/backend/generator/model"
)

// Direction says which way a value travels.
type Direction int

// The directions: a request leaves out readOnly properties, a response leaves
// out writeOnly ones.
const (
	Request Direction = iota
	Response
)

// Options choose among the values that a schema admits. The zero value makes
// random request bodies with most optional properties present.
type Options struct {
	Direction Direction
	// Minimal leaves out whatever the schema does not require.
	Minimal bool
	// Literal prefers what the document shows: an example, else a default, where
	// it satisfies the schema. It also keeps every optional property and never
	// picks null, which is what documentation and tests want.
	Literal bool
	// Assigned names top-level properties that the server gives a value when the
	// client sends none, such as a resource's key. They are left out where
	// optional; "id" always is.
	Assigned []string
	// Slot is asked for every property (path "items[].productId"; a property of a
	// map's members is "map{}.name") and for the items of arrays ("tags[]"). A non-negative answer makes the property a slot: its value
	// comes from the Filler given to AppendWith. Nil means no slots.
	Slot func(path string, s *model.Schema) int
}

// A Filler supplies the values of slots while a body is generated.
type Filler interface {
	// Fill appends the JSON value of a slot to dst; false means that it has none,
	// and a value is generated from the property's schema instead.
	Fill(slot int, dst []byte, r *rand.Rand) ([]byte, bool)
}

// Generator makes values of one schema. It holds no state and may be used by
// any number of goroutines, each with its own random source.
type Generator struct{ root node }

// ErrCannot is wrapped by the error of every schema for which no value can be
// made: an unsupported pattern, contradictory bounds, endless recursion.
var ErrCannot = errors.New("cannot generate")

// Compile prepares a generator. A nil schema admits anything. Optional parts
// that cannot be generated are left out; the error (an ErrCannot) says which
// required part is to blame.
func Compile(s *model.Schema, o Options) (Generator, error) {
	c := &compiler{o: o, budget: maxNodes, rules: &ruleCache{}, trial: rand.New(rand.NewPCG(1, 2))}
	n, err := c.node(s, place{top: true})
	if err != nil {
		return Generator{}, err
	}
	return Generator{root: n}, nil
}

// Append appends one value as JSON to dst.
func (g Generator) Append(dst []byte, r *rand.Rand) []byte {
	return g.AppendWith(dst, r, nil)
}

// AppendWith is Append with the values of slots taken from f.
func (g Generator) AppendWith(dst []byte, r *rand.Rand, f Filler) []byte {
	if g.root == nil {
		return append(dst, "null"...)
	}
	return g.root.append(dst, run{r: r, fill: f})
}

// Example returns one value of s made from seed, or nil when none can be made.
// With Options.Literal it is the value that the document itself shows.
func Example(s *model.Schema, o Options, seed uint64) []byte {
	g, err := Compile(s, o)
	if err != nil {
		return nil
	}
	return g.Append(nil, rand.New(rand.NewPCG(seed, seed)))
}

// node makes one kind of value.
type node interface {
	append(dst []byte, c run) []byte
}

// run is the state of one Append. It travels by value: a pointer would escape
// through the interface and cost an allocation per body.
type run struct {
	r    *rand.Rand
	fill Filler
	refs int // how often a recursive schema was entered again
}

// maxNodes bounds the size of a compiled tree: descriptions exist whose schemas,
// written out, have millions of nodes. Past it optional properties are left out.
const maxNodes = 4000

// maxRefs is how often a recursive schema is followed before its optional
// recursion stops.
const maxRefs = 2

type compiler struct {
	o      Options
	budget int
	trial  *rand.Rand // for the candidates tried while compiling
	stack  []frame
	merges map[mergeKey]*model.Schema
	rules  *ruleCache
}

// frame is a schema being compiled.
type frame struct {
	schema *model.Schema
	node   *reference
	// required says that the parent cannot do without this value.
	required bool
}

// place says where a schema is used.
type place struct {
	name     string // the property's name, for realistic text
	path     string
	top      bool
	required bool
	wanting  bool // the object needs some of its optional properties
	// fixed replaces a property's value: a union's discriminator.
	fixed map[string]model.Literal
}

func cannot(p place, format string, args ...any) error {
	at := p.path
	if at == "" {
		at = "the value"
	}
	return fmt.Errorf("%w %s: %s", ErrCannot, at, fmt.Sprintf(format, args...))
}

// node compiles s. Recursion through the stack becomes a reference.
func (c *compiler) node(s *model.Schema, p place) (node, error) {
	if s == nil {
		return c.free(p), nil
	}
	if back := c.recursion(s, p); back != nil {
		if back.schema == nil {
			return nil, cannot(p, "the schema requires itself without end")
		}
		return back.node, nil
	}
	c.budget--
	ref := &reference{}
	c.stack = append(c.stack, frame{schema: s, node: ref, required: p.required})
	defer func() { c.stack = c.stack[:len(c.stack)-1] }()

	n, err := c.bare(s, p)
	if err != nil {
		return nil, err
	}
	if s.Nullable && !c.o.Minimal && !c.o.Literal && !p.top {
		n = nullable{n}
	}
	ref.target = n
	return n, nil
}

// recursion finds s among the schemas being compiled. It returns an empty frame
// when every step from there to here is required, so that no value would end.
func (c *compiler) recursion(s *model.Schema, p place) *frame {
	for i := len(c.stack) - 1; i >= 0; i-- {
		if c.stack[i].schema != s {
			continue
		}
		endless := p.required
		for _, f := range c.stack[i+1:] {
			endless = endless && f.required
		}
		if endless {
			return &frame{}
		}
		return &c.stack[i]
	}
	return nil
}

// bare compiles s without regard to null.
func (c *compiler) bare(s *model.Schema, p place) (node, error) {
	if lit := c.literal(s); lit != nil {
		return constant(lit), nil
	}
	if s.Const != nil {
		return constant(s.Const), nil
	}
	if len(s.Enum) > 0 {
		return c.enum(s, p)
	}
	if s.Not != nil || s.Rules != nil {
		return c.filtered(s, p)
	}
	return c.shape(s, p)
}

func (c *compiler) shape(s *model.Schema, p place) (node, error) {
	switch s.Kind {
	case model.KindString:
		return c.text(s, p)
	case model.KindInteger, model.KindNumber:
		return c.number(s, p)
	case model.KindBoolean:
		return boolean{}, nil
	case model.KindNull:
		return constant("null"), nil
	case model.KindArray:
		return c.array(s, p)
	case model.KindUnion:
		return c.union(s, p)
	case model.KindObject:
		if len(s.OneOf)+len(s.AnyOf) > 0 {
			return c.union(s, p)
		}
		return c.object(s, p)
	case model.KindRaw:
		return c.raw(s, p)
	default:
		return c.free(p), nil
	}
}

// literal returns what the document shows for s, if asked for and valid.
func (c *compiler) literal(s *model.Schema) model.Literal {
	if !c.o.Literal {
		return nil
	}
	for _, lit := range []model.Literal{s.Example, s.Default} {
		if lit != nil && string(lit) != "null" && c.check(s, lit) == nil {
			return lit
		}
	}
	return nil
}

// raw handles what the document left untyped: only what it shows is safe.
func (c *compiler) raw(s *model.Schema, p place) (node, error) {
	for _, lit := range []model.Literal{s.Example, s.Default} {
		if lit != nil {
			return constant(lit), nil
		}
	}
	if len(s.OneOf)+len(s.AnyOf) > 0 {
		return c.union(s, p)
	}
	var n union
	for _, t := range s.Types {
		one := *s
		one.Kind, one.Types, one.Rules = model.Kind(t), nil, nil
		if v, err := c.shape(&one, p); err == nil {
			n.variants = append(n.variants, v)
		}
	}
	if len(n.variants) > 0 {
		return &n, nil
	}
	return nil, cannot(p, "the schema has no single type (%s)", s.Reason)
}

// filtered compiles a schema with a "not": candidates are checked as made.
func (c *compiler) filtered(s *model.Schema, p place) (node, error) {
	inner, err := c.shape(s, p)
	if err != nil {
		return nil, err
	}
	return c.checked(s, inner, p)
}

func (c *compiler) enum(s *model.Schema, p place) (node, error) {
	var fit []constant
	for _, e := range s.Enum {
		if c.check(s, e) == nil {
			fit = append(fit, constant(e))
		}
	}
	if len(fit) == 0 {
		return nil, cannot(p, "no member of the enum satisfies the schema")
	}
	if len(fit) == 1 || c.o.Literal {
		return fit[0], nil
	}
	return choice(fit), nil
}

// free is a schema that says nothing: a short text is as good as anything.
func (c *compiler) free(p place) node {
	return &text{make: named(p.name, 0, 40), max: -1, fallback: []byte(`"sample"`)}
}
