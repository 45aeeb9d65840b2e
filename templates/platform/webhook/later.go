package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

const (
	maxRunning = 16   // functions that send at the same time
	maxPending = 1000 // functions that send or wait for their turn
	grace      = 3 * time.Second
)

type requestKey struct{}

// later runs what is sent after a commit.
type later struct {
	ctx      context.Context // of the functions
	cancel   context.CancelCauseFunc
	stopping chan struct{}
	turns    chan struct{}

	mu      sync.Mutex
	pending int
	stopped bool
	group   sync.WaitGroup
}

func (l *later) init() {
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.stopping, l.turns = make(chan struct{}), make(chan struct{}, maxRunning)
}

// AfterCommit calls send in the background once the unit of work of ctx is committed, and
// never if it is rolled back; outside a unit, at once. Its error is logged. The context
// that send gets is the sender's own, with the id of the request: it ends when the server
// stops. What waits or fails by then is lost, for nothing of it is stored.
func (s *Sender) AfterCommit(ctx context.Context, send func(ctx context.Context) error) {
	id := s.requestID(ctx)
	store.AfterCommit(ctx, func() {
		if err := s.later.begin(); err != nil {
			s.report(id, err)
			return
		}
		go func() {
			defer s.later.end()
			if err := s.later.turn(); err != nil {
				s.report(id, err)
				return
			}
			defer func() { <-s.later.turns }()
			s.report(id, call(context.WithValue(s.later.ctx, requestKey{}, id), send))
		}()
	})
}

// call calls a function of the user's: its panic is an error, for nobody else would
// recover it.
func call(ctx context.Context, send func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return send(ctx)
}

func (s *Sender) report(id string, err error) {
	if err != nil {
		s.Log.Error("not sent", slog.String("service", s.Service), slog.String("request_id", id), slog.Any("error", err))
	}
}

// requestID is the id of the request that ctx belongs to, or did before a commit.
func (s *Sender) requestID(ctx context.Context) string {
	if id, ok := ctx.Value(requestKey{}).(string); ok {
		return id
	}
	if s.RequestID == nil {
		return ""
	}
	return s.RequestID(ctx)
}

func (l *later) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopped:
		return ErrStopped
	case l.pending >= maxPending:
		return fmt.Errorf("%d messages wait already", maxPending)
	}
	l.pending++
	l.group.Add(1)
	return nil
}

func (l *later) end() {
	l.mu.Lock()
	l.pending--
	l.mu.Unlock()
	l.group.Done()
}

// turn waits until few enough functions run.
func (l *later) turn() error {
	select {
	case l.turns <- struct{}{}:
		return nil
	case <-l.stopping:
		return ErrStopped
	}
}

// Close stops the sender: nothing waits any more, attempts that are being made get a few
// seconds, at most until ctx ends.
func (s *Sender) Close(ctx context.Context) error {
	defer s.transport.CloseIdleConnections()
	l := &s.later
	l.mu.Lock()
	first := !l.stopped
	l.stopped = true
	l.mu.Unlock()
	if first {
		close(l.stopping)
	}
	done := make(chan struct{})
	go func() {
		l.group.Wait()
		close(done)
	}()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	defer l.cancel(ErrStopped)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("messages were still being sent")
	}
}
