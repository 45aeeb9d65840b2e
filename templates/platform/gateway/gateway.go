// Package gateway forwards requests to the services of a backend that run in
// processes of their own. It streams, and keeps nothing; what may be asked, and by
// whom, was decided before.
package gateway

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/peer"
)

const (
	readyTimeout = time.Second
	idlePerHost  = 256
	bufferSize   = 32 << 10
)

// Gateway is the connections to all services.
type Gateway struct {
	token     string
	transport *http.Transport
	buffers   buffers
}

// New returns a gateway. token is what the processes of this backend show one another.
func New(token string) *Gateway {
	return &Gateway{token: token, transport: peer.NewTransport(idlePerHost)}
}

// Close closes the idle connections.
func (g *Gateway) Close() error {
	g.transport.CloseIdleConnections()
	return nil
}

// Service is the way to one service.
type Service struct {
	name  string
	proxy *httputil.ReverseProxy
	ping  *peer.Client
}

// Service returns the way to the replicas of a service, which take turns.
func (g *Gateway) Service(name string, urls []*url.URL) *Service {
	return &Service{
		name: name,
		proxy: &httputil.ReverseProxy{
			Rewrite:      rewrite,
			Transport:    &peer.Replicas{URLs: urls, Transport: g.transport},
			BufferPool:   &g.buffers,
			ErrorHandler: note,
			ErrorLog:     log.New(io.Discard, "", 0), // what went wrong is for the caller to log
		},
		ping: peer.NewClient(peer.Options{Service: name, URLs: urls, Token: g.token, Timeout: readyTimeout, Transport: g.transport}),
	}
}

// Ready asks whether a replica of the service answers.
func (s *Service) Ready(ctx context.Context) error { return s.ping.Ping(ctx) }

// Forward sends the request to the service and its answer to the client. It returns an
// error if nothing was sent to the client: the cause of the end of the request's
// context, or one that wraps peer.ErrUnreachable. If the answer breaks off it panics with
// http.ErrAbortHandler, as net/http wants it.
func (s *Service) Forward(w http.ResponseWriter, r *http.Request) error {
	var failure error
	s.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), failureKey{}, &failure)))
	switch {
	case failure == nil:
		return nil
	case r.Context().Err() != nil:
		return context.Cause(r.Context())
	}
	return peer.Unreachable(s.name, failure)
}

type failureKey struct{}

// note keeps what went wrong for Forward.
func note(_ http.ResponseWriter, r *http.Request, err error) {
	if failure, ok := r.Context().Value(failureKey{}).(*error); ok {
		*failure = err
	}
}

// rewrite prepares the request to a service. The client's own X-Forwarded headers are
// gone already; a call between services is not a client's to make.
func rewrite(p *httputil.ProxyRequest) {
	p.SetXForwarded()
	p.Out.Header.Del(peer.Header)
	// The service refuses a query that it cannot read; without these it would not see it.
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Header["X-Request-Id"] = p.In.Header["X-Request-Id"] // whatever Connection lists
}

// buffers keeps what responses are copied through.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return kept[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }
