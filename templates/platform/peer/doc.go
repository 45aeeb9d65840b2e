// Package peer carries calls between the services of one backend when each runs
// in a process of its own: requests and responses as JSON, over HTTP, between
// processes that share a secret.
package peer

import (
	"net/http"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// Header is what tells calls from requests, and carries the secret. Whoever passes the
// requests of others on removes it.
const Header = "Service-Authorization"

const (
	prefix        = "/-/calls/" // of the path of a call
	nameHeader    = "Service-Name"
	callerHeader  = "Service-Caller"  // the end user: a principal as JSON in base64
	timeoutHeader = "Service-Timeout" // what is left of the end user's time, in ms
	idHeader      = "X-Request-Id"

	pingName = "ping"   // a call that does nothing
	maxBody  = 64 << 20 // of a call and of its reply, in bytes
)

// reply is what a call comes back with: a result, a problem for the end user with its
// header fields, or what went wrong inside, which is no end user's business.
type reply[T any] struct {
	Out     T                `json:"out"`
	Problem *problem.Problem `json:"problem,omitempty"`
	Header  http.Header      `json:"header,omitempty"`
	Failed  string           `json:"failed,omitempty"`
}

// Answer is the response of an operation, as a call returns it.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"body,omitempty"`
}
