package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/e6b96b0c/backend/generator/schema"
)

// LockVersion is the version of the lock's form.
const LockVersion = 2

// The generator's own files, which an update replaces without asking.
const (
	LockPath = ".backend/lock.json"
	BaseDir  = ".backend/base/" // pristine copies of shared files, to merge against
)

// Lock is .backend/lock.json: what the generator wrote, so that an update can
// tell its own work from the user's.
type Lock struct {
	Version    int                      `json:"version"`
	Generator  string                   `json:"generator"`
	Name       string                   `json:"name"`
	Module     string                   `json:"module"`
	Spec       string                   `json:"spec"` // SHA-256 of the document
	Files      map[string]LockFile      `json:"files"`
	Services   map[string]LockService   `json:"services"`
	Operations map[string]LockOperation `json:"operations"`
	// Tombstones are operations that are gone while an override of them is not.
	Tombstones []Tombstone `json:"tombstones,omitempty"`
}

// LockFile is one file as it was written.
type LockFile struct {
	Owner Owner  `json:"owner"`
	Hash  string `json:"sha256"`
}

// LockService is a service with the tables that its databases hold once they are
// migrated.
type LockService struct {
	Package string         `json:"package"`
	Tables  []schema.Table `json:"tables"`
	// Removed says that the document has no such service any more; its databases may
	// still be there.
	Removed bool `json:"removed,omitempty"`
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

// Tombstone is an operation that a package no longer has.
type Tombstone struct {
	Operation string `json:"operation"`
	Package   string `json:"package"`
	GoName    string `json:"goName"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	// RenamedTo is the GoName that the operation has now, MovedTo its service.
	RenamedTo string `json:"renamedTo,omitempty"`
	MovedTo   string `json:"movedTo,omitempty"`
}

// Hash returns the SHA-256 of data in hex.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Bytes is the lock as a file.
func (l Lock) Bytes() ([]byte, error) {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return append(text, '\n'), nil
}

// WithLock adds the lock file, and a pristine copy of every shared file to merge
// against later.
func (p *Plan) WithLock(lock Lock) (*Plan, error) {
	lock.Version = LockVersion
	lock.Files = map[string]LockFile{}
	files := append([]File(nil), p.Files...)
	for _, f := range p.Files {
		lock.Files[f.Path] = LockFile{Owner: f.Owner, Hash: Hash(f.Data)}
		if f.Owner == Shared {
			files = append(files, File{Path: BaseDir + f.Path, Data: f.Data, Owner: Owned})
		}
	}
	text, err := lock.Bytes()
	if err != nil {
		return nil, err
	}
	return New(append(files, File{Path: LockPath, Data: text, Owner: Owned}))
}
