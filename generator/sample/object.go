package sample

import (
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// object makes objects of listed members and, where the schema has them, of
// unlisted ones.
type object struct {
	members  []member
	extra    node // value of unlisted members, nil for none
	extraMin int
	extraMax int
	optional int  // how many optional members must be present
	spare    int  // how many may be; -1 means all
	all      bool // every optional member is wanted
}

type member struct {
	key      []byte // "name": in JSON, with the colon
	value    node
	required bool
}

func (c *compiler) object(s *model.Schema, p place) (node, error) {
	n := &object{spare: -1, all: c.o.Literal}
	required := 0
	for _, prop := range s.Properties {
		if prop.Required && !hidden(prop.Schema, c.o.Direction) {
			required++
		}
	}
	p.wanting = s.MinProperties > required
	required = 0
	for _, prop := range s.Properties {
		m, err := c.member(prop, p)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		if m.required {
			required++
		}
		n.members = append(n.members, *m)
	}
	if s.MaxProperties != nil {
		if *s.MaxProperties < s.MinProperties {
			return nil, cannot(p, "maxProperties is below minProperties")
		}
		n.spare = *s.MaxProperties - required
		if n.spare < 0 {
			return nil, cannot(p, "more properties are required than maxProperties allows")
		}
	}
	missing := max(0, s.MinProperties-required)
	n.optional = min(missing, len(n.members)-required)
	return n, c.extras(n, s, p, missing-n.optional)
}

// member compiles one property; nil means that it is left out.
func (c *compiler) member(prop *model.Property, p place) (*member, error) {
	if fixed, ok := p.fixed[prop.Name]; ok {
		return &member{key: key(prop.Name), value: constant(fixed), required: true}, nil
	}
	if hidden(prop.Schema, c.o.Direction) || (!prop.Required && c.skipped(prop, p)) {
		return nil, nil
	}
	path := prop.Name
	if p.path != "" {
		path = p.path + "." + prop.Name
	}
	v, err := c.node(prop.Schema, place{name: prop.Name, path: path, required: prop.Required})
	if err != nil {
		if prop.Required {
			return nil, err
		}
		return nil, nil
	}
	if c.o.Slot != nil {
		if i := c.o.Slot(path, prop.Schema); i >= 0 {
			v = slot{index: i, node: v}
		}
	}
	return &member{key: key(prop.Name), value: v, required: prop.Required}, nil
}

// skipped says which optional properties are never sent.
func (c *compiler) skipped(prop *model.Property, p place) bool {
	if (c.o.Minimal && !p.wanting) || c.budget <= 0 || strings.Count(p.path, ".") > 8 {
		return true
	}
	if !p.top || c.o.Direction != Request {
		return false
	}
	return strings.EqualFold(prop.Name, "id") || slices.Contains(c.o.Assigned, prop.Name)
}

// hidden says that a property does not travel in this direction.
func hidden(s *model.Schema, d Direction) bool {
	if s == nil {
		return false
	}
	return (d == Request && s.ReadOnly) || (d == Response && s.WriteOnly)
}

// extras sets up members that the schema does not list: as many as minProperties
// still lacks, and a few where the object is a map.
func (c *compiler) extras(n *object, s *model.Schema, p place, missing int) error {
	isMap := s.Additional != nil && len(s.Properties) == 0 && !c.o.Minimal
	if missing == 0 && !isMap {
		return nil
	}
	if s.Closed && s.Additional == nil {
		return cannot(p, "minProperties is more than a closed object has")
	}
	v, err := c.node(s.Additional, place{name: p.name, path: p.path + "{}", required: missing > 0})
	if err != nil {
		if missing > 0 {
			return err
		}
		return nil
	}
	n.extra, n.extraMin, n.extraMax = v, missing, max(missing, 1)
	if isMap {
		n.extraMax = missing + 2
	}
	if s.MaxProperties != nil {
		n.extraMax = min(n.extraMax, *s.MaxProperties-len(n.members))
		if n.extraMax < missing {
			return cannot(p, "minProperties is above maxProperties")
		}
	}
	return nil
}

func (n *object) append(dst []byte, c run) []byte {
	dst = append(dst, '{')
	first := true
	spare, owed := n.spare, n.optional
	left := 0 // optional members still to come
	for i := range n.members {
		if !n.members[i].required {
			left++
		}
	}
	for i := range n.members {
		m := &n.members[i]
		if !m.required {
			left--
			if spare == 0 {
				continue
			}
			stop := c.refs >= maxRefs && recursive(m.value)
			if owed <= left && (stop || (!n.all && c.r.Uint64()&7 == 0)) {
				continue
			}
			spare--
			owed--
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, m.key...)
		dst = m.value.append(dst, c)
	}
	if n.extra != nil && (n.extraMin > 0 || c.refs < maxRefs || !recursive(n.extra)) {
		dst = n.appendExtras(dst, c, first)
	}
	return append(dst, '}')
}

func (n *object) appendExtras(dst []byte, c run, first bool) []byte {
	count := n.extraMin + c.r.IntN(n.extraMax-n.extraMin+1)
	for i := range count {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"', 'k', 'e', 'y')
		dst = appendInt(dst, int64(i+1))
		dst = append(dst, '"', ':')
		dst = n.extra.append(dst, c)
	}
	return dst
}

// key renders a member's name with its colon.
func key(name string) []byte { return append(quote(nil, name), ':') }
