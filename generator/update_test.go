package generator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/schema"
	"github.com/e6b96b0c/backend/generator/update"
)

const library = `openapi: 3.1.0
info: {title: Library, version: "1"}
paths:
  /books:
    get:
      operationId: listBooks
      tags: [books]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Book'}}}}}}
    post:
      operationId: createBook
      tags: [books]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}
      responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}}
  /members:
    get:
      operationId: listMembers
      tags: [members]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Member'}}}}}}
    post:
      operationId: createMember
      tags: [members]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Member'}}}}
      responses: {'201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Member'}}}}}
components:
  schemas:
    Book:
      type: object
      required: [title]
      properties: {id: {type: string, format: uuid, readOnly: true}, title: {type: string}, state: {type: string, enum: [in, out]}}
    Member:
      type: object
      required: [name]
      properties: {id: {type: integer, readOnly: true}, name: {type: string}}
`

// project is a generated project in memory.
type project struct {
	t     *testing.T
	files fstest.MapFS
}

func newProject(t *testing.T, set ...string) *project {
	t.Helper()
	p := &project{t, fstest.MapFS{"api/openapi.yaml": {Data: []byte(library)}}}
	made, err := profile.Preset("monolith")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range set {
		if err := made.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	out, err := generator.Generate(context.Background(), generator.Request{Name: "library", Spec: "api/openapi.yaml", Profile: made, Read: p.file, Generator: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.Plan.Files {
		p.files[f.Path] = &fstest.MapFile{Data: f.Data}
	}
	return p
}

func (p *project) file(name string) ([]byte, error) {
	return fs.ReadFile(p.files, filepath.ToSlash(name))
}

func (p *project) read(name string) string {
	p.t.Helper()
	data, err := p.file(name)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *project) write(name, text string) { p.files[name] = &fstest.MapFile{Data: []byte(text)} }

func (p *project) edit(name, old, text string) {
	p.t.Helper()
	before := p.read(name)
	if !strings.Contains(before, old) {
		p.t.Fatalf("%s has no %q", name, old)
	}
	p.write(name, strings.ReplaceAll(before, old, text))
}

func (p *project) request() generator.UpdateRequest {
	p.t.Helper()
	var lock plan.Lock
	if err := json.Unmarshal([]byte(p.read(plan.LockPath)), &lock); err != nil {
		p.t.Fatal(err)
	}
	made, err := profile.Parse("backend.yaml", []byte(p.read("backend.yaml")))
	if err != nil {
		p.t.Fatal(err)
	}
	return generator.UpdateRequest{
		Request: generator.Request{Name: "library", Spec: "api/openapi.yaml", Profile: made, Read: p.file, Generator: "test"},
		Dir:     p.files, Lock: lock, Replace: map[string][]byte{},
	}
}

// update updates, and returns what it said and the paths that it changed.
func (p *project) update(change ...func(*generator.UpdateRequest)) (*update.Result, []string) {
	p.t.Helper()
	request := p.request()
	for _, c := range change {
		c(&request)
	}
	_, result, err := generator.Update(context.Background(), request)
	if err != nil {
		p.t.Fatal(err)
	}
	var paths []string
	for _, a := range result.Actions {
		if a.After == nil {
			delete(p.files, a.Path)
		} else {
			p.write(a.Path, string(a.After))
		}
		if !strings.HasPrefix(a.Path, ".backend/") {
			paths = append(paths, a.Path)
		}
	}
	return result, paths
}

func codes(l problem.List) string {
	var out []string
	for _, p := range l {
		out = append(out, p.Code)
	}
	return strings.Join(out, " ")
}

const moreBook = "title: {type: string}, pages: {type: integer}"

func prune(r *generator.UpdateRequest) { r.Prune = true }

func TestUpdateDecidesEveryFile(t *testing.T) {
	for name, test := range map[string]struct {
		prepare                              func(*project)
		options                              []func(*generator.UpdateRequest)
		blocked, conflicts, overrides, notes string
		changes                              []string // some of the paths
		check                                func(*testing.T, *project)
		idle                                 bool
	}{
		"nothing": {prepare: func(*project) {}, idle: true},
		"a checkout with other line ends": {prepare: func(p *project) {
			p.edit("internal/books/api.gen.go", "\n", "\r\n")
			p.edit("Makefile", "\n", "\r\n")
		}, idle: true},
		"an edited owned file":    {prepare: func(p *project) { p.edit("internal/books/api.gen.go", "package books", "package books // mine") }, blocked: "owned-edited"},
		"an edited platform file": {prepare: func(p *project) { p.edit("internal/platform/rest/api.go", "package rest", "package rest // mine") }, blocked: "owned-edited"},
		"a deleted owned file":    {prepare: func(p *project) { delete(p.files, "internal/books/api.gen.go") }, changes: []string{"internal/books/api.gen.go"}},
		"a file in the way": {prepare: func(p *project) {
			p.write("internal/loans/api.gen.go", "package loans")
			p.edit("api/openapi.yaml", "tags: [members]", "tags: [loans]")
			p.edit("backend.yaml", "services: {}", "services: {loans: {tags: [loans]}}")
		}, blocked: "owned-taken", notes: "table-moved"},
		"an edited migration":  {prepare: func(p *project) { p.edit("internal/books/migrations/sqlite/0001_init.sql", "TEXT", "BLOB") }, blocked: "migration-edited"},
		"a missing migration":  {prepare: func(p *project) { delete(p.files, "internal/books/migrations/sqlite/0001_init.sql") }, blocked: "migration-missing"},
		"a missing service.go": {prepare: func(p *project) { delete(p.files, "internal/books/service.go") }, notes: "service-restored", changes: []string{"internal/books/service.go"}},
		"a service.go of another name": {prepare: func(p *project) {
			p.write("internal/books/books.go", p.read("internal/books/service.go"))
			delete(p.files, "internal/books/service.go")
		}, idle: true},
		"a deleted shared file": {prepare: func(p *project) { delete(p.files, "Makefile") }, notes: "shared-deleted", idle: true},
		"a deleted scenario":    {prepare: func(p *project) { delete(p.files, "loadtest/scenario.yaml") }, idle: true},
		"a migration of the user's": {prepare: func(p *project) {
			p.write("internal/books/migrations/sqlite/0002_mine.sql", "-- +goose Up\nSELECT 1;\n")
			p.edit("api/openapi.yaml", "title: {type: string}", moreBook)
		}, changes: []string{"internal/books/migrations/sqlite/0003_update.sql"}},
		"an enum value that goes": {prepare: func(p *project) { p.edit("api/openapi.yaml", "enum: [in, out]", "enum: [in]") }, notes: "value-removed"},
		"a service that goes": {
			prepare: func(p *project) {
				p.edit("api/openapi.yaml", "/members:", "/books2:")
				p.edit("api/openapi.yaml", "tags: [members]", "tags: [books]")
			},
			changes: []string{"internal/members/service.go", "internal/members/store.gen.go"},
			check: func(t *testing.T, p *project) {
				if p.files["internal/members/migrations/sqlite/0001_init.sql"] == nil || p.files["internal/members/service.go"] != nil {
					t.Error("migrations stay, and a service that nobody edited does not")
				}
			},
		},
		"a service that goes for good": {
			prepare: func(p *project) {
				p.edit("api/openapi.yaml", "/members:", "/books2:")
				p.edit("api/openapi.yaml", "tags: [members]", "tags: [books]")
			},
			options: []func(*generator.UpdateRequest){prune}, changes: []string{"internal/members/migrations/sqlite/0001_init.sql"},
		},
		"an edited service that goes": {prepare: func(p *project) {
			p.edit("internal/members/service.go", "\tDefaults\n", "\tDefaults\n\tmine int\n")
			p.edit("api/openapi.yaml", "/members:", "/books2:")
			p.edit("api/openapi.yaml", "tags: [members]", "tags: [books]")
		}, options: []func(*generator.UpdateRequest){prune}, overrides: "service-removed", check: func(t *testing.T, p *project) {
			if !strings.Contains(p.read("internal/members/service.go"), "mine int") {
				t.Error("the user's service is gone")
			}
		}},
		"an override of a service that goes": {
			prepare: func(p *project) {
				p.edit("internal/members/service.go", "\tDefaults\n", "\tDefaults\n\tmine int\n")
				p.write("internal/members/mine.go", "package members\n\nfunc (s *Service) CreateMember() {}\n")
				p.edit("api/openapi.yaml", "tags: [members]", "tags: [people]")
				p.edit("backend.yaml", "services: {}", "services: {people: {tags: [people]}}")
			},
			notes: "table-moved", overrides: "override-moved service-removed",
			check: func(t *testing.T, p *project) {
				if again, _ := p.update(); codes(again.Overrides) != "override-moved service-removed" {
					t.Errorf("forgotten: %v", again.Overrides)
				}
				delete(p.files, "internal/members/service.go")
				delete(p.files, "internal/members/mine.go")
				if again, _ := p.update(); len(again.Overrides)+len(again.Actions) > 0 {
					t.Errorf("after the user did as told: %v", again.Overrides)
				}
			},
		},
		"an operation that is a stub now": {prepare: func(p *project) {
			p.edit("api/openapi.yaml", "operationId: listBooks", "operationId: listBooks\n      parameters: [{name: mood, in: query, required: true, schema: {type: string}}]")
		}, notes: "operation-stub"},
		"a resource whose tag moves": {
			prepare: func(p *project) { p.edit("api/openapi.yaml", "tags: [members]", "tags: [people]") }, notes: "service-stays",
			check: func(t *testing.T, p *project) {
				if p.files["internal/people/service.go"] != nil || p.files["internal/members/store.gen.go"] == nil {
					t.Error("it followed its tag, away from its rows")
				}
			},
		},
		"a table that moves": {prepare: func(p *project) {
			p.edit("backend.yaml", "services: {}", "services: {people: {tags: [members]}}")
		}, notes: "table-moved", changes: []string{"internal/people/service.go", "internal/members/service.go"}},
		"an override that fits nothing": {prepare: func(p *project) {
			p.write("internal/books/mine.go", "package books\n\nfunc (s *Service) CreateBook(in CreateBookRequest) error { return nil }\n")
		}, overrides: "override-signature", idle: true},
		"an override that fits": {prepare: func(p *project) {
			p.write("internal/books/mine.go", "package books\n\nimport \"context\"\n\nfunc (s *Service) CreateBook(ctx context.Context, in CreateBookRequest) (CreateBookResponse, error) { return nil, nil }\n")
		}, idle: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			test.prepare(p)
			result, paths := p.update(test.options...)
			for what, pair := range map[string][2]string{
				"blocked": {codes(result.Blocked), test.blocked}, "conflicts": {codes(result.Conflicts), test.conflicts},
				"overrides": {codes(result.Overrides), test.overrides}, "notes": {codes(result.Notes), test.notes},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
				}
			}
			for _, c := range test.changes {
				if !slices.Contains(paths, c) {
					t.Errorf("%s is not among %v", c, paths)
				}
			}
			if test.idle && len(result.Actions) > 0 {
				t.Errorf("changes %v", paths)
			}
			if test.check != nil {
				test.check(t, p)
			}
			if test.blocked == "" {
				if again, paths := p.update(); len(again.Actions) > 0 {
					t.Errorf("a second update changes %v", paths)
				}
			}
		})
	}
}

func TestUpdateMerges(t *testing.T) {
	newTag := func(p *project) { p.edit("api/openapi.yaml", "title: Library", "title: Archive") }
	for name, test := range map[string]struct {
		prepare func(*project)
		lines   []int
		holds   []string
	}{
		"apart": {func(p *project) {
			newTag(p)
			p.edit("README.md", "# library", "# library")
			p.write("README.md", p.read("README.md")+"\nMine.\n")
		}, nil, []string{"\nArchive\n", "Mine."}},
		"the same line": {func(p *project) { newTag(p); p.edit("README.md", "\nLibrary\n", "\nMy library\n") }, []int{3}, []string{"<<<<<<< yours\nMy library\n=======\nArchive\n>>>>>>> backend\n"}},
		"without a base": {func(p *project) {
			newTag(p)
			p.edit("README.md", "\nLibrary\n", "\nMy library\n")
			delete(p.files, ".backend/base/README.md")
		}, []int{3}, []string{"My library\n", "Archive\n"}},
		"a base that lies": {func(p *project) {
			newTag(p)
			p.edit("README.md", "\nLibrary\n", "\nMy library\n")
			p.edit(".backend/base/README.md", "\nLibrary\n", "\nMy library\n")
		}, []int{3}, []string{"My library\n", "Archive\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			test.prepare(p)
			result, _ := p.update()
			var lines []int
			for _, c := range result.Conflicts {
				lines = append(lines, c.Line)
			}
			if !slices.Equal(lines, test.lines) {
				t.Errorf("conflicts at %v, want %v\n%s", lines, test.lines, p.read("README.md"))
			}
			for _, text := range test.holds {
				if !strings.Contains(p.read("README.md"), text) {
					t.Errorf("no %q in %s", text, p.read("README.md"))
				}
			}
			if len(test.lines) == 0 {
				return
			}
			// Until the user decides, the file is left alone, and every update says so.
			before := p.read("README.md")
			p.edit("api/openapi.yaml", "title: Archive", "title: Stacks")
			if again, _ := p.update(); codes(again.Conflicts) != "merge-conflict" || p.read("README.md") != before {
				t.Errorf("an undecided conflict: %v", again.Conflicts)
			}
			p.write("README.md", "# My library\n")
			if last, _ := p.update(); codes(last.Conflicts) != "merge-conflict" {
				t.Errorf("after the decision the title's change meets the user's: %v", last.Conflicts)
			}
		})
	}
	t.Run("what would not be sound", func(t *testing.T) {
		p := newProject(t)
		p.edit("cmd/library/main.go", "func main() {", "func main() {{")
		p.edit(".backend/base/cmd/library/main.go", "package main", "package main // old")
		var lock plan.Lock
		if err := json.Unmarshal([]byte(p.read(plan.LockPath)), &lock); err != nil {
			t.Fatal(err)
		}
		lock.Files["cmd/library/main.go"] = plan.LockFile{Owner: plan.Shared, Hash: plan.Hash([]byte(p.read(".backend/base/cmd/library/main.go")))}
		text, err := lock.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p.write(plan.LockPath, string(text))
		result, _ := p.update()
		if codes(result.Conflicts) != "merge-conflict" || !strings.Contains(result.Conflicts[0].Message, "sound") {
			t.Errorf("%v", result.Conflicts)
		}
	})
}

// TestUpdateEngines: an engine that comes gets all tables in one migration, and one
// that went goes on getting its migrations, in case it comes back.
func TestUpdateEngines(t *testing.T) {
	p := newProject(t)
	p.edit("go.mod", "require (", "require (\n\texample.com/mine v1.0.0")
	p.write("go.sum", "example.com/mine v1.0.0 h1:x=\n"+p.read("go.sum"))
	p.edit("api/openapi.yaml", "title: {type: string}", moreBook)
	p.update()
	set := func(value string) func(*generator.UpdateRequest) {
		return func(r *generator.UpdateRequest) {
			text, made, err := profile.Edit("backend.yaml", []byte(p.read("backend.yaml")), value)
			if err != nil {
				t.Fatal(err)
			}
			r.Profile, r.Replace["backend.yaml"] = made, text
		}
	}
	p.update(set("database.engine=postgres"))
	if sql := p.read("internal/books/migrations/postgres/0001_init.sql"); !strings.Contains(sql, `"pages"`) {
		t.Errorf("the first migration of an engine has not all columns: %s", sql)
	}
	if mod := p.read("go.mod"); !strings.Contains(mod, "example.com/mine v1.0.0") || !strings.Contains(mod, "github.com/jackc/pgx/v5 ") {
		t.Error(mod)
	}
	if sum := p.read("go.sum"); !strings.Contains(sum, "example.com/mine v1.0.0 h1:x=") || !strings.Contains(sum, "github.com/jackc/pgx/v5 ") {
		t.Error("go.sum lost lines")
	}
	p.update(set("database.engine=sqlite"))
	if p.files["internal/platform/store/postgres/postgres.go"] != nil {
		t.Error("the adapter is still there")
	}
	p.edit("api/openapi.yaml", "pages: {type: integer}", "pages: {type: integer}, shelf: {type: string}")
	p.update()
	for _, engine := range []string{"sqlite", "postgres"} {
		if sql := p.read("internal/books/migrations/" + engine + "/0003_update.sql"); !strings.Contains(sql, `ADD COLUMN "shelf"`) {
			t.Error(sql)
		}
	}
}

func TestUpdateLocks(t *testing.T) {
	p := newProject(t)
	p.edit(plan.LockPath, `"version": 2`, `"version": 1`)
	p.edit(plan.LockPath, `"services":`, `"nothing":`)
	old := p.read(plan.LockPath)
	if result, _ := p.update(); len(result.Blocked) > 0 || !strings.Contains(p.read(plan.LockPath), `"version": 2`) {
		t.Errorf("the first form of the lock was not read: %v", result.Blocked)
	}
	for lock, want := range map[string]string{old: "lock-older", strings.Replace(old, `"version": 1`, `"version": 99`, 1): "lock-newer"} {
		p.write(plan.LockPath, lock)
		p.write("api/openapi.yaml", strings.Replace(library, "title: {type: string}", moreBook, 1))
		_, _, err := generator.Update(context.Background(), p.request())
		var list problem.List
		if !errors.As(err, &list) || codes(list) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	p = newProject(t)
	result, _ := p.update(func(r *generator.UpdateRequest) {
		r.Schema = schema.Options{Renames: map[string]string{"books.titel": "name"}}
	})
	if codes(result.Blocked) != "rename-unknown" || len(result.Actions) > 0 {
		t.Errorf("%v", result.Blocked)
	}
}
