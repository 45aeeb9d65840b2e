// Package update brings a generated project up to date with its document, its
// profile and the generator: it compares what the generator wrote, what stands in
// the folder and what would be generated now, and says which files to write. It
// reads the folder and changes nothing.
package update

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/schema"
)

// Input is everything that an update is decided from.
type Input struct {
	Dir fs.FS // the project's folder
	// Lock is the project's; Fresh is that of the new generation, without files.
	Lock, Fresh plan.Lock
	// Plan is the new generation, without a lock.
	Plan    *plan.Plan
	Project *model.Project
	// Replace are files of the user's that this update is told to replace, with their
	// new text.
	Replace map[string][]byte
	// Prune removes what the user owns, has not edited, and nothing needs any more.
	Prune  bool
	Schema schema.Options
}

// Result is what an update does, and what it has to say.
type Result struct {
	// Actions are the files to write and to remove, sorted by path. There are none
	// when Blocked has an entry.
	Actions []plan.Action
	// Blocked are the reasons for which nothing may be written.
	Blocked problem.List
	// Conflicts are the places of merges that the user has to decide.
	Conflicts problem.List
	// Overrides are methods of the user's that fit no operation any more.
	Overrides problem.List
	// Notes are decisions that the user should know of.
	Notes      problem.List
	Operations Operations
	Migrations []string // the new ones
}

// Operations are what became of the document's operations.
type Operations struct {
	Added   []string
	Removed []string
	Renamed []Rename
	Moved   []Move
}

// Rename is an operation whose id changed: the same method and path.
type Rename struct{ From, To, Method, Path, Package, GoFrom, GoTo string }

// Move is an operation that another service serves now.
type Move struct{ Operation, GoName, From, To string }

// Compute decides an update.
func Compute(in Input) (*Result, error) {
	u := &updater{Input: in, result: &Result{}, disk: map[string][]byte{}, next: in.Fresh, sources: map[string]*source{}}
	u.next.Files = map[string]plan.LockFile{}
	u.next.Services = maps.Clone(in.Fresh.Services)
	u.plan()
	u.operations()
	u.migrations()
	if err := u.overrides(); err != nil {
		return nil, err
	}
	u.files()
	if len(u.actions) > 0 {
		u.sweep = true
		u.reset()
		if err := u.overrides(); err != nil {
			return nil, err
		}
		u.files()
	}
	if u.err != nil {
		return nil, u.err
	}
	return u.finish()
}

// updater holds the state of one Compute.
type updater struct {
	Input
	result  *Result
	wanted  map[string]plan.File // by path
	next    plan.Lock            // as it will be
	disk    map[string][]byte    // what was read, nil for what is not there
	actions map[string]plan.Action
	gone    map[string]bool // services that are no more
	sources map[string]*source
	// sweep says that something is written anyway: then the lock lets go of tombstones
	// that did their duty, and of files that the user deleted as told. By itself that
	// is no reason for an update.
	sweep bool
	// files start over when they are decided a second time.
	before struct{ blocked, conflicts, notes int }
	err    error
}

func (u *updater) plan() {
	u.wanted = map[string]plan.File{}
	u.actions = map[string]plan.Action{}
	for _, f := range u.Plan.Files {
		if f.Owner != plan.Append { // migrations are decided one by one
			u.wanted[f.Path] = f
		}
	}
	for path, data := range u.Replace {
		f := u.wanted[path]
		u.wanted[path] = plan.File{Path: path, Data: data, Owner: f.Owner}
	}
	u.gone = map[string]bool{}
	for name, s := range u.Lock.Services {
		if _, ok := u.Fresh.Services[name]; !ok {
			u.gone[name] = true
			s.Removed = true
			u.next.Services[name] = s
		}
	}
}

// reset forgets what files said.
func (u *updater) reset() {
	u.actions = map[string]plan.Action{}
	u.next.Files = map[string]plan.LockFile{}
	u.result.Blocked = u.result.Blocked[:u.before.blocked]
	u.result.Conflicts = u.result.Conflicts[:u.before.conflicts]
	u.result.Notes = u.result.Notes[:u.before.notes]
}

// read returns a file of the project, nil when there is none.
func (u *updater) read(path string) []byte {
	if data, ok := u.disk[path]; ok {
		return data
	}
	data, err := fs.ReadFile(u.Dir, path)
	switch {
	case err == nil && data == nil:
		data = []byte{}
	case errors.Is(err, fs.ErrNotExist):
		data = nil
	case err != nil && u.err == nil:
		u.err = problem.List{{Code: "file-unreadable", File: path, Message: "cannot be read: " + reason(err), Hint: "check its permissions"}}
	}
	u.disk[path] = data
	return data
}

func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// write puts a file on the list, unless it stands there already.
func (u *updater) write(path string, data []byte) {
	before := u.read(path)
	if before == nil || !bytes.Equal(before, data) {
		u.actions[path] = plan.Action{Path: path, Before: before, After: data}
	}
}

func (u *updater) remove(path string) {
	if before := u.read(path); before != nil {
		u.actions[path] = plan.Action{Path: path, Before: before}
	}
}

// finish adds the lock, when anything that it says has changed.
func (u *updater) finish() (*Result, error) {
	r := u.result
	same := u.next
	same.Generator, same.Spec = u.Lock.Generator, u.Lock.Spec
	was, err := u.Lock.Bytes()
	if err != nil {
		return nil, err
	}
	is, err := same.Bytes()
	if err != nil {
		return nil, err
	}
	if len(u.actions) > 0 || !bytes.Equal(was, is) {
		text, err := u.next.Bytes()
		if err != nil {
			return nil, err
		}
		u.write(plan.LockPath, text)
	}
	if len(r.Blocked) > 0 {
		return r, nil
	}
	for _, path := range slices.Sorted(maps.Keys(u.actions)) {
		r.Actions = append(r.Actions, u.actions[path])
	}
	return r, nil
}

func (u *updater) block(code, file, message, hint string) {
	u.result.Blocked = append(u.result.Blocked, &problem.Problem{Code: code, File: file, Message: message, Hint: hint})
}

func (u *updater) note(code, file, message, hint string) {
	u.result.Notes = append(u.result.Notes, &problem.Problem{Code: code, File: file, Message: message, Hint: hint})
}

// serviceOf returns the service whose folder holds a file, by the lock.
func (u *updater) serviceOf(path string) string {
	for name, s := range u.Lock.Services {
		if strings.HasPrefix(path, "internal/"+s.Package+"/") {
			return name
		}
	}
	return ""
}
