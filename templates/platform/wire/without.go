package wire

import (
	"encoding/json"
	"strings"
)

// Without returns a copy of a raw JSON value less some properties: write-only
// ones that must not reach a client. A path names a property, "card/cvc" one of
// a nested object; arrays on the way are transparent. A value that is not valid
// JSON is returned as it is.
func Without(raw json.RawMessage, paths ...string) json.RawMessage {
	d := newDecoder(string(raw))
	defer d.Release()
	out := d.without(make(json.RawMessage, 0, len(raw)), paths)
	d.End()
	if d.syntax != nil {
		return raw
	}
	return out
}

// without appends the value at hand, less the paths.
func (d *Decoder) without(out json.RawMessage, paths []string) json.RawMessage {
	switch d.Kind() {
	case "object":
		return d.objectWithout(out, paths)
	case "array":
		if !d.enter() {
			return out
		}
		out = append(out, '[')
		for n := 0; d.more(']', n); n++ {
			if n > 0 {
				out = append(out, ',')
			}
			out = d.without(out, paths)
		}
		return append(out, ']')
	default:
		start := d.pos
		d.Skip()
		return append(out, d.text[start:d.pos]...)
	}
}

func (d *Decoder) objectWithout(out json.RawMessage, paths []string) json.RawMessage {
	if !d.enter() {
		return out
	}
	out = append(out, '{')
	kept := 0
	for n := 0; d.more('}', n); n++ {
		start := d.pos
		key, ok := d.name()
		if !ok {
			return out
		}
		drop, inner := below(paths, key)
		if drop {
			d.Skip()
			continue
		}
		if kept > 0 {
			out = append(out, ',')
		}
		kept++
		out = append(out, compact(d.text[start:d.pos])...)
		if len(inner) > 0 {
			out = d.without(out, inner)
			continue
		}
		start = d.pos
		d.Skip()
		out = append(out, compact(d.text[start:d.pos])...)
	}
	return append(out, '}')
}

// below tells whether a path names the property itself, and else returns the
// rest of the paths that lead into it.
func below(paths []string, key string) (drop bool, inner []string) {
	for _, path := range paths {
		head, tail, nested := strings.Cut(path, "/")
		switch {
		case head != key:
		case !nested:
			return true, nil
		default:
			inner = append(inner, tail)
		}
	}
	return false, inner
}
