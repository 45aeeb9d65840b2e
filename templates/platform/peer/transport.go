package peer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

const (
	retryAfter  = time.Second // what clients are told while a service is away
	dialTimeout = time.Second
	idleTimeout = 90 * time.Second // below the server's, so that it is not the server who hangs up
)

// NewTransport returns a transport between processes of one backend: no proxy of the
// environment, no compression, and as many idle connections for each process as it is
// asked at once.
func NewTransport(idle int) *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		WriteBufferSize:       16 << 10,
		ReadBufferSize:        16 << 10,
	}
}

// NotSent reports whether a request failed before anything of it was sent, so that it
// may go to another replica.
func NotSent(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial"
}

// ErrUnreachable means that no process of a service could be asked, or that it did not
// answer in time.
var ErrUnreachable = errors.New("the service cannot be reached")

// Unreachable returns an error that wraps ErrUnreachable, its cause, and the
// *problem.Problem that the end user gets: 503 with Retry-After.
func Unreachable(service string, cause error) error {
	return fmt.Errorf("%w: %w (%w)", ErrUnreachable, cause,
		problem.Unavailable("service "+service+" cannot be reached", retryAfter))
}
