package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"syscall"
	"time"
)

// inline is the largest message written before the response is read. It fits a
// socket's buffers, so writing it cannot wait for a server that answers early
// and reads no more; a larger one is written by a goroutine meanwhile.
const inline = 16 << 10

// conn is one connection; at any time it is idle in its pool or belongs to one
// exchange.
type conn struct {
	net.Conn
	pool      *pool
	br        *bufio.Reader
	raw       syscall.RawConn // nil where the connection has none
	probe     *probe
	allowance int64 // bytes that may still be read; headers are bounded by it
	idleSince time.Time
	reused    bool
	read      bool // something of the current response has arrived
	wrote     bool // something of the current request has been written
}

var errHeaderTooLarge = errors.New("transport: the response's headers exceed the limit")

// unlimited is the allowance while a body is read.
const unlimited = 1 << 62

// Read counts what arrives against the allowance.
func (c *conn) Read(p []byte) (int, error) {
	if c.allowance <= 0 {
		return 0, errHeaderTooLarge
	}
	if int64(len(p)) > c.allowance {
		p = p[:c.allowance]
	}
	n, err := c.Conn.Read(p)
	c.allowance -= int64(n)
	c.read = c.read || n > 0
	return n, err
}

// exchange sends msg and reads the response's headers. After an error the
// connection is closed; the message is the caller's still. After success the
// response's body owns both.
func (c *conn) exchange(ctx context.Context, req *http.Request, msg *message) (*http.Response, error) {
	c.read, c.wrote = false, false
	x := &exchange{conn: c, ctx: ctx, msg: msg, close: wantsClose(req)}
	if d, ok := ctx.Deadline(); ok {
		x.deadline = true
		if err := c.SetDeadline(d); err != nil {
			return nil, x.abort(err)
		}
	}
	if ctx.Done() != nil {
		x.stop = context.AfterFunc(ctx, func() { _ = c.SetDeadline(longAgo) }) // wakes reads and writes
	}
	werr := x.write()
	resp, err := c.readHead(ctx, req)
	if err != nil {
		if werr != nil && !c.read {
			err = werr
		}
		return nil, x.abort(err)
	}
	if werr != nil {
		x.close = true // the server answered without taking the whole request
	}
	if resp.Close {
		x.close = true
	}
	if resp.Body == http.NoBody || resp.Body == nil {
		x.finish(true)
		resp.Body = http.NoBody
		return resp, nil
	}
	resp.Body = &body{src: resp.Body, x: x}
	return resp, nil
}

// readHead reads the final response, passing informational ones to the
// context's trace, as a reverse proxy wants them.
func (c *conn) readHead(ctx context.Context, req *http.Request) (*http.Response, error) {
	c.allowance = c.pool.o.MaxHeaderBytes
	trace := httptrace.ContextClientTrace(ctx)
	for {
		resp, err := http.ReadResponse(c.br, req)
		if err != nil {
			if !c.read && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
				return nil, errNoAnswer
			}
			if c.allowance <= 0 {
				return nil, errHeaderTooLarge
			}
			return nil, err
		}
		if resp.StatusCode < 100 || resp.StatusCode > 199 {
			c.allowance = unlimited
			return resp, nil
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, errors.New("transport: the server switches protocols without being asked")
		}
		if trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(resp.StatusCode, textproto.MIMEHeader(resp.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// errNoAnswer wraps io.EOF, which is what net/http reports.
var errNoAnswer = fmt.Errorf("transport: the server closed the connection without answering: %w", io.EOF)

// stale reports whether an exchange failed only because the server had closed
// the idle connection, so that the request may be sent again.
func (c *conn) stale(req *http.Request, err error) bool {
	if !c.reused || c.read || errors.Is(err, errHeaderTooLarge) {
		return false
	}
	return !c.wrote || replayable(req)
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// exchange is one request and its response on a connection.
type exchange struct {
	conn     *conn
	ctx      context.Context
	msg      *message
	stop     func() bool // ends the watch on the context; nil when there is none
	deadline bool
	close    bool
	writer   chan error // closed when a goroutine has written the message
}

// write sends the message, in the background when it is large.
func (x *exchange) write() error {
	b := x.msg.b
	if len(b) > inline {
		x.conn.wrote = true
		x.writer = make(chan error, 1)
		go func() {
			_, err := x.conn.Conn.Write(b)
			x.writer <- err
		}()
		return nil
	}
	n, err := x.conn.Conn.Write(b)
	x.conn.wrote = n > 0
	return err
}

// abort closes the connection after a failure and returns the cause. The
// message is free to use again when it returns.
func (x *exchange) abort(err error) error {
	if x.stop != nil {
		x.stop()
	}
	_ = x.conn.Close() // err says more
	if x.writer != nil {
		if werr := <-x.writer; werr != nil && !x.conn.read && !errors.Is(werr, net.ErrClosed) {
			return werr
		}
	}
	return err
}

// finish ends the exchange: the connection goes back to its pool if it is clean
// and may be used again, else it is closed.
func (x *exchange) finish(clean bool) {
	c := x.conn
	if x.stop != nil && !x.stop() {
		clean = false // the context ended, or is ending: its deadline may land later
	}
	if x.writer != nil {
		if len(x.writer) == 0 {
			clean = false
			_ = c.Close() // ends the write
		}
		err := <-x.writer
		clean = clean && err == nil
	}
	x.msg.free()
	clean = clean && !x.close && c.br.Buffered() == 0
	if clean && x.deadline {
		clean = c.SetDeadline(time.Time{}) == nil
	}
	if clean {
		c.pool.put(c)
	} else {
		_ = c.Close()
	}
	c.pool.release()
}
