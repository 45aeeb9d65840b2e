package store

import (
	"math"
	"strings"
	"unicode/utf8"
)

// canonicalUUID returns text in lower case if it is a UUID as RFC 9562 writes it.
func canonicalUUID(text string) (string, bool) {
	if len(text) != 36 {
		return "", false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		default:
			return "", false
		}
	}
	return strings.ToLower(text), true
}

// holdable reports whether every engine can hold text: UTF-8 without U+0000.
func holdable(text string) bool {
	return strings.IndexByte(text, 0) < 0 && utf8.ValidString(text)
}

// absent stands for a value that no row can have in a column, such as a UUID that
// is none: it equals nothing and differs from everything.
type absent struct{}

// whole turns a comparison of an Integer column with f into one with an integer.
// Engines disagree about what else it would mean.
func whole(op Op, f float64) (Op, any) {
	const limit = 1 << 63 // the first integer that a column cannot hold
	switch rounded := math.Floor(f); {
	case math.IsNaN(f):
		return op, absent{}
	case f >= limit || f < -limit:
		if op == OpLt || op == OpLe || op == OpGt || op == OpGe {
			if (f > 0) == (op == OpLt || op == OpLe) {
				return OpNe, nil // every integer
			}
		}
		return op, absent{}
	case rounded == f:
		return op, int64(f)
	case op == OpLt || op == OpLe:
		return OpLe, int64(rounded)
	case op == OpGt || op == OpGe:
		return OpGt, int64(rounded)
	default:
		return op, absent{}
	}
}
