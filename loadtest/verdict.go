package loadtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/e6b96b0c/backend/loadtest/attack"
	"github.com/e6b96b0c/backend/loadtest/report"
)

// When a measurement cannot be trusted.
const (
	// minAchieved is the least share of the offered rate that must have been sent.
	minAchieved = 0.98
	// maxLag is how late the generator itself may be at the 99th percentile. More
	// is harmless where it is under a tenth of the response time at p99, for it
	// counts into that.
	maxLag = 5 * time.Millisecond
)

// result puts the figures and the verdict together.
func (r *run) result() *Result {
	sum := r.recorder.Summary()
	res := &Result{
		Reasons: []string{}, Target: r.o.BaseURL, Setting: r.o.Setting, Seed: r.o.Seed,
		OfferedRate: r.o.Rate, InFlightMax: r.flight.Peak(), InFlightBound: r.o.MaxInFlight,
		ScheduleLag: report.Lag{P50: ms(sum.Lag, 50), P99: ms(sum.Lag, 99), Max: ms(sum.Lag, 100)},
		Abandoned:   r.judge.abandoned.Load(),
		Total:       stats(sum.Total), Operations: []report.Operation{}, SLO: []report.SLO{},
		Stubs: slices.Clone(r.o.Stubs), NotExercised: []report.Skipped{}, NeverSucceeded: []report.Skipped{}, WarmUp: r.warm,
		Facts: r.o.Facts, Rerun: r.o.Rerun,
	}
	if res.Stubs == nil {
		res.Stubs = []string{}
	}
	// A run lasts as planned, or longer when the last request was sent late.
	length := max(r.plan.Duration(), sum.LastSent)
	if r.ctx.Err() != nil {
		length = min(max(r.elapsed, time.Millisecond), length)
	}
	res.DurationSeconds = round(length.Seconds(), 3)
	res.AchievedRate = round(float64(sum.Total.Requests)/length.Seconds(), 2)
	r.operations(res, sum)
	r.timeline(res, sum)
	r.judgeSLOs(res, sum)
	r.verdict(res, sum)
	if why := refused(res.Total); why != "" {
		res.Reasons = append(res.Reasons, why)
	}
	return res
}

func (r *run) operations(res *Result, sum attack.Summary) {
	skipped := r.scenario.Skipped()
	for i, op := range r.scenario.Operations() {
		one := sum.Operations[i]
		if one.Requests == 0 {
			if skipped[op.ID] == "" {
				skipped[op.ID] = "the run was too short to reach it"
			}
			continue
		}
		delete(skipped, op.ID)
		j := &r.judge.ops[i]
		o := report.Operation{
			Operation: op.ID, Method: op.Method, Path: op.Path, Stats: stats(one),
			ErrorSamples: j.errors, ViolationSamples: j.violations,
		}
		o.SchemaViolations, o.Validated = j.violated, j.validated
		res.Total.SchemaViolations += j.violated
		res.Total.Validated += j.validated
		res.Operations = append(res.Operations, o)
		if why := o.Refused(); why != "" {
			res.NeverSucceeded = append(res.NeverSucceeded, report.Skipped{Operation: op.ID, Reason: why})
		}
	}
	slices.SortStableFunc(res.Operations, func(a, b report.Operation) int { return cmp.Compare(b.Requests, a.Requests) })
	for id, why := range skipped {
		res.NotExercised = append(res.NotExercised, report.Skipped{Operation: id, Reason: why})
	}
	slices.SortFunc(res.NotExercised, func(a, b report.Skipped) int { return cmp.Compare(a.Operation, b.Operation) })
}

func (r *run) timeline(res *Result, sum attack.Summary) {
	for _, iv := range sum.Intervals {
		width := min(iv.Width, r.plan.Duration()-iv.Start)
		if width <= 0 {
			width = iv.Width
		}
		res.Timeline = append(res.Timeline, report.Interval{
			Second: iv.Start.Seconds(), Rate: round(float64(iv.Requests)/width.Seconds(), 2), Errors: iv.Failed,
			P50: millis(iv.P50), P99: millis(iv.P99),
		})
	}
	if sum.Total.Requests == 0 {
		return
	}
	for _, p := range curve(sum.Total.Requests) {
		res.Curve = append(res.Curve, report.CurvePoint{Percentile: p, MS: ms(sum.Total.Response, p)})
	}
}

// curve lists percentiles that get denser towards 100, as far as n values tell
// them apart.
func curve(n int64) []float64 {
	points := []float64{0, 10, 20, 30, 40, 50, 60, 70, 80}
	for rest := 10.0; rest*float64(n)/100 >= 1; rest /= 10 {
		for _, part := range []float64{1, 0.75, 0.5, 0.25} {
			points = append(points, round(100-rest*part, 6))
		}
	}
	return append(points, 100)
}

func (r *run) judgeSLOs(res *Result, sum attack.Summary) {
	for i := range r.o.SLOs {
		s := &r.o.SLOs[i]
		series, stat := sum.Total, res.Total
		if s.Operation != "" {
			series = attack.Series{}
			stat = report.Stats{}
			for k, op := range r.scenario.Operations() {
				if op.ID == s.Operation {
					series = sum.Operations[k]
				}
			}
			for _, o := range res.Operations {
				if o.Operation == s.Operation {
					stat = o.Stats
				}
			}
		}
		measured := measure(s, series, stat, res.AchievedRate)
		one := report.SLO{Expression: s.Expression, Measured: measured, OK: series.Requests > 0 && s.Holds(measured)}
		res.SLO = append(res.SLO, one)
	}
}

// measure returns the value that an objective is about, in its unit.
func measure(s *SLO, series attack.Series, stat report.Stats, rate float64) float64 {
	if series.Requests == 0 {
		return 0
	}
	share := func(n, of int64) float64 {
		if !s.Percent {
			return float64(n)
		}
		return round(100*float64(n)/float64(max(of, 1)), 4)
	}
	h := series.Response
	if s.Service {
		h = series.Service
	}
	switch s.Metric {
	case MetricErrors:
		return share(series.Failed, series.Requests)
	case MetricViolations:
		return share(stat.SchemaViolations, stat.Validated)
	case MetricRate:
		return rate
	case MetricMean:
		return round(h.Mean()/1000, 3)
	case MetricMax:
		return ms(h, 100)
	default:
		return ms(h, s.Percentile)
	}
}

// verdict decides. An untrustworthy measurement is invalid whatever it shows.
func (r *run) verdict(res *Result, sum attack.Summary) {
	add := func(format string, args ...any) { res.Reasons = append(res.Reasons, fmt.Sprintf(format, args...)) }
	if r.ctx.Err() != nil {
		add("interrupted after %d of %d requests", sum.Total.Requests, r.plan.Count())
	} else if res.AchievedRate < minAchieved*res.OfferedRate {
		add("only %.1f of %.1f requests per second were sent: the generator or the in-flight bound held them back", res.AchievedRate, res.OfferedRate)
	}
	if sum.Waited > 0 {
		add("%d requests waited because %d were in flight: raise the in-flight bound (--max-in-flight) or lower the rate", sum.Waited, r.o.MaxInFlight)
	}
	own, p99 := ms(sum.OwnLag, 99), res.Total.ResponseTime.P99
	if own > millis(maxLag) && own > p99/10 {
		add("the generator itself was late: 1%% of the requests left %.1f ms or more after their time", own)
	}
	if len(res.Reasons) > 0 {
		res.Verdict = report.Invalid
		return
	}
	res.Verdict = report.Pass
	for i, s := range res.SLO {
		if s.OK {
			continue
		}
		res.Verdict = report.Fail
		if id := r.o.SLOs[i].Operation; id != "" && !exercised(res, id) {
			add("%s was missed: %s was not requested", s.Expression, id)
			continue
		}
		add("%s was missed: %s measured", s.Expression, s.Shown())
	}
}

// refused says that a run measured little but refusals, "" if it did not.
func refused(total report.Stats) string {
	unauthorized, forbidden := total.Status["401"], total.Status["403"]
	answered := total.Requests - total.Status["none"]
	if 2*(unauthorized+forbidden) <= answered {
		return ""
	}
	status := "401"
	if forbidden > unauthorized {
		status = "403"
	}
	return "most requests were refused (" + status + "): give --token or --admin"
}

func exercised(res *Result, id string) bool {
	return slices.ContainsFunc(res.Operations, func(o report.Operation) bool { return o.Operation == id })
}

func stats(s attack.Series) report.Stats {
	out := report.Stats{
		Requests: s.Requests, Errors: s.Failed, Status: map[string]int64{},
		ResponseTime: percentiles(s.Response), ServiceTime: percentiles(s.Service),
	}
	for code, n := range s.Status {
		name := strconv.Itoa(code)
		if code == 0 {
			name = "none"
		}
		out.Status[name] = n
	}
	return out
}

func percentiles(h *hdrhistogram.Histogram) report.Percentiles {
	return report.Percentiles{P50: ms(h, 50), P90: ms(h, 90), P95: ms(h, 95), P99: ms(h, 99), Max: ms(h, 100)}
}

// ms is a percentile in milliseconds; 0 of an empty histogram.
func ms(h *hdrhistogram.Histogram, p float64) float64 {
	if h == nil || h.TotalCount() == 0 {
		return 0
	}
	return round(float64(h.ValueAtQuantile(p))/1000, 3)
}

func millis(d time.Duration) float64 { return round(float64(d)/float64(time.Millisecond), 3) }

func round(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}
