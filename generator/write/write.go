// Package write puts a plan on disk, whole or not at all. It is the generator's
// only writer.
package write

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// Target checks that dir can take a new project: it does not exist, or it is an
// empty folder, and its parent can be written to.
func Target(dir string) error {
	fail := func(code, message, hint string) error {
		return problem.List{{Code: code, File: dir, Message: message, Hint: hint}}
	}
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fail("target-unreadable", "permission denied", "choose another folder with --dir")
	case err != nil:
		return fail("target-unreadable", "cannot be read: "+reason(err), "choose another folder with --dir")
	case !info.IsDir():
		return fail("target-not-folder", "there is a file of that name", "choose another folder with --dir")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fail("target-unreadable", "cannot be read: "+reason(err), "choose another folder with --dir")
	}
	if len(entries) > 0 {
		return fail("target-not-empty", fmt.Sprintf("the folder is not empty: it holds %s", entries[0].Name()), "choose another folder with --dir, or empty this one")
	}
	return nil
}

// New writes the plan into dir, which must pass Target: into a temporary folder
// beside it, then renamed into place. When ctx ends first, nothing is left.
func New(ctx context.Context, dir string, p *plan.Plan) (err error) {
	if err := Target(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	created, err := makeFolders(parent)
	if err != nil {
		return unwritable(parent, err)
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".tmp-")
	if err != nil {
		removeFolders(created)
		return unwritable(parent, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
			removeFolders(created)
		}
	}()
	for _, f := range p.Files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := writeFile(filepath.Join(temp, filepath.FromSlash(f.Path)), f.Data); err != nil {
			return unwritable(f.Path, err)
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil { //nolint:gosec // a project folder is for its user's tools to read
		return unwritable(dir, err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(dir, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return unwritable(dir, err)
	}
	return nil
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // source folders
		return err
	}
	return os.WriteFile(path, data, 0o644) //nolint:gosec // source files
}

// makeFolders creates dir with its parents and returns those that it created,
// outermost first.
func makeFolders(dir string) (created []string, err error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil {
			break
		}
		created = append([]string{d}, created...)
		if d == filepath.Dir(d) {
			break
		}
	}
	return created, os.MkdirAll(dir, 0o755) //nolint:gosec // source folders
}

// removeFolders takes back what makeFolders created; a folder in use stays.
func removeFolders(created []string) {
	for i := len(created) - 1; i >= 0; i-- {
		if os.Remove(created[i]) != nil {
			return
		}
	}
}

func unwritable(path string, err error) error {
	return problem.List{{Code: "target-unwritable", File: path, Message: "cannot be written: " + reason(err), Hint: "check permissions and free space, or choose another folder with --dir"}}
}

// reason is an error's last part, without paths of temporary files.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	var linkError *os.LinkError
	if errors.As(err, &linkError) {
		return linkError.Err.Error()
	}
	return err.Error()
}
