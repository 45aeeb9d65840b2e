package generator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/spec"
	"github.com/e6b96b0c/backend/generator/write"
)

// specs are the documents that generation is tried on: good ones, and ones whose
// every text is out to break something.
func specs(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"good/*.yaml", "good/*/openapi.yaml", "hostile/*.yaml"} {
		found, err := filepath.Glob(filepath.Join("..", "testdata", "specs", pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	if len(out) < 4 {
		t.Fatalf("only %d documents", len(out))
	}
	return out
}

func generate(t testing.TB, file string, read spec.ReadFile) (*generator.Output, error) {
	t.Helper()
	p, err := profile.Preset("monolith")
	if err != nil {
		t.Fatal(err)
	}
	return generator.Generate(context.Background(), generator.Request{Name: "demo", Spec: file, Profile: p, Read: read, Generator: "test"})
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"shop": "", "a-1": "", "": "name-empty", "../x": "name-bad", "Shop": "name-bad", "1a": "name-bad", "a b": "name-bad", "a/b": "name-bad",
		strings.Repeat("a", 41): "name-bad", "vendor": "name-reserved", "con": "name-reserved", "conn": "", "internal": "name-reserved",
	} {
		if got := problem.Of(generator.CheckName(name, "")); want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].Code != want) {
			t.Errorf("%q: %v, want %q", name, got, want)
		}
	}
	for module, ok := range map[string]bool{
		"example.com/shop": true, "shop": true, "example.com/team/shop/v2": true, "../x": false, "/x": false, "a//b": false, "a b": false, "a/..": false,
		"example.com/con": false, "x.com/a\nreplace": false, strings.Repeat("a", 201): false,
	} {
		if err := generator.CheckName("shop", module); (err == nil) != ok {
			t.Errorf("module %q: %v", module, err)
		}
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	for _, file := range specs(t) {
		first, err := generate(t, file, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // maps shuffle anew each time
			again, err := generate(t, file, os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range again.Plan.Files {
				if g := first.Plan.Files[i]; f.Path != g.Path || !bytes.Equal(f.Data, g.Data) {
					t.Fatalf("%s: %s differs between two generations", file, f.Path)
				}
			}
		}
	}
}

func TestGeneratedFilesAreSound(t *testing.T) {
	for _, file := range specs(t) {
		out, err := generate(t, file, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, out.Plan)
	}
}

// TestProjectsBuild compiles, vets and tests whole projects.
func TestProjectsBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles projects")
	}
	for _, file := range specs(t) {
		t.Run(strings.TrimSuffix(filepath.ToSlash(file)[len("../testdata/specs/"):], ".yaml"), func(t *testing.T) {
			out, err := generate(t, file, os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "demo")
			if err := write.New(t.Context(), dir, out.Plan); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
				command := exec.CommandContext(t.Context(), "go", args...)
				command.Dir = dir
				if text, err := command.CombinedOutput(); err != nil {
					t.Fatalf("go %v: %v\n%s", args, err, text)
				}
			}
		})
	}
}

// FuzzGenerate feeds any text as a document: generation ends, in a problem with a
// place or in files that are sound.
func FuzzGenerate(f *testing.F) {
	for _, file := range specs(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(document("thing", "a text", "[a-z]+")))
	f.Fuzz(checkDocument)
}

// FuzzTexts puts two texts and a pattern wherever a document has room for them.
func FuzzTexts(f *testing.F) {
	for _, text := range hostile() {
		f.Add("thing", text, "[a-z]+")
		f.Add(text, "a text", text)
	}
	f.Fuzz(func(t *testing.T, name, text, pattern string) {
		checkDocument(t, []byte(document(name, text, pattern)))
	})
}

// hostile are texts of every language that a project is written in.
func hostile() []string {
	return []string{
		"", " ", "-", "a`b", "a\"b", "a\\b", "a\nb", "a\x00b", "a\tb", "a\u2028b", "\u202eabc", "😀", "ünïcödé", "中文", strings.Repeat("x", 10_000),
		"*/", "//go:embed x", "\n//go:generate rm -rf /\n", "+build ignore", "package main", "func", "type", "nil", "string", "error", "__proto__",
		"{{.Name}}", "{{template \"x\"}}", "%s%d%!", "${HOME}", "$(rm -rf /)", "`rm`", "; rm -rf /", "' OR 1=1 --", "\"; DROP TABLE x; --",
		"../../x", "/etc/passwd", "C:\\x", "con", "internal", "vendor", "testdata", "main", "app", "platform", "...",
		"# x", "| a | b |", "[x](javascript:alert(1))", "<script>alert(1)</script>", "- x: y", "a: b", "&a *a", "!!binary x", "---", "? x",
		"FROM scratch", "RUN x", "foo-bar", "foo_bar", "fooBar", "Service", "Defaults", "Server", "Client", "New", "Routes", "Thing", "ThingRow", "CreateThingRequest",
		"Deprecated:", "1", "0x1", "true", "null", "{id}", "{id}.json", "{id}:verb", "a/b", "a?b", "a#b", "a*b", "^(?!x)", "[", "(?P<x>y)", "\\p{Greek}",
	}
}

// document is an OpenAPI document with the texts in every place.
func document(name, text, pattern string) string {
	q := func(s string) string {
		out, err := json.Marshal(s)
		if err != nil {
			return `""`
		}
		return string(out)
	}
	pointer := q("#/components/schemas/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	return strings.NewReplacer("NAME_PATH", q("/things/"+text), "BODY_URL", q(text+"{$request.body#/"+name+"}"+text), "PATH_REF", pointer, "NAME", q(name), "TEXT", q(text), "PATTERN", q(pattern)).Replace(`{
"openapi": "3.1.0", "info": {"title": TEXT, "description": TEXT, "version": TEXT},
"servers": [{"url": TEXT}], "tags": [{"name": NAME, "description": TEXT}],
"components": {
 "securitySchemes": {NAME: {"type": "apiKey", "in": "header", "name": TEXT}, "o": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/t", "scopes": {TEXT: TEXT}}}}},
 "schemas": {
  NAME: {"type": "object", "description": TEXT, "required": ["id", NAME], "properties": {
   "id": {"type": "string", "readOnly": true}, NAME: {"type": "string", "description": TEXT, "pattern": PATTERN, "default": TEXT, "example": TEXT},
   "kind": {"type": "string", "enum": [TEXT, NAME, "a"], "default": TEXT}, "c": {"const": TEXT}, "n": {"type": "object", "title": TEXT, "properties": {TEXT: {"type": "integer"}}},
   "u": {"oneOf": [{"type": "string", "pattern": PATTERN}, {"type": "object", "title": NAME, "properties": {NAME: {"const": TEXT}}}]}}},
  "Failure": {"type": "object", "description": TEXT, "properties": {"message": {"type": "string"}, NAME: {"type": "string"}}}}},
"webhooks": {NAME: {"post": {"tags": [NAME], "summary": TEXT, "description": TEXT, "parameters": [{"name": NAME, "in": "header", "description": TEXT, "schema": {"type": "string", "enum": [TEXT, NAME]}}, {"name": TEXT, "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}],
  "requestBody": {"content": {"application/json": {"schema": {"$ref": PATH_REF}}}}, "responses": {TEXT: {"description": TEXT}}}}, TEXT: {"put": {"requestBody": {"content": {TEXT: {}}}, "responses": {}}}},
"paths": {
 "/things": {
  "get": {"operationId": NAME, "tags": [NAME], "summary": TEXT, "description": TEXT, "security": [{"o": [TEXT]}],
   "parameters": [{"name": NAME, "in": "query", "description": TEXT, "schema": {"type": "string", "pattern": PATTERN, "default": TEXT}}, {"name": TEXT, "in": "header", "schema": {"type": "array", "items": {"type": "string"}}},
    {"name": "kind", "in": "query", "schema": {"type": "string", "enum": [TEXT, NAME, "a"]}}, {"name": "sort", "in": "query", "schema": {"type": "string", "enum": [NAME, "-id"]}}],
   "responses": {"200": {"description": TEXT, "headers": {TEXT: {"schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": PATH_REF}}}}}}},
  "post": {"operationId": TEXT, "tags": [NAME], "summary": TEXT, "security": [{NAME: []}],
   "callbacks": {NAME: {TEXT: {"post": {"summary": TEXT, "responses": {}}}, BODY_URL: {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {NAME: {"const": TEXT}}}}}}, "responses": {}}}}},
   "requestBody": {"description": TEXT, "content": {"application/json": {"schema": {"$ref": PATH_REF}}}},
   "responses": {"201": {"description": TEXT, "content": {"application/json": {"schema": {"$ref": PATH_REF}}}}, "default": {"description": TEXT, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}}}}},
 "/things/{id}": {"get": {"tags": [TEXT], "parameters": [{"name": "id", "in": "path", "required": true, "description": TEXT, "schema": {"type": "string"}}],
   "responses": {"200": {"description": TEXT, "content": {"application/json": {"schema": {"$ref": PATH_REF}}}}}}},
 NAME_PATH: {"put": {"tags": [TEXT], "requestBody": {"content": {TEXT: {}}}, "responses": {"200": {"description": TEXT, "content": {TEXT: {}}}}}}}}`)
}

func checkDocument(t *testing.T, data []byte) {
	read := func(name string) ([]byte, error) {
		if name == "fuzz.yaml" {
			return data, nil
		}
		return nil, fs.ErrNotExist
	}
	out, err := generate(t, "fuzz.yaml", read)
	if err != nil {
		for _, p := range problem.Of(err) {
			if p.Code == "error" {
				t.Fatalf("not a problem of the document: %v", err)
			}
		}
		return
	}
	checkPlan(t, out.Plan)
}

var (
	directive = regexp.MustCompile(`(?m)^\s*//[a-z]+:|^\s*// ?\+build|^//line|^//export`)
	goType    = regexp.MustCompile(`\bopenapi3\.|\*model\.|map\[string\]interface`)
)

// checkPlan holds what is true of every plan, whatever the document says.
func checkPlan(t *testing.T, p *plan.Plan) {
	t.Helper()
	declared := map[string]string{} // folder + name -> file
	for _, f := range p.Files {
		if clean := path.Clean(f.Path); clean != f.Path || path.IsAbs(clean) || strings.HasPrefix(clean, "..") || strings.ContainsAny(clean, "\\\x00:") {
			t.Fatalf("path %q", f.Path)
		}
		if strings.HasPrefix(f.Path, "internal/platform/") {
			continue // copied, not made from the document
		}
		switch path.Ext(f.Path) {
		case ".go":
			checkGo(t, f, declared)
		case ".yaml":
			if strings.HasPrefix(f.Path, "api/") && f.Path != "api/served.gen.yaml" {
				continue // the user's own
			}
			var v any
			if err := yaml.Unmarshal(f.Data, &v); err != nil {
				t.Fatalf("%s: %v", f.Path, err)
			}
		}
		if f.Path == "api/served.gen.yaml" {
			checkServed(t, f.Data)
		}
		if goType.Match(f.Data) && !strings.HasPrefix(f.Path, "api/") {
			t.Fatalf("%s holds a type name of the generator's", f.Path)
		}
	}
}

func checkGo(t *testing.T, f plan.File, declared map[string]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Data, parser.ParseComments)
	if err != nil {
		t.Fatalf("%s: %v", f.Path, err)
	}
	if formatted, err := format.Source(f.Data); err != nil || !bytes.Equal(formatted, f.Data) {
		t.Fatalf("%s is not formatted: %v", f.Path, err)
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if directive.MatchString(c.Text) && !slices.Contains([]string{"//go:embed migrations", "//go:embed served.gen.json", "//go:embed examples.json"}, c.Text) {
				t.Fatalf("%s: directive %q", f.Path, c.Text)
			}
		}
	}
	imports := map[string]bool{}
	for _, i := range file.Imports {
		imports[i.Path.Value] = true
	}
	for _, name := range []string{`"unsafe"`, `"os/exec"`, `"C"`} {
		if imports[name] {
			t.Fatalf("%s imports %s", f.Path, name)
		}
	}
	for _, d := range file.Decls {
		for _, name := range namesOf(d) {
			key := path.Dir(f.Path) + "." + name
			if other := declared[key]; other != "" {
				t.Fatalf("%s: %s is declared in %s too", f.Path, name, other)
			}
			declared[key] = f.Path
		}
	}
}

// namesOf lists what a declaration declares; methods with their receiver.
func namesOf(d ast.Decl) (out []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if id, ok := receiver.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		return []string{name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				out = append(out, s.Name.Name)
				if structure, ok := s.Type.(*ast.StructType); ok {
					for _, field := range structure.Fields.List {
						for _, id := range field.Names {
							out = append(out, s.Name.Name+"."+id.Name)
						}
					}
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.Name != "_" {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	return out
}

// checkServed loads the served document again, unless nothing is left in it.
func checkServed(t *testing.T, data []byte) {
	t.Helper()
	_, err := spec.Load(func(string) ([]byte, error) { return data, nil }, "served.yaml")
	for _, p := range problem.Of(err) {
		if p.Code != "no-paths" && p.Code != "no-operations" {
			t.Fatalf("the served document does not load: %v", err)
		}
	}
}
