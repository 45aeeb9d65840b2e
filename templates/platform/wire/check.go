package wire

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// Check states the constraints of a schema on the value at one place of a
// request. A [Decoder] embeds it for the value just read, a request parameter
// for its own. Constraints on a value that could not be read at all say nothing:
// its type is already reported.
type Check struct {
	errs   *Errors
	in     string // body, query, path, header or cookie
	path   []step
	failed bool // something is wrong with the value here
	bad    bool // the value here could not be read
	part   bool // something inside the value here is wrong
}

// Place is something that holds a Check: a *[Decoder], a request parameter.
type Place interface{ check() *Check }

// NewCheck returns a check for the parameter called name in the named part of a
// request, one of path, query, header and cookie. It reports to errs.
func NewCheck(errs *Errors, in, name string) Check {
	return Check{errs: errs, in: in, path: []step{{key: name, index: -1}}}
}

// Reuse makes c a check for another parameter of the same kind of request.
func (c *Check) Reuse(errs *Errors, in, name string) {
	*c = Check{errs: errs, in: in, path: append(c.path[:0], step{key: name, index: -1})}
}

// Whole makes c a check for a part of the request as a whole, such as its body.
func (c *Check) Whole(errs *Errors, in string) {
	*c = Check{errs: errs, in: in, path: c.path[:0]}
}

// At returns a check for the element of c's value with the given index.
func (c *Check) At(index int) Check {
	return Check{errs: c.errs, in: c.in, path: slices.Concat(c.path, []step{{index: index}})}
}

func (c *Check) check() *Check { return c }

// Fail reports that the value is wrong. The message completes "this value …".
func (c *Check) Fail(message string) {
	if c.bad {
		return
	}
	c.failed = true
	c.errs.Add(problem.FieldError{In: c.in, Pointer: pointer(c.path), Message: message})
}

// Unreadable reports like Fail, and silences all further constraints on the value.
func (c *Check) Unreadable(message string) {
	c.Fail(message)
	c.bad = true
}

// Failed tells whether anything was found wrong with the value itself.
func (c *Check) Failed() bool { return c.failed || c.bad }

// Spoil notes that a part of the value is wrong. [Unique], which compares the
// parts with one another, then says nothing.
func (c *Check) Spoil() { c.part = true }

// failAt reports the absence of, or a fault in, a property of the object at hand.
func (c *Check) failAt(key, message string) {
	c.path = append(c.path, step{key: key, index: -1})
	c.errs.Add(problem.FieldError{In: c.in, Pointer: pointer(c.path), Message: message})
	c.path = c.path[:len(c.path)-1]
}

// Length bounds a string's length in Unicode code points. A negative maximum
// means no bound.
func (c *Check) Length(s string, least, most int) {
	if least <= 0 && (most < 0 || len(s) <= most) {
		return // a string has at most as many code points as bytes
	}
	c.size(utf8.RuneCountInString(s), least, most, "character", "be", " long")
}

// Items bounds the number of elements of an array. A negative maximum means no bound.
func (c *Check) Items(n, least, most int) { c.size(n, least, most, "item", "have", "") }

// Properties bounds the number of properties of an object. A negative maximum
// means no bound.
func (c *Check) Properties(n, least, most int) { c.size(n, least, most, "property", "have", "") }

// size reports n outside of its bounds as "must be at least 3 characters long"
// or "must have at most 1 item".
func (c *Check) size(n, least, most int, unit, verb, tail string) {
	switch {
	case n < least:
		c.Fail("must " + verb + " at least " + count(least, unit) + tail)
	case most >= 0 && n > most:
		c.Fail("must " + verb + " at most " + count(most, unit) + tail)
	}
}

func count(n int, unit string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(unit, "y"):
		unit = strings.TrimSuffix(unit, "y") + "ies"
	default:
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// Matcher is a compiled pattern: a *regexp.Regexp, or one that can do more.
type Matcher interface {
	MatchString(s string) bool
	String() string
}

// Pattern requires that the expression matches somewhere in s.
func (c *Check) Pattern(s string, expression Matcher) {
	if !c.bad && !expression.MatchString(s) {
		c.Fail("must match the pattern " + expression.String())
	}
}

// Format requires that s is what the format says.
func (c *Check) Format(s string, f Format) {
	if !c.bad && !f.Valid(s) {
		c.Fail("must be " + f.String())
	}
}

// Enum requires that s is one of the allowed values.
func (c *Check) Enum(s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		c.oneOf(allowed)
	}
}

// EnumInt requires that v is one of the allowed values.
func (c *Check) EnumInt(v int64, allowed ...int64) {
	if slices.Contains(allowed, v) {
		return
	}
	texts := make([]string, 0, len(allowed))
	for _, a := range allowed {
		texts = append(texts, strconv.FormatInt(a, 10))
	}
	c.oneOf(texts)
}

// EnumFloat requires that v is one of the allowed values.
func (c *Check) EnumFloat(v float64, allowed ...float64) {
	if slices.Contains(allowed, v) {
		return
	}
	texts := make([]string, 0, len(allowed))
	for _, a := range allowed {
		texts = append(texts, number(a))
	}
	c.oneOf(texts)
}

func (c *Check) oneOf(allowed []string) {
	if len(allowed) == 1 {
		c.Fail("must be " + allowed[0])
		return
	}
	c.Fail("must be one of " + strings.Join(allowed, ", "))
}

// Const requires that s is exactly want.
func (c *Check) Const(s, want string) {
	if s != want {
		c.Fail("must be " + want)
	}
}

// ConstInt requires that v is exactly want.
func (c *Check) ConstInt(v, want int64) {
	if v != want {
		c.Fail("must be " + strconv.FormatInt(want, 10))
	}
}

// ConstFloat requires that v is exactly want.
func (c *Check) ConstFloat(v, want float64) {
	if v != want {
		c.Fail("must be " + number(want))
	}
}

// ConstBool requires that v is exactly want.
func (c *Check) ConstBool(v, want bool) {
	if v != want {
		c.Fail("must be " + strconv.FormatBool(want))
	}
}

// Min requires v >= limit.
func (c *Check) Min(v, limit float64) {
	if v < limit {
		c.Fail("must be at least " + number(limit))
	}
}

// Max requires v <= limit.
func (c *Check) Max(v, limit float64) {
	if v > limit {
		c.Fail("must be at most " + number(limit))
	}
}

// ExclusiveMin requires v > limit.
func (c *Check) ExclusiveMin(v, limit float64) {
	if v <= limit {
		c.Fail("must be greater than " + number(limit))
	}
}

// ExclusiveMax requires v < limit.
func (c *Check) ExclusiveMax(v, limit float64) {
	if v >= limit {
		c.Fail("must be less than " + number(limit))
	}
}

// MinInt requires v >= limit.
func (c *Check) MinInt(v, limit int64) {
	if v < limit {
		c.Fail("must be at least " + strconv.FormatInt(limit, 10))
	}
}

// MaxInt requires v <= limit.
func (c *Check) MaxInt(v, limit int64) {
	if v > limit {
		c.Fail("must be at most " + strconv.FormatInt(limit, 10))
	}
}

// ExclusiveMinInt requires v > limit.
func (c *Check) ExclusiveMinInt(v, limit int64) {
	if v <= limit {
		c.Fail("must be greater than " + strconv.FormatInt(limit, 10))
	}
}

// ExclusiveMaxInt requires v < limit.
func (c *Check) ExclusiveMaxInt(v, limit int64) {
	if v >= limit {
		c.Fail("must be less than " + strconv.FormatInt(limit, 10))
	}
}

// MultipleOfInt requires that v is a whole multiple of a positive divisor.
func (c *Check) MultipleOfInt(v, of int64) {
	if of > 0 && v%of != 0 {
		c.Fail("must be a multiple of " + strconv.FormatInt(of, 10))
	}
}

// MultipleOf requires that v is a whole multiple of a positive divisor. Both
// are taken as the decimals they were written as: 0.3 is a multiple of 0.1.
func (c *Check) MultipleOf(v, of float64) {
	if of > 0 && !IsMultiple(v, of) {
		c.Fail("must be a multiple of " + number(of))
	}
}

// number renders a limit as a reader would write it.
func number(v float64) string {
	if math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
