package ecma_test

import (
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/ecma"
)

func TestPatterns(t *testing.T) {
	for _, test := range []struct{ pattern, yes, no string }{
		{`^(?!admin)[a-z]+$`, "user", "administrator"},
		{`^(?=.*[a-z])(?=.*[0-9]).{8,}$`, "abcdefg1", "abcdefgh"},
		{`^(?<q>['"]).*\k<q>$`, `'a'`, `'a"`},
		{`(?<=€)\d+$`, "€5", "$5"},
		{`^(\w)\1$`, "aa", "ab"},
		{`^(?!x)\u{1F600}\p{L}$`, "😀é", "😀1"},
	} {
		p, err := ecma.Compile(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if !p.MatchString(test.yes) || p.MatchString(test.no) || p.String() != test.pattern {
			t.Errorf("%s: %q %v, %q %v", p, test.yes, p.MatchString(test.yes), test.no, p.MatchString(test.no))
		}
	}
	for _, pattern := range []string{`(`, `[`, `(?<`, `\k<x>`, strings.Repeat("a", 3000)} {
		if _, err := ecma.Compile(pattern); err == nil {
			t.Errorf("%.20s compiles", pattern)
		}
	}
}

// TestMatchesEnd: a pattern that backtracks without end gives up.
func TestMatchesEnd(t *testing.T) {
	p := ecma.MustCompile(`^(?!x)(a+)+$`)
	began := time.Now()
	if p.MatchString(strings.Repeat("a", 5000) + "b") {
		t.Error("it matches")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// FuzzCompile: no pattern and no text makes it panic.
func FuzzCompile(f *testing.F) {
	f.Add(`^(?!a)(?<b>\w)\k<b>[^\s-\u{10FFFF}]$`, "bb")
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		if p, err := ecma.Compile(pattern); err == nil {
			p.MatchString(text)
		}
	})
}
