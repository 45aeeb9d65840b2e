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

const lockName = ".lock"

// LockDir makes a data folder, if it is not there, and keeps other processes
// out of it until release is called or this process ends, however it ends. A
// second server on the same folder would answer from a cache that hears nothing
// of the first one's writes; it gets an error that wraps [ErrInUse].
func LockDir(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	unlock, err := lockFile(filepath.Join(dir, lockName))
	switch {
	case errors.Is(err, ErrInUse):
		return nil, fmt.Errorf("the data folder %s %w", dir, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	return sync.OnceValue(unlock), nil
}
