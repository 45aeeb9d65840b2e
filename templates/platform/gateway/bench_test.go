//go:build unix

package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/gateway"
	"github.com/e6b96b0c/backend/templates/platform/peer"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// BenchmarkForward is a request over sockets: straight to a service, through a bare
// ReverseProxy over the same transport, and through the gateway with its request id,
// access log, metrics and replicas. CPU is that of client, proxy and service together,
// so what counts is the difference to direct.
func BenchmarkForward(b *testing.B) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write([]byte(`{"id":"018f3a5e-0000-7000-8000-000000000000","name":"something of a usual length","price":1299}`))
	}))
	defer service.Close()

	proxy := gateway.New(token)
	defer func() { _ = proxy.Close() }()
	router := rest.NewRouter(rest.RouterOptions{Log: telemetry.NewLogger(io.Discard, slog.LevelInfo), Metrics: telemetry.New()})
	notes(rest.NewAPI(router, rest.Options{Service: "notes", Forward: proxy.Service("notes", at(service.URL))}))
	through := httptest.NewServer(router)
	defer through.Close()

	target := at(service.URL)[0]
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Transport: peer.NewTransport(256),
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target); p.SetXForwarded() },
	})
	defer bare.Close()

	for name, s := range map[string]*httptest.Server{"direct": service, "bare": bare, "gateway": through} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: peer.NewTransport(256)}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			b.SetParallelism(16)
			began := cpu(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					response, err := client.Get(s.URL + "/notes/1")
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					if response.StatusCode != http.StatusOK {
						b.Error(response.Status)
					}
				}
			})
			b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// cpu is the time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
