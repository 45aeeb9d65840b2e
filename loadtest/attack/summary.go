package attack

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Series is what was recorded of one operation, or of all.
type Series struct {
	Requests, Failed int64
	Status           map[int]int64
	Response         *hdrhistogram.Histogram // µs from the intended send
	Service          *hdrhistogram.Histogram // µs from the actual send
}

// Interval is a step of the timeline.
type Interval struct {
	Start    time.Duration
	Width    time.Duration
	Requests int64
	Failed   int64
	P50, P99 time.Duration
}

// Summary is everything recorded, taken once a run is over.
type Summary struct {
	Total      Series
	Operations []Series // in the recorder's order; Requests is 0 for untouched ones
	Lag        *hdrhistogram.Histogram
	// OwnLag leaves out requests that waited for the in-flight bound.
	OwnLag    *hdrhistogram.Histogram
	Waited    int64
	LastSent  time.Duration
	Intervals []Interval
}

// Summary returns what was recorded. Record must not be called any more.
func (r *Recorder) Summary() Summary {
	s := Summary{
		Lag: r.lag, OwnLag: r.ownLag, Waited: r.waited, LastSent: r.lastSent,
		Total: Series{Status: map[int]int64{}, Response: newHistogram(), Service: newHistogram()},
	}
	for i := range r.ops {
		op := &r.ops[i]
		if op.response == nil {
			s.Operations = append(s.Operations, Series{Response: newHistogram(), Service: newHistogram()})
			continue
		}
		one := Series{
			Requests: op.response.TotalCount(), Failed: op.failed, Status: op.status,
			Response: op.response, Service: op.service,
		}
		s.Operations = append(s.Operations, one)
		s.Total.Requests += one.Requests
		s.Total.Failed += one.Failed
		for code, n := range one.Status {
			s.Total.Status[code] += n
		}
		s.Total.Response.Merge(op.response)
		s.Total.Service.Merge(op.service)
	}
	for i, iv := range r.intervals {
		step := Interval{Start: time.Duration(i) * r.width, Width: r.width}
		if iv != nil {
			step.Requests, step.Failed = iv.response.TotalCount(), iv.failed
			step.P50 = time.Duration(iv.response.ValueAtQuantile(50)) * time.Microsecond
			step.P99 = time.Duration(iv.response.ValueAtQuantile(99)) * time.Microsecond
		}
		s.Intervals = append(s.Intervals, step)
	}
	return s
}
