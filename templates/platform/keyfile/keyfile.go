// Package keyfile keeps a secret in a file that all processes on one folder share.
package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Load returns what dir/name holds. If there is no such file, it is made with what
// create returns, readable by its owner only; all processes that start at once end
// up with the same content.
func Load(dir, name string, create func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path) //nolint:gosec // the operator chooses the folder
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if content, err = create(); err != nil {
		return nil, err
	}
	if err := place(dir, path, content); err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // as above
}

// place writes the content beside its place and links it there: the link fails if
// another process was faster, whose content then counts.
func place(dir, path string, content []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // the link keeps the content
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
