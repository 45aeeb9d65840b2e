package rules

import (
	"strconv"

	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// object evaluates the keywords about an object's members.
func (c *checking) object(o map[string]any) {
	s := c.s
	c.least(s.minProps, len(o), "have", "property", "")
	c.most(s.maxProps, len(o), "have", "property", "")
	for _, name := range s.required {
		if _, ok := o[name]; !ok {
			c.fail("is required", name)
		}
	}
	for _, name := range sortedKeys(s.requires) {
		if _, ok := o[name]; !ok {
			continue
		}
		for _, other := range s.requires[name] {
			if _, ok := o[other]; !ok {
				c.fail("is required beside "+name, other)
			}
		}
	}
	for _, name := range sortedKeys(o) {
		c.memberOf(name, o[name])
	}
}

// memberOf evaluates what an object's schema says about one member.
func (c *checking) memberOf(name string, v any) {
	s, known := c.s, false
	if s.names != nil {
		if faults, _ := c.check(s.names, name, nil); len(faults) > 0 {
			c.fail("is no name that a property may have: it "+faults[0].message, name)
		}
	}
	if p := s.properties[name]; p != nil {
		known = true
		c.in(p, v, name)
	}
	for _, p := range s.patterns {
		if p.expression != nil && p.expression.MatchString(name) {
			known = true
			c.in(p.schema, v, name)
		}
	}
	if !known && s.additional != nil {
		known = true
		if s.additional.never {
			c.fail("is not a known property", name)
		} else {
			c.in(s.additional, v, name)
		}
	}
	if known {
		c.member(name)
	}
}

// array evaluates the keywords about an array's elements.
func (c *checking) array(a []any) {
	s := c.s
	c.least(s.minItems, len(a), "have", "item", "")
	c.most(s.maxItems, len(a), "have", "item", "")
	found := 0
	for i, v := range a {
		at := strconv.Itoa(i)
		switch {
		case i < len(s.prefix):
			c.in(s.prefix[i], v, at)
			c.item(i)
		case s.items != nil && s.items.never:
			c.fail("must have at most "+count(len(s.prefix), "item"), at)
		case s.items != nil:
			c.in(s.items, v, at)
			c.item(i)
		}
		if s.contains == nil {
			continue
		}
		if faults, _ := c.check(s.contains, v, nil); len(faults) == 0 {
			found++
			c.item(i)
		}
	}
	if s.contains != nil {
		switch {
		case found < s.minContains:
			c.fail("must have at least " + count(s.minContains, "item") + " of the kind that is asked for")
		case s.maxContains != nil && found > *s.maxContains:
			c.fail("must have at most " + count(*s.maxContains, "item") + " of the kind that is asked for")
		}
	}
	if s.unique {
		texts := map[string]bool{}
		for _, v := range a {
			text := wire.CanonicalTree(v)
			if texts[text] {
				c.fail("must not hold the same item twice")
				break
			}
			texts[text] = true
		}
	}
}

// rest evaluates the keywords about what no other keyword has looked at.
func (c *checking) rest(v any) {
	switch v := v.(type) {
	case map[string]any:
		if c.s.restMembers == nil {
			return
		}
		for _, name := range sortedKeys(v) {
			switch {
			case c.members[name]:
				continue
			case c.s.restMembers.never:
				c.fail("is not a known property", name)
			default:
				c.in(c.s.restMembers, v[name], name)
			}
			c.member(name)
		}
	case []any:
		if c.s.restItems == nil {
			return
		}
		for i, item := range v {
			if !c.items[i] {
				c.in(c.s.restItems, item, strconv.Itoa(i))
				c.item(i)
			}
		}
	}
}
