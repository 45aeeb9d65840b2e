// Package supervisor runs a generated project: as one process, or as one process
// per service with a gateway in front. It starts them in order, restarts a service
// or gateway that ends, and stops them in order.
package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/templates/platform/config"
)

// Options say what to run.
type Options struct {
	State *state.State
	// Path is the project's binary, Dir the folder that it works in.
	Path, Dir string
	// Env is added to the environment of every process.
	Env []string
	// Front is the target that clients talk to, Addr and AdminAddr where it
	// listens, host:port; "" leaves that to its environment.
	Front, Addr, AdminAddr string
	// Services are the targets behind it, each in a process of its own on a free
	// port that it keeps; all find one another. With none, Front runs alone and is
	// not restarted: its end is the end.
	Services []string
	// Log takes the log of every process, by whole lines; nil drops it.
	Log io.Writer
	// Report takes the line about a restart that the log has too; nil drops it.
	Report func(line string)
	// ReadyTimeout bounds the time from a start to the line that says ready, and
	// StopTimeout how long a process may take to end; 0 means 30 s and 20 s.
	ReadyTimeout, StopTimeout time.Duration

	// after is time.After but in tests.
	after func(time.Duration) <-chan time.Time
}

// Process is one process that serves. Its JSON is part of what `run` prints.
type Process struct {
	Target string `json:"target"`
	PID    int    `json:"pid"`
	URL    string `json:"url"`
	Admin  string `json:"admin"`
}

// Supervisor keeps a project running. Stop it.
type Supervisor struct {
	o        Options
	log      io.Writer
	front    *child
	services []*child

	life    context.Context // ends when Stop begins
	end     context.CancelFunc
	keepers sync.WaitGroup

	failing sync.Once
	failed  chan struct{}
	failure error

	stopping sync.Once
	stopped  error
}

// Start starts the services at once and, when all are ready, the front, and
// returns when that is ready. A *StartError says which one could not; then, as when
// ctx ends first, all are stopped again.
func Start(ctx context.Context, o Options) (*Supervisor, error) {
	o.ReadyTimeout = cmp.Or(o.ReadyTimeout, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 20*time.Second)
	if o.after == nil {
		o.after = time.After
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	s := &Supervisor{o: o, log: &shared{to: o.Log}, failed: make(chan struct{})}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	err := s.prepare()
	if err == nil {
		err = s.boot(ctx)
	}
	if err != nil {
		_ = s.Stop() // why it did not start says more
		return nil, err
	}
	return s, nil
}

// prepare makes the children, and gives every service its ports and the addresses
// of all.
func (s *Supervisor) prepare() error {
	env := s.o.Env
	for _, name := range s.o.Services {
		public, err := state.HoldPort()
		if err != nil {
			return fmt.Errorf("no free port: %w", err)
		}
		admin, err := state.HoldPort()
		if err != nil {
			public.Close()
			return fmt.Errorf("no free port: %w", err)
		}
		s.services = append(s.services, &child{
			target: name, label: name, addr: public.Addr(), adminAddr: admin.Addr(), ports: []*state.Port{public, admin},
		})
		env = append(env[:len(env):len(env)], config.ServiceVariable(name, "URL")+"=http://"+public.Addr())
	}
	s.front = &child{target: s.o.Front, addr: s.o.Addr, adminAddr: s.o.AdminAddr}
	if len(s.services) > 0 {
		s.front.label = s.o.Front
	}
	for _, c := range s.children() {
		c.env = env
	}
	return nil
}

// boot starts everything in order. The first fault ends the other starts.
func (s *Supervisor) boot(ctx context.Context) error {
	for _, c := range s.services {
		for _, p := range c.ports {
			p.Lend() // all before the first start: what is forked meanwhile has a copy
		}
	}
	for _, step := range [][]*child{s.services, {s.front}} {
		starting, cancel := context.WithCancelCause(ctx)
		var started sync.WaitGroup
		for _, c := range step {
			started.Go(func() {
				if err := s.launch(starting, c); err != nil {
					cancel(err)
				}
			})
		}
		started.Wait()
		err := context.Cause(starting)
		cancel(nil)
		if err != nil {
			return err
		}
		for _, c := range step {
			s.keepers.Go(func() { s.keep(c) })
		}
	}
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}

func (s *Supervisor) children() []*child { return append([]*child{s.front}, s.services...) }

// Processes are those that serve, the front first. One that is being restarted is
// listed as it was.
func (s *Supervisor) Processes() []Process {
	var out []Process
	for _, c := range s.children() {
		out = append(out, c.running())
	}
	return out
}

// Failed is closed when the project cannot go on: the front ended, if it runs alone,
// or a process did not become ready again. Err says which; Stop ends the others.
func (s *Supervisor) Failed() <-chan struct{} { return s.failed }

// Err is why the project could not go on, after Failed. It wraps an *EndError or a
// *StartError.
func (s *Supervisor) Err() error { return s.failure }

func (s *Supervisor) fail(err error) {
	s.failing.Do(func() {
		s.failure = err
		close(s.failed)
	})
}

// Stop ends the front, which answers what it has begun, then all services, each
// within its time. The error names those that did not end in order.
func (s *Supervisor) Stop() error {
	s.stopping.Do(func() {
		s.end()
		s.keepers.Wait()
		for _, step := range [][]*child{{s.front}, s.services} {
			faults := make([]error, len(step))
			var stopped sync.WaitGroup
			for i, c := range step {
				stopped.Go(func() { faults[i] = c.stop(s.o.StopTimeout) })
			}
			stopped.Wait()
			s.stopped = errors.Join(s.stopped, errors.Join(faults...))
		}
		for _, c := range s.services {
			for _, p := range c.ports {
				p.Close()
			}
		}
	})
	return s.stopped
}
