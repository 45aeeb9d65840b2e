package wire

import "iter"

// manyKeys is the size from which an object's names are kept in a map: a longer
// list would make hostile objects quadratic.
const manyKeys = 32

// fewItems is the capacity that a list begins with: most are short.
const fewItems = 4

// Object reads an object, and yields the name of each of its properties, whose
// value the loop's body then reads. A value that the body leaves alone is
// skipped, and so is the rest of the object if the body leaves the loop. A
// property that occurs twice is an error, and so is the absence of a required one.
func (d *Decoder) Object(required ...string) iter.Seq[string] {
	return func(yield func(string) bool) { d.object(required, yield) }
}

func (d *Decoder) object(required []string, yield func(string) bool) {
	if d.next() != '{' {
		d.wrong("an object")
		return
	}
	if !d.enter() {
		return
	}
	errors, base := d.errs.count, len(d.keys)
	var seen map[string]struct{}
	size, open := 0, true
	for d.more('}', size) {
		key, ok := d.name()
		if !ok {
			return
		}
		size++
		d.path = append(d.path, step{key: key, index: -1})
		d.bad, d.part, d.failed = false, false, false
		if d.repeated(key, base, &seen) {
			d.Fail("is a duplicate property")
			d.Skip()
		} else if start := d.pos; open {
			open = yield(key)
			if d.pos == start {
				d.Skip()
			}
		} else {
			d.Skip()
		}
		d.path = d.path[:len(d.path)-1]
	}
	if d.syntax != nil {
		return
	}
	for _, name := range required {
		if !d.has(name, base, seen) {
			d.failAt(name, "is required")
		}
	}
	clear(d.keys[base:])
	d.keys = d.keys[:base]
	d.size = size
	d.bad, d.part = false, errors != d.errs.count
}

// repeated remembers a property's name, and tells whether it was there before.
// Names below base belong to the objects around.
func (d *Decoder) repeated(key string, base int, seen *map[string]struct{}) bool {
	if d.has(key, base, *seen) {
		return true
	}
	if *seen != nil {
		(*seen)[key] = struct{}{}
		return false
	}
	d.keys = append(d.keys, key)
	if names := d.keys[base:]; len(names) == manyKeys {
		*seen = make(map[string]struct{}, 2*manyKeys)
		for _, name := range names {
			(*seen)[name] = struct{}{}
		}
	}
	return false
}

func (d *Decoder) has(key string, base int, seen map[string]struct{}) bool {
	if seen != nil {
		_, ok := seen[key]
		return ok
	}
	for _, name := range d.keys[base:] {
		if name == key {
			return true
		}
	}
	return false
}

// Size returns the number of properties of the object that was read last.
func (d *Decoder) Size() int { return d.size }

// Unknown reports and skips a property that the schema does not allow.
func (d *Decoder) Unknown(string) {
	d.bad = false
	d.Fail("is not a known property")
	d.Skip()
}

// enter steps into the array or object at hand.
func (d *Decoder) enter() bool {
	if d.depth == maxDepth {
		d.fail("arrays and objects are nested too deeply")
		return false
	}
	d.depth++
	d.pos++
	return true
}

// more moves to the next member of the array or object at hand, of which n were
// read, and tells whether there is one. At the end it steps out.
func (d *Decoder) more(end byte, n int) bool {
	d.space()
	if d.pos == len(d.text) {
		d.fail("the text ends inside an array or object")
		return false
	}
	switch c := d.text[d.pos]; {
	case c == end:
		d.pos++
		d.depth--
		return false
	case n == 0:
		return true
	case c != ',':
		d.fail("a comma is missing")
		return false
	}
	d.pos++
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == end {
		d.fail("a comma is followed by nothing")
		return false
	}
	return true
}

// name reads a property's name and the colon after it, and moves to its value.
func (d *Decoder) name() (string, bool) {
	if d.pos == len(d.text) || d.text[d.pos] != '"' {
		d.fail("a property name in double quotes is expected")
		return "", false
	}
	key, ok := d.quoted()
	if !ok {
		return "", false
	}
	d.space()
	if d.pos == len(d.text) || d.text[d.pos] != ':' {
		d.fail("a colon is expected after a property name")
		return "", false
	}
	d.pos++
	d.space()
	return key, true
}

// List reads an array, each element with item. An empty array is not nil.
func List[T any](d *Decoder, item func(*Decoder) T) []T {
	errors, ok := d.array()
	if !ok {
		return nil
	}
	items := []T{}
	for d.element(len(items)) {
		if len(items) == 0 {
			items = make([]T, 0, fewItems)
		}
		items = append(items, item(d))
		d.endElement()
	}
	d.endArray(errors)
	return items
}

// array steps into an array. It returns the number of errors so far.
func (d *Decoder) array() (int, bool) {
	if d.next() != '[' {
		d.wrong("an array")
		return 0, false
	}
	return d.errs.count, d.enter()
}

// element moves to the next element, if there is one. The path's last step
// holds, beside the index, where the element begins.
func (d *Decoder) element(n int) bool {
	if !d.more(']', n) {
		return false
	}
	d.space()
	d.path = append(d.path, step{index: n, start: d.pos})
	return true
}

func (d *Decoder) endElement() {
	last := len(d.path) - 1
	if d.pos == d.path[last].start {
		d.Skip()
	}
	d.path = d.path[:last]
}

func (d *Decoder) endArray(errors int) {
	if d.syntax == nil {
		d.bad, d.part = false, errors != d.errs.count
	}
}

// Map reads an object whose property names are data, each value with item. An
// empty object is not nil.
func Map[T any](d *Decoder, item func(*Decoder) T) map[string]T {
	var values map[string]T
	if d.Kind() == "object" {
		values = map[string]T{}
	}
	for key := range d.Object() {
		values[key] = item(d)
	}
	return values
}
