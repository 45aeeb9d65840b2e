// Package plan is the list of files that a generation wants on disk, with who
// owns each. It is data: dry run, write and check are views of it.
package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"
)

// Owner says what may happen to a file after it was first written.
type Owner string

// The ownership classes.
const (
	Owned      Owner = "owned"       // rewritten whole; an edited one is an error
	Yours      Owner = "yours"       // written once, never touched again
	Append     Owner = "append-only" // immutable once written
	Structural Owner = "structural"  // edited as a structure, never as text
	Shared     Owner = "shared"      // replaced when unedited, merged when edited
)

// File is one file of the plan; Path is relative, with forward slashes.
type File struct {
	Path  string
	Data  []byte
	Owner Owner
}

// Plan is a set of files, sorted by path.
type Plan struct {
	Files []File
}

// New sorts files into a plan. A path that is absolute, leaves the folder or
// comes twice is an error of the generator.
func New(files []File) (*Plan, error) {
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	taken := map[string]bool{} // some file systems fold case
	for _, f := range files {
		clean := path.Clean(f.Path)
		if clean != f.Path || path.IsAbs(clean) || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(clean, "\\\x00") {
			return nil, fmt.Errorf("plan: bad path %q", f.Path)
		}
		folded := strings.ToLower(clean)
		if taken[folded] {
			return nil, fmt.Errorf("plan: %q comes twice", f.Path)
		}
		taken[folded] = true
	}
	return &Plan{Files: files}, nil
}

// Lines counts the lines of the text files that keep accepts.
func (p *Plan) Lines(keep func(path string) bool) int {
	n := 0
	for _, f := range p.Files {
		if keep(f.Path) && bytes.IndexByte(f.Data, 0) < 0 {
			n += bytes.Count(f.Data, []byte("\n"))
		}
	}
	return n
}

// Lock is .backend/lock.json: what the generator wrote, so that an update can
// tell its own work from the user's.
type Lock struct {
	Version    int                      `json:"version"`
	Generator  string                   `json:"generator"`
	Spec       string                   `json:"spec"` // SHA-256 of the document
	Files      map[string]LockFile      `json:"files"`
	Operations map[string]LockOperation `json:"operations"`
}

// LockFile is one file as it was written.
type LockFile struct {
	Owner Owner  `json:"owner"`
	Hash  string `json:"sha256"`
}

// LockOperation is where an operation went.
type LockOperation struct {
	Service string `json:"service"`
	Package string `json:"package"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	GoName  string `json:"goName"`
	Status  string `json:"status"`
}

// Hash returns the SHA-256 of data in hex.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// WithLock adds the lock file, and a pristine copy of every shared file to merge
// against later.
func (p *Plan) WithLock(lock Lock) (*Plan, error) {
	lock.Version = 1
	lock.Files = map[string]LockFile{}
	files := append([]File(nil), p.Files...)
	for _, f := range p.Files {
		lock.Files[f.Path] = LockFile{Owner: f.Owner, Hash: Hash(f.Data)}
		if f.Owner == Shared {
			files = append(files, File{Path: ".backend/base/" + f.Path, Data: f.Data, Owner: Owned})
		}
	}
	text, err := json.MarshalIndent(lock, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	files = append(files, File{Path: ".backend/lock.json", Data: append(text, '\n'), Owner: Owned})
	return New(files)
}
