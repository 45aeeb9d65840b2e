package wire

// Or returns what p points to, or otherwise when p is nil.
func Or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// NonNil returns items, or an empty slice for nil, which JSON would call null.
func NonNil[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// NonZero returns a pointer to v, or nil when v is its type's zero value.
func NonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// FromPtr returns the optional value that p points to; nil becomes null.
func FromPtr[T any](p *T) Nullable[T] {
	if p == nil {
		return NullOf[T]()
	}
	return Some(*p)
}

// Anys returns items as a slice of any, for variadic parameters.
func Anys[T any](items []T) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}
