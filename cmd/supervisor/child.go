package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
)

// maxFailures is how often in a row a process may fail to become ready again.
const maxFailures = 5

// unreadyGrace bounds the end of a process that has nothing to finish yet.
const unreadyGrace = 5 * time.Second

// child is one process and those that take its place.
type child struct {
	target          string
	label           string // in the log and in errors; "" for one that runs alone
	addr, adminAddr string // "" leaves it to the environment
	env             []string
	ports           []*state.Port // those of addr and adminAddr, if they are ours

	mu      sync.Mutex
	process *state.Process
	tail    *tail
	ready   readyLine // zero until the process is
	last    Process   // as it served last
	since   time.Time // when it became ready
}

// StartError is a process that did not become ready.
type StartError struct {
	Target string // "" when it runs alone
	// Code is its exit code: -1 when a signal ended it, 0 when it did not end.
	Code int
	// Said are its last words, and how it ended if it had none.
	Said string
}

func (e *StartError) Error() string { return named(e.Target, e.Said) }

// EndError is a process that ended by itself.
type EndError struct {
	Target string // "" when it runs alone
	Code   int    // -1 when a signal ended it
}

func (e *EndError) Error() string {
	return named(e.Target, fmt.Sprintf("the project stopped by itself with code %d", e.Code))
}

func named(target, message string) string {
	if target == "" {
		return message
	}
	return target + ": " + message
}

// launch starts a child and waits until it is ready. When ctx ends first the child
// is left running, for Stop to end it in its turn.
func (s *Supervisor) launch(ctx context.Context, c *child) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fail := func(code int, said string) error { return &StartError{Target: c.label, Code: code, Said: said} }
	tail := newTail(s.log, c.label)
	process, err := s.o.State.Start(state.Command{
		Path: s.o.Path, Args: []string{"-target", c.target}, Dir: s.o.Dir, Env: c.environment(), Stdout: tail, Stderr: tail,
	})
	if err != nil {
		return fail(0, "cannot start "+s.o.Path+": "+err.Error())
	}
	c.begin(process, tail)
	timeout := time.NewTimer(s.o.ReadyTimeout)
	defer timeout.Stop()
	select {
	case ready := <-tail.ready:
		c.serve(ready, s.o.State.Now())
		return nil
	case <-process.Done():
		tail.end()
		said := tail.words()
		if said == "" {
			said = fmt.Sprintf("the project %s before it was ready", process.Ending())
		}
		return fail(process.ExitCode(), said)
	case <-timeout.C:
		process.Stop(time.Second)
		tail.end()
		return fail(0, fmt.Sprintf("the project did not become ready within %s", s.o.ReadyTimeout))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *child) environment() []string {
	env := c.env[:len(c.env):len(c.env)]
	if c.addr != "" {
		env = append(env, "ADDR="+c.addr)
	}
	if c.adminAddr != "" {
		env = append(env, "ADMIN_ADDR="+c.adminAddr)
	}
	return env
}

func (c *child) begin(process *state.Process, tail *tail) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process, c.tail, c.ready = process, tail, readyLine{}
}

// serve notes that the process is ready, and that its successors listen where it
// does.
func (c *child) serve(ready readyLine, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.since = ready, now
	c.addr, c.adminAddr = pin(c.addr, ready.URL), pin(c.adminAddr, ready.Admin)
	c.last = Process{Target: c.target, PID: c.process.Pid(), URL: ready.URL, Admin: ready.Admin}
}

// pin replaces port 0 of an address by the port that the system chose.
func pin(addr, chosen string) string {
	host, port, err := net.SplitHostPort(addr)
	u, bad := url.Parse(chosen)
	if err != nil || bad != nil || port != "0" {
		return addr
	}
	return net.JoinHostPort(host, u.Port())
}

func (c *child) running() Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// stop ends the process, if it runs. The error says that it served and did not end
// in order.
func (c *child) stop(grace time.Duration) error {
	c.mu.Lock()
	process, tail, serves := c.process, c.tail, c.ready != readyLine{}
	c.mu.Unlock()
	if process == nil {
		return nil
	}
	defer tail.end()
	select {
	case <-process.Done():
		return nil // it has been reported
	default:
	}
	if !serves {
		grace = min(grace, unreadyGrace)
	}
	process.Stop(grace)
	if serves && process.ExitCode() != 0 {
		return errors.New(named(c.label, "the project did not stop in order: it "+process.Ending()))
	}
	return nil
}

// keep starts a child again whenever it ends, until Stop, or until it no longer
// becomes ready.
func (s *Supervisor) keep(c *child) {
	pauses := backoff{first: 100 * time.Millisecond, max: 5 * time.Second, calm: 10 * time.Second}
	for restarts := 1; ; restarts++ {
		process := c.process
		select {
		case <-process.Done():
		case <-s.life.Done():
			return
		}
		c.tail.end()
		if c.label == "" {
			s.fail(&EndError{Code: process.ExitCode()})
			return
		}
		died := s.o.State.Now()
		if err := s.revive(c, &pauses, died.Sub(c.since)); err != nil {
			if s.life.Err() == nil {
				s.fail(fmt.Errorf("given up after %d attempts to start it again: %w", maxFailures, err))
			}
			return
		}
		took := s.o.State.Now().Sub(died)
		s.report("%s (pid %d) %s; started again as pid %d after %s (%s restart)",
			c.target, process.Pid(), process.Ending(), c.process.Pid(), took.Round(time.Millisecond), ordinal(restarts))
	}
}

// revive starts a child until it is ready, with growing pauses.
func (s *Supervisor) revive(c *child, pauses *backoff, lived time.Duration) error {
	for failures := 1; ; failures++ {
		select {
		case <-s.o.after(pauses.next(lived)):
		case <-s.life.Done():
			return s.life.Err()
		}
		lived = 0
		err := s.launch(s.life, c)
		if err == nil || s.life.Err() != nil || failures == maxFailures {
			return err
		}
		s.report("%v (%s of %d attempts to start it again failed)", err, ordinal(failures), maxFailures)
	}
}

func (s *Supervisor) report(format string, args ...any) {
	line := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	_, _ = io.WriteString(s.log, line+"\n") // as with the rest of the log
	if s.o.Report != nil {
		s.o.Report(line)
	}
}
