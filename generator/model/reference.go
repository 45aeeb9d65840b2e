package model

import (
	"fmt"
	"slices"
	"strings"
)

// findReferences ties columns named after another resource to it.
func (b *builder) findReferences() {
	creatable := map[*Resource]bool{}
	for op, r := range b.owner {
		if b.makes(op) {
			creatable[r] = true
		}
	}
	for _, r := range b.ordered {
		if r.Parent != nil {
			b.reference(r, r.ParentColumn, r.Parent)
		}
		for _, c := range r.Columns {
			if c == r.ParentColumn || c.Rule != "" || c.Schema == nil || c.Schema.ReadOnly {
				continue
			}
			base, ok := strings.CutSuffix(Plain(c.Property), "id")
			if !ok || base == "" {
				continue
			}
			if target := b.rootNamed(base); target != nil && target != r && creatable[target] &&
				target.Key.Ref.Kind == c.Ref.Kind && target.Key.Property != "" && Plain(target.Key.Property) == "id" {
				b.reference(r, c, target)
			}
		}
	}
}

func (b *builder) rootNamed(name string) *Resource {
	var found *Resource
	for _, r := range b.ordered {
		if !r.told && Plain(r.Name) == name && r.Parent == nil && len(r.Scopes) == 0 {
			if found != nil {
				return nil // two candidates: in doubt, none
			}
			found = r
		}
	}
	return found
}

func (b *builder) reference(r *Resource, c *Column, target *Resource) {
	ref := &Reference{Column: c, Target: target}
	if target.Service != r.Service {
		ref.Use = b.use(r.Service, target)
	}
	r.References = append(r.References, ref)
}

func (b *builder) use(from *Service, target *Resource) *Use {
	for _, u := range from.Uses {
		if u.Resource == target {
			return u
		}
	}
	field := GoName(plural(target.GoName))
	u := &Use{Field: field, Type: b.scopes[from].locals.take(field + "Client"), Service: target.Service, Resource: target}
	from.Uses = append(from.Uses, u)
	return u
}

// dropReferences forgets references to resources that nothing can create after
// all: every value would be refused.
func (b *builder) dropReferences() {
	created := map[*Resource]bool{}
	for _, s := range b.project.Services {
		for _, op := range s.Operations {
			if op.Kind == OpCreate || op.Kind == OpMany || op.Upsert {
				created[op.Resource] = true
			}
		}
	}
	for _, r := range b.ordered {
		r.Creatable = created[r]
		r.References = slices.DeleteFunc(r.References, func(ref *Reference) bool {
			return !created[ref.Target]
		})
		for _, ref := range r.References {
			ref.Column.Kind = ref.Target.Key.Kind // a foreign key needs the very type of what it refers to
			if ref.Use != nil {
				b.note(fmt.Sprintf("%s.%s is checked when it is written; deletions in %s do not look for what refers to them, for it lives in another service",
					r.Service.Name, ref.Column.label(), ref.Target.Service.Name))
			}
		}
	}
}
