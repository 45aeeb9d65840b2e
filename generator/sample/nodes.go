package sample

import (
	"bytes"

	"github.com/e6b96b0c/backend/generator/model"
)

// constant is a value given as JSON text.
type constant []byte

func (n constant) append(dst []byte, _ run) []byte { return append(dst, n...) }

// choice picks one of several constants.
type choice []constant

func (n choice) append(dst []byte, c run) []byte {
	return append(dst, n[c.r.IntN(len(n))]...)
}

type boolean struct{}

func (boolean) append(dst []byte, c run) []byte {
	if c.r.Uint64()&1 == 0 {
		return append(dst, "false"...)
	}
	return append(dst, "true"...)
}

// nullable is null about once in sixteen times.
type nullable struct{ node }

func (n nullable) append(dst []byte, c run) []byte {
	if c.r.Uint64()&15 == 0 {
		return append(dst, "null"...)
	}
	return n.node.append(dst, c)
}

// reference stands for a schema met again inside itself.
type reference struct{ target node }

func (n *reference) append(dst []byte, c run) []byte {
	if c.refs++; c.refs > maxRefs+32 || n.target == nil {
		return append(dst, "null"...) // every way on recurses: no value exists
	}
	return n.target.append(dst, c)
}

// recursive reports whether n leads straight back into a schema that holds it.
func recursive(n node) bool {
	switch n := n.(type) {
	case *reference:
		return true
	case nullable:
		return recursive(n.node)
	case *array:
		return n.min > 0 && recursive(n.item)
	case *union:
		for _, v := range n.variants {
			if !recursive(v) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// slot asks the Filler first.
type slot struct {
	index int
	node
}

func (n slot) append(dst []byte, c run) []byte {
	if c.fill != nil {
		if out, ok := c.fill.Fill(n.index, dst, c.r); ok {
			return out
		}
	}
	return n.node.append(dst, c)
}

// checkedNode repeats until a candidate satisfies the whole schema.
type checkedNode struct {
	node
	schema   *model.Schema
	dir      Direction
	rules    *ruleCache
	fallback []byte
}

// checkAttempts bounds the search for a value that a construction cannot
// guarantee (not, overlapping oneOf, unusual patterns).
const checkAttempts = 16

func (n *checkedNode) append(dst []byte, c run) []byte {
	start := len(dst)
	for range checkAttempts {
		dst = n.node.append(dst[:start], c)
		if n.rules.check(n.schema, dst[start:], n.dir) == nil {
			return dst
		}
	}
	return append(dst[:start], n.fallback...)
}

// checked wraps inner so that every value satisfies s, or reports that none of
// the candidates did.
func (c *compiler) checked(s *model.Schema, inner node, p place) (node, error) {
	for range 8 * checkAttempts {
		v := inner.append(nil, run{r: c.trial})
		if c.check(s, v) == nil {
			return &checkedNode{node: inner, schema: s, dir: c.o.Direction, rules: c.rules, fallback: v}, nil
		}
	}
	return nil, cannot(p, "no candidate satisfies the schema")
}

// array makes arrays of min..max items.
type array struct {
	item     node
	min, max int
	unique   bool
	prefix   []node // what the first items are, where they differ
	last     node   // what the last item is; nil: as any
}

// maxExtraItems is how many items beyond the least an array gets: enough to be
// a list, small enough to be a typical body.
const maxExtraItems = 2

func (c *compiler) array(s *model.Schema, p place) (node, error) {
	limit := max(s.MinItems, 1) + maxExtraItems
	if s.MaxItems != nil {
		limit = min(limit, *s.MaxItems)
	}
	if limit < s.MinItems {
		return nil, cannot(p, "maxItems is below minItems")
	}
	if limit == 0 || (c.o.Minimal && s.MinItems == 0) {
		return constant("[]"), nil
	}
	if literal := c.o.Literal; literal && s.UniqueItems && s.MinItems > 1 {
		c.o.Literal = false // one example cannot fill it
		defer func() { c.o.Literal = literal }()
	}
	item, err := c.node(s.Items, place{name: p.name, path: p.path + "[]", required: s.MinItems > 0})
	if err != nil {
		if s.MinItems == 0 {
			return constant("[]"), nil
		}
		return nil, err
	}
	if c.o.Minimal {
		limit = s.MinItems
	}
	if c.o.Slot != nil {
		if i := c.o.Slot(p.path+"[]", s.Items); i >= 0 {
			item = slot{index: i, node: item}
		}
	}
	n := &array{item: item, min: s.MinItems, max: limit, unique: s.UniqueItems}
	if err := c.special(n, s, p); err != nil {
		return nil, err
	}
	if !s.UniqueItems {
		return n, nil
	}
	// With few distinct items (an enum, a boolean) the least may be out of reach.
	if s.MinItems > 1 {
		return c.checked(s, n, p)
	}
	return n, nil
}

// special prepares the items that are not as the others.
func (c *compiler) special(n *array, s *model.Schema, p place) error {
	for _, one := range s.Prefix {
		item, err := c.node(one, place{name: p.name, path: p.path + "[]", required: true})
		if err != nil {
			return err
		}
		n.prefix = append(n.prefix, item)
	}
	if len(n.prefix) > 0 {
		n.min = max(n.min, len(n.prefix))
		n.max = n.min
	}
	if s.Contains != nil {
		item, err := c.node(s.Contains, place{name: p.name, path: p.path + "[]", required: true})
		if err != nil {
			return err
		}
		n.last, n.min, n.max = item, max(n.min, 1), max(n.max, 1)
	}
	return nil
}

// at is what makes the item with an index among count.
func (n *array) at(i, count int) node {
	switch {
	case i < len(n.prefix):
		return n.prefix[i]
	case i == count-1 && n.last != nil:
		return n.last
	}
	return n.item
}

func (n *array) append(dst []byte, c run) []byte {
	count := n.min
	if c.refs < maxRefs || !recursive(n.item) {
		low := n.min
		if low == 0 && n.max > 0 && c.r.IntN(8) != 0 {
			low = 1 // an empty array is a corner case, not the usual one
		}
		count = low + c.r.IntN(n.max-low+1)
	}
	dst = append(dst, '[')
	begin := len(dst)
	for i := range count {
		mark := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		at, item := len(dst), n.at(i, count)
		dst = item.append(dst, c)
		for tries := 0; n.unique && holds(dst[begin:mark], dst[at:]) && tries < 32; tries++ {
			dst = item.append(dst[:at], c)
		}
		if n.unique && holds(dst[begin:mark], dst[at:]) {
			dst = dst[:mark]
			break
		}
	}
	return append(dst, ']')
}

// holds reports whether value occurs in a list of values. It may report a
// nested occurrence too, which only costs another try.
func holds(list, value []byte) bool { return bytes.Contains(list, value) }
