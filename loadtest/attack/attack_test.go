package attack

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"
)

// fake is a clock that moves only when somebody sleeps.
type fake struct {
	now    time.Time
	slept  []time.Duration
	onNap  func()
	jitter time.Duration // how late every sleep ends
}

func (f *fake) Now() time.Time { return f.now }

func (f *fake) SleepUntil(_ context.Context, t time.Time) {
	f.slept = append(f.slept, t.Sub(f.now))
	f.now = t.Add(f.jitter)
	if f.onNap != nil {
		f.onNap()
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	p := NewPlan(Segment{Rate: 10, Duration: time.Second}, Segment{Rate: 1000, Duration: 2 * time.Second})
	if p.Count() != 2010 || p.Duration() != 3*time.Second {
		t.Errorf("%d requests in %v", p.Count(), p.Duration())
	}
	for n, want := range map[uint64]time.Duration{
		0: 0, 1: 100 * time.Millisecond, 9: 900 * time.Millisecond, 10: time.Second,
		11: time.Second + time.Millisecond, 2009: 3*time.Second - time.Millisecond,
	} {
		if got := p.At(n); got.Round(time.Microsecond) != want {
			t.Errorf("request %d is due at %v, want %v", n, got, want)
		}
	}
	if p.Rate(500*time.Millisecond) != 10 || p.Rate(2*time.Second) != 1000 {
		t.Error("the rate is that of another segment")
	}
	for n := uint64(1); n < p.Count(); n++ {
		if p.At(n) <= p.At(n-1) {
			t.Fatalf("request %d is not after the one before", n)
		}
	}
}

func TestPlanDoesNotDrift(t *testing.T) {
	t.Parallel()
	p := NewPlan(Segment{Rate: 333, Duration: 24 * time.Hour})
	last := p.At(p.Count() - 1)
	if want := 24*time.Hour - time.Second/333; (last - want).Abs() > time.Microsecond {
		t.Errorf("the last request of a day is due at %v, want %v", last, want)
	}
}

func TestPacerKeepsTimeAndStopsByCount(t *testing.T) {
	t.Parallel()
	clock := &fake{now: time.Unix(1000, 0), jitter: 3 * time.Millisecond}
	p := NewPacer(context.Background(), NewPlan(Segment{Rate: 100, Duration: time.Second}), clock, NewFlight(10))
	clock.now = clock.now.Add(time.Hour) // the time before the first request does not count
	hits := uint64(0)
	for {
		wait, stop := p.Pace(0, hits)
		if stop {
			break
		}
		if wait != 0 {
			t.Fatalf("vegeta is left to wait %v", wait)
		}
		if late := clock.now.Sub(p.Intended(hits)); hits > 0 && late != 3*time.Millisecond {
			t.Fatalf("request %d is %v late: lateness adds up", hits, late)
		}
		hits++
	}
	if hits != 100 {
		t.Errorf("%d requests, want 100", hits)
	}
	if p.Began() != time.Unix(1000, 0).Add(time.Hour) {
		t.Errorf("began at %v", p.Began())
	}
}

func TestPacerCatchesUpAfterStall(t *testing.T) {
	t.Parallel()
	clock := &fake{now: time.Unix(0, 0)}
	flight := NewFlight(1)
	p := NewPacer(context.Background(), NewPlan(Segment{Rate: 100, Duration: time.Second}), clock, flight)
	p.Pace(0, 0)
	p.Pace(0, 1)
	flight.Enter() // the only worker is busy
	clock.now = clock.now.Add(500 * time.Millisecond)
	clock.slept = nil
	for hits := uint64(2); hits <= 50; hits++ {
		p.Pace(0, hits)
		if !p.Behind() {
			t.Fatalf("request %d is late for want of a worker, and it does not show", hits)
		}
	}
	if len(clock.slept) != 0 {
		t.Errorf("it slept %v while it was behind", clock.slept)
	}
	flight.Leave()
	p.Pace(0, 52)
	if p.Behind() {
		t.Error("it is still behind after it caught up")
	}
	if _, stop := p.Pace(0, 99); stop {
		t.Error("the tail was dropped")
	}
	if _, stop := p.Pace(0, 100); !stop {
		t.Error("it does not end")
	}
}

func TestSlowGeneratorIsNotBehindTheBound(t *testing.T) {
	t.Parallel()
	clock := &fake{now: time.Unix(0, 0)}
	p := NewPacer(context.Background(), NewPlan(Segment{Rate: 100, Duration: time.Second}), clock, NewFlight(10))
	p.Pace(0, 0)
	clock.now = clock.now.Add(time.Second)
	p.Pace(0, 1)
	if p.Behind() {
		t.Error("lateness of its own is blamed on the bound")
	}
}

func TestPacerStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	clock := &fake{now: time.Unix(0, 0), onNap: cancel}
	p := NewPacer(ctx, NewPlan(Segment{Rate: 1, Duration: time.Hour}), clock, NewFlight(10))
	if _, stop := p.Pace(0, 0); stop {
		t.Fatal("it did not start")
	}
	if _, stop := p.Pace(0, 1); !stop {
		t.Error("it goes on after it was woken")
	}
}

func TestSystemClock(t *testing.T) {
	t.Parallel()
	c := SystemClock{}
	at := c.Now().Add(5 * time.Millisecond)
	c.SleepUntil(context.Background(), at)
	if c.Now().Before(at) {
		t.Error("it woke too early")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.SleepUntil(ctx, c.Now().Add(24*time.Hour)) // returns
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	r := NewRecorder(3, 10*time.Second)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				at := time.Duration(i) * 10 * time.Millisecond
				r.Record(Observation{
					Operation: g % 2, Intended: at, Sent: at + 2*time.Millisecond, Done: at + time.Duration(i+3)*time.Millisecond,
					Status: 200 + g%2, Failed: i%100 == 0, Waited: g == 0,
				})
			}
		})
	}
	wg.Wait()
	g := r.Glance()
	if g.Sent != 4000 || g.Failed != 40 {
		t.Errorf("glance %+v", g)
	}
	s := r.Summary()
	if s.Total.Requests != 4000 || s.Total.Failed != 40 || s.Total.Status[200] != 2000 || s.Total.Status[201] != 2000 {
		t.Errorf("total %+v", s.Total)
	}
	if s.Operations[0].Requests != 2000 || s.Operations[2].Requests != 0 {
		t.Errorf("%d and %d requests", s.Operations[0].Requests, s.Operations[2].Requests)
	}
	if got, want := float64(s.Total.Response.ValueAtQuantile(50)), 502_000.0; math.Abs(got-want)/want > 0.002 {
		t.Errorf("median response %v µs, want %v", got, want)
	}
	if got := s.Total.Response.ValueAtQuantile(100) - s.Total.Service.ValueAtQuantile(100); got < 1500 || got > 2500 {
		t.Errorf("service time is %d µs below response time, want 2000", got)
	}
	if s.Waited != 1000 || s.OwnLag.TotalCount() != 3000 || s.Lag.TotalCount() != 4000 {
		t.Errorf("waited %d, own %d, all %d", s.Waited, s.OwnLag.TotalCount(), s.Lag.TotalCount())
	}
	if len(s.Intervals) != 10 || s.Intervals[3].Requests != 400 || s.Intervals[3].Failed != 4 {
		t.Errorf("%d intervals, %+v", len(s.Intervals), s.Intervals[3])
	}
}

func TestRecorderBounds(t *testing.T) {
	t.Parallel()
	r := NewRecorder(1, 24*time.Hour)
	if n := 24 * time.Hour / r.width; n > maxIntervals {
		t.Errorf("a day has %d intervals", n)
	}
	r.Record(Observation{Done: -time.Second})    // a clock that jumped
	r.Record(Observation{Done: 100 * time.Hour}) // beyond the histogram
	if n := r.Summary().Total.Response.TotalCount(); n != 2 {
		t.Errorf("%d of 2 recorded", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(8, time.Minute)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			r.Record(Observation{Operation: i % 8, Sent: time.Millisecond, Done: time.Duration(i%1000) * time.Microsecond, Status: 200})
		}
	})
}
