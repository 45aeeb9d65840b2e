package scenario

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Answer is what came back for a step.
type Answer struct {
	Status int // 0: none
	Header http.Header
	Body   []byte
	Err    error // why there was none
}

// Do sends a step's request.
type Do func(ctx context.Context, st *Step) Answer

// The bounds of a warm-up.
const (
	warmRows     = 20 // of each resource
	warmFailures = 5  // in a row, after which a resource is given up
	warmRequests = 2000
	warmTime     = 20 * time.Second
)

// warmStart keeps the numbers of warm-up requests apart from those of the run.
const warmStart = 1 << 62

// WarmUp fetches the credential and creates a few of each resource, those first
// that others refer to, so that the run finds rows to work on. It is sequential
// and bounded. each is called for every answer.
func (s *Scenario) WarmUp(ctx context.Context, do Do, each func(*Step, Answer)) error {
	if err := s.auth.refresh(ctx, 0); err != nil {
		return err
	}
	w := &warming{s: s, do: do, each: each, until: time.Now().Add(warmTime)}
	for _, op := range s.creators() {
		w.fill(ctx, op, op.creates)
	}
	for _, op := range s.ops {
		if (op.Model.Method == http.MethodPut || op.Model.Method == http.MethodPatch) && s.reads(op.Model.Path) {
			w.one(ctx, op) // settings, say, which are not there until they are written
		}
	}
	for _, op := range s.ops {
		if op.lists != nil && op.lists.size() == 0 {
			w.fill(ctx, op, op.lists)
		}
	}
	for _, op := range s.ops {
		if op.needsETag && op.pool != nil && op.pool.reader != nil {
			for range len(op.pool.lacking(warmRows)) {
				w.one(ctx, op.pool.reader)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.unreachable
}

// reads reports whether something reads the one thing that a path without placeholders
// names.
func (s *Scenario) reads(path string) bool {
	return !strings.Contains(path, "{") && slices.ContainsFunc(s.ops, func(op *Op) bool { return op.Model.Method == http.MethodGet && op.Model.Path == path })
}

// Refresh fetches a new credential in place of the one that st was refused.
func (s *Scenario) Refresh(ctx context.Context, st *Step) error { return s.auth.refresh(ctx, st.token) }

type warming struct {
	s     *Scenario
	do    Do
	each  func(*Step, Answer)
	until time.Time
	count uint64
	// unreachable is set when the very first request got no answer.
	unreachable error
}

// fill repeats op until its pool has some rows.
func (w *warming) fill(ctx context.Context, op *Op, p *pool) {
	failures := 0
	for range 2 * warmRows {
		if p.size() >= warmRows || failures >= warmFailures || w.unreachable != nil {
			return
		}
		before := p.size()
		if !w.one(ctx, op) {
			return
		}
		if p.size() > before {
			failures = 0
		} else {
			failures++
		}
	}
}

// one makes one request; false when the bounds are reached.
func (w *warming) one(ctx context.Context, op *Op) bool {
	if ctx.Err() != nil || w.count >= warmRequests || time.Now().After(w.until) {
		return false
	}
	st := w.s.step(ctx, op, warmStart+w.count)
	a := w.do(ctx, st)
	w.s.Done(st, a.Status, a.Header, a.Body)
	w.each(st, a)
	if w.count == 0 && a.Err != nil && ctx.Err() == nil {
		w.unreachable = fmt.Errorf("the server does not answer: %w", a.Err)
	}
	w.count++
	return true
}

// creators returns the operations that create rows, each after those whose rows
// it refers to.
func (s *Scenario) creators() []*Op {
	var order []*Op
	state := map[*Op]int{}
	var visit func(op *Op)
	visit = func(op *Op) {
		if op == nil || state[op] != 0 {
			return // done, or a cycle: somebody has to be first
		}
		state[op] = 1
		for _, p := range op.needs() {
			if p != op.creates {
				visit(p.creator)
			}
		}
		order = append(order, op)
	}
	for _, op := range s.ops {
		if op.creates != nil {
			visit(op)
		}
	}
	return order
}

// needs are the pools that a request takes rows from.
func (o *Op) needs() []*pool {
	var pools []*pool
	for _, p := range o.params {
		if p.pool != nil {
			pools = append(pools, p.pool)
		}
	}
	for _, src := range o.slots {
		if src.pool != nil {
			pools = append(pools, src.pool)
		}
	}
	for _, q := range o.query {
		if q.refer != nil {
			pools = append(pools, q.refer)
		}
	}
	return pools
}
