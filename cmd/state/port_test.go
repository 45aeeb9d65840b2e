package state_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/e6b96b0c/backend/cmd/state"
)

// A port that is held can be listened on, again and again, and nobody is there in
// between. (Not beside tests that start children: between fork and exec a child still
// holds the listener.)
func TestHoldPort(t *testing.T) {
	p, err := state.HoldPort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 3 {
		p.Lend()
		l, err := net.Listen("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		// A connection that the listener's side ends first stays in TIME_WAIT.
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		served, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(served.Close(), c.Close(), l.Close()); err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp", p.Addr()); err == nil {
			t.Fatalf("%v is served", c.RemoteAddr())
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
	}
}

// Nobody who asks for a free port, or connects from one, is given one that is held,
// even when a child has come and gone.
func TestHeldPortIsNobodyElses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a port is given up when it is lent")
	}
	held := map[string]bool{}
	for range 200 {
		p, err := state.HoldPort()
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if held[p.Addr()] {
			t.Fatalf("%s twice", p.Addr())
		}
		held[p.Addr()] = true
		p.Lend()
		l, err := net.Listen("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for range 2000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		served, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for _, addr := range []net.Addr{l.Addr(), c.LocalAddr()} {
			if held[addr.String()] {
				t.Errorf("%s was given away", addr)
			}
		}
		if err := errors.Join(l.Close(), c.Close(), served.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
