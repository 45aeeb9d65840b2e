// Package lifecycle runs the server from its listening sockets to its last
// closed store: it says when it is ready, and stops in order.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	// ErrListen says that an address could not be listened on.
	ErrListen = errors.New("cannot listen")
	// ErrForced says that the server was stopped before its work had finished:
	// by a second signal, or because the time for it was over.
	ErrForced = errors.New("the shutdown was forced")
)

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	closeTimeout      = 5 * time.Second // for all closers
)

// Check is a part that the server needs in order to be ready.
type Check struct {
	Name string
	Run  func(context.Context) error
}

// Closer is a part that is closed at the end.
type Closer struct {
	Name  string
	Close func(context.Context) error
}

// Addresses are where the server is reached: http://127.0.0.1:41234.
type Addresses struct {
	URL, Admin string
	// Local says that only this machine reaches the admin address.
	Local bool
}

// Server is what runs.
type Server struct {
	// Addr and AdminAddr are listened on, host:port; port 0 picks a free one.
	Addr, AdminAddr string
	// Handler serves the API.
	Handler http.Handler
	// Log takes what happens; nil means slog.Default().
	Log *slog.Logger
	// Metrics serves GET /metrics on the admin address; nil: nothing does.
	Metrics http.Handler
	// Dev serves POST /dev/token on the admin address, if that is a loopback
	// one; nil: nothing does.
	Dev http.Handler
	// JWKS serves the dev issuer's public keys on the admin address, at
	// GET /.well-known/jwks.json; nil: nothing does.
	JWKS http.Handler
	// Pages makes what serves all other paths of the admin address; nil: nothing does.
	Pages func(Addresses) http.Handler
	// Checks decide about GET /readyz.
	Checks []Check
	// OnReady is called once, when both addresses are served.
	OnReady func(Addresses)
	// Background runs beside the server, until its context is cancelled. One
	// that returns an error stops the server.
	Background []func(context.Context) error
	// Closers are closed last, in reverse order.
	Closers []Closer
	// ShutdownTimeout bounds how long requests and background work may finish;
	// zero means 15 s.
	ShutdownTimeout time.Duration
	// DrainDelay is how long the server goes on after it has said that it is not
	// ready, and ends every connection with its next answer, so that clients and load
	// balancers move on before their idle connections are closed; zero means 200 ms.
	DrainDelay time.Duration
}

// Run serves until ctx is cancelled or a part fails, and then stops in order:
// not ready, requests, background work, closers. It returns nil after an orderly
// stop. A second SIGINT or SIGTERM forces the stop.
func Run(ctx context.Context, s Server) error {
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if s.ShutdownTimeout <= 0 {
		s.ShutdownTimeout = 15 * time.Second
	}
	if s.DrainDelay <= 0 {
		s.DrainDelay = drainDelay
	}
	r := &run{
		Server: s, failed: make(chan error, 2+len(s.Background)),
		accepted: make(chan struct{}), busy: connections{set: map[net.Conn]struct{}{}},
	}
	if err := r.listen(ctx); err != nil {
		return errors.Join(err, r.closeAll(context.WithoutCancel(ctx)))
	}
	r.start(context.WithoutCancel(ctx))
	var err error
	select {
	case <-ctx.Done():
	case err = <-r.failed:
	}
	return errors.Join(err, r.stop(context.WithoutCancel(ctx)))
}

// run is a Server at work.
type run struct {
	Server
	public, admin   net.Listener
	api, adminAPI   *http.Server
	abort           context.CancelFunc // cancels the requests in flight
	stopWork        context.CancelFunc // cancels the background work
	work            sync.WaitGroup
	ready, stopping atomic.Bool
	failed          chan error
	accepted        chan struct{} // closed when no more connections are
	busy            connections
}

// listen takes both addresses or none.
func (r *run) listen(ctx context.Context) error {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // its sockets take no filter; see refuse
	public, err := config.Listen(ctx, "tcp", r.Addr)
	if err != nil {
		return fmt.Errorf("%w on ADDR=%s: %w", ErrListen, r.Addr, err)
	}
	admin, err := config.Listen(ctx, "tcp", r.AdminAddr)
	if err != nil {
		_ = public.Close() // nothing was served on it
		return fmt.Errorf("%w on ADMIN_ADDR=%s: %w", ErrListen, r.AdminAddr, err)
	}
	r.public, r.admin = public, admin
	return nil
}

func (r *run) start(ctx context.Context) {
	base, abort := context.WithCancel(ctx)
	r.abort = abort
	r.api = r.server(base, r.farewell(r.Handler))
	r.api.ConnState = r.busy.note
	r.adminAPI = r.server(base, r.adminHandler())
	go func() {
		defer close(r.accepted)
		r.serve(r.api, r.public)
	}()
	go r.serve(r.adminAPI, r.admin)

	work, stopWork := context.WithCancel(ctx)
	r.stopWork = stopWork
	for _, task := range r.Background {
		r.work.Go(func() {
			if err := task(work); err != nil && !r.stopping.Load() {
				r.failed <- fmt.Errorf("background work: %w", err)
			}
		})
	}
	r.ready.Store(true)
	a := r.addresses()
	r.Log.InfoContext(ctx, "ready", slog.String("url", a.URL), slog.String("admin", a.Admin), slog.Int("pid", os.Getpid()))
	if r.OnReady != nil {
		r.OnReady(a)
	}
}

func (r *run) addresses() Addresses {
	return Addresses{
		URL: "http://" + reachable(r.public), Admin: "http://" + reachable(r.admin), Local: IsLoopback(r.admin.Addr().String()),
	}
}

// reachable is a listener's address as a client on this machine writes it.
func reachable(l net.Listener) string {
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok || !a.IP.IsUnspecified() {
		return l.Addr().String()
	}
	return fmt.Sprintf("127.0.0.1:%d", a.Port)
}

func (r *run) server(base context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(r.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
}

func (r *run) serve(s *http.Server, l net.Listener) {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) && !r.stopping.Load() {
		r.failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
}

// stop ends everything in order.
func (r *run) stop(ctx context.Context) error {
	defer r.abort()
	r.ready.Store(false)
	r.Log.InfoContext(ctx, "stopping")

	ctx, release := forcible(ctx)
	defer release()
	drain, cancel := context.WithTimeout(ctx, r.DrainDelay+r.ShutdownTimeout)
	defer cancel()
	forced := r.drain(drain) != nil
	if forced {
		r.abort()
		_ = r.api.Close() // Shutdown has said already that connections are open
	}
	r.stopWork()
	if !finished(drain, &r.work) {
		forced = true
	}
	err := r.closeAll(ctx)
	_ = r.adminAPI.Close() // last, so that health and metrics are there to the end
	if forced {
		err = errors.Join(ErrForced, err)
	}
	r.Log.InfoContext(ctx, "stopped", slog.Bool("forced", forced))
	return err
}

// forcible returns a context that the next signal cancels.
func forcible(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// finished waits for the work until ctx ends.
func finished(ctx context.Context, work *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select { // both may have happened
	case <-done:
		return true
	default:
		return false
	}
}

// closeAll closes the parts in reverse order; each is closed whatever became of
// the others.
func (r *run) closeAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	var errs []error
	for i := len(r.Closers) - 1; i >= 0; i-- {
		if err := r.Closers[i].Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", r.Closers[i].Name, err))
		}
	}
	return errors.Join(errs...)
}
