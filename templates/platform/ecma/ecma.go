// Package ecma matches patterns of ECMA-262 that Go's regexp package cannot: those
// that look around, or refer back. They backtrack, so each match is bounded in time.
package ecma

import (
	"fmt"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// maxPattern bounds a pattern, in bytes.
const maxPattern = 2000

// maxTime bounds one match. A text that takes longer does not match.
const maxTime = 50 * time.Millisecond

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct{ expression *regexp2.Regexp }

// Compile compiles a pattern of ECMA-262, in Unicode mode.
func Compile(pattern string) (*Pattern, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	expression, err := regexp2.Compile(pattern, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	expression.MatchTimeout = maxTime
	return &Pattern{expression}, nil
}

// MustCompile is Compile for a pattern that is known to be good.
func MustCompile(pattern string) *Pattern {
	p, err := Compile(pattern)
	if err != nil {
		panic(err)
	}
	return p
}

// MatchString tells whether the pattern matches somewhere in s.
func (p *Pattern) MatchString(s string) bool {
	ok, err := p.expression.MatchString(s)
	return ok && err == nil
}

// String returns the pattern as it is written.
func (p *Pattern) String() string { return p.expression.String() }
