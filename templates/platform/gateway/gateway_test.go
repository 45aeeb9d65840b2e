package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/gateway"
	"github.com/e6b96b0c/backend/templates/platform/peer"
)

// before starts a gateway before handlers that stand in for replicas of the files.
func (b *backend) before(replicas ...http.Handler) *httptest.Server {
	var urls []*url.URL
	for _, h := range replicas {
		urls = append(urls, at(b.serve(h).URL)...)
	}
	return b.gateway(at(nobody(b.t)), urls)
}

// send sends a request and returns the response with its body read.
func send(t *testing.T, method, address string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	must(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(text)
}

func TestWhatTheServiceSees(t *testing.T) {
	b := newBackend(t)
	var got *http.Request
	s := b.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	}))
	response, _ := exchange(t, s, "PUT /files/a%2Fb?x=1;y=%zz HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n"+
		"X-Request-Id: id-1\r\nService-Authorization: Bearer "+token+"\r\nForwarded: for=1.2.3.4\r\n"+
		"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"+
		"Authorization: Basic x\r\nConnection: X-Private, X-Request-Id\r\nX-Private: 1\r\nX-Public: 2\r\n\r\n")
	for name, want := range map[string]string{
		"X-Request-Id": "id-1", "Service-Authorization": "", "Forwarded": "", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "shop.example",
		"X-Forwarded-Proto": "http", "Authorization": "Basic x", "X-Private": "", "X-Public": "2", "User-Agent": "", "Accept-Encoding": "",
	} {
		if values := got.Header.Values(name); strings.Join(values, "|") != want {
			t.Errorf("%s: %q, want %q", name, values, want)
		}
	}
	if got.Host != "shop.example" || got.RequestURI != "/files/a%2Fb?x=1;y=%zz" {
		t.Errorf("the service saw %s %s", got.Host, got.RequestURI)
	}
	h := response.Header
	if response.StatusCode != http.StatusTeapot || len(h["X-Request-Id"]) != 1 || h.Get("X-Request-Id") != "id-1" ||
		len(h["X-Content-Type-Options"]) != 1 || len(h["Set-Cookie"]) != 2 {
		t.Errorf("the client saw %d %v", response.StatusCode, h)
	}
}

// TestCallsAreForProcesses: what services ask one another is not for clients.
func TestCallsAreForProcesses(t *testing.T) {
	b := newBackend(t)
	service := b.service("notes", notes)
	s := b.gateway(at(service.URL), at(nobody(t)))
	for address, want := range map[string]int{service.URL: http.StatusUnauthorized, s.URL: http.StatusNotFound} {
		if response, text := send(t, "POST", address+"/-/calls/ping", nil, peer.Header, "Bearer wrong", "Service-Name", "notes"); response.StatusCode != want {
			t.Errorf("%s with a wrong token: %d %s", address, response.StatusCode, text)
		}
		if response, text := send(t, "POST", address+"/-/calls/ping", nil); response.StatusCode != http.StatusNotFound || !strings.Contains(text, "nothing at this path") {
			t.Errorf("%s without a token: %d %s", address, response.StatusCode, text)
		}
	}
	if response, text := send(t, "POST", s.URL+"/-/calls/ping", nil, peer.Header, "Bearer "+token, "Service-Name", "notes"); response.StatusCode != http.StatusNotFound {
		t.Errorf("with the token through the gateway: %d %s", response.StatusCode, text)
	}
}

// TestReplicas: requests go to all replicas in turn, and past one that is down. None
// is sent twice.
func TestReplicas(t *testing.T) {
	b := newBackend(t)
	var mu sync.Mutex
	seen := map[string]int{}
	replica := func() *httptest.Server {
		return b.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			seen[string(text)]++
		}))
	}
	one, two := replica(), replica()
	s := b.gateway(at(nobody(t)), at(one.URL, nobody(t), two.URL))
	for i := range 30 {
		if i == 20 {
			one.Close()
		}
		if response, text := send(t, "PUT", s.URL+"/files/a", strings.NewReader(fmt.Sprint("body ", i))); response.StatusCode != http.StatusOK {
			t.Errorf("%d: %d %s", i, response.StatusCode, text)
		}
	}
	for i := range 30 {
		if n := seen[fmt.Sprint("body ", i)]; n != 1 {
			t.Errorf("body %d arrived %d times", i, n)
		}
	}
	two.Close()
	response, text := send(t, "PUT", s.URL+"/files/a", strings.NewReader("x"))
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" || !strings.Contains(text, "service files cannot be reached") {
		t.Errorf("got %d %v %s", response.StatusCode, response.Header, text)
	}
	response, text = send(t, "DELETE", s.URL+"/notes/1", nil) // which declares a shape for its errors
	if response.StatusCode != http.StatusServiceUnavailable || text != `{"code":503,"message":"service notes cannot be reached"}` {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
	if log := b.log.String(); !strings.Contains(log, "connection refused") {
		t.Errorf("the log does not say why: %s", log)
	}
}

// TestTime: the time of a request is bounded until its answer begins.
func TestTime(t *testing.T) {
	b := newBackend(t)
	b.timeout = 300 * time.Millisecond
	s := b.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done() // the gateway hangs up
			return
		}
		_, _ = io.WriteString(w, "begun, ")
		must(t, http.NewResponseController(w).Flush())
		time.Sleep(2 * b.timeout)
		_, _ = io.WriteString(w, "done")
	}))
	if response, text := send(t, "DELETE", s.URL+"/files/a", nil); response.StatusCode != http.StatusGatewayTimeout || !strings.Contains(text, "took too long") {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
	if response, text := send(t, "PUT", s.URL+"/files/a", nil); response.StatusCode != 200 || text != "begun, done" {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
}

// TestBrokenOff: a client that leaves, and a service that does.
func TestBrokenOff(t *testing.T) {
	b := newBackend(t)
	arrived := make(chan struct{})
	s := b.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			close(arrived)
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		must(t, http.NewResponseController(w).Flush())
		panic(http.ErrAbortHandler)
	}))
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-arrived; leave() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.URL+"/files/a", nil)
	must(t, err)
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("the client got an answer that it did not wait for")
	}
	eventually(t, "a line with status 499", func() bool { return strings.Contains(b.log.String(), `"status":499`) })

	r, err = http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/files/a", nil)
	must(t, err)
	if response, err := http.DefaultClient.Do(r); err == nil { // its beginning may have come through
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("half an answer was taken for a whole one: %q, %v", text, err)
		}
	}
	eventually(t, "a line with status 502", func() bool { return strings.Contains(b.log.String(), `"status":502`) })
	if strings.Contains(b.log.String(), "panic") {
		t.Error(b.log.String())
	}
}

// zeros is a body of as many bytes.
func zeros(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestBigBodies: what streams through is not kept, in either direction.
func TestBigBodies(t *testing.T) {
	const size = 100 << 20
	b := newBackend(t)
	b.timeout = time.Minute // of the upload, on a machine that is busy
	s := b.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if n != size || err != nil {
			t.Errorf("the service read %d bytes, %v", n, err)
		}
		_, _ = io.Copy(w, zeros(size))
	}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	response, err := http.Post(s.URL+"/files/a", "", nil)
	must(t, err)
	_ = response.Body.Close() // a 405: the connection is made
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/files/a", zeros(size))
	must(t, err)
	response, err = http.DefaultClient.Do(r)
	must(t, err)
	n, err := io.Copy(io.Discard, response.Body)
	must(t, err)
	_ = response.Body.Close()
	runtime.ReadMemStats(&after)
	if n != size {
		t.Errorf("the client read %d bytes", n)
	}
	if kept := after.TotalAlloc - before.TotalAlloc; kept > 10<<20 {
		t.Errorf("%d bytes were allocated for %d that passed", kept, 2*size)
	}
}

func TestReady(t *testing.T) {
	b := newBackend(t)
	live := b.service("notes", notes)
	proxy := gateway.New(token)
	defer func() { must(t, proxy.Close()) }()
	if err := proxy.Service("notes", at(nobody(t), live.URL)).Ready(t.Context()); err != nil {
		t.Errorf("one replica answers: %v", err)
	}
	if err := proxy.Service("notes", at(nobody(t))).Ready(t.Context()); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("nobody answers: %v", err)
	}
	if err := proxy.Service("files", at(live.URL)).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "this is service notes, not files") {
		t.Errorf("another service answers: %v", err)
	}
	if err := proxy.Service("notes", at(b.serve(http.NotFoundHandler()).URL)).Ready(t.Context()); err == nil {
		t.Error("something else altogether answers")
	}
}

// TestNothingIsLeft: connections and goroutines end with the gateway.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("load", func(t *testing.T) {
		b := newBackend(t)
		s := b.split()
		client := &http.Client{Transport: peer.NewTransport(8)}
		defer client.CloseIdleConnections()
		var group sync.WaitGroup
		var answered atomic.Int64
		for range 8 {
			group.Go(func() {
				for range 25 {
					response, err := client.Get(s.URL + "/notes/1")
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					answered.Add(1)
				}
			})
		}
		group.Wait()
		if answered.Load() != 200 {
			t.Errorf("%d answers", answered.Load())
		}
	})
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}
