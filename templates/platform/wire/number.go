package wire

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// scanNumber returns where the number that begins at i ends, or -1 if what is
// there is not a number of RFC 8259.
func scanNumber(s string, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	digits := scanDigits(s, i)
	if digits == i || s[i] == '0' && digits > i+1 {
		return -1
	}
	i = digits
	if i < len(s) && s[i] == '.' {
		if digits = scanDigits(s, i+1); digits == i+1 {
			return -1
		}
		i = digits
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if digits = scanDigits(s, i); digits == i {
			return -1
		}
		i = digits
	}
	return i
}

func scanDigits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// IsNumber tells whether s is a number as JSON writes it.
func IsNumber(s string) bool { return s != "" && scanNumber(s, 0) == len(s) }

// ParseInteger reads the integer that a JSON number stands for, exactly: 1.0 and
// 1e2 are integers. The fault is empty, or says why it is not an integer of so
// many bits.
func ParseInteger(text string, bits int) (v int64, fault string) {
	v, err := strconv.ParseInt(text, 10, bits)
	if err == nil {
		return v, ""
	}
	sign, digits, exponent := decimal(text)
	switch {
	case digits == "":
		return 0, ""
	case exponent < 0:
		return 0, "must be a whole number"
	case len(digits)+exponent > 19: // more than an int64 has
		return 0, outOfRange(bits)
	}
	v, err = strconv.ParseInt(sign+digits+strings.Repeat("0", exponent), 10, bits)
	if err != nil {
		return 0, outOfRange(bits)
	}
	return v, ""
}

func outOfRange(bits int) string { return "is out of range for " + strconv.Itoa(bits) + " bits" }

// IsWhole tells whether a JSON number is an integer, however it is written.
func IsWhole(text string) bool {
	_, digits, exponent := decimal(text)
	return digits == "" || exponent >= 0
}

// decimal takes a JSON number apart: sign, significant digits without zeros at
// either end ("" for zero), and the power of ten that they are multiplied by.
// Equal numbers have equal parts, however they are written.
func decimal(text string) (sign, digits string, exponent int) {
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent = clampedInt(text[i+1:])
		text = text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	if trimmed == "" {
		return "", "", 0
	}
	return sign, trimmed, exponent
}

// clampedInt reads an exponent. One beyond a billion either way stays there: no
// text is long enough to make up for it.
func clampedInt(text string) int {
	const limit = 1_000_000_000
	v, err := strconv.Atoi(text)
	if err == nil {
		return max(-limit, min(v, limit))
	}
	if strings.HasPrefix(text, "-") {
		return -limit
	}
	return limit
}

// IsMultiple tells whether v is a whole multiple of a positive divisor, by the
// shortest decimals that stand for them.
func IsMultiple(v, of float64) bool {
	const exact = 1 << 53 // integers up to here have no rounding
	if v == math.Trunc(v) && of == math.Trunc(of) && math.Abs(v) < exact && of < exact {
		return math.Mod(v, of) == 0
	}
	if math.IsInf(v, 0) || math.IsNaN(v) || math.IsInf(of, 0) {
		return false
	}
	dividend, exponent := shortest(v)
	divisor, base := shortest(of)
	for ; exponent < base; exponent++ { // scale the divisor up, to beyond the dividend at most
		if divisor > dividend {
			return dividend == 0
		}
		divisor *= 10
	}
	remainder := dividend % divisor
	for ; exponent > base && remainder != 0; exponent-- {
		high, low := bits.Mul64(remainder, 10)
		remainder = bits.Rem64(high, low, divisor)
	}
	return remainder == 0
}

// shortest takes the absolute value of a float apart: the shortest digits that
// stand for it, 17 at most, and the power of ten that they are multiplied by.
func shortest(v float64) (digits uint64, exponent int) {
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], math.Abs(v), 'e', -1, 64)
	e := bytes.IndexByte(text, 'e')
	exponent, _ = strconv.Atoi(string(text[e+1:])) // well-formed by construction
	for i, c := range text[:e] {
		if c != '.' {
			digits = digits*10 + uint64(c-'0')
		}
		if i > 1 {
			exponent--
		}
	}
	return digits, exponent
}
