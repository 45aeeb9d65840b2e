package loadtest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// SLO is one service level objective.
//
// Its text is [operation:ID:]METRIC COMPARISON VALUE, without spaces or with:
//
//	p99<50ms                     response time, from the intended send: p0 … p99.999, mean, max
//	service_p99<20ms             the same from the actual send
//	errors<1%   errors<=5        share or number of errors
//	schema_violations<=0         number (or %) of sampled responses that break the document
//	rate>=495                    achieved rate, requests per second
//	operation:createOrder:p95<20ms
//
// Comparisons are < <= > >=. Times take the units ns, us, ms, s and m.
type SLO struct {
	// Expression is the text without spaces.
	Expression string
	Operation  string // "" for all
	Metric     Metric
	Percentile float64 // 0 to 100, of MetricPercentile
	Service    bool    // service time rather than response time
	Compare    string  // <, <=, >, >=
	// Value is in milliseconds, percent, requests per second or a count.
	Value   float64
	Percent bool // the value is a share of the requests
}

// Metric is what an SLO measures.
type Metric string

// The metrics.
const (
	MetricPercentile Metric = "percentile"
	MetricMean       Metric = "mean"
	MetricMax        Metric = "max"
	MetricErrors     Metric = "errors"
	MetricViolations Metric = "schema_violations"
	MetricRate       Metric = "rate"
)

// ParseSLO parses one or several objectives, separated by commas. The error
// names every objective that is wrong.
func ParseSLO(text string) ([]SLO, error) {
	var slos []SLO
	var errs []error
	for part := range strings.SplitSeq(text, ",") {
		part = strings.Join(strings.Fields(part), "")
		if part == "" {
			errs = append(errs, fmt.Errorf("SLO %q has an empty part · objectives are separated by single commas · try p99<50ms,errors<1%%", text))
			continue
		}
		s, err := parseOne(part)
		if err != nil {
			errs = append(errs, fmt.Errorf("SLO %q: %w", part, err))
			continue
		}
		slos = append(slos, s)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return slos, nil
}

func parseOne(text string) (SLO, error) {
	s := SLO{Expression: text}
	at := strings.LastIndexAny(text, "<>")
	if at < 0 {
		return s, errors.New("there is no comparison · one of < <= > >= is needed · try p99<50ms")
	}
	left, value := text[:at], text[at+1:]
	s.Compare = text[at : at+1]
	if strings.HasPrefix(value, "=") {
		s.Compare, value = s.Compare+"=", value[1:]
	}
	if rest, ok := strings.CutPrefix(left, "operation:"); ok {
		colon := strings.LastIndexByte(rest, ':')
		if colon <= 0 {
			return s, errors.New("the operation or the metric is missing · try operation:createOrder:p95<20ms")
		}
		s.Operation, left = rest[:colon], rest[colon+1:]
	}
	if err := s.metric(left); err != nil {
		return s, err
	}
	return s, s.value(value)
}

func (s *SLO) metric(name string) error {
	if rest, ok := strings.CutPrefix(name, "service_"); ok {
		s.Service, name = true, rest
	}
	switch {
	case name == "errors" && !s.Service:
		s.Metric = MetricErrors
	case name == "schema_violations" && !s.Service:
		s.Metric = MetricViolations
	case name == "rate" && !s.Service && s.Operation == "":
		s.Metric = MetricRate
	case name == "mean":
		s.Metric = MetricMean
	case name == "max":
		s.Metric = MetricMax
	case strings.HasPrefix(name, "p"):
		p, err := strconv.ParseFloat(name[1:], 64)
		if err != nil || math.IsNaN(p) || p < 0 || p >= 100 || strings.ContainsAny(name[1:], "eExX_+-") {
			return fmt.Errorf("%q is not a percentile from p0 to p99.999 · try p99", name)
		}
		s.Metric, s.Percentile = MetricPercentile, p
	default:
		return fmt.Errorf("%q is not a metric · there are p50, p99.9 …, mean, max, service_p99 …, errors, schema_violations and, for the whole, rate", name)
	}
	return nil
}

func (s *SLO) value(text string) error {
	switch s.Metric {
	case MetricErrors, MetricViolations:
		text, s.Percent = strings.CutSuffix(text, "%")
		return s.number(text)
	case MetricRate:
		return s.number(strings.TrimSuffix(text, "/s"))
	default:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a time · a number with ms or s is needed · try 50ms", text)
		}
		s.Value = float64(d) / float64(time.Millisecond)
		return nil
	}
}

func (s *SLO) number(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return fmt.Errorf("%q is not a number · try errors<1%% or rate>=495", text)
	}
	s.Value = v
	return nil
}

// Holds reports whether a measured value meets the objective.
func (s *SLO) Holds(measured float64) bool {
	switch s.Compare {
	case "<":
		return measured < s.Value
	case "<=":
		return measured <= s.Value
	case ">":
		return measured > s.Value
	default:
		return measured >= s.Value
	}
}
