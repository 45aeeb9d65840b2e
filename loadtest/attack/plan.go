// Package attack sends requests at times fixed in advance and records how long
// they took. It knows nothing of what is requested.
package attack

import (
	"math"
	"time"
)

// Segment is a stretch of a plan with one offered rate.
type Segment struct {
	Rate     float64 // requests per second
	Duration time.Duration
}

// Plan fixes when each request is due. It is a closed form of the request's
// number, so a late request never moves the ones after it.
type Plan struct {
	segments []Segment
	first    []uint64        // number of each segment's first request
	start    []time.Duration // when each segment starts
	count    uint64
	duration time.Duration
}

// NewPlan joins segments. A segment offers Rate × Duration requests, rounded.
func NewPlan(segments ...Segment) Plan {
	var p Plan
	for _, s := range segments {
		p.segments = append(p.segments, s)
		p.first = append(p.first, p.count)
		p.start = append(p.start, p.duration)
		p.count += uint64(math.Round(s.Rate * s.Duration.Seconds()))
		p.duration += s.Duration
	}
	return p
}

// Count is how many requests the plan offers; it ends by count, so that no
// stall can cost its tail.
func (p Plan) Count() uint64 { return p.count }

// Duration is how long the plan takes.
func (p Plan) Duration() time.Duration { return p.duration }

// At is when request n (from 0) is due, counted from the start.
func (p Plan) At(n uint64) time.Duration {
	i := len(p.segments) - 1
	for i > 0 && n < p.first[i] {
		i--
	}
	if i < 0 {
		return 0
	}
	return p.start[i] + time.Duration(float64(n-p.first[i])/p.segments[i].Rate*float64(time.Second))
}

// Rate is the offered rate at a time.
func (p Plan) Rate(at time.Duration) float64 {
	for i := len(p.segments) - 1; i >= 0; i-- {
		if at >= p.start[i] {
			return p.segments[i].Rate
		}
	}
	return 0
}
