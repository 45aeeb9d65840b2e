//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package lifecycle

// lockFile does nothing: package syscall has no lock here that is sure to end
// with its process, and one left behind would keep the server from starting.
func lockFile(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}
