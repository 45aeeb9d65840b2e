// Package report holds the result of a load test and its three forms: JSON, a
// text summary, and one self-contained HTML page.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The verdicts.
const (
	Pass    = "pass"    // every SLO held
	Fail    = "fail"    // an SLO was missed
	Invalid = "invalid" // the measurement cannot be trusted
)

// Result is what a run found. Its JSON is a contract with other programs; times
// are milliseconds, rates are requests per second.
type Result struct {
	Verdict string `json:"verdict"`
	// Reasons say why a run is invalid, or which SLOs were missed.
	Reasons []string `json:"reasons"`
	Target  string   `json:"target"`
	// Setting is what the target ran as and on, "one process, SQLite, in-process cache".
	Setting string `json:"setting"`
	Seed    uint64 `json:"seed"`

	OfferedRate     float64 `json:"offered_rate"`
	AchievedRate    float64 `json:"achieved_rate"`
	DurationSeconds float64 `json:"duration_seconds"`
	// InFlightMax is the most requests that were unanswered at once, and
	// InFlightBound the bound on it.
	InFlightMax   int `json:"in_flight_max"`
	InFlightBound int `json:"in_flight_bound"`
	// ScheduleLag is how much later than intended requests were sent.
	ScheduleLag Lag `json:"schedule_lag_ms"`
	// Abandoned requests were unanswered when the run was interrupted.
	Abandoned int64 `json:"abandoned,omitempty"`

	Total      Stats       `json:"total"`
	Operations []Operation `json:"operations"`
	SLO        []SLO       `json:"slo"`
	// Capacity is what a search for the capacity found; nil when none was made.
	Capacity any `json:"capacity"`
	// Report is the path of the HTML page, "" when none was written.
	Report string `json:"report"`

	// Stubs are operations left out because the target only stubs them, and
	// NotExercised those that could not be requested, with the reason.
	Stubs        []string  `json:"stubs"`
	NotExercised []Skipped `json:"not_exercised"`
	// NeverSucceeded are operations whose every answer was a refusal that the document
	// declares: their times are no measure of what they do.
	NeverSucceeded []Skipped `json:"never_succeeded"`
	// WarmUp is what was created before the measurement began.
	WarmUp WarmUp `json:"warm_up"`

	Started  time.Time         `json:"started"`
	Facts    map[string]string `json:"facts,omitempty"`
	Rerun    string            `json:"rerun,omitempty"`
	Timeline []Interval        `json:"timeline,omitempty"`
	Curve    []CurvePoint      `json:"percentiles,omitempty"`
}

// Lag is the distribution of the delay between intended and actual send.
type Lag struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Stats are the figures of one operation, or of all.
type Stats struct {
	Requests         int64            `json:"requests"`
	Errors           int64            `json:"errors"`
	SchemaViolations int64            `json:"schema_violations"`
	Validated        int64            `json:"validated"` // responses compared with the schema
	Status           map[string]int64 `json:"status"`
	ResponseTime     Percentiles      `json:"response_time_ms"` // from the intended send
	ServiceTime      Percentiles      `json:"service_time_ms"`  // from the actual send
}

// Refused says which statuses answered an operation that never succeeded, "" for any other
// and where there are too few answers to tell.
func (s *Stats) Refused() string {
	const enough = 3
	if s.Requests < enough || s.Errors > 0 {
		return ""
	}
	var seen []string
	for status := range s.Status {
		if status < "400" {
			return ""
		}
		seen = append(seen, status)
	}
	slices.Sort(seen)
	return fmt.Sprintf("all %d answers were %s, so its times are those of refusals", s.Requests, strings.Join(seen, " or "))
}

// Percentiles are in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Operation is one operation's figures.
type Operation struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Stats
	// ErrorSamples and ViolationSamples are the first few of each.
	ErrorSamples     []Sample `json:"error_samples,omitempty"`
	ViolationSamples []Sample `json:"violation_samples,omitempty"`
}

// Sample shows one response, so that a reader sees why it counts against the server.
type Sample struct {
	Request string `json:"request"` // method and URL
	Status  int    `json:"status"`  // 0 when there was no response
	Message string `json:"message"`
	Body    string `json:"body,omitempty"` // an excerpt
}

// SLO is one objective and whether it held.
type SLO struct {
	Expression string `json:"expression"`
	// Measured is in the unit of the expression's metric: milliseconds, percent,
	// requests per second, or a count.
	Measured float64 `json:"measured"`
	OK       bool    `json:"ok"`
}

// Skipped is an operation that was not requested.
type Skipped struct {
	Operation string `json:"operation"`
	Reason    string `json:"reason"`
}

// WarmUp counts the requests made before the measurement.
type WarmUp struct {
	Requests int64   `json:"requests"`
	Errors   int64   `json:"errors"`
	Seconds  float64 `json:"seconds"`
	// Samples are the first few errors.
	Samples []Sample `json:"samples,omitempty"`
}

// Interval is one step of the timeline; requests count where they were meant to
// be sent.
type Interval struct {
	Second float64 `json:"second"`
	Rate   float64 `json:"rate"`
	Errors int64   `json:"errors"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
}

// CurvePoint is one point of the distribution of response times.
type CurvePoint struct {
	Percentile float64 `json:"percentile"`
	MS         float64 `json:"ms"`
}

// ExitCode is the process's exit code for the verdict: 0, 4 or 5.
func (r *Result) ExitCode() int {
	switch r.Verdict {
	case Pass:
		return 0
	case Fail:
		return 4
	default:
		return 5
	}
}
