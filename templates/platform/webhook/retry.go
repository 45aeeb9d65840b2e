package webhook

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// maxWait bounds the time between two attempts, whatever the receiver asks for.
const maxWait = time.Minute

// passing reports whether an answer that is no success may be another one next time.
func passing(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

// backoff is how long to wait after an attempt, counted from 1: a random time between a
// half and the whole of what doubles with each, so that messages that failed together do
// not come back together.
func (s *Sender) backoff(attempt int) time.Duration {
	longest := maxWait
	if shift := attempt - 1; shift < 16 {
		longest = min(maxWait, s.Backoff<<shift)
	}
	return longest/2 + rand.N(longest/2+1)
}

// retryAfter reads a Retry-After, in seconds or a date; 0: none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(maxWait, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(maxWait, max(0, at.Sub(now)))
}

// wait passes the time until the next attempt. It does not begin to wait for what ctx
// will not live to see.
func (s *Sender) wait(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.later.stopping:
		return ErrStopped
	}
}
