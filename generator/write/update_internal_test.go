package write

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// contents are the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path[len(dir)+1:]] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	before = map[string]string{"a.go": "old", "mine.txt": "mine", "gone/deep/b.go": "old", ".backend/lock.json": "1"}
	after  = map[string]string{"a.go": "new", "mine.txt": "mine", "fresh/c.go": "new", ".backend/lock.json": "2"}
)

// project is a folder with the files of before, and what turns it into after.
func project(t *testing.T) (string, []plan.Action) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range before {
		if err := writeFile(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, []plan.Action{
		{Path: ".backend/lock.json", Before: []byte("1"), After: []byte("2")},
		{Path: "a.go", Before: []byte("old"), After: []byte("new")},
		{Path: "fresh/c.go", After: []byte("new")},
		{Path: "gone/deep/b.go", Before: []byte("old")},
	}
}

func holds(t *testing.T, dir string, want map[string]string, when string) {
	t.Helper()
	if got := contents(t, dir); !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", when, got, want)
	}
}

func TestUpdate(t *testing.T) {
	dir, actions := project(t)
	if err := os.Chmod(filepath.Join(dir, "a.go"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), dir, actions); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, after, "updated")
	if _, err := os.Stat(filepath.Join(dir, "gone")); err == nil {
		t.Error("an empty folder is left")
	}
	if info, err := os.Stat(filepath.Join(dir, "a.go")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the file's mode became %v (%v)", info.Mode(), err)
	}
}

// TestUpdateIsAllOrNothing: whatever step of an update is the last, the project is the
// old one or, once Recover ran, the new one.
func TestUpdateIsAllOrNothing(t *testing.T) {
	for cut := -1; cut <= 4; cut++ {
		dir, actions := project(t)
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		steps, err := prepare(t.Context(), root, actions)
		if err != nil {
			t.Fatal(err)
		}
		want := before
		if cut >= 0 {
			want = after
			if err := decide(root, steps); err != nil {
				t.Fatal(err)
			}
			for _, s := range steps[:cut] {
				if err := carry(root, s); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := Recover(dir); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, want, "recovered")
		if err := Recover(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// ending is a context that ends after so many looks at it.
type ending struct {
	context.Context
	looks int
}

func (c *ending) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestUpdateStopsInTime(t *testing.T) {
	for looks := range 4 {
		dir, actions := project(t)
		if err := Update(&ending{t.Context(), looks}, dir, actions); err == nil {
			t.Fatal("the end of the context went unnoticed")
		}
		holds(t, dir, before, "cancelled")
	}
}

func TestUpdateRefuses(t *testing.T) {
	outside := t.TempDir()
	for code, prepare := range map[string]func(dir string) error{
		"changed-meanwhile": func(dir string) error { return os.WriteFile(filepath.Join(dir, "a.go"), []byte("edited"), 0o600) },
		"target-unwritable": func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "fresh")) },
	} {
		dir, actions := project(t)
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		err := Update(t.Context(), dir, actions)
		if got := problem.Of(err); len(got) == 0 || got[0].Code != code {
			t.Errorf("%s: %v", code, err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, ".backend/lock.json")); err != nil || string(text) != "1" {
			t.Errorf("%s: something was written", code)
		}
	}
	if len(contents(t, outside)) > 0 {
		t.Error("something was written outside of the project")
	}
}
