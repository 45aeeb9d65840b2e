package state

import (
	"net"
	"os"
	"strconv"
	"syscall"
)

// Port is a free TCP port of 127.0.0.1, kept for a child to listen on.
//
// It is a socket that is bound and never listens. So the kernel gives the port to
// nobody else who asks for a free one, nor to an outgoing connection, whether the
// child runs or not; the child can listen on it all the same, for both sockets set
// SO_REUSEADDR, as net.Listen does; and nobody is served there while it does not.
type Port struct {
	addr   string
	socket int
}

// HoldPort keeps a free port. Close it.
func HoldPort() (*Port, error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	number, err := bind(socket)
	if err != nil {
		_ = syscall.Close(socket) // the error says more
		return nil, err
	}
	return &Port{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(number)), socket: socket}, nil
}

func bind(socket int) (number int, err error) {
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return name.(*syscall.SockaddrInet4).Port, nil
}

// Addr is host:port.
func (p *Port) Addr() string { return p.addr }

// Lend lets a child listen. It stays possible until Close.
func (p *Port) Lend() {}

// Close gives the port up.
func (p *Port) Close() { _ = syscall.Close(p.socket) }
