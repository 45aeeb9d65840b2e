package supervisor

import (
	"fmt"
	"time"
)

// backoff is how long to wait before the next start: not at all at first, then
// twice as long each time from first to max. A process that lived for calm is taken
// for healthy again.
type backoff struct {
	first, max, calm time.Duration
	last             time.Duration // of the pauses
	begun            bool
}

// next is the pause after a process that lived so long.
func (b *backoff) next(lived time.Duration) time.Duration {
	switch {
	case !b.begun || lived >= b.calm:
		b.begun, b.last = true, 0
	case b.last == 0:
		b.last = b.first
	default:
		b.last = min(2*b.last, b.max)
	}
	return b.last
}

// ordinal prints a number as "1st".
func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n) + suffix
}
