package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Forwarder sends a request on and streams the answer back. It returns an error only
// if nothing was written yet, and panics with http.ErrAbortHandler if the answer broke
// off.
type Forwarder interface {
	Forward(w http.ResponseWriter, r *http.Request) error
}

// forward sends a request on to the process that serves it, and reports whether that
// one's answer went to the client. If not, the answer stands in the writer.
func (rt *Router) forward(x *exchange, found *route, w http.ResponseWriter) (answered bool) {
	ctx, cancel := context.WithCancelCause(x.request.http.Context())
	defer cancel(nil)
	x.request.ctx = ctx
	err := found.op.authenticate(x)
	if err == nil && len(found.op.Consumes) > 0 && x.request.http.ContentLength > found.op.maxBody() {
		// The service would refuse it, too, and hang up while it is on its way: a client
		// that only reads when it has sent everything would not see the answer.
		if err = found.op.admit(x); err == nil {
			err = bodyTooLarge()
		}
	}
	if err == nil {
		// What is bounded is the time until the answer begins: a client may take longer
		// to read it, as it may where this process answers itself.
		late := time.AfterFunc(found.op.timeout(), func() { cancel(context.DeadlineExceeded) })
		defer late.Stop()
		err = x.forward(ctx, found.op.api.Forward, &forwarded{
			recorder: recorder{ResponseWriter: w}, id: x.id, late: late, body: watchedBody{ReadCloser: x.request.http.Body},
		})
	}
	if err != nil {
		rt.fail(x, found, err)
	}
	return err == nil
}

func (x *exchange) forward(ctx context.Context, to Forwarder, w *forwarded) error {
	returned := false
	defer func() {
		x.status, x.bytes = w.status, w.bytes
		switch {
		case returned || w.status == 0:
		case x.request.http.Context().Err() != nil:
			x.status = statusClientLeft
		default:
			x.status = http.StatusBadGateway // the answer broke off: what the client has is none
		}
	}()
	r := x.request.http.WithContext(ctx)
	r.Header["X-Request-Id"] = []string{x.id}
	if r.ContentLength == 0 {
		w.body.ended.Store(true)
	} else {
		r.Body = &w.body
	}
	err := to.Forward(w, r)
	returned = true
	if fault := w.body.fault.Load(); err != nil && fault != nil && ctx.Err() == nil {
		return brokenBody(*fault)
	}
	return err
}

// forwarded is the response of another process on its way to the client.
type forwarded struct {
	recorder
	id    string
	late  *time.Timer
	body  watchedBody
	early bool // the request's body is still on its way
}

// WriteHeader adds what this process says about every response.
func (f *forwarded) WriteHeader(status int) {
	if status >= http.StatusOK {
		f.late.Stop()
		f.hurry()
	}
	header := f.Header()
	header["X-Request-Id"] = []string{f.id}
	header["X-Content-Type-Options"] = nosniff()
	f.recorder.WriteHeader(status)
}

// Write implements io.Writer.
func (f *forwarded) Write(b []byte) (int, error) {
	n, err := f.recorder.Write(b)
	if err == nil && f.early {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}

// hurry lets a response that refuses the request overtake the request's body. Package
// http would wait for the body first, and the client may wait for the response.
func (f *forwarded) hurry() {
	if !f.body.ended.Load() {
		f.early = true
		_ = http.NewResponseController(f.ResponseWriter).EnableFullDuplex() // only a test's writer cannot
	}
}

// watchedBody notes how far a body is, and why it could not be read: that is the
// client's fault, not that of the process that it was for.
type watchedBody struct {
	io.ReadCloser
	ended atomic.Bool
	fault atomic.Pointer[error]
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.ended.Store(true)
	case err != nil && !errors.Is(err, http.ErrBodyReadAfterClose):
		b.fault.Store(&err)
	}
	return n, err
}
