package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := telemetry.New()
	o := m.Operation("orders", "createOrder")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				o.Observe(201, 3*time.Millisecond)
			}
		})
	}
	all.Wait()
	o.Observe(499, time.Second)
	o.Observe(0, time.Second)
	m.Begin()
	if err := m.Gauge("db_connections", "Open connections.", telemetry.Labels{"service": "orders"}, func() float64 { return 3 }); err != nil {
		t.Fatal(err)
	}
	if err := m.Counter("cache_hits_total", "Hits.", nil, func() float64 { return 9 }); err != nil {
		t.Fatal(err)
	}
	if err := m.Counter("cache_hits_total", "Hits.", nil, func() float64 { return 9 }); err == nil {
		t.Error("a metric was registered twice")
	}
	text := scrape(t, m)
	for _, line := range []string{
		`http_requests_total{operation="createOrder",service="orders",status="201"} 800`,
		`http_requests_total{operation="createOrder",service="orders",status="499"} 1`,
		`http_requests_total{operation="createOrder",service="orders",status="500"} 1`,
		`http_request_duration_seconds_bucket{operation="createOrder",service="orders",le="0.0025"} 0`,
		`http_request_duration_seconds_bucket{operation="createOrder",service="orders",le="0.005"} 800`,
		`http_request_duration_seconds_count{operation="createOrder",service="orders"} 802`,
		`http_requests_in_flight 1`, `db_connections{service="orders"} 3`, `cache_hits_total 9`, `go_goroutines `, `process_open_fds `,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no line %s", line)
		}
	}
	m.End()
	if !strings.Contains(scrape(t, m), "http_requests_in_flight 0") {
		t.Error("the request is still in flight")
	}
}

func TestTwoRegistriesDoNotMeet(t *testing.T) {
	telemetry.New().Operation("a", "b").Observe(200, 0)
	if strings.Contains(scrape(t, telemetry.New()), `operation="b"`) {
		t.Error("metrics leak from one registry into another")
	}
}

func TestLoggerWritesJSONAboveItsLevel(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelWarn)
	log.Info("quiet")
	log.Warn("loud", "n", 1)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "loud" || line["n"] != 1.0 {
		t.Errorf("got %s, %v", &out, err)
	}
}

func BenchmarkObserve(b *testing.B) {
	o := telemetry.New().Operation("orders", "createOrder")
	b.ReportAllocs()
	for b.Loop() {
		o.Observe(200, time.Millisecond)
	}
}
