package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a running child in a process group of its own, so that a terminal's
// Ctrl-C reaches it through us. It dies with us, even when we are killed.
type Process struct {
	cmd       *exec.Cmd
	done      chan struct{}
	err       error
	interrupt bool
}

// Command says what to start.
type Command struct {
	Path           string
	Args           []string
	Dir            string
	Env            []string // added to this process's environment
	Stdout, Stderr io.Writer
	// Interrupt stops the child, with what it started, by SIGINT as a terminal's
	// Ctrl-C would, for tools that clean up on that signal only: the go command
	// leaves its work folder and its compilers behind when it gets SIGTERM. False
	// means SIGTERM to the child alone.
	Interrupt bool
}

// LookPath finds a program on PATH.
func (s *State) LookPath(name string) (string, error) { return exec.LookPath(name) }

// Start starts a child. Stop it, or wait for Done.
func (s *State) Start(c Command) (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...) //nolint:gosec,noctx // the tools that the user asked for; stopping is in Stop
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdout, c.Stderr
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = ownGroup(c.Interrupt)
	// A child that was told not to stop holds its pipes open through its own
	// children; do not wait for those.
	cmd.WaitDelay = 2 * time.Second
	p := &Process{cmd: cmd, done: make(chan struct{}), interrupt: c.Interrupt}
	started := make(chan error)
	go func() {
		// The parent-death signal is sent when the thread that started the child
		// ends, so the thread stays until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is the child's exit code after Done: 0 fine, -1 ended by a signal.
func (p *Process) ExitCode() int {
	var exit *exec.ExitError
	switch {
	case p.err == nil, errors.Is(p.err, exec.ErrWaitDelay):
		return 0
	case errors.As(p.err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// Ending says how the child ended, after Done: "ended (exit status 1)", "was killed
// (signal: killed)".
func (p *Process) Ending() string {
	var exit *exec.ExitError
	switch {
	case !errors.As(p.err, &exit):
		return fmt.Sprintf("ended (exit status %d)", p.ExitCode())
	case exit.ExitCode() < 0:
		return fmt.Sprintf("was killed (%s)", exit)
	}
	return fmt.Sprintf("ended (%s)", exit)
}

// Stop asks the child to end, and kills its group when it has not after grace.
func (p *Process) Stop(grace time.Duration) {
	select {
	case <-p.done:
		return
	default:
	}
	if p.interrupt {
		interruptGroup(p.cmd.Process.Pid)
	} else {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself just now
	}
	select {
	case <-p.done:
	case <-time.After(grace):
		killGroup(p.cmd.Process.Pid)
		<-p.done
	}
	if p.interrupt {
		killGroup(p.cmd.Process.Pid) // what it started can outlive it by moments
	}
}

// Run starts a child and waits for it; when ctx ends first the child is stopped
// and the context's cause returned.
func (s *State) Run(ctx context.Context, c Command) error {
	p, err := s.Start(c)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.err
	case <-ctx.Done():
		p.Stop(3 * time.Second)
		return context.Cause(ctx)
	}
}
