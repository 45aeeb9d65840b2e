package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// raw serves connections by hand, so that responses can be as odd as needed. It
// returns the address.
func raw(t testing.TB, serve func(n int, c net.Conn, br *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				serve(n, c, bufio.NewReader(c))
			})
		}
	})
	return "http://" + l.Addr().String()
}

// canned answers every request of a connection with the same bytes, then closes it.
func canned(t testing.TB, response string) string {
	return raw(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			_, _ = io.WriteString(c, response)
		}
	})
}

func get(t testing.TB, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestReuse(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	addr := raw(t, func(_ int, c net.Conn, br *bufio.Reader) {
		conns.Add(1)
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		}
	})
	tr := New(Options{})
	defer tr.CloseIdleConnections()
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		resp, err := tr.RoundTrip(get(t, addr).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 { // closing early drains what has arrived
			_, _ = io.ReadAll(resp.Body)
		}
		_ = resp.Body.Close()
		cancel() // after the end: must not poison the connection
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for requests one after another", n)
	}
}

func TestNoGoroutinePerConnection(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	tr := New(Options{})
	defer tr.CloseIdleConnections()
	before := strings.Count(stacks(), "platform/transport.")
	for range 10 {
		observe(tr, get(t, srv.URL))
	}
	if after := strings.Count(stacks(), "platform/transport."); after != before {
		t.Errorf("idle connections keep goroutines:\n%s", stacks())
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// TestStale closes connections while they are idle: the peek finds it, and no
// request fails, whatever its method.
func TestStale(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	addr := raw(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if req, err := http.ReadRequest(br); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
			_ = c.Close()
			closed <- struct{}{}
		}
	})
	tr := New(Options{})
	for range 20 {
		req, _ := http.NewRequest(http.MethodPost, addr, strings.NewReader("x"))
		if o := observe(tr, req); o.Failed || o.Body != "hi" {
			t.Fatalf("%+v", o)
		}
		<-closed
	}
}

// TestRetry: the server takes a request on a reused connection and closes it
// without a word. A GET is sent once more, a POST is not, unless it carries a key.
func TestRetry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, key string
		want        bool
	}{{http.MethodGet, "", true}, {http.MethodPost, "", false}, {http.MethodPost, "k", true}} {
		var requests atomic.Int32
		addr := raw(t, func(n int, c net.Conn, br *bufio.Reader) {
			for i := 0; ; i++ {
				req, err := http.ReadRequest(br)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				requests.Add(1)
				if n == 0 && i == 1 {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
			}
		})
		tr := New(Options{})
		if o := observe(tr, get(t, addr)); o.Failed {
			t.Fatal("the first request failed")
		}
		req, _ := http.NewRequest(c.method, addr, strings.NewReader("body"))
		if c.key != "" {
			req.Header.Set("Idempotency-Key", c.key)
		}
		o := observe(tr, req)
		want := int32(2)
		if c.want {
			want = 3
		}
		if o.Failed == c.want || requests.Load() != want {
			t.Errorf("%s %q: %+v after %d requests, want %d", c.method, c.key, o, requests.Load(), want)
		}
		tr.CloseIdleConnections()
	}
}

func TestNoRetryOnFreshConnection(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	addr := raw(t, func(_ int, _ net.Conn, br *bufio.Reader) {
		_, _ = http.ReadRequest(br)
		n.Add(1)
	})
	_, err := New(Options{}).RoundTrip(get(t, addr))
	if !errors.Is(err, io.EOF) || n.Load() != 1 {
		t.Errorf("%v after %d requests", err, n.Load())
	}
}

// TestEarlyAnswer: the server refuses a body without reading it, and closes.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, inline + 1000, maxBody, -100, -maxBody} {
		abrupt := size < 0 // closes with the body unread: the kernel resets the connection
		size = max(size, -size)
		addr := raw(t, func(_ int, c net.Conn, br *bufio.Reader) {
			for { // the headers only
				line, err := br.ReadString('\n')
				if err != nil || line == "\r\n" {
					break
				}
			}
			_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
			if abrupt {
				return
			}
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		})
		for range 20 {
			req, _ := http.NewRequest(http.MethodPost, addr, bytes.NewReader(make([]byte, size)))
			if o := observe(New(Options{}), req); o.Status != 413 || o.Body != "big" {
				t.Fatalf("%d bytes, abrupt %v: %+v", size, abrupt, o)
			}
		}
	}
}
