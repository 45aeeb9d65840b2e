package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/lifecycle"
)

// diary notes what happens in which order, the log's lines included.
type diary struct {
	mu      sync.Mutex
	entries []string
	log     bytes.Buffer
}

func (d *diary) note(entry string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entry)
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.entries)
}

func (d *diary) closer(name string) lifecycle.Closer {
	return lifecycle.Closer{Name: name, Close: func(context.Context) error { d.note("close " + name); return nil }}
}

// running is a server in the background.
type running struct {
	lifecycle.Addresses
	stop   context.CancelFunc
	result chan error
}

func start(t *testing.T, d *diary, s lifecycle.Server) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if s.Addr == "" {
		s.Addr, s.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	}
	if s.Handler == nil {
		s.Handler = http.NotFoundHandler()
	}
	ready := make(chan lifecycle.Addresses, 1)
	s.OnReady = func(a lifecycle.Addresses) { ready <- a }
	s.Log = slog.New(slog.NewJSONHandler(d, nil))
	r := &running{stop: cancel, result: make(chan error, 1)}
	go func() { r.result <- lifecycle.Run(ctx, s) }()
	select {
	case r.Addresses = <-ready:
	case err := <-r.result:
		t.Fatalf("it did not start: %v", err)
	}
	return r
}

// get returns the status and body of a GET, "" if nobody answers.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(body)
}

func TestOrderOfTheShutdown(t *testing.T) {
	d := &diary{}
	arrived, release := make(chan struct{}), make(chan struct{})
	r := start(t, d, lifecycle.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-release
			d.note("request")
			_, _ = w.Write([]byte("done"))
		}),
		Background: []func(context.Context) error{func(ctx context.Context) error {
			<-ctx.Done()
			d.note("background")
			return ctx.Err()
		}},
		Closers: []lifecycle.Closer{d.closer("store"), d.closer("telemetry")},
	})
	answer := make(chan string, 1)
	go func() {
		_, body := get(t, r.URL)
		answer <- body
	}()
	<-arrived
	if status, _ := get(t, r.Admin+"/readyz"); status != 200 {
		t.Errorf("it is not ready: %d", status)
	}
	r.stop()
	for { // the request in flight holds it here: not ready, and alive
		status, body := get(t, r.Admin+"/readyz")
		if status == 503 {
			if !strings.Contains(body, "stopping") {
				t.Errorf("not ready, without a reason: %s", body)
			}
			break
		}
	}
	if status, _ := get(t, r.Admin+"/livez"); status != 200 {
		t.Errorf("it is not alive while it stops: %d", status)
	}
	close(release)
	if body := <-answer; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-r.result; err != nil {
		t.Error(err)
	}
	if got, want := d.all(), []string{"request", "background", "close telemetry", "close store"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if status, _ := get(t, r.Admin+"/livez"); status != 0 {
		t.Error("the admin address still answers")
	}
}

func TestReadyLineNamesTheAddresses(t *testing.T) {
	d := &diary{}
	r := start(t, d, lifecycle.Server{})
	r.stop()
	if err := <-r.result; err != nil {
		t.Error(err)
	}
	line, _, _ := strings.Cut(d.log.String(), "\n")
	var ready map[string]any
	if err := json.Unmarshal([]byte(line), &ready); err != nil || ready["msg"] != "ready" || ready["url"] != r.URL || ready["admin"] != r.Admin || ready["pid"] == nil {
		t.Errorf("got %s, %v", line, err)
	}
}

func TestATakenAddressIsNamedAndNothingIsHalfOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	for _, c := range []struct{ addr, admin, want string }{
		{taken.Addr().String(), "127.0.0.1:0", "ADDR=" + taken.Addr().String()},
		{address, taken.Addr().String(), "ADMIN_ADDR=" + taken.Addr().String()},
	} {
		d := &diary{}
		err := lifecycle.Run(t.Context(), lifecycle.Server{
			Addr: c.addr, AdminAddr: c.admin, Handler: http.NotFoundHandler(), Closers: []lifecycle.Closer{d.closer("store")},
		})
		if !errors.Is(err, lifecycle.ErrListen) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v", err)
		}
		if got := d.all(); !slices.Equal(got, []string{"close store"}) {
			t.Errorf("what was open is left: %v", got)
		}
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the first address is still held: %v", err)
	}
	_ = again.Close()
}

func TestAnImpatientShutdownCutsRequestsOff(t *testing.T) {
	d := &diary{}
	arrived := make(chan struct{})
	r := start(t, d, lifecycle.Server{
		ShutdownTimeout: 20 * time.Millisecond,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
			close(arrived)
			<-request.Context().Done()
		}),
		Closers: []lifecycle.Closer{d.closer("store")},
	})
	go get(t, r.URL)
	<-arrived
	r.stop()
	if err := <-r.result; !errors.Is(err, lifecycle.ErrForced) {
		t.Errorf("got %v", err)
	}
	if got := d.all(); !slices.Equal(got, []string{"close store"}) {
		t.Errorf("got %v", got)
	}
}

func TestFailingPartsStopTheServer(t *testing.T) {
	d := &diary{}
	boom := errors.New("boom")
	go1 := make(chan struct{})
	r := start(t, d, lifecycle.Server{
		Background: []func(context.Context) error{func(context.Context) error { <-go1; return boom }},
		Closers:    []lifecycle.Closer{d.closer("first"), {Name: "second", Close: func(context.Context) error { return io.ErrUnexpectedEOF }}},
	})
	close(go1)
	err := <-r.result
	if !errors.Is(err, boom) || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "close second") {
		t.Errorf("got %v", err)
	}
	if got := d.all(); !slices.Equal(got, []string{"close first"}) {
		t.Errorf("one failing closer kept another open: %v", got)
	}
}

func TestAdmin(t *testing.T) {
	d := &diary{}
	var failing error
	var mu sync.Mutex
	text := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) })
	}
	r := start(t, d, lifecycle.Server{
		Metrics: text("metrics"), Dev: text("token"), Pages: func(a lifecycle.Addresses) http.Handler { return text(fmt.Sprint("page ", a.Local)) },
		Checks: []lifecycle.Check{
			{Name: "cache", Run: func(context.Context) error { return nil }},
			{Name: "orders database", Run: func(context.Context) error { mu.Lock(); defer mu.Unlock(); return failing }},
		},
	})
	for path, want := range map[string]string{"/metrics": "metrics", "/dev/token": "token", "/openapi.json": "page true", "/livez": "{\"status\":\"alive\"}\n", "/readyz": "{\"status\":\"ready\"}\n"} {
		if status, body := get(t, r.Admin+path); status != 200 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := get(t, r.URL+"/metrics"); status != 404 {
		t.Errorf("metrics are public: %d", status)
	}
	mu.Lock()
	failing = errors.New("secret address refused")
	mu.Unlock()
	status, body := get(t, r.Admin+"/readyz")
	if status != 503 || !strings.Contains(body, "orders database") || strings.Contains(body, "cache") || strings.Contains(body, "secret") {
		t.Errorf("got %d %s", status, body)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Admin+"/dev/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example:9090"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("another host's name got %d", response.StatusCode)
	}
	r.stop()
	if err := <-r.result; err != nil {
		t.Error(err)
	}
}

func TestDevTokensStayOnThisMachine(t *testing.T) {
	d := &diary{}
	r := start(t, d, lifecycle.Server{
		Addr: "127.0.0.1:0", AdminAddr: "0.0.0.0:0",
		Dev: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a token was handed out") }),
	})
	if status, _ := get(t, r.Admin+"/dev/token"); status != 404 {
		t.Errorf("got %d", status)
	}
	if !strings.HasPrefix(r.Admin, "http://127.0.0.1:") {
		t.Errorf("the admin address is given as %s", r.Admin)
	}
	r.stop()
	if err := <-r.result; err != nil {
		t.Error(err)
	}
}

// TestAdminAddress: the keys of the dev issuer are for anybody who reaches the address,
// and a probe finds out whether the server is ready.
func TestAdminAddress(t *testing.T) {
	r := start(t, &diary{}, lifecycle.Server{
		JWKS: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("keys")) }),
	})
	if status, body := get(t, r.Admin+"/.well-known/jwks.json"); status != 200 || body != "keys" {
		t.Errorf("got %d %s", status, body)
	}
	address := strings.TrimPrefix(r.Admin, "http://")
	if err := lifecycle.Probe(t.Context(), address); err != nil {
		t.Errorf("it is ready: %v", err)
	}
	r.stop()
	if err := <-r.result; err != nil {
		t.Error(err)
	}
	if err := lifecycle.Probe(t.Context(), address); err == nil {
		t.Error("nobody is there")
	}
}
