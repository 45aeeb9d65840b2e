package model

import "sort"

// Choices returns, for each variant of a union with a discriminator, the values of
// the discriminator that choose it; nil when the discriminator cannot choose among
// all of them, so that each has to be tried.
func (r *Ref) Choices() [][]string {
	s := r.Schema
	if s == nil || s.Discriminator == nil || s.Discriminator.Property == "" || r.Null {
		return nil
	}
	variants := append(append([]*Schema(nil), s.OneOf...), s.AnyOf...)
	if len(variants) != len(r.Variants) {
		return nil
	}
	out := make([][]string, len(variants))
	taken := map[string]bool{}
	for i, v := range variants {
		for value, target := range s.Discriminator.Mapping {
			if target == v {
				out[i] = append(out[i], value)
			}
		}
		if len(out[i]) == 0 && v.Name != "" {
			out[i] = []string{v.Name} // the name is the value that the document need not write down
		}
		sort.Strings(out[i])
		if len(out[i]) == 0 || v.Kind != KindObject {
			return nil
		}
		for _, value := range out[i] {
			if taken[value] {
				return nil
			}
			taken[value] = true
		}
	}
	return out
}
