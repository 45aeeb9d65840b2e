package model

import "math"

// Unbounded is the size of a column whose values have no greatest length.
const Unbounded = math.MaxInt32

// MaxBytes bounds what a column of the resource holds, in bytes.
func (r *Resource) MaxBytes(column string) int {
	for _, ref := range r.References {
		if ref.Column.Name == column && ref.Use == nil && ref.Target != r {
			return ref.Target.MaxBytes(ref.Target.Key.Name)
		}
	}
	for _, c := range r.Columns {
		if c.Name == column {
			return c.maxBytes()
		}
	}
	return Unbounded
}

func (c *Column) maxBytes() int {
	const (
		fixed     = 16 // numbers, times and UUIDs
		bytesRune = 4
		short     = 64 // the formats that are checked, and have a form
	)
	switch {
	case c.Kind == "json":
		return Unbounded
	case c.Kind != "text":
		return fixed
	case c.Ref.Kind == RefEnum:
		longest := 0
		for _, v := range c.Ref.Named.Values {
			longest = max(longest, len(v.Value))
		}
		return longest
	case c.MaxLength != nil:
		return min(*c.MaxLength, Unbounded/bytesRune) * bytesRune
	case c.Schema != nil && (c.Schema.Format == "date" || c.Schema.Format == "ipv4" || c.Schema.Format == "ipv6"):
		return short
	}
	return Unbounded
}
