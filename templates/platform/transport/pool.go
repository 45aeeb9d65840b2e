package transport

import (
	"bufio"
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// pool holds the idle connections to one address, and counts those in use.
type pool struct {
	addr string
	o    *Options
	free chan struct{} // one token per connection that may still be used; nil: no bound

	mu    sync.Mutex
	idle  []*conn // the most recently used last
	sweep bool    // a timer to close idle connections is set
}

func newPool(addr string, o *Options) *pool {
	p := &pool{addr: addr, o: o}
	if o.MaxConnsPerHost > 0 {
		p.free = make(chan struct{}, o.MaxConnsPerHost)
	}
	return p
}

// acquire waits until the bound on connections in use admits one more.
func (p *pool) acquire(ctx context.Context) error {
	if p.free == nil {
		return nil
	}
	select {
	case p.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pool) release() {
	if p.free != nil {
		<-p.free
	}
}

// get returns an idle connection that is still open, or dials. With fresh it
// always dials.
func (p *pool) get(ctx context.Context, fresh bool) (*conn, error) {
	for !fresh {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			break
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if c.alive() {
			c.reused = true
			return c, nil
		}
		_ = c.Close() // the server closed it already
	}
	nc, err := p.o.Dial(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	return newConn(nc, p), nil
}

func newConn(nc net.Conn, p *pool) *conn {
	c := &conn{Conn: nc, pool: p, allowance: unlimited}
	c.br = bufio.NewReaderSize(c, 4<<10)
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw, c.probe = raw, newProbe()
		}
	}
	return c
}

// put keeps a connection for the next request.
func (p *pool) put(c *conn) {
	c.idleSince = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= p.o.MaxIdlePerHost {
		_ = c.Close() // one too many
		return
	}
	p.idle = append(p.idle, c)
	if !p.sweep {
		p.sweep = true
		time.AfterFunc(p.o.IdleTimeout, p.expire)
	}
}

// expire closes the connections that nobody used for the idle timeout, and
// comes back while there are others.
func (p *pool) expire() {
	p.closeIdle(time.Now().Add(-p.o.IdleTimeout))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep = len(p.idle) > 0
	if p.sweep {
		time.AfterFunc(p.o.IdleTimeout, p.expire)
	}
}

// closeIdle closes connections idle since before the given time; the zero time
// means all.
func (p *pool) closeIdle(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[:0]
	for _, c := range p.idle {
		if before.IsZero() || !c.idleSince.After(before) {
			_ = c.Close()
		} else {
			kept = append(kept, c)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
}
