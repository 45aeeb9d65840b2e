// Package transport is an HTTP/1.1 client transport that costs little per
// request: it writes and reads in the caller's goroutine, where net/http keeps
// two goroutines per connection and hands every request over to them.
//
// It serves plain-text HTTP/1.1 requests with a body of known length up to
// 64 KiB, which is what services send one another. Everything else (TLS, HTTP/2,
// proxies, streams, Expect, upgrades, trailers, requests that net/http would
// refuse) goes to a net/http Transport that it owns, so that it is a complete
// http.RoundTripper.
package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

// Options set up a Transport. The zero value is usable.
type Options struct {
	// MaxIdlePerHost bounds the idle connections kept to one address; default 256.
	MaxIdlePerHost int
	// MaxConnsPerHost bounds the connections in use to one address; a request
	// beyond it waits for one to be released. 0 means no bound.
	MaxConnsPerHost int
	// IdleTimeout is how long an idle connection is kept; default 90 s.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds a response's status line and headers; default 1 MiB.
	MaxHeaderBytes int64
	// Dial opens connections; default is a net.Dialer with a 10 s timeout.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy chooses a proxy for a request as http.Transport.Proxy does; nil means none.
	Proxy func(*http.Request) (*url.URL, error)
}

// Transport is an http.RoundTripper. Make one with New and share it: it is safe
// for concurrent use.
type Transport struct {
	o    Options
	slow *http.Transport

	messages sync.Pool // of *message

	mu    sync.Mutex
	hosts map[string]*pool
}

// New returns a Transport.
func New(o Options) *Transport {
	if o.MaxIdlePerHost == 0 {
		o.MaxIdlePerHost = 256
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 90 * time.Second
	}
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = 1 << 20
	}
	if o.Dial == nil {
		d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
		o.Dial = d.DialContext
	}
	return &Transport{
		o:     o,
		hosts: map[string]*pool{},
		slow: &http.Transport{
			Proxy:                  o.Proxy,
			DialContext:            o.Dial,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // what arrives is what was sent, as on the fast path
			MaxIdleConns:           0,
			MaxIdleConnsPerHost:    o.MaxIdlePerHost,
			MaxConnsPerHost:        o.MaxConnsPerHost,
			IdleConnTimeout:        o.IdleTimeout,
			MaxResponseHeaderBytes: o.MaxHeaderBytes,
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
		},
	}
}

// CloseIdleConnections closes the connections that no request is using.
func (t *Transport) CloseIdleConnections() {
	t.slow.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.hosts {
		p.closeIdle(time.Time{})
	}
}

// RoundTrip sends a request and reads the response's headers. Reading the body
// to its end, or closing it, gives the connection back. When the request's
// context ends, the error is the context's.
//
// A request that failed on a reused connection before anything of a response
// arrived is sent once more if it is safe to repeat (RFC 9110, 9.2.2): the
// server most likely closed the connection while it was idle.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.fast(req) {
		return t.slow.RoundTrip(req)
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	msg, err := t.encode(req)
	if err != nil {
		return nil, ctxError(ctx, err)
	}
	p := t.pool(address(req.URL))
	if err := p.acquire(ctx); err != nil {
		msg.free()
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		c, err := p.get(ctx, attempt > 0)
		if err != nil {
			p.release()
			msg.free()
			return nil, ctxError(ctx, err)
		}
		resp, err := c.exchange(ctx, req, msg)
		if err == nil {
			return resp, nil
		}
		if attempt == 0 && c.stale(req, err) && ctx.Err() == nil {
			continue
		}
		p.release()
		msg.free()
		return nil, ctxError(ctx, err)
	}
}

// pool returns the pool of an address. Addresses come from the program's own
// configuration, so their number needs no bound.
func (t *Transport) pool(addr string) *pool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.hosts[addr]
	if p == nil {
		p = newPool(addr, &t.o)
		t.hosts[addr] = p
	}
	return p
}

// address is the host and port to dial.
func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// ctxError replaces what a connection says by what the context says, where the
// context is the cause.
func ctxError(ctx context.Context, err error) error {
	if e := ctx.Err(); e != nil {
		return e
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// The connection's deadline is the context's, and may fire first.
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			return context.DeadlineExceeded
		}
	}
	return err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // the request has failed already, or has been read whole
	}
}
