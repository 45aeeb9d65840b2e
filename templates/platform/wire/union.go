package wire

import (
	"encoding/json"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// As reads a T and drops it: the trial of one variant of a union.
func As[T any, P interface {
	*T
	DecodeJSON(d *Decoder)
}](d *Decoder) {
	var v T
	P(&v).DecodeJSON(d)
}

// AnyOf requires that at least one variant accepts the raw value just read.
func AnyOf(d *Decoder, raw json.RawMessage, variants ...func(*Decoder)) {
	if d.bad || len(raw) == 0 {
		return
	}
	var closest []problem.FieldError
	for _, variant := range variants {
		errs := try(raw, variant)
		if errs == nil {
			return
		}
		if closest == nil || closer(errs, closest) {
			closest = errs
		}
	}
	d.noMatch(closest)
}

// OneOf requires that exactly one variant accepts the raw value just read.
func OneOf(d *Decoder, raw json.RawMessage, variants ...func(*Decoder)) {
	if d.bad || len(raw) == 0 {
		return
	}
	var closest []problem.FieldError
	matches := 0
	for _, variant := range variants {
		errs := try(raw, variant)
		switch {
		case errs == nil:
			matches++
		case closest == nil || closer(errs, closest):
			closest = errs
		}
	}
	switch matches {
	case 0:
		d.noMatch(closest)
	case 1:
	default:
		d.Fail("matches more than one of the allowed shapes")
	}
}

// try returns what a variant finds wrong with a raw value, nil if nothing.
func try(raw json.RawMessage, variant func(*Decoder)) []problem.FieldError {
	d := newDecoder(string(raw))
	defer d.Release()
	variant(d)
	d.End()
	if err := d.Syntax(); err != nil {
		return []problem.FieldError{{Message: err.Error()}}
	}
	return d.Errors()
}

// closer tells whether a says less against a variant than b does. A variant of
// another type altogether, whose only error is about the value as a whole, is
// the farthest of all.
func closer(a, b []problem.FieldError) bool {
	wholeA, wholeB := a[0].Pointer == "", b[0].Pointer == ""
	if wholeA != wholeB {
		return wholeB
	}
	return len(a) < len(b)
}

// noMatch reports that no variant fits, and why the closest one does not.
func (d *Decoder) noMatch(closest []problem.FieldError) {
	here := pointer(d.path)
	d.Fail("matches none of the allowed shapes")
	for _, fault := range closest {
		if fault.Pointer != "" {
			fault.Pointer = here + fault.Pointer
			d.errs.Add(fault)
		}
	}
}
