package attack

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Observation is one finished request. Times count from the start of the run.
type Observation struct {
	Operation int
	Intended  time.Duration
	Sent      time.Duration
	Done      time.Duration
	Status    int // 0: no response
	Failed    bool
	// Waited says that the request was late for want of a free worker.
	Waited bool
}

// Recorder gathers observations. Operations are locked apart, so that workers
// rarely meet.
type Recorder struct {
	ops   []opRecorder
	width time.Duration // of a timeline interval

	mu        sync.Mutex // guards what follows
	response  *hdrhistogram.Histogram
	lag       *hdrhistogram.Histogram
	ownLag    *hdrhistogram.Histogram
	intervals []*interval
	sent      int64
	failed    int64
	waited    int64
	lastSent  time.Duration
}

type opRecorder struct {
	mu       sync.Mutex
	response *hdrhistogram.Histogram // nil until the first observation
	service  *hdrhistogram.Histogram
	status   map[int]int64
	failed   int64
}

type interval struct {
	response *hdrhistogram.Histogram
	failed   int64
}

// Histograms hold microseconds from 1 to an hour.
const (
	lowest  = 1
	highest = int64(time.Hour / time.Microsecond)
)

// maxIntervals bounds the timeline; a longer run gets wider intervals.
const maxIntervals = 600

// NewRecorder returns a recorder for a number of operations and a plan's length.
func NewRecorder(operations int, length time.Duration) *Recorder {
	width := time.Second
	for length/width >= maxIntervals {
		width *= 2
	}
	return &Recorder{
		ops: make([]opRecorder, operations), width: width,
		response: newHistogram(), lag: newHistogram(), ownLag: newHistogram(),
	}
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, 3) }

// micros rounds up, as a latency is better called too long than too short.
func micros(d time.Duration) int64 {
	return min(max(lowest, int64((d+time.Microsecond-1)/time.Microsecond)), highest)
}

// add cannot fail: micros keeps to the histogram's range.
func add(h *hdrhistogram.Histogram, d time.Duration) { _ = h.RecordValue(micros(d)) }

// Record adds an observation.
func (r *Recorder) Record(o Observation) {
	op := &r.ops[o.Operation]
	op.mu.Lock()
	if op.response == nil {
		op.response, op.service, op.status = newHistogram(), newHistogram(), map[int]int64{}
	}
	add(op.response, o.Done-o.Intended)
	add(op.service, o.Done-o.Sent)
	op.status[o.Status]++
	if o.Failed {
		op.failed++
	}
	op.mu.Unlock()

	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	r.lastSent = max(r.lastSent, o.Sent)
	add(r.response, o.Done-o.Intended)
	add(r.lag, o.Sent-o.Intended)
	if o.Waited {
		r.waited++
	} else {
		add(r.ownLag, o.Sent-o.Intended)
	}
	at := int(o.Intended / r.width)
	for len(r.intervals) <= at {
		r.intervals = append(r.intervals, nil)
	}
	if r.intervals[at] == nil {
		r.intervals[at] = &interval{response: hdrhistogram.New(lowest, highest, 2)}
	}
	add(r.intervals[at].response, o.Done-o.Intended)
	if o.Failed {
		r.failed++
		r.intervals[at].failed++
	}
}

// Glance is the state of a run while it lasts.
type Glance struct {
	Sent, Failed int64
	P99          time.Duration
}

// Glance summarises what has been recorded so far.
func (r *Recorder) Glance() Glance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Glance{Sent: r.sent, Failed: r.failed, P99: time.Duration(r.response.ValueAtQuantile(99)) * time.Microsecond}
}
