//go:build !linux

package state

import "net"

// Port is a free TCP port of 127.0.0.1, kept for a child to listen on. It is kept
// until it is lent; after that the port is not likely to be given to another, for
// systems go through the free ones in turn.
type Port struct{ listener net.Listener }

// HoldPort keeps a free port. Close it.
func HoldPort() (*Port, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &Port{l}, nil
}

// Addr is host:port.
func (p *Port) Addr() string { return p.listener.Addr().String() }

// Lend lets a child listen. It stays possible until Close.
func (p *Port) Lend() { _ = p.listener.Close() }

// Close gives the port up.
func (p *Port) Close() { _ = p.listener.Close() }
