package loadtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

// pingAPI is one operation without parameters.
func pingAPI() *model.API {
	return &model.API{Title: "Ping", Operations: []*model.Operation{{
		ID: "ping", Method: "GET", Path: "/ping", Responses: []*model.Response{{Status: "200"}},
	}}}
}

// stalling answers at once, except in the last second of every five, counted
// from its first request, when it stops.
type stalling struct {
	once  sync.Once
	began time.Time
}

func (s *stalling) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.once.Do(func() { s.began = time.Now() })
	const period, stop = 5 * time.Second, time.Second
	if at := time.Since(s.began) % period; at >= period-stop {
		time.Sleep(period - at) // the stall under test, not synchronisation
	}
	w.WriteHeader(http.StatusOK)
}

// stall runs 1,000 requests per second for 20 s against a server that stops for
// one second of every five. A fifth of the requests meets the stall and waits
// for 0 to 1 s, evenly spread: p90, p95 and p99 are 500, 750 and 950 ms.
func stall(t *testing.T, maxInFlight int) *Result {
	t.Helper()
	if testing.Short() {
		t.Skip("takes 20 seconds")
	}
	srv := httptest.NewServer(&stalling{})
	defer srv.Close()
	res, err := Run(context.Background(), Options{
		BaseURL: srv.URL, API: pingAPI(), Rate: 1000, Duration: 20 * time.Second, Seed: 1, MaxInFlight: maxInFlight,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %v: response %+v, service %+v, lag %+v, in flight %d", res.Verdict, res.Reasons,
		res.Total.ResponseTime, res.Total.ServiceTime, res.ScheduleLag, res.InFlightMax)
	return res
}

// nearIdeal allows 10% and, above it, what the server needs to work off the
// second's backlog: every response of a stall is late by that drain.
func nearIdeal(t *testing.T, res *Result) {
	t.Helper()
	drain := max(0, res.Total.ServiceTime.Max-1000)
	for _, c := range []struct {
		name        string
		got, wanted float64
	}{
		{"p90", res.Total.ResponseTime.P90, 500},
		{"p95", res.Total.ResponseTime.P95, 750},
		{"p99", res.Total.ResponseTime.P99, 950},
	} {
		if c.got < 0.9*c.wanted || c.got > 1.1*c.wanted+drain {
			t.Errorf("%s is %.0f ms, want %.0f ± 10%% (+ %.0f ms drain)", c.name, c.got, c.wanted, drain)
		}
	}
}

func TestStall(t *testing.T) {
	res := stall(t, 0)
	nearIdeal(t, res)
	if res.Total.Requests != 20_000 || res.Total.Errors != 0 {
		t.Errorf("%d requests and %d errors, want 20,000 and none", res.Total.Requests, res.Total.Errors)
	}
}

func TestStallBounded(t *testing.T) {
	res := stall(t, 50)
	if res.Total.Requests != 20_000 {
		t.Errorf("%d requests, want 20,000: the tail was dropped", res.Total.Requests)
	}
	if res.Verdict != "invalid" {
		t.Errorf("verdict %s: requests waited for the bound of 50", res.Verdict)
	}
	nearIdeal(t, res)
}
