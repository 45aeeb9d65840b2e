package model

import (
	"regexp"
	"strings"
	"testing"
)

func TestRE2(t *testing.T) {
	for _, test := range []struct{ pattern, yes, no string }{
		{`^[a-z]+$`, "abc", "abc\n"},
		{`^\u0041\u{1F600}$`, "A😀", "A"},
		{`^\ud83d\ude00$`, "😀", "x"},
		{`^\cJ$`, "\n", "J"},
		{`^\x41\/\-\_$`, "A/-_", "A"},
		{`^(?<year>\d{4})$`, "2026", "٢٠٢٦"},
		{`^[^]$`, "\n", ""},
		{`^.$`, "a", "\n"},
		{`^\s$`, "\u00a0", "a"},
		{`^[\s\d]$`, "\ufeff", "a"},
		{`^\S$`, "a", "\u3000"},
		{`^[[:]$`, "[", "a"},
		{`^[\b]$`, "\b", "b"},
		{`^\0$`, "\x00", "0"},
		{`^\p{Letter}\p{Script=Greek}$`, "aλ", "a1"},
		{`^\$\.\*$`, "$.*", "a"},
		{`^[\w.\-]+@é$`, "a.b-c@é", "@é"},
		{`^[^\]]$`, "a", "]"},
	} {
		expr, ok := RE2(test.pattern)
		if !ok {
			t.Errorf("%s is not translated", test.pattern)
			continue
		}
		re := regexp.MustCompile(expr)
		if !re.MatchString(test.yes) || re.MatchString(test.no) {
			t.Errorf("%s became %s: %q %v, %q %v", test.pattern, expr, test.yes, re.MatchString(test.yes), test.no, re.MatchString(test.no))
		}
	}
	for _, pattern := range []string{`^(?!x)`, `(?<=a)b`, `(a)\1`, `\k<a>`, `\`, `[`, `(`, `\ud800`} {
		if expr, ok := RE2(pattern); ok {
			t.Errorf("%s became %s", pattern, expr)
		}
	}
}

// FuzzRE2: whatever the pattern, the outcome compiles, or there is none.
func FuzzRE2(f *testing.F) {
	f.Add(`^[a-z\u0041\s]+(?<n>x)\p{L}[^]$`)
	f.Add(`\u{`)
	f.Fuzz(func(t *testing.T, pattern string) {
		expr, ok := RE2(pattern)
		if !ok {
			return
		}
		if _, err := regexp.Compile(expr); err != nil {
			t.Fatal(err)
		}
		if strings.Trim(pattern, "abcdefghijklmnopqrstuvwxyz") == "" && expr != pattern {
			t.Fatalf("%q became %q", pattern, expr)
		}
	})
}
