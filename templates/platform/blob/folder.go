package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is a Store in a folder of this machine.
type Folder struct{ dir string }

// OpenFolder returns the store in the folder dir, which is made if it is not there.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for files: %w", err)
	}
	return &Folder{dir: dir}, nil
}

// place is where a key's bytes are: named by its hash, so that no key leads elsewhere.
func (f *Folder) place(key string) (dir, name string) {
	sum := sha256.Sum256([]byte(key))
	text := hex.EncodeToString(sum[:])
	return filepath.Join(f.dir, text[:2]), text[2:]
}

// Put implements Store by moving the file, which must be on the same file system.
func (f *Folder) Put(_ context.Context, key, path string, _ Info) error {
	dir, name := f.place(key)
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if err := syncFolder(f.dir); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	if err := os.Rename(path, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// Get implements Store.
func (f *Folder) Get(_ context.Context, key string, _ Info) (io.ReadSeekCloser, error) {
	dir, name := f.place(key)
	return os.Open(filepath.Join(dir, name)) //nolint:gosec // named by a hash
}

// Delete implements Store.
func (f *Folder) Delete(_ context.Context, key string) error {
	dir, name := f.place(key)
	if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Ping implements Store.
func (f *Folder) Ping(context.Context) error {
	_, err := os.Stat(f.dir)
	return err
}

// syncFolder makes what was made or moved in a folder survive a crash of the machine.
func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // one of ours
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
