package render

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzEscape puts any text of a document where a Go comment, a Markdown line, a shell
// word and a JSON string stand: it stays what it is there, and opens nothing.
func FuzzEscape(f *testing.F) {
	for _, text := range []string{
		"", "a `b` | c", "*/ x", "//go:embed x", "\n//go:generate rm", "+build ignore", "Deprecated: x", "# h", "- l", "<b>", "[x](javascript:x)", "http://x", "a@b.c",
		"$(rm -rf /)", "'; rm", "\u2028", "\u202e", "é\xff", strings.Repeat("x", 500), strings.Repeat("x ", 500), "1. x", "&lt;", "~~~", "```", "\\", "=====", "a\r\rb",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, made := range []string{comment("", "Thing is", text), comment("\t", "", text)} {
			for line := range strings.SplitSeq(made, "\n") {
				body, ok := strings.CutPrefix(strings.TrimPrefix(line, "\t"), "// ")
				if made != "" && (!ok || strings.HasPrefix(body, "+build") || slices.Contains(strings.Fields(body), "Deprecated:")) {
					t.Fatalf("%q became the comment %q", text, made)
				}
			}
			if strings.ContainsFunc(made, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) || !utf8.ValidString(made) {
				t.Fatalf("%q became %q", text, made)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), "", "package x\n\n"+made+"\nvar X int\n", parser.ParseComments); err != nil {
				t.Fatalf("%q became %q: %v", text, made, err)
			}
		}
		if strings.Contains(quoteComment(text), "\n") {
			t.Fatalf("%q became %q", text, quoteComment(text))
		}

		line := markdown(text)
		for i, r := range line {
			before := line[:i]
			escaped := (len(before)-len(strings.TrimRight(before, "\\")))%2 == 1
			if r == '\n' || r == '\r' || !escaped && (strings.ContainsRune("`*_[]<>|&$~@", r) || i == 0 && strings.ContainsRune("#+-=", r)) {
				t.Fatalf("%q became %q", text, line)
			}
		}
		if strings.HasSuffix(line, "\\") && !strings.HasSuffix(line, "\\\\") || len([]rune(line)) > 700 || !utf8.ValidString(line) {
			t.Fatalf("%q became %q", text, line)
		}
		if strings.ContainsAny(markdownCode(text), "`'\"\\$ \n") {
			t.Fatalf("%q became %q", text, markdownCode(text))
		}

		var back string
		if err := json.Unmarshal([]byte(quoteJSON(text)), &back); err != nil || utf8.ValidString(text) && back != text {
			t.Fatalf("%q became %s", text, quoteJSON(text))
		}
	})
}
