package attack

import (
	"context"
	"sync/atomic"
	"time"
)

// Clock tells the time and waits; tests have their own.
type Clock interface {
	Now() time.Time
	// SleepUntil returns at t, as exactly as it can, or when ctx ends.
	SleepUntil(ctx context.Context, t time.Time)
}

// Pacer releases the requests of a plan, each when it is due. It implements
// vegeta's Pacer.
type Pacer struct {
	plan   Plan
	clock  Clock
	ctx    context.Context
	flight *Flight

	began    time.Time // when the first request was released; set before any worker runs
	released time.Time // when the last one was
	behind   atomic.Bool
}

// NewPacer returns a pacer that stops early when ctx ends. flight tells it
// whether requests wait for the in-flight bound.
func NewPacer(ctx context.Context, plan Plan, clock Clock, flight *Flight) *Pacer {
	return &Pacer{plan: plan, clock: clock, ctx: ctx, flight: flight}
}

// handover is how long passing a request to a free worker may take; longer,
// with every worker busy, means that it waited for one.
const handover = time.Millisecond

// Pace waits until request number hits is due. The wait happens in here rather
// than in vegeta, whose plain sleep is late by up to a millisecond.
func (p *Pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= p.plan.Count() || p.ctx.Err() != nil {
		return 0, true
	}
	now := p.clock.Now()
	full := p.flight.wasFull()
	if hits == 0 {
		p.began = now
	} else if full && now.Sub(p.released) > handover {
		p.behind.Store(true)
	}
	due := p.began.Add(p.plan.At(hits))
	if now.Before(due) {
		p.behind.Store(false) // caught up
		p.clock.SleepUntil(p.ctx, due)
		if p.ctx.Err() != nil {
			return 0, true
		}
		now = p.clock.Now()
	}
	p.released = now
	return 0, false
}

// Rate is the offered rate at a time; vegeta's interface wants it.
func (p *Pacer) Rate(elapsed time.Duration) float64 { return p.plan.Rate(elapsed) }

// Began is when the first request was released. It may be called from requests.
func (p *Pacer) Began() time.Time { return p.began }

// Intended is when request n was meant to be sent.
func (p *Pacer) Intended(n uint64) time.Time { return p.began.Add(p.plan.At(n)) }

// Behind reports whether requests are late because the in-flight bound made
// them wait, rather than because the generator was slow.
func (p *Pacer) Behind() bool { return p.behind.Load() }

// Flight counts the requests in flight.
type Flight struct {
	bound   int64
	current atomic.Int64
	peak    atomic.Int64
	full    atomic.Bool
}

// NewFlight returns a counter with a bound, which it watches but does not enforce.
func NewFlight(bound int) *Flight { return &Flight{bound: int64(bound)} }

// Enter counts a request in.
func (f *Flight) Enter() {
	n := f.current.Add(1)
	if n >= f.bound {
		f.full.Store(true)
	}
	for {
		peak := f.peak.Load()
		if n <= peak || f.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// Leave counts a request out.
func (f *Flight) Leave() { f.current.Add(-1) }

// Peak is the most requests that were in flight at once.
func (f *Flight) Peak() int { return int(f.peak.Load()) }

// wasFull reports whether the bound was reached since it was last asked.
func (f *Flight) wasFull() bool { return f.full.Swap(false) || f.current.Load() >= f.bound }
