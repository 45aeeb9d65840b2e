package loadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/e6b96b0c/backend/loadtest/attack"
	"github.com/e6b96b0c/backend/loadtest/report"
	"github.com/e6b96b0c/backend/loadtest/scenario"
)

// driver is the http.RoundTripper under vegeta. vegeta tells it a request's
// number; the request itself comes from the scenario, and is measured here,
// where both the intended and the actual time are known.
type driver run

// RoundTrip makes request number X-Vegeta-Seq. It never fails: what goes wrong
// is recorded, and vegeta has nothing to add.
func (d *driver) RoundTrip(req *http.Request) (*http.Response, error) {
	r := (*run)(d)
	n, err := strconv.ParseUint(req.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the dispatcher gave no request number: %w", err)
	}
	r.flight.Enter()
	defer r.flight.Leave()
	r.request(n)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

// request makes, measures and learns from request n.
func (r *run) request(n uint64) {
	st := r.scenario.Next(r.ctx, n)
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	sent := time.Now()
	a := r.exchange(r.ctx, st, buf, sent)
	done := time.Now()
	if a.Err != nil && r.ctx.Err() != nil {
		r.judge.abandon()
		r.scenario.Done(st, 0, nil, nil)
		return
	}
	why := failure(st, a)
	began := r.pacer.Began()
	late := sent.Sub(r.pacer.Intended(n))
	r.recorder.Record(attack.Observation{
		Operation: st.Operation, Intended: r.plan.At(n), Sent: sent.Sub(began), Done: done.Sub(began),
		Status: a.Status, Failed: why != "", Waited: r.pacer.Behind() && late > time.Millisecond,
	})
	r.judge.see(st, a, why)
	r.scenario.Done(st, a.Status, a.Header, a.Body)
	if st.Unauthorized(a.Status) {
		// A failure shows as the next answer's 401.
		_ = r.scenario.Refresh(r.ctx, st)
	}
}

// buffers are reused for response bodies.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 16<<10)) }}

// maxBody is how much of a response is kept; the rest is read and dropped.
const maxBody = 1 << 20

// exchange sends a request and reads the whole answer into buf.
func (r *run) exchange(ctx context.Context, st *scenario.Step, buf *bytes.Buffer, now time.Time) scenario.Answer {
	req := st.Request
	if req.URL.Scheme == "http" {
		req = req.WithContext(deadline{ctx, now.Add(r.o.Timeout)})
	} else {
		timed, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		req = req.WithContext(timed)
	}
	resp, err := r.client.RoundTrip(req)
	if err != nil {
		return scenario.Answer{Err: err}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or failed already
	_, err = buf.ReadFrom(io.LimitReader(resp.Body, maxBody))
	if err == nil && buf.Len() == maxBody {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if err != nil {
		return scenario.Answer{Err: fmt.Errorf("the response with status %d broke off: %w", resp.StatusCode, err)}
	}
	return scenario.Answer{Status: resp.StatusCode, Header: resp.Header, Body: buf.Bytes()}
}

// send is exchange for the warm-up, where the answer may be kept.
func (r *run) send(ctx context.Context, st *scenario.Step) scenario.Answer {
	return r.exchange(ctx, st, &bytes.Buffer{}, time.Now())
}

// deadline adds a deadline to a context without a timer: the transport watches
// the clock itself.
type deadline struct {
	context.Context
	at time.Time
}

// Deadline returns the time at which the request is given up.
func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// failure says why an answer counts as an error, "" when it does not.
func failure(st *scenario.Step, a scenario.Answer) string {
	switch {
	case errors.Is(a.Err, context.DeadlineExceeded):
		return "no response in time"
	case a.Err != nil:
		return a.Err.Error()
	default:
		return scenario.Failure(st.Model, a.Status)
	}
}

// maxExcerpt is how much of a body a sample shows, in bytes.
const maxExcerpt = 300

func sampleOf(st *scenario.Step, a scenario.Answer, why string) report.Sample {
	return report.Sample{
		Request: st.Request.Method + " " + st.Request.URL.RequestURI(),
		Status:  a.Status, Message: why, Body: excerpt(a.Body),
	}
}

// excerpt cuts a body at a character.
func excerpt(b []byte) string {
	if len(b) > maxExcerpt {
		b = b[:maxExcerpt]
		for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
			b = b[:len(b)-1]
		}
		return string(bytes.ToValidUTF8(b[:max(0, len(b)-1)], []byte("?"))) + "…"
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}
