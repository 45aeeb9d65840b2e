package transport

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// body is a response's body; its end ends the exchange.
type body struct {
	src io.ReadCloser
	x   *exchange

	mu      sync.Mutex
	reading bool
	closed  bool
	over    bool // the exchange has been finished
	err     error
}

// maxDrain is how much of an unread rest is read to save the connection.
const maxDrain = 64 << 10

// Read reads the body. Its error after the context's end is the context's.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	switch {
	case b.closed:
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	case b.err != nil:
		b.mu.Unlock()
		return 0, b.err
	}
	b.reading = true
	b.mu.Unlock()

	n, err := b.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = ctxError(b.x.ctx, err)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	if err != nil {
		b.err = err
		b.finish(errors.Is(err, io.EOF))
	} else if b.closed {
		b.finish(false)
	}
	return n, err
}

// finish ends the exchange once; b.mu is held.
func (b *body) finish(clean bool) {
	if !b.over {
		b.over = true
		b.x.finish(clean)
	}
}

// Close gives the connection back. A rest that has already arrived is drained;
// more would be waited for, so the connection is closed instead. It may be
// called while another goroutine reads, which it wakes.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	switch {
	case b.over:
	case b.reading:
		_ = b.x.conn.Close() // wakes the reader, which finishes
	default:
		b.finish(b.drain())
	}
	return nil
}

// drain reads what has arrived of the rest and reports whether that was all.
func (b *body) drain() bool {
	if b.x.close || b.x.conn.SetReadDeadline(longAgo) != nil {
		return false
	}
	b.x.deadline = true // to be cleared again
	n, err := io.CopyN(io.Discard, b.src, maxDrain)
	return n < maxDrain && errors.Is(err, io.EOF)
}
