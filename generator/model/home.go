package model

import "strings"

// formerHome is the service that the rows of a resource are in already, "" for none.
func (b *builder) formerHome(ops []*Operation) string {
	for _, op := range ops {
		if home := b.options.Homes[op.Method+" "+op.Path]; home != "" {
			return home
		}
	}
	return ""
}

// actionHome is the service of an operation that is no resource's: that of its tag, or
// where the resource stays that the tag moved with.
func (b *builder) actionHome(op *Operation) string {
	service := b.serviceName(op)
	for _, s := range b.project.Stays {
		if s.Tagged == service && strings.HasPrefix(op.Place(), s.Path+"/") && !b.grouped(op) {
			return s.Service
		}
	}
	return service
}

// enclosing is the part of a collection path that ends in its last placeholder:
// the item that the collection belongs to, "" for none.
func enclosing(path string) string {
	i := strings.LastIndex(path, "}")
	return path[:i+1]
}

// grouped reports whether the profile names the operation's service itself.
func (b *builder) grouped(op *Operation) bool {
	tag := ""
	if len(op.Tags) > 0 {
		tag = op.Tags[0]
	}
	_, ok := b.groupOf[tag]
	return ok
}
