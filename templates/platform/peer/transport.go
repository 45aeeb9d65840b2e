package peer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
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

// Replicas sends a request to one replica of a service, in turn, and to the next one if
// that could not be connected to. Nothing that may have arrived is sent twice.
type Replicas struct {
	// URLs are the base addresses of the replicas.
	URLs []*url.URL
	// Transport sends to one of them.
	Transport http.RoundTripper

	next atomic.Uint64
}

// RoundTrip implements http.RoundTripper. The scheme and host of the request's URL are
// those of the replica that gets it.
func (t *Replicas) RoundTrip(r *http.Request) (*http.Response, error) {
	first := t.next.Add(1)
	err := errors.New("it has no address")
	for i := range uint64(len(t.URLs)) {
		replica := t.URLs[(first+i)%uint64(len(t.URLs))]
		var response *http.Response
		if response, err = t.Transport.RoundTrip(to(replica, r)); !NotSent(err) {
			return response, err
		}
	}
	return nil, err
}

// to addresses a copy of the request to a replica. A transport closes the body even of
// a request that it could not send, so it gets one that stays open.
func to(replica *url.URL, r *http.Request) *http.Request {
	out, address := *r, *r.URL
	address.Scheme, address.Host = replica.Scheme, replica.Host
	out.URL = &address
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = io.NopCloser(r.Body)
	}
	return &out
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
