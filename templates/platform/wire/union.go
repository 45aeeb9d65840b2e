package wire

import (
	"encoding/json"
	"slices"
	"strings"

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
		errs := d.try(raw, variant)
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
		errs := d.try(raw, variant)
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

// Null is the variant of a union that only null satisfies.
func Null(d *Decoder) {
	if !d.Null() {
		d.wrong("null")
	}
}

// Discriminated requires of the raw value just read that its property has one of
// the variants' names as its value, and that this variant accepts it.
func Discriminated(d *Decoder, raw json.RawMessage, property string, variants map[string]func(*Decoder)) {
	if d.bad || len(raw) == 0 {
		return
	}
	if raw[0] != '{' {
		d.Unreadable("must be an object, not " + articled(kindOf(raw)))
		return
	}
	name, found, text := "", false, false
	peek := newDecoder(string(raw))
	defer peek.Release()
	for key := range peek.Object() {
		if key == property && !found {
			found, text = true, peek.Kind() == "string"
			name = peek.String()
		} else {
			peek.Skip()
		}
	}
	variant := variants[name]
	switch {
	case !found:
		d.failAt(property, "is required")
	case !text || variant == nil:
		names := make([]string, 0, len(variants))
		for n := range variants {
			names = append(names, n)
		}
		slices.Sort(names)
		d.failAt(property, "must be one of "+strings.Join(names, ", "))
	default:
		here := pointer(d.path)
		for _, fault := range d.try(raw, variant) {
			fault.In, fault.Pointer = d.in, here+fault.Pointer
			d.errs.Add(fault)
			d.part = true
		}
		return
	}
	d.part = true
}

// What unions of one request may try their variants on is bounded, in bytes: unions
// within unions multiply.
const (
	minTrials     = 256 << 10
	trialsPerByte = 64
)

// try returns what a variant finds wrong with a raw value, nil if nothing.
func (d *Decoder) try(raw json.RawMessage, variant func(*Decoder)) []problem.FieldError {
	if d.trials == nil {
		d.trials = new(minTrials + trialsPerByte*len(d.text))
	}
	if *d.trials -= len(raw); *d.trials < 0 {
		return []problem.FieldError{{Message: "is too complex to check"}}
	}
	trial := newDecoder(string(raw))
	trial.trials, trial.files = d.trials, d.files
	defer trial.Release()
	variant(trial)
	trial.End()
	if err := trial.Syntax(); err != nil {
		return []problem.FieldError{{Message: err.Error()}}
	}
	return trial.Errors()
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
			fault.In, fault.Pointer = d.in, here+fault.Pointer
			d.errs.Add(fault)
		}
	}
}
