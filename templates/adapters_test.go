package templates_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates"
)

// namers are the files that may name an adapter of their own accord: the defaults
// and presets, and the engine that is always there.
var namers = []string{"generator/profile/profile.go", "generator/generator.go"}

// TestAdaptersAreNamedInTheirFolderOnly: adding an adapter touches no file but its
// own. Tests, presets and docs may name it; the code that knows it is generated.
func TestAdaptersAreNamedInTheirFolderOnly(t *testing.T) {
	names := map[string]bool{}
	for _, kind := range []string{"store", "cache"} {
		built, _ := templates.Known(kind)
		if len(built) == 0 {
			t.Fatalf("no adapter of kind %s", kind)
		}
		for _, name := range built {
			names[name] = true
		}
	}
	read := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		rel := filepath.ToSlash(strings.TrimPrefix(path, "../"))
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasSuffix(d.Name(), "test") || d.Name() == "testenv" || d.Name() == ".tools" || names[d.Name()] && strings.HasPrefix(rel, "templates/platform/")):
			return filepath.SkipDir
		case !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") || slices.Contains(namers, rel):
			return nil
		}
		read++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				value, err := strconv.Unquote(text.Value)
				if err == nil && (names[value] || names[value[strings.LastIndex(value, "/")+1:]]) {
					t.Errorf("%s names the adapter %s", rel, text.Value)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("%d files read: %v", read, err)
	}
}

// TestAdapters: what an adapter says of itself is complete.
func TestAdapters(t *testing.T) {
	adapters, err := templates.Adapters("store")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range adapters {
		for _, kind := range []string{"text", "uuid", "integer", "real", "boolean", "time", "json"} {
			if a.Types[kind] == "" {
				t.Errorf("%s has no SQL type for %s", a.Name, kind)
			}
		}
		for _, pair := range []string{
			"integer>real", "integer>text", "integer>boolean", "real>text", "real>integer", "boolean>text", "boolean>integer", "uuid>text", "time>text",
			"json>text", "text>json", "text>uuid", "text>integer", "text>real", "text>boolean", "text>time",
		} {
			if !strings.Contains(a.Alter.Convert[pair], "{x}") {
				t.Errorf("%s cannot convert %s", a.Name, pair)
			}
		}
		if a.Alter.True == "" || a.Alter.False == "" || a.Alter.Now == "" || !strings.Contains(a.Alter.Char, "{x}") || (a.Alter.DropReference == "") != a.Alter.Rebuild {
			t.Errorf("%s: %+v", a.Name, a.Alter)
		}
		if a.Kind != "store" || a.Title == "" || a.Identity == "" || len(a.Schemes) == 0 || len(a.Modules) == 0 {
			t.Errorf("%+v", a)
		}
		if c := a.Compose; c != nil && (c.Image == "" || c.User == "" || c.Secret == "" || c.Health == "" || c.Data == "" ||
			c.Memory == "" || c.SharedMemory == "" || !strings.Contains(c.URL, "${"+c.Secret+"}@HOST:")) {
			t.Errorf("%s: %+v", a.Name, c)
		}
	}
	if _, err := templates.FindAdapter("store", "nonsense"); err == nil {
		t.Error("an adapter that is not there was found")
	}
}
