package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

// statusClientLeft is logged for a request whose client did not wait for the
// answer; the number is nginx's.
const statusClientLeft = 499

// unavailableRetry is for a fault that somebody has to see to.
const unavailableRetry = 5 * time.Second

// problemOf turns the error of an operation into what the client may see. It
// returns nil for one that nobody foresaw.
func problemOf(err error, invalid int) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) {
		if p.Status == http.StatusUnprocessableEntity && invalid != p.Status {
			declared := *p
			declared.Status, declared.Title = invalid, http.StatusText(invalid)
			return &declared
		}
		return p
	}
	if p := storeProblem(err, invalid); p != nil {
		return p
	}
	switch {
	case errors.Is(err, store.ErrBusy):
		return problem.Unavailable("the server is busy", time.Second)
	case errors.Is(err, store.ErrUnavailable):
		return problem.Unavailable("the server cannot reach its data", unavailableRetry)
	case errors.Is(err, context.DeadlineExceeded):
		return problem.New(http.StatusGatewayTimeout, "the operation took too long")
	}
	return nil
}

// storeProblem knows the typed errors of the store.
func storeProblem(err error, invalid int) *problem.Problem {
	var (
		notFound  *store.NotFound
		conflict  *store.Conflict
		reference *store.InvalidReference
		version   *store.VersionMismatch
		long      *store.TooLong
		cursor    *store.InvalidCursor
		reused    *store.KeyReused
		taken     *store.KeyTaken
	)
	switch {
	case errors.As(err, &notFound):
		return problem.NotFound(notFound.Error())
	case errors.As(err, &conflict):
		return problem.Conflict(conflict.Error())
	case errors.As(err, &reference):
		return fieldProblem(invalid, "the request refers to something that does not exist",
			problem.FieldError{In: "body", Pointer: reference.Pointer, Message: "names no existing " + reference.Resource})
	case errors.As(err, &long):
		return problem.New(invalid, long.Error())
	case errors.As(err, &version):
		return problem.New(http.StatusPreconditionFailed, version.Error())
	case errors.As(err, &cursor):
		return fieldProblem(invalid, "the request is not valid",
			problem.FieldError{In: "query", Pointer: "/cursor", Message: "is not a cursor of this list: " + cursor.Reason})
	case errors.As(err, &reused):
		return fieldProblem(invalid, reused.Error(),
			problem.FieldError{In: "header", Pointer: "/" + keyHeader, Message: "was used for a different request"})
	case errors.As(err, &taken):
		return problem.Conflict("a request with the same idempotency key is being processed")
	default:
		return nil
	}
}

func fieldProblem(status int, detail string, fault problem.FieldError) *problem.Problem {
	p := problem.New(status, detail)
	p.Errors = []problem.FieldError{fault}
	return p
}
