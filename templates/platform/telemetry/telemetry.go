// Package telemetry is what the server tells about itself: structured logs, and
// metrics that Prometheus collects. Labels name operations, never URLs, so their
// number is fixed by the API.
package telemetry

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewLogger returns a logger that writes one JSON object a line to w.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// Metrics holds the server's metrics in a registry of its own.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// New returns metrics about HTTP requests, the Go runtime and the process.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests answered, by the operation of the API and the status sent; 499 if the client had left.",
		}, []string{"service", "operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Time from a request's header to the end of its response.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"service", "operation"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight",
			Help: "Requests being served at the moment.",
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}

// Labels are the constant labels of a gauge or counter.
type Labels = map[string]string

// Gauge registers a value that goes up and down, read at each collection. The
// error says that the name is malformed or taken.
func (m *Metrics) Gauge(name, help string, labels Labels, read func() float64) error {
	return m.registry.Register(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Counter registers a total that only grows, read at each collection. Its name
// ends in _total by convention.
func (m *Metrics) Counter(name, help string, labels Labels, read func() float64) error {
	return m.registry.Register(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Begin notes that a request is being served, until End.
func (m *Metrics) Begin() { m.inFlight.Inc() }

// End notes that a request has been answered.
func (m *Metrics) End() { m.inFlight.Dec() }

// Operation is the metrics of one operation of one service.
type Operation struct {
	metrics  *Metrics
	service  string
	name     string
	duration prometheus.Observer
	statuses [500]atomic.Pointer[prometheus.Counter] // from 100 on; looking one up by label is dear
}

// Operation returns the metrics of an operation. Keep it: it is what makes
// Observe cheap.
func (m *Metrics) Operation(service, name string) *Operation {
	return &Operation{
		metrics: m, service: service, name: name,
		duration: m.duration.WithLabelValues(service, name),
	}
}

// Observe counts one request and the time it took. A status that is not an HTTP
// status counts as 500.
func (o *Operation) Observe(status int, took time.Duration) {
	if status < 100 || status > 599 {
		status = http.StatusInternalServerError
	}
	o.counter(status).Inc()
	o.duration.Observe(took.Seconds())
}

func (o *Operation) counter(status int) prometheus.Counter {
	slot := &o.statuses[status-100]
	if c := slot.Load(); c != nil {
		return *c
	}
	c := o.metrics.requests.WithLabelValues(o.service, o.name, strconv.Itoa(status))
	slot.Store(&c)
	return c
}
