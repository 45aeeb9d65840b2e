package attack

import (
	"syscall"
	"time"
)

// nap sleeps in the kernel, which is exact to about 60 µs.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // woken early by a signal: the caller sleeps again
}
