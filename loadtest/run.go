package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/e6b96b0c/backend/loadtest/attack"
	"github.com/e6b96b0c/backend/loadtest/report"
	"github.com/e6b96b0c/backend/loadtest/scenario"
	"github.com/e6b96b0c/backend/templates/platform/transport"
)

// Run runs a load test. The error is for what prevents a test: wrong options, no
// way to reach the server. What the server does wrong is in the result.
//
// When ctx ends early the result of what was measured until then is returned,
// invalid with the reason "interrupted".
func Run(ctx context.Context, o Options) (*Result, error) {
	run, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer run.close()
	started := time.Now()
	if err := run.warmUp(); err != nil && ctx.Err() == nil {
		return nil, err
	}
	if ctx.Err() == nil {
		run.attack()
	}
	run.judge.stop()
	r := run.result()
	r.Started = started.UTC().Truncate(time.Second)
	return r, run.write(r)
}

// prepare derives the scenario and sets up a run.
func prepare(ctx context.Context, o Options) (*run, error) {
	base, err := o.check()
	if err != nil {
		return nil, err
	}
	plan := attack.NewPlan(attack.Segment{Rate: o.Rate, Duration: o.Duration})
	s, err := scenario.New(scenario.Options{
		Base: base, API: o.API, Seed: o.Seed, Requests: plan.Count(), Token: o.Token,
	})
	if err != nil {
		return nil, err
	}
	if len(s.Operations()) == 0 {
		return nil, fmt.Errorf("no operation of %q can be requested%s", o.API.Title, firstReason(s.Skipped()))
	}
	return newRun(ctx, o, s, plan), nil
}

// close ends what the run started.
func (r *run) close() {
	r.judge.stop()
	r.client.CloseIdleConnections()
}

func firstReason(skipped map[string]string) string {
	for id, why := range skipped {
		return fmt.Sprintf(": %s: %s", id, why)
	}
	return ""
}

// check fills in defaults and refuses what cannot work.
func (o *Options) check() (*url.URL, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an address to test · a URL such as http://127.0.0.1:8080 is needed", o.BaseURL)
	}
	if o.API == nil {
		return nil, errors.New("there is no API description to derive requests from")
	}
	if !(o.Rate > 0) || math.IsInf(o.Rate, 0) || o.Duration <= 0 {
		return nil, fmt.Errorf("rate %v for %v is not a test · both must be positive", o.Rate, o.Duration)
	}
	if n := o.Rate * o.Duration.Seconds(); n < 1 || n > 1e9 {
		return nil, fmt.Errorf("rate %v for %v makes %.0f requests · between 1 and 1,000,000,000 are possible", o.Rate, o.Duration, n)
	}
	if o.MaxInFlight < 0 || o.Timeout < 0 {
		return nil, errors.New("the in-flight bound and the timeout must not be negative")
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	for i := range o.SLOs {
		if id := o.SLOs[i].Operation; id != "" && !o.knows(id) {
			return nil, fmt.Errorf("SLO %q: the API has no operation %q", o.SLOs[i].Expression, id)
		}
	}
	return base, nil
}

func (o *Options) knows(id string) bool {
	for _, op := range o.API.Operations {
		if op.ID == id {
			return true
		}
	}
	return false
}

// run is one load test under way.
type run struct {
	ctx      context.Context
	o        Options
	plan     attack.Plan
	scenario *scenario.Scenario
	pacer    *attack.Pacer
	flight   *attack.Flight
	recorder *attack.Recorder
	client   *transport.Transport
	judge    *judge
	warm     report.WarmUp
	elapsed  time.Duration
}

func newRun(ctx context.Context, o Options, s *scenario.Scenario, plan attack.Plan) *run {
	flight := attack.NewFlight(o.MaxInFlight)
	return &run{
		ctx: ctx, o: o, plan: plan, scenario: s, flight: flight,
		pacer:    attack.NewPacer(ctx, plan, attack.SystemClock{}, flight),
		recorder: attack.NewRecorder(len(s.Operations()), plan.Duration()),
		client:   transport.New(transport.Options{MaxIdlePerHost: o.MaxInFlight}),
		judge:    newJudge(o.Validate, s.Operations()),
	}
}

// warmUp creates the first rows; its requests are not measured.
func (r *run) warmUp() error {
	began := time.Now()
	tell := func() {
		if r.o.Progress != nil {
			r.o.Progress(Progress{Phase: "warm-up", Elapsed: time.Since(began), Sent: r.warm.Requests, Errors: r.warm.Errors})
		}
	}
	tell()
	last := began
	err := r.scenario.WarmUp(r.ctx, r.send, func(st *scenario.Step, a scenario.Answer) {
		r.warm.Requests++
		if why := failure(st, a); why != "" {
			r.warm.Errors++
			if len(r.warm.Samples) < maxSamples {
				r.warm.Samples = append(r.warm.Samples, sampleOf(st, a, why))
			}
		}
		if time.Since(last) > progressEvery {
			last = time.Now()
			tell()
		}
	})
	r.warm.Seconds = time.Since(began).Seconds()
	return err
}

// initialWorkers is how many goroutines vegeta starts with; it adds more as
// requests stay unanswered.
const initialWorkers = 64

// attack makes the measured requests.
func (r *run) attack() {
	runtime.GC() // the warm-up's garbage is not the run's
	a := vegeta.NewAttacker(
		vegeta.Workers(uint64(min(initialWorkers, r.o.MaxInFlight))),
		vegeta.MaxWorkers(uint64(r.o.MaxInFlight)),
		vegeta.Client(&http.Client{Transport: (*driver)(r)}),
	)
	target := vegeta.Target{Method: http.MethodGet, URL: r.o.BaseURL}
	targeter := func(t *vegeta.Target) error {
		*t = target // the driver replaces it: only it knows the request's number
		return nil
	}
	halt := context.AfterFunc(r.ctx, func() { a.Stop() })
	defer halt()
	began := time.Now()
	done := make(chan struct{})
	told := make(chan struct{})
	go r.progress(began, done, told)
	for range a.Attack(targeter, r.pacer, 0, "") {
		continue // the driver has recorded it
	}
	r.elapsed = time.Since(began)
	close(done)
	<-told
}

const progressEvery = 250 * time.Millisecond

// progress reports until done is closed; it closes told after the last report.
func (r *run) progress(began time.Time, done, told chan struct{}) {
	defer close(told)
	if r.o.Progress == nil {
		return
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-done:
			ended = true
		}
		g := r.recorder.Glance()
		elapsed := time.Since(began)
		r.o.Progress(Progress{
			Phase: "load", Elapsed: elapsed, Total: r.plan.Duration(), Sent: g.Sent,
			Rate: float64(g.Sent) / elapsed.Seconds(), Errors: g.Failed, P99: g.P99,
		})
	}
}

// write renders the HTML report, if one is wanted.
func (r *run) write(res *Result) error {
	if r.o.ReportPath == "" {
		return nil
	}
	path, err := filepath.Abs(r.o.ReportPath)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	res.Report = path
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	err = errors.Join(res.WriteHTML(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error says more
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
