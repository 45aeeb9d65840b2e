package attack

import (
	"context"
	"runtime"
	"time"
)

// SystemClock is the machine's monotonic clock.
type SystemClock struct{}

// Now returns the time.
func (SystemClock) Now() time.Time { return time.Now() }

const (
	// coarse is how late the runtime's timers may be: the poller that they wait
	// in counts milliseconds.
	coarse = 1500 * time.Microsecond
	// spin is how late the kernel's sleep may be; the rest is spun away.
	spin = 100 * time.Microsecond
	// glance is how often a long sleep looks at the context.
	glance = 100 * time.Millisecond
)

// SleepUntil sleeps by the runtime's timer, then by the kernel's, then spins.
// Plain sleeping is late by up to a millisecond; spinning from there on keeps
// the runtime from polling the network, and made responses 2 ms slower (median,
// 1,000 requests per second on two cores) than sleeping in the kernel does.
func (SystemClock) SleepUntil(ctx context.Context, t time.Time) {
	for {
		left := time.Until(t)
		switch {
		case left <= 0 || ctx.Err() != nil:
			return
		case left > coarse:
			time.Sleep(min(left-coarse, glance))
		case left > spin:
			nap(left - spin)
		default:
			runtime.Gosched()
		}
	}
}
