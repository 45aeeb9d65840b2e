package generator_test

import (
	"context"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
)

// TestUpdateFromAnyToAny: whatever document takes the place of another, the update is
// whole: a second one has nothing to do, what it wrote parses, and a database of
// before takes the migrations. And back again.
func TestUpdateFromAnyToAny(t *testing.T) {
	all := specs(t)
	for i, from := range all {
		to := all[(i+1)%len(all)]
		t.Run(filepath.Base(from)+" to "+filepath.Base(to), func(t *testing.T) {
			made, err := profile.Preset("monolith")
			if err != nil {
				t.Fatal(err)
			}
			out, err := generator.Generate(context.Background(), generator.Request{Name: "library", Spec: from, Profile: made, Read: os.ReadFile, Generator: "test"})
			if err != nil {
				t.Fatal(err)
			}
			p := &project{t, fstest.MapFS{}}
			for _, f := range out.Plan.Files {
				p.write(f.Path, string(f.Data))
			}
			if again, paths := p.update(); len(again.Actions) > 0 {
				t.Errorf("with the same document it changes %v", paths)
			}
			data := t.TempDir()
			p.migrate(data)
			for _, next := range []string{to, from} {
				p.update(func(r *generator.UpdateRequest) { r.Spec, r.Read, r.NewSpec = next, os.ReadFile, true })
				before := p.read(plan.LockPath)
				if again, paths := p.update(); len(again.Actions)+len(again.Blocked) > 0 {
					t.Log(plan.Diff("lock", before, p.read(plan.LockPath)))
					t.Errorf("after %s a second update changes %v, blocked by %v", next, paths, again.Blocked)
				}
				p.migrate(data)
			}
		})
	}
}

// migrate runs every service's migrations, and parses every file of Go.
func (p *project) migrate(data string) {
	p.t.Helper()
	for name, f := range p.files {
		if strings.HasSuffix(name, ".go") {
			if _, err := parser.ParseFile(token.NewFileSet(), name, f.Data, 0); err != nil {
				p.t.Error(err)
			}
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		if filepath.Base(name) != "0001_init.sql" || !strings.HasSuffix(folder, "migrations/sqlite") {
			continue
		}
		files, err := fs.Sub(p.files, folder)
		if err != nil {
			p.t.Fatal(err)
		}
		db, err := sqlite.Open(p.t.Context(), filepath.Join(data, strings.Split(folder, "/")[1]+".db"), sqlite.Options{})
		if err != nil {
			p.t.Fatal(err)
		}
		if err := db.Migrate(p.t.Context(), files); err != nil {
			p.t.Errorf("%s: %v", folder, err)
		}
		if err := db.Close(); err != nil {
			p.t.Error(err)
		}
	}
	if p.files[plan.LockPath] == nil {
		p.t.Error("no lock")
	}
}
