package wire

import "encoding/json"

// Nullable is a property that may be absent, null, or a value: three things
// that a pointer cannot tell apart. The zero value is absent; with the tag
// `json:",omitzero"` it is not written.
type Nullable[T any] struct {
	Set   bool // the property is present
	Null  bool // it is null; Value is zero
	Value T
}

// Some returns a property that holds v.
func Some[T any](v T) Nullable[T] { return Nullable[T]{Set: true, Value: v} }

// NullOf returns a property that is null.
func NullOf[T any]() Nullable[T] { return Nullable[T]{Set: true, Null: true} }

// NullableOf reads a null, or a value with read.
func NullableOf[T any](d *Decoder, read func(*Decoder) T) Nullable[T] {
	if d.Null() {
		return NullOf[T]()
	}
	return Some(read(d))
}

// IsZero tells whether the property is absent.
func (n Nullable[T]) IsZero() bool { return !n.Set }

// Ptr returns a pointer to a copy of the value, nil if it is absent or null.
func (n Nullable[T]) Ptr() *T {
	if !n.Set || n.Null {
		return nil
	}
	return &n.Value
}

// MarshalJSON writes the value, or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) {
	if !n.Set || n.Null {
		return []byte("null"), nil
	}
	return json.Marshal(n.Value)
}

// UnmarshalJSON reads the value, or null. That it is called makes the property present.
func (n *Nullable[T]) UnmarshalJSON(text []byte) error {
	*n = Nullable[T]{Set: true}
	if string(text) == "null" {
		n.Null = true
		return nil
	}
	return json.Unmarshal(text, &n.Value)
}
