package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

func shopOptions(url string) Options {
	return Options{
		BaseURL: url, API: shopAPI(), Rate: 500, Duration: 2 * time.Second, Seed: 1,
		Token: func(context.Context, []string) (string, error) { return "secret", nil },
	}
}

func TestShopWithoutError(t *testing.T) {
	t.Parallel()
	s := newShop()
	srv := httptest.NewServer(s.handler())
	defer srv.Close()
	o := shopOptions(srv.URL)
	var scopes []string
	o.Token = func(_ context.Context, asked []string) (string, error) { scopes = asked; return "secret", nil }
	o.Stubs = []string{"refundOrder"}
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	explain(t, res)
	if res.Total.Requests != 1000 || res.Total.Errors != 0 || res.WarmUp.Errors != 0 {
		t.Errorf("%d requests, %d errors, %d in the warm-up; want 1000, 0, 0", res.Total.Requests, res.Total.Errors, res.WarmUp.Errors)
	}
	if len(res.Operations) != len(o.API.Operations) || len(res.NotExercised) != 0 {
		t.Errorf("%d of %d operations were exercised; not: %+v", len(res.Operations), len(o.API.Operations), res.NotExercised)
	}
	for _, op := range res.Operations {
		if op.Requests < 5 {
			t.Errorf("%s was requested %d times, want at least 5", op.Operation, op.Requests)
		}
	}
	if !slices.Equal(scopes, []string{"shop:write"}) {
		t.Errorf("the token was asked for scopes %v", scopes)
	}
	if s.cursor == 0 {
		t.Error("no page continued another")
	}
	if len(s.keys) < 2 {
		t.Errorf("%d idempotency keys were seen", len(s.keys))
	}
	if !slices.Equal(res.Stubs, o.Stubs) {
		t.Errorf("stubs are %v", res.Stubs)
	}
}

// TestETagsFromReads: the ETag that an update needs has to be read first.
func TestETagsFromReads(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.silent = true
	srv := httptest.NewServer(s.handler())
	defer srv.Close()
	res, err := Run(context.Background(), shopOptions(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	explain(t, res)
	if n := s.seen["PUT /v1/orders/{id}"]; n < 5 {
		t.Errorf("%d updates", n)
	}
}

func TestReadsDominate(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newShop().handler())
	defer srv.Close()
	res, err := Run(context.Background(), shopOptions(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	reads := int64(0)
	for _, op := range res.Operations {
		if op.Method == "GET" {
			reads += op.Requests
		}
	}
	if share := float64(reads) / float64(res.Total.Requests); share < 0.7 || share > 0.9 {
		t.Errorf("%.0f%% of the requests are reads, want about 80%%", 100*share)
	}
}

func TestErrorsAreShown(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.broken = true // every GET of a row answers 404, which is not declared
	srv := httptest.NewServer(s.handler())
	defer srv.Close()
	o := shopOptions(srv.URL)
	slos, err := ParseSLO("errors<1%,p99<10s,operation:getOrder:errors<=0")
	if err != nil {
		t.Fatal(err)
	}
	o.SLOs = slos
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict == "pass" {
		t.Error("verdict pass")
	}
	if len(res.SLO) != 3 || res.SLO[0].OK || !res.SLO[1].OK || res.SLO[2].OK {
		t.Errorf("SLOs: %+v", res.SLO)
	}
	for _, op := range res.Operations {
		if op.Operation != "getOrder" {
			continue
		}
		if len(op.ErrorSamples) == 0 || op.ErrorSamples[0].Status != 404 || !strings.Contains(op.ErrorSamples[0].Body, "no such row") {
			t.Errorf("samples: %+v", op.ErrorSamples)
		}
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newShop().handler())
	defer srv.Close()
	o := shopOptions(srv.URL)
	o.Duration = time.Second
	var calls atomic.Int64
	o.Validate = func(op *model.Operation, status int, _ http.Header, body []byte) error {
		calls.Add(1)
		if op.ID == "listOrders" && json.Valid(body) && status == 200 {
			return errors.New("/items: planted")
		}
		return nil
	}
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Total.SchemaViolations == 0 || res.Total.Validated != calls.Load() {
		t.Errorf("%d violations, %d validated of %d", res.Total.SchemaViolations, res.Total.Validated, calls.Load())
	}
	for _, op := range res.Operations {
		if (op.Operation == "listOrders") != (op.SchemaViolations > 0) {
			t.Errorf("%s has %d violations", op.Operation, op.SchemaViolations)
		}
		if op.Operation == "listOrders" && (len(op.ViolationSamples) == 0 || op.ViolationSamples[0].Message != "/items: planted") {
			t.Errorf("samples: %+v", op.ViolationSamples)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n.Add(1) == 50 {
			cancel()
		}
	}))
	defer srv.Close()
	res, err := Run(ctx, Options{BaseURL: srv.URL, API: pingAPI(), Rate: 200, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != "invalid" || res.ExitCode() != 5 || !strings.Contains(strings.Join(res.Reasons, " "), "interrupted") {
		t.Errorf("%s %v", res.Verdict, res.Reasons)
	}
	if res.Total.Errors != 0 {
		t.Errorf("%d errors: requests that the interruption cut off are not the server's", res.Total.Errors)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	o := shopOptions(srv.URL)
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("error %v", err)
	}
}

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	good := Options{BaseURL: "http://127.0.0.1:1", API: pingAPI(), Rate: 1, Duration: time.Second}
	for name, change := range map[string]func(*Options){
		"no URL":       func(o *Options) { o.BaseURL = "" },
		"other scheme": func(o *Options) { o.BaseURL = "ftp://127.0.0.1" },
		"no API":       func(o *Options) { o.API = nil },
		"no rate":      func(o *Options) { o.Rate = 0 },
		"no requests":  func(o *Options) { o.Rate = 0.1 },
		"bad SLO":      func(o *Options) { o.SLOs = []SLO{{Operation: "nope"}} },
		"no operation": func(o *Options) { o.API = &model.API{} },
	} {
		o := good
		change(&o)
		if _, err := Run(context.Background(), o); err == nil || strings.Contains(err.Error(), "connect") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestJSON holds the names that other programs rely on (CONTRACT.md).
func TestJSON(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newShop().handler())
	defer srv.Close()
	o := shopOptions(srv.URL)
	o.Rate, o.Duration = 100, time.Second
	o.ReportPath = filepath.Join(t.TempDir(), "report.html")
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"verdict", "reasons", "target", "seed", "offered_rate", "achieved_rate", "duration_seconds", "in_flight_max",
		"schedule_lag_ms.p99", "total.requests", "total.errors", "total.schema_violations", "total.status.200",
		"total.response_time_ms.p50", "total.response_time_ms.p90", "total.response_time_ms.p95", "total.response_time_ms.p99",
		"total.response_time_ms.max", "total.service_time_ms.p99", "operations", "slo", "capacity", "report", "stubs",
	} {
		at := any(got)
		for part := range strings.SplitSeq(path, ".") {
			m, _ := at.(map[string]any)
			v, ok := m[part]
			if !ok {
				t.Errorf("%s is missing", path)
			}
			at = v
		}
	}
	ops, _ := got["operations"].([]any)
	first, _ := ops[0].(map[string]any)
	if first["operation"] == nil || first["requests"] == nil || first["response_time_ms"] == nil {
		t.Errorf("an operation is %v", first)
	}
	if got["report"] != o.ReportPath {
		t.Errorf("report is %v", got["report"])
	}
}
