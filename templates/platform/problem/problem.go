// Package problem is the one shape in which this server reports errors to its
// clients: the problem details of RFC 9457, extended by a list of field errors.
package problem

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Blank is the type of a problem that its status says all about.
const Blank = "about:blank"

// MediaType is the media type of a Problem in JSON, RFC 9457 section 3.
const MediaType = "application/problem+json"

// Problem is an error that a client may see. It implements error, so it is
// returned like any other; whatever is not a Problem reaches a client as a
// plain 500 without its text.
type Problem struct {
	// Type is a URI that identifies the kind of problem. New sets "about:blank",
	// the default of RFC 9457, section 4.2.1: the status says it all. It is sent
	// all the same, for many documents require the member.
	Type string `json:"type"`
	// Title is a short summary that does not change from one occurrence to the next.
	Title string `json:"title"`
	// Status is the HTTP status code.
	Status int `json:"status"`
	// Detail explains this occurrence, for a human.
	Detail string `json:"detail"`
	// Instance is a URI reference that identifies this occurrence.
	Instance string `json:"instance,omitempty"`
	// Errors holds one entry for each wrong part of the request.
	Errors []FieldError `json:"errors,omitempty"`
	// Header holds response headers that belong to the problem, such as
	// Retry-After, WWW-Authenticate and Allow. It may be nil.
	Header http.Header `json:"-"`
}

// FieldError says what is wrong with one part of a request.
type FieldError struct {
	// In is where the part stands: body, query, path, header or cookie.
	In string `json:"in,omitempty"`
	// Pointer is a JSON pointer (RFC 6901) into the body, or "/name" for a
	// parameter; empty for the whole body.
	Pointer string `json:"pointer"`
	// Message completes the sentence "this part …", as in "is required".
	Message string `json:"message"`
}

// New returns a problem whose title is the standard text of the status. Without
// a detail the title stands in for it.
func New(status int, detail string) *Problem {
	title := http.StatusText(status)
	if title == "" {
		title = "Status " + strconv.Itoa(status)
	}
	if detail == "" {
		detail = title
	}
	return &Problem{Type: Blank, Title: title, Status: status, Detail: detail}
}

// Error returns the title, with the detail where there is one.
func (p *Problem) Error() string {
	if p.Detail == "" || p.Detail == p.Title {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// With adds a response header and returns p.
func (p *Problem) With(name, value string) *Problem {
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.Header.Add(name, value)
	return p
}

// BadRequest is a 400: the request cannot be understood.
func BadRequest(detail string) *Problem { return New(http.StatusBadRequest, detail) }

// Unauthorized is a 401: the caller is not known.
func Unauthorized(detail string) *Problem { return New(http.StatusUnauthorized, detail) }

// Forbidden is a 403: the caller is known, and may not do this.
func Forbidden(detail string) *Problem { return New(http.StatusForbidden, detail) }

// NotFound is a 404: there is no such resource.
func NotFound(detail string) *Problem { return New(http.StatusNotFound, detail) }

// Conflict is a 409: the request contradicts the resource's present state.
func Conflict(detail string) *Problem { return New(http.StatusConflict, detail) }

// Invalid is a 422: the request is understood, and errs says what is wrong in it.
func Invalid(detail string, errs ...FieldError) *Problem {
	p := New(http.StatusUnprocessableEntity, detail)
	p.Errors = errs
	return p
}

// TooManyRequests is a 429 that asks the client to wait for retryAfter.
func TooManyRequests(retryAfter time.Duration) *Problem {
	return New(http.StatusTooManyRequests, "too many requests").
		With("Retry-After", seconds(retryAfter))
}

// Unimplemented is a 501: the operation is declared, and has no code yet.
func Unimplemented(operation, reason string) *Problem {
	detail := "operation " + operation + " is not implemented"
	if reason != "" {
		detail += ": " + reason
	}
	return New(http.StatusNotImplemented, detail)
}

// Unavailable is a 503: a part that this server needs is down or busy. The
// client is asked to wait for retryAfter.
func Unavailable(detail string, retryAfter time.Duration) *Problem {
	return New(http.StatusServiceUnavailable, detail).
		With("Retry-After", seconds(retryAfter))
}

// seconds rounds up: a client told to wait 0 seconds would not wait at all.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
