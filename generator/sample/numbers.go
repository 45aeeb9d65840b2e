package sample

import (
	"math"
	"strconv"

	"github.com/e6b96b0c/backend/generator/model"
)

// decimal makes numbers: a whole number in low..high times step, divided by
// ten to the power of digits. Decimal arithmetic keeps multiples exact, which
// floats would not.
type decimal struct {
	low, high int64 // in units of step
	step      int64
	digits    int
}

func (n decimal) append(dst []byte, c run) []byte {
	k := n.low
	if span := uint64(n.high - n.low); span > 0 {
		k += int64(c.r.Uint64N(span + 1))
	}
	return appendDecimal(dst, k*n.step, n.digits)
}

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// appendDecimal appends v / 10^digits without trailing zeros.
func appendDecimal(dst []byte, v int64, digits int) []byte {
	for digits > 0 && v%10 == 0 {
		v, digits = v/10, digits-1
	}
	if digits == 0 {
		return appendInt(dst, v)
	}
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	scale := pow10(digits)
	dst = append(appendInt(dst, v/scale), '.')
	rest := v % scale
	for s := scale / 10; s > 1 && rest < s; s /= 10 {
		dst = append(dst, '0')
	}
	return appendInt(dst, rest)
}

func pow10(n int) int64 {
	v := int64(1)
	for range n {
		v *= 10
	}
	return v
}

// maxSafe is the greatest integer that every JSON reader keeps exact.
const maxSafe = 1<<53 - 1

// maxDigits is how many decimals a number may have.
const maxDigits = 9

// number compiles an integer or number schema.
func (c *compiler) number(s *model.Schema, p place) (node, error) {
	step, digits, ok := stepOf(s)
	if !ok {
		return nil, cannot(p, "multipleOf %v has too many decimals", *s.MultipleOf)
	}
	// Bounds closer together than the step need more decimals.
	for {
		n, err := c.decimal(s, p, step, digits)
		if err == nil {
			return n, nil
		}
		if s.Kind == model.KindInteger || s.MultipleOf != nil || digits >= maxDigits {
			if s.Minimum != nil && s.Maximum != nil && *s.Minimum == *s.Maximum {
				return c.single(s, *s.Minimum, err)
			}
			return nil, err
		}
		digits++
	}
}

// single makes the only number between two equal bounds.
func (c *compiler) single(s *model.Schema, v float64, err error) (node, error) {
	lit := model.Literal(strconv.FormatFloat(v, 'g', -1, 64))
	if c.check(s, lit) != nil {
		return nil, err
	}
	return constant(lit), nil
}

// stepOf returns the unit of a number's values and its decimals.
func stepOf(s *model.Schema) (step int64, digits int, ok bool) {
	if s.MultipleOf == nil || *s.MultipleOf <= 0 {
		if s.Kind == model.KindNumber {
			return 1, 2, true
		}
		return 1, 0, true
	}
	m := *s.MultipleOf
	for digits = 0; digits <= maxDigits; digits++ {
		scaled := m * float64(pow10(digits))
		near := math.Round(scaled)
		if near >= 1 && near < maxSafe && math.Abs(scaled-near) < 1e-9*math.Max(1, near) {
			step = int64(near)
			if s.Kind == model.KindInteger {
				// A whole multiple of 2.5 is a multiple of 5.
				scale := pow10(digits)
				return step / gcd(step, scale), 0, true
			}
			return step, digits, true
		}
	}
	return 0, 0, false
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// decimal finds the multiples of step within the schema's bounds.
func (c *compiler) decimal(s *model.Schema, p place, step int64, digits int) (node, error) {
	unit := float64(step) / float64(pow10(digits))
	limit := math.Min(maxSafe, float64(math.MaxInt64/4)/float64(pow10(digits)))
	if s.Format == "int32" {
		limit = math.MaxInt32
	}
	low, high := -limit, limit
	if s.Minimum != nil {
		low = math.Max(low, *s.Minimum)
	}
	if s.Maximum != nil {
		high = math.Min(high, *s.Maximum)
	}
	from, to := int64(math.Ceil(low/unit-1e-9)), int64(math.Floor(high/unit+1e-9))
	if s.ExclusiveMinimum && s.Minimum != nil && float64(from)*unit <= *s.Minimum {
		from++
	}
	if s.ExclusiveMaximum && s.Maximum != nil && float64(to)*unit >= *s.Maximum {
		to--
	}
	if from > to {
		return nil, cannot(p, "no number lies between the bounds")
	}
	a, b := usual(p.name, s)
	from, to = narrow(from, to, int64(a/unit), int64(b/unit))
	n := decimal{low: from, high: to, step: step, digits: digits}
	// Floats may disagree with decimal arithmetic at the very bounds.
	for _, k := range []int64{from, to} {
		v := appendDecimal(nil, k*step, digits)
		if c.check(s, v) != nil {
			return c.checked(s, n, p)
		}
	}
	return n, nil
}

// narrow keeps the part of from..to that lies in the usual range a..b; when
// there is none, it stays near the end of from..to that is closest to it.
func narrow(from, to, a, b int64) (low, high int64) {
	if a <= to && b >= from {
		return max(from, a), min(to, b)
	}
	width := b - a
	if a > to {
		if to-from < width {
			return from, to
		}
		return to - width, to
	}
	if to-from < width {
		return from, to
	}
	return from, from + width
}
