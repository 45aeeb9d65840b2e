//go:build !linux

package attack

import (
	"runtime"
	"time"
)

// nap has no exact sleep to use here, so the time is spun away.
func nap(time.Duration) { runtime.Gosched() }
