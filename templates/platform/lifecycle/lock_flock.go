//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package lifecycle

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes flock(2) on a file. The system drops it with the last
// descriptor, so none outlives its process. The file stays: if it were removed,
// two processes could each hold a lock on a file of that name.
//
// The descriptor is no os.File: one that nobody refers to any longer is closed
// by the garbage collector.
func lockFile(path string) (unlock func() error, err error) {
	fd, err := again(func() (int, error) {
		return syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC, 0o600)
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	_, err = again(func() (int, error) { return 0, syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
	if err == nil {
		return func() error { return syscall.Close(fd) }, nil
	}
	_ = syscall.Close(fd) // nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrInUse
	}
	return nil, &os.PathError{Op: "flock", Path: path, Err: err}
}

// again repeats a call that a signal interrupts.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
