package lifecycle

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	drainDelay = 200 * time.Millisecond
	drainPoll  = 2 * time.Millisecond
	queueBound = 100 * time.Millisecond // for connections that wait to be accepted
)

// drain stops the API so that every request which reached it is answered. Package
// http's Shutdown alone does not: it drops requests that it has just read, connections
// that wait to be accepted, and idle ones that a request is on its way to.
func (r *run) drain(ctx context.Context) error {
	r.stopping.Store(true)
	// Answers end their connections from here on, so those in use are gone when the
	// listener is, and nobody is hung up on between two requests.
	pause(ctx, r.DrainDelay)
	refuse(r.public)
	for end := time.Now().Add(queueBound); time.Now().Before(end); {
		pause(ctx, drainPoll) // what is on its way arrives
		if !waiting(r.public) {
			break
		}
	}
	_ = r.public.Close() // it fails only if it is closed
	<-r.accepted
	for ctx.Err() == nil && r.busy.any() {
		pause(ctx, drainPoll)
	}
	return r.api.Shutdown(ctx)
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// farewell ends connections with their next answer once the server is stopping.
func (r *run) farewell(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, request)
	})
}

// connections are those that a request is being read from or answered on.
type connections struct {
	mu  sync.Mutex
	set map[net.Conn]struct{}
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew || state == http.StateActive {
		c.set[conn] = struct{}{}
		return
	}
	delete(c.set, conn)
}

func (c *connections) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.set) > 0
}
