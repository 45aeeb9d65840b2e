// Package loadtest drives a server with the requests that its OpenAPI document
// describes, at a fixed offered rate, and tells the truth about how it answered.
//
// The model is open: a request is due at a time fixed in advance, whatever the
// server does, and its response time counts from then. What cannot be trusted
// is called invalid, never rounded into a good figure.
package loadtest

import (
	"context"
	"net/http"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/loadtest/report"
)

// Result is what a run found; see package report.
type Result = report.Result

// Options say what to drive, how hard, and what is expected of it.
type Options struct {
	// BaseURL is the server, such as http://127.0.0.1:41234; the API's BasePath
	// is added to it.
	BaseURL string
	// API is what the server serves, without its stubs.
	API *model.API
	// Stubs are ids of operations left out, to be listed in the result.
	Stubs []string
	// Token returns a credential with the given scopes: used as Bearer token, API
	// key and Basic password. Nil means that requests carry none.
	Token func(ctx context.Context, scopes []string) (string, error)

	// Rate is the offered rate in requests per second; Duration is for how long
	// requests are sent. Their product is the number of requests.
	Rate     float64
	Duration time.Duration
	// Seed fixes the order of operations and every generated value.
	Seed uint64
	// MaxInFlight bounds the unanswered requests. A run that hits the bound is
	// invalid. 0 means DefaultMaxInFlight.
	MaxInFlight int
	// Timeout bounds one request, from its actual send; 0 means DefaultTimeout.
	Timeout time.Duration
	// SLOs decide between pass and fail; made by ParseSLO.
	SLOs []SLO

	// Validate checks a sampled response against the document. It runs beside the
	// load in a bounded pool; nil means that none is checked.
	Validate func(op *model.Operation, status int, header http.Header, body []byte) error
	// Progress is called about four times a second while the load runs; nil for none.
	Progress func(Progress)

	// Setting says what ran, "one process, SQLite, in-process cache"; Facts are about
	// the machine; Rerun is the command that repeats the run. All for the report.
	Setting string
	Facts   map[string]string
	Rerun   string
	// ReportPath is where the HTML page goes; "" for none.
	ReportPath string
}

// The defaults of Options.
const (
	DefaultMaxInFlight = 10_000
	DefaultTimeout     = 10 * time.Second
)

// Progress is a glance at a running test. P99 is of all responses so far, from
// their intended send.
type Progress struct {
	// Phase is "warm-up" or "load".
	Phase   string
	Elapsed time.Duration
	Total   time.Duration
	Sent    int64
	Rate    float64
	Errors  int64
	P99     time.Duration
}
