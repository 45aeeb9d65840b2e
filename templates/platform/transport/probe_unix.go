//go:build unix

package transport

import "syscall"

// probe looks whether an idle connection has something to read. The closure is
// made once per connection, for it would be an allocation per request.
type probe struct {
	buf  [1]byte
	idle bool
	look func(fd uintptr) bool
}

func newProbe() *probe {
	p := &probe{}
	p.look = func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), p.buf[:]) // sockets of package net do not block
		p.idle = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true // do not wait for data
	}
	return p
}

// alive reports whether the server has neither closed the idle connection nor
// sent anything unasked; either makes it unusable, so nothing is lost by reading.
func (c *conn) alive() bool {
	if c.raw == nil {
		return true
	}
	return c.raw.Read(c.probe.look) == nil && c.probe.idle
}
