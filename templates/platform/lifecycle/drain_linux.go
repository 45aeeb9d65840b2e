package lifecycle

import (
	"net"
	"syscall"
)

// refuse lets a listener's connections be accepted, and no new ones be made: the
// system would reset those that wait when a listener is closed. A client that tries
// meanwhile tries again a second later by itself, and is refused then.
//
// It is a filter that drops what has TCP's SYN flag. Where the system does not have
// it, what connects in the last moment is lost.
func refuse(l net.Listener) {
	const flags, syn = 13, 2 // where they are in a TCP header
	control(l, func(fd int) {
		//lint:ignore SA1019 deprecated for golang.org/x/net, which has no more than this
		_ = syscall.AttachLsf(fd, []syscall.SockFilter{ //nolint:staticcheck // as above
			{Code: syscall.BPF_LD | syscall.BPF_B | syscall.BPF_ABS, K: flags},
			{Code: syscall.BPF_JMP | syscall.BPF_JSET | syscall.BPF_K, K: syn, Jf: 1},
			{Code: syscall.BPF_RET | syscall.BPF_K, K: 0},
			{Code: syscall.BPF_RET | syscall.BPF_K, K: 0xffffffff},
		})
	})
}

// waiting reports whether a connection waits to be accepted.
func waiting(l net.Listener) (found bool) {
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	defer func() { _ = syscall.Close(poll) }() // nothing was written
	control(l, func(fd int) {
		if syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}) == nil {
			n, _ := syscall.EpollWait(poll, make([]syscall.EpollEvent, 1), 0) // an interrupted one found none
			found = n > 0
		}
	})
	return found
}

func control(l net.Listener, do func(fd int)) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) }) // it fails only if the listener is closed
	}
}
