package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/e6b96b0c/backend/templates/platform/peer"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

// Local calls another service's operation in the same process the way a remote
// call would: outside the caller's unit of work, and in one of its own where db is not
// nil. After the unit's first write it refuses with store.ErrCallAfterWrite, for the
// other service could not see the write, and on a single-writer engine it would wait
// for it forever. An error that means something to a client holds a *problem.Problem
// (errors.As); any other makes the caller fail.
func Local[In any, Out Response](ctx context.Context, db *store.DB, serve func(context.Context, In) (Out, error), in In) (out Out, err error) {
	if store.Writing(ctx) {
		return out, store.ErrCallAfterWrite
	}
	ctx = called(store.Detach(ctx), RequestID(ctx))
	if db == nil {
		out, err = serve(ctx, in)
		return out, forCaller(err)
	}
	err = db.Run(ctx, func(ctx context.Context) error {
		if out, err = serve(ctx, in); err != nil {
			return err
		}
		w := newWriter()
		if err := w.render(out); err != nil {
			return err
		}
		return w.refusal()
	})
	return out, forCaller(unlessRefused(err))
}

// Remote is Local for a service in another process: decode makes the response out of
// what came back.
func Remote[In any, Out Response](ctx context.Context, client *peer.Client, name string, in In, decode func(status int, header http.Header, body []byte) (Out, error)) (out Out, err error) {
	answer, err := peer.Call[In, peer.Answer](ctx, client, name, in)
	if err != nil {
		return out, forCaller(err)
	}
	return decode(answer.Status, answer.Header, answer.Body)
}

// ServeCall lets other processes call an operation, which serve runs as Local does; see
// [Remote].
func ServeCall[In any, Out Response](s *peer.Server, name string, serve func(context.Context, In) (Out, error)) {
	peer.Serve(s, name, func(ctx context.Context, in In) (peer.Answer, error) {
		out, err := serve(ctx, in)
		if err != nil {
			return peer.Answer{}, err
		}
		w := newWriter()
		if err := w.render(out); err != nil {
			return peer.Answer{}, err
		}
		if err := w.whole(); err != nil {
			return peer.Answer{}, err
		}
		return peer.Answer{Status: w.status, Header: w.header, Body: w.body.Bytes()}, nil
	})
}

// NewCalls returns the server of the calls that other processes make.
func NewCalls(o peer.ServerOptions) *peer.Server {
	o.Problem, o.Begin = clientProblem, called
	return peer.NewServer(o)
}

// clientProblem says what an error of an operation means to a client, nil for one that
// nobody foresaw.
func clientProblem(err error) *problem.Problem {
	p := problemOf(err, http.StatusUnprocessableEntity)
	if p == nil || p.Status < 400 || p.Status > 599 {
		return nil
	}
	return p
}

// forCaller makes errors the same whichever process they come from: what they mean to a
// client remains. The cause stays with those that somebody has to see to.
func forCaller(err error) error {
	p := clientProblem(err)
	switch {
	case p == nil, errors.Is(err, peer.ErrUnreachable): // which holds the problem
		return err
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%w (%w)", p, err)
	}
	return p
}
