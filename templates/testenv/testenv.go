// Package testenv gives tests real servers: one that the environment names, or one
// that it starts from the installed binaries, on a free loopback port, in a
// temporary folder. What it starts dies with the test process, even if that is
// killed, and leaves nothing behind.
package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// readyWithin bounds the start of a server, on a machine that is busy.
const readyWithin = 60 * time.Second

// require makes a missing server a failure instead of a skip: for CI.
const require = "BACKEND_TEST_REQUIRE"

// missing skips t, or fails it if every server is required.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(require) == "all" {
		t.Fatalf("%s, and %s is all", what, require)
	}
	t.Skip(what)
}

// fatal fails t when a server did not start; where there is none to start it is missing.
func fatal(t testing.TB, server string, err, none error) {
	t.Helper()
	switch {
	case errors.Is(err, none):
		missing(t, none.Error())
	case err != nil:
		t.Fatalf("start %s: %v", server, err)
	}
}

// supervisor runs a server, and ends it when told so, or when nobody is left to say
// anything: its standard input is a pipe that only the test process holds. In the
// latter case it removes the folder. Its arguments are the folder, the signal that
// ends the server, and the server's command line.
const supervisor = `dir=$1 signal=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
{ read -r _ <&3 || : >"$dir/abandoned"; kill -"$signal" $server; } 2>/dev/null & listener=$!
wait $server; status=$?
kill $listener 2>/dev/null
[ ! -e "$dir/abandoned" ] || rm -rf "$dir"
exit $status`

// process is a server that runs under its supervisor.
type process struct {
	tell io.WriteCloser
	done chan struct{} // closed when the server has exited
	log  string        // the path of what it prints
}

// start runs a server whose data is below dir.
func start(dir, signal string, as func(*exec.Cmd), command ...string) (*process, error) {
	p := &process{done: make(chan struct{}), log: filepath.Join(dir, "log")}
	log, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) // #nosec G304 -- in our own folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                                                                   // the server has its own handle
	cmd := exec.Command("/bin/sh", append([]string{"-c", supervisor, "sh", dir, signal}, command...)...) // #nosec G204 -- our own command
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	as(cmd)
	if p.tell, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // what matters is that it has ended
		close(p.done)
	}()
	return p, nil
}

// stop ends the server and waits until it has.
func (p *process) stop() {
	_, _ = io.WriteString(p.tell, "stop\n") // it may have ended already
	_ = p.tell.Close()
	<-p.done
}

// await waits until probe succeeds.
func (p *process) await(probe func() error) error {
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := probe()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-p.done:
			return fmt.Errorf("the server ended: %s", p.lastWords())
		case <-deadline.C:
			p.stop()
			return fmt.Errorf("the server was not ready within %s: %w: %s", readyWithin, err, p.lastWords())
		}
	}
}

func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// freePort returns a loopback port that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // nothing was sent
	return l.Addr().(*net.TCPAddr).Port, nil
}

// shared is the one server of a kind in this process. It is never stopped: its
// supervisor sees to that when the process ends.
func shared[S any](start func() (S, error)) func() (S, error) { return sync.OnceValues(start) }
