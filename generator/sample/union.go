package sample

import (
	"slices"

	"github.com/e6b96b0c/backend/generator/model"
)

// union picks one of several shapes.
type union struct{ variants []node }

func (n *union) append(dst []byte, c run) []byte {
	i := c.r.IntN(len(n.variants))
	if c.refs >= maxRefs {
		// Deep inside a recursive schema, prefer a variant that ends it.
		for j := range n.variants {
			if k := (i + j) % len(n.variants); !recursive(n.variants[k]) {
				i = k
				break
			}
		}
	}
	return n.variants[i].append(dst, c)
}

// union compiles oneOf and anyOf. A variant that cannot be made, or whose values
// satisfy another variant of a oneOf as well, is left out.
func (c *compiler) union(s *model.Schema, p place) (node, error) {
	variants := s.OneOf
	if len(variants) == 0 {
		variants = s.AnyOf
	}
	if len(variants) == 0 {
		return nil, cannot(p, "the union has no variants")
	}
	n := &union{}
	sure := len(s.OneOf) == 0 || s.Discriminator != nil || disjoint(variants)
	var last error
	for _, v := range variants {
		q := p
		q.required = p.required && len(variants) == 1
		q.fixed = discriminating(s.Discriminator, v, p.fixed)
		inner, err := c.node(c.merged(s, v), q)
		if err != nil {
			last = err
			continue
		}
		if recursive(inner) { // its target is not complete yet: it cannot be tried
			n.variants, sure = append(n.variants, inner), false
			continue
		}
		if good := c.trials(s, inner); good > 0 {
			n.variants = append(n.variants, inner)
			sure = sure && good == checkAttempts
		}
		if c.o.Literal && len(n.variants) > 0 {
			break
		}
	}
	if len(n.variants) == 0 {
		if last == nil {
			last = cannot(p, "no value satisfies exactly one variant of oneOf")
		}
		return nil, last
	}
	if sure || slices.ContainsFunc(n.variants, recursive) {
		return n, nil
	}
	return c.checked(s, n, p)
}

// disjoint reports whether no value can satisfy two of the variants, because they
// are of different JSON types.
func disjoint(variants []*model.Schema) bool {
	seen := map[model.Kind]bool{}
	for _, v := range variants {
		k := v.Kind
		if k == model.KindInteger {
			k = model.KindNumber
		}
		if seen[k] || v.Nullable || k == model.KindAny || k == model.KindUnion || k == model.KindRaw {
			return len(variants) == 1
		}
		seen[k] = true
	}
	return true
}

// trials counts how many of checkAttempts values satisfy s.
func (c *compiler) trials(s *model.Schema, n node) int {
	good := 0
	for range checkAttempts {
		if c.check(s, n.append(nil, run{r: c.trial, refs: maxRefs})) == nil {
			good++
		}
	}
	return good
}

// discriminating adds the value that makes the discriminator choose v.
func discriminating(d *model.Discriminator, v *model.Schema, fixed map[string]model.Literal) map[string]model.Literal {
	if d == nil {
		return fixed
	}
	value := v.Name
	for _, name := range sortedKeys(d.Mapping) {
		if d.Mapping[name] == v {
			value = name
			break
		}
	}
	if value == "" {
		return fixed
	}
	out := map[string]model.Literal{d.Property: model.Literal(quote(nil, value))}
	for k, f := range fixed {
		out[k] = f
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mergeKey identifies a variant under the properties that stand beside oneOf.
type mergeKey struct{ base, variant *model.Schema }

// merged is a variant together with the union's own properties. The result is
// kept, so that recursion still meets the same pointer.
func (c *compiler) merged(s, v *model.Schema) *model.Schema {
	if len(s.Properties) == 0 || (v.Kind != model.KindObject && v.Kind != model.KindAny) {
		return v
	}
	k := mergeKey{s, v}
	if m := c.merges[k]; m != nil {
		return m
	}
	m := *v
	m.Kind = model.KindObject
	m.Closed = v.Closed || s.Closed
	m.Properties = nil
	for _, p := range s.Properties {
		both := *p
		if q := v.Property(p.Name); q != nil {
			both.Required = p.Required || q.Required
			if q.Schema != nil && q.Schema.Kind != model.KindAny {
				both.Schema = q.Schema
			}
		}
		m.Properties = append(m.Properties, &both)
	}
	for _, q := range v.Properties {
		if s.Property(q.Name) == nil {
			m.Properties = append(m.Properties, q)
		}
	}
	if c.merges == nil {
		c.merges = map[mergeKey]*model.Schema{}
	}
	c.merges[k] = &m
	return &m
}
