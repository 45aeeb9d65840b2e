package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// ErrInUse says that another process works on the same data.
var ErrInUse = errors.New("is in use by another process")

// LockDir makes a data folder, if it is not there, and keeps other processes from
// working on the part of it that is called name, until release is called or this
// process ends, however it ends. A second server on the same data would answer from a
// cache that hears nothing of the first one's writes; it gets an error that wraps
// [ErrInUse].
func LockDir(dir, name string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	unlock, err := lockFile(filepath.Join(dir, ".lock-"+name))
	switch {
	case errors.Is(err, ErrInUse):
		return nil, fmt.Errorf("%s in the data folder %s %w", name, dir, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	return sync.OnceValue(unlock), nil
}
