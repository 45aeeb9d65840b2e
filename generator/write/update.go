package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// staging is where an update prepares: the new files, and once all of them are on
// disk the journal that says what to do with them.
const (
	staging = ".backend/update"
	journal = staging + "/journal.json"
)

// step is one entry of the journal: Staged goes to Path, or Path goes.
type step struct {
	Path   string `json:"path"`
	Staged string `json:"staged,omitempty"`
}

// Update carries out actions in a project's folder, all of them or none: new files
// are prepared beside the project's own, then a journal makes the decision, then they
// are moved into place. Whatever ends it before the journal stands leaves the old
// project, and Recover finishes what was cut off after. When ctx ends before the
// decision, nothing has changed.
func Update(ctx context.Context, dir string, actions []plan.Action) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unwritable(dir, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := recoverIn(root); err != nil {
		return err
	}
	if err := unchanged(root, actions); err != nil {
		return err
	}
	steps, err := prepare(ctx, root, actions)
	if err == nil {
		err = decide(root, steps)
	}
	if err != nil {
		return errors.Join(err, root.RemoveAll(staging))
	}
	return carryOut(root, steps)
}

// CutOff reports whether an update of the project was decided and not finished.
func CutOff(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(journal)))
	return err == nil
}

// Recover finishes an update that was cut off, and clears away one that had decided
// nothing. It does nothing in a folder that no update was cut off in.
func Recover(dir string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unwritable(dir, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return recoverIn(root)
}

func recoverIn(root *os.Root) error {
	text, err := root.ReadFile(journal)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.RemoveAll(staging); err != nil {
			return unwritable(staging, err)
		}
		return nil
	}
	var steps []step
	if err == nil {
		err = json.Unmarshal(text, &steps)
	}
	if err != nil {
		return problem.List{{Code: "update-journal", File: journal, Message: "an update was cut off, and its journal cannot be read: " + reason(err), Hint: "`git checkout` the project, delete " + staging + ", and update again"}}
	}
	return carryOut(root, steps)
}

// unchanged makes sure that every file still stands as the actions were decided from.
func unchanged(root *os.Root, actions []plan.Action) error {
	var problems problem.List
	for _, a := range actions {
		data, err := root.ReadFile(a.Path)
		if errors.Is(err, fs.ErrNotExist) {
			data, err = nil, nil
		} else if err == nil && data == nil {
			data = []byte{}
		}
		switch {
		case err != nil:
			problems = append(problems, &problem.Problem{Code: "target-unwritable", File: a.Path, Message: "cannot be read: " + reason(err), Hint: "check what stands there; a project holds no links that lead out of it"})
		case (data == nil) != (a.Before == nil) || !bytes.Equal(data, a.Before):
			problems = append(problems, &problem.Problem{Code: "changed-meanwhile", File: a.Path, Message: "the file changed while the update was made", Hint: "update again"})
		}
	}
	return problems.Err()
}

// prepare writes the new files into the staging folder.
func prepare(ctx context.Context, root *os.Root, actions []plan.Action) ([]step, error) {
	if err := root.MkdirAll(staging, 0o755); err != nil {
		return nil, unwritable(staging, err)
	}
	var steps []step
	for i, a := range actions {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s := step{Path: a.Path}
		if a.After != nil {
			s.Staged = fmt.Sprintf("%s/%d", staging, i)
			if err := writeSynced(root, s.Staged, a.After, mode(root, a.Path)); err != nil {
				return nil, unwritable(a.Path, err)
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// mode is that of the file that is replaced.
func mode(root *os.Root, name string) fs.FileMode {
	if info, err := root.Stat(name); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}

// writeSynced writes a file and waits for the disk, for a journal must not stand
// before what it speaks of.
func writeSynced(root *os.Root, name string, data []byte, perm fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// decide makes the journal stand, whole.
func decide(root *os.Root, steps []step) error {
	text, err := json.Marshal(steps)
	if err == nil {
		err = writeSynced(root, journal+".tmp", text, 0o644)
	}
	if err == nil {
		err = root.Rename(journal+".tmp", journal)
	}
	if err != nil {
		return unwritable(journal, err)
	}
	return nil
}

// carryOut does what a journal says, and clears it away. Steps that were done before
// are done again without harm.
func carryOut(root *os.Root, steps []step) error {
	for _, s := range steps {
		if err := carry(root, s); err != nil {
			return problem.List{{
				Code: "target-unwritable", File: s.Path, Message: "cannot be written: " + reason(err),
				Hint: "make room for it; then `backend scaffold update` finishes what is begun",
			}}
		}
	}
	// The journal goes first: without it what is left is scrap.
	if err := root.Remove(journal); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(journal, err)
	}
	if err := root.RemoveAll(staging); err != nil {
		return unwritable(staging, err)
	}
	return nil
}

func carry(root *os.Root, s step) error {
	if s.Staged == "" {
		if err := root.Remove(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := path.Dir(s.Path); dir != "." && root.Remove(dir) == nil; dir = path.Dir(dir) { // folders that are empty now
			continue
		}
		return nil
	}
	if _, err := root.Lstat(s.Staged); errors.Is(err, fs.ErrNotExist) {
		return nil // moved before
	}
	if err := root.MkdirAll(path.Dir(s.Path), 0o755); err != nil {
		return err
	}
	return root.Rename(s.Staged, s.Path)
}
