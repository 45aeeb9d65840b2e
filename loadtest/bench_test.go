package loadtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

// BenchmarkRequest measures one request from the scenario to the recorder
// against a server in this process that does as little as it can. cpu-µs/op is
// the whole process's, the server's part included.
func BenchmarkRequest(b *testing.B) {
	body := []byte(`{"id":"7","customerId":"c-1","items":[{"productId":"1","quantity":2}]}`)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = w.Write(body)
	}))
	defer srv.Close()
	o := shopOptions(srv.URL)
	// Any status will do: the server is not a shop.
	for _, op := range o.API.Operations {
		op.Responses = []*model.Response{{Status: "default"}}
	}
	o.Rate, o.Duration = float64(b.N), time.Second
	r := benchRun(b, o)
	began := cpu(b)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		r.request(uint64(n))
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
}

// BenchmarkMake measures making a request without sending it.
func BenchmarkMake(b *testing.B) {
	srv := httptest.NewServer(newShop().handler())
	defer srv.Close()
	o := shopOptions(srv.URL)
	r := benchRun(b, o)
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		st := r.scenario.Next(context.Background(), n)
		r.scenario.Done(st, 0, nil, nil)
		n++
	}
}

func benchRun(b *testing.B, o Options) *run {
	b.Helper()
	r, err := prepare(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.close)
	if err := r.warmUp(); err != nil {
		b.Fatal(err)
	}
	return r
}

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
