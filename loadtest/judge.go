package loadtest

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/loadtest/report"
	"github.com/e6b96b0c/backend/loadtest/scenario"
)

// judge keeps samples of what went wrong, and compares a share of the responses
// with the document in a few goroutines beside the load.
type judge struct {
	validate func(op *model.Operation, status int, header http.Header, body []byte) error
	ops      []judged
	queue    chan finding
	workers  sync.WaitGroup
	once     sync.Once

	abandoned atomic.Int64
}

type judged struct {
	model *model.Operation
	seen  atomic.Int64

	mu         sync.Mutex
	errors     []report.Sample
	violations []report.Sample
	validated  int64
	violated   int64
}

// finding is a response to compare with the document.
type finding struct {
	operation int
	request   string
	status    int
	header    http.Header
	body      []byte
}

const (
	// maxSamples of each kind are kept per operation.
	maxSamples = 5
	// The first validateFirst responses of an operation are compared with the
	// document, then every validateEvery-th: comparing costs as much as requesting.
	validateFirst = 20
	validateEvery = 50
	// judgeQueue bounds the responses that wait to be compared; one beyond it is
	// not compared, which the count of validated responses shows.
	judgeQueue   = 1024
	judgeWorkers = 2
)

func newJudge(validate func(*model.Operation, int, http.Header, []byte) error, ops []*model.Operation) *judge {
	j := &judge{validate: validate, ops: make([]judged, len(ops)), queue: make(chan finding, judgeQueue)}
	for i := range ops {
		j.ops[i].model = ops[i]
	}
	if validate == nil {
		return j
	}
	for range judgeWorkers {
		j.workers.Go(func() {
			for f := range j.queue {
				j.compare(f)
			}
		})
	}
	return j
}

// see takes note of an answer. The body is copied if it is kept.
func (j *judge) see(st *scenario.Step, a scenario.Answer, why string) {
	op := &j.ops[st.Operation]
	n := op.seen.Add(1)
	if why != "" {
		op.mu.Lock()
		if len(op.errors) < maxSamples {
			op.errors = append(op.errors, sampleOf(st, a, why))
		}
		op.mu.Unlock()
	}
	if j.validate == nil || a.Err != nil || (n > validateFirst && n%validateEvery != 0) {
		return
	}
	f := finding{
		operation: st.Operation, request: st.Request.Method + " " + st.Request.URL.RequestURI(),
		status: a.Status, header: a.Header, body: bytes.Clone(a.Body),
	}
	select {
	case j.queue <- f:
	default:
	}
}

func (j *judge) compare(f finding) {
	op := &j.ops[f.operation]
	err := j.validate(op.model, f.status, f.header, f.body)
	op.mu.Lock()
	defer op.mu.Unlock()
	op.validated++
	if err == nil {
		return
	}
	op.violated++
	if len(op.violations) < maxSamples {
		op.violations = append(op.violations, report.Sample{
			Request: f.request, Status: f.status, Message: err.Error(), Body: excerpt(f.body),
		})
	}
}

func (j *judge) abandon() { j.abandoned.Add(1) }

// stop waits until everything queued has been compared. No answer may be seen
// after it.
func (j *judge) stop() {
	j.once.Do(func() { close(j.queue) })
	j.workers.Wait()
}
