package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
)

// Unique requires that no two items are equal, by value. It says nothing about a
// list with an item that could not be read.
func Unique[T any](at Place, items []T) {
	c := at.check()
	if len(items) < 2 || c.bad || c.part {
		return
	}
	if first, second := duplicates(items); second > 0 {
		c.Fail("must not hold the same item twice: items " + strconv.Itoa(first) + " and " + strconv.Itoa(second) + " are equal")
	}
}

// duplicates returns the indexes of two equal items, zeros if there are none.
func duplicates[T any](items []T) (first, second int) {
	seen := make(map[any]int, len(items))
	key := keyOf[T]()
	for i := range items {
		k := key(items[i])
		if j, ok := seen[k]; ok {
			return j, i
		}
		seen[k] = i
	}
	return 0, 0
}

// keyOf returns a function that gives equal items equal keys: the item itself
// where Go's == means what JSON Schema does, else its JSON in canonical form.
func keyOf[T any]() func(T) any {
	if isPlain(reflect.TypeFor[T]()) {
		return func(item T) any { return item }
	}
	return func(item T) any { return canonical(item) }
}

// isPlain tells whether values of the type hold no reference to anything, so
// that == compares all there is.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return true
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// canonical renders a value as JSON in which equal values have equal texts:
// properties sorted, numbers taken apart.
func canonical(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return Canonical(text)
}

// Canonical returns a JSON text such that equal values have equal texts.
func Canonical(text []byte) string {
	tree, ok := Tree(text)
	if !ok {
		return string(text)
	}
	return CanonicalTree(tree)
}

// CanonicalTree is Canonical for a value of [Tree].
func CanonicalTree(tree any) string {
	text, err := json.Marshal(normalise(tree))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Tree returns a JSON text as nested maps and slices, with its numbers as they are
// written.
func Tree(text []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, false
	}
	return tree, true
}

// normalise makes 1, 1.0 and 10e-1 the same number.
func normalise(v any) any {
	switch v := v.(type) {
	case json.Number:
		sign, digits, exponent := decimal(v.String())
		if digits == "" {
			return json.Number("0")
		}
		return json.Number(sign + digits + "e" + strconv.Itoa(exponent))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normalise(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = normalise(v[k])
		}
		return out
	}
	return v
}
