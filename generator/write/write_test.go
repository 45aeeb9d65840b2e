package write_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/write"
)

// tree lists all that is below dir, hidden things too.
func tree(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			out = append(out, path[len(dir)+1:])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNewWritesThePlan(t *testing.T) {
	parent := t.TempDir()
	p := &plan.Plan{Files: []plan.File{{Path: ".gitignore", Data: []byte("x")}, {Path: "a/b/c.go", Data: []byte("package b\n")}}}
	for _, dir := range []string{"new", "deep/er/new", "empty"} {
		if dir == "empty" {
			if err := os.Mkdir(filepath.Join(parent, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := write.New(t.Context(), filepath.Join(parent, dir), p); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(parent, dir, "a/b/c.go"))
		if err != nil || string(data) != "package b\n" {
			t.Errorf("%s: %q %v", dir, data, err)
		}
		if got := tree(t, filepath.Join(parent, dir)); !slices.Equal(got, []string{".gitignore", "a", "a/b", "a/b/c.go"}) {
			t.Errorf("%s holds %v", dir, got)
		}
	}
	if got := tree(t, parent); len(got) != 3+2+3*4 {
		t.Errorf("temporary folders stay: %v", got)
	}
}

// expiring is a context that ends after so many looks at it.
type expiring struct {
	context.Context
	looks int
}

func (c *expiring) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestNewLeavesNothingBehind(t *testing.T) {
	parent := t.TempDir()
	if err := os.WriteFile(filepath.Join(parent, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sound := []plan.File{{Path: "a"}, {Path: "b/c"}, {Path: "d"}}
	for name, test := range map[string]struct {
		ctx   context.Context
		files []plan.File
	}{
		"cancelled before":   {&expiring{t.Context(), 0}, sound},
		"cancelled midway":   {&expiring{t.Context(), 2}, sound},
		"a file is a folder": {t.Context(), []plan.File{{Path: "a"}, {Path: "a/b"}}},
	} {
		err := write.New(test.ctx, filepath.Join(parent, "not/yet/there"), &plan.Plan{Files: test.files})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := tree(t, parent); !slices.Equal(got, []string{"mine"}) {
			t.Errorf("%s: left %v (%v)", name, got, err)
		}
	}
}

func TestTargetRefuses(t *testing.T) {
	parent := t.TempDir()
	for name, prepare := range map[string]func(string) error{
		"target-not-empty":  func(dir string) error { return errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(dir+"/x", nil, 0o600)) },
		"target-not-folder": func(dir string) error { return os.WriteFile(dir, []byte("mine"), 0o600) },
	} {
		dir := filepath.Join(parent, name)
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before := tree(t, parent)
		err := write.New(t.Context(), dir, &plan.Plan{Files: []plan.File{{Path: "x", Data: []byte("theirs")}}})
		if got := problem.Of(err); len(got) != 1 || got[0].Code != name || got[0].Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
		if after := tree(t, parent); !slices.Equal(before, after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
	err := write.New(t.Context(), filepath.Join(parent, "target-not-folder", "below"), &plan.Plan{})
	if got := problem.Of(err); len(got) != 1 || got[0].Code == "error" {
		t.Errorf("below a file: %v", err)
	}
}
