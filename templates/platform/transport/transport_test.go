package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"reflect"
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

// outcome is all that a caller can see of a response.
type outcome struct {
	Failed  bool
	Status  int
	Header  http.Header
	Length  int64
	Body    string
	BodyErr bool
	Trailer http.Header
}

func observe(rt http.RoundTripper, req *http.Request) outcome {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return outcome{Failed: true}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	o := outcome{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: string(body), BodyErr: err != nil}
	if err == nil {
		o.Trailer = resp.Trailer
	}
	return o
}

// reference is net/http with what the two must share.
func reference() *http.Transport {
	return &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 1 << 20}
}

// responses are odd in one way each.
func responses() []string {
	return []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
		"HTTP/1.0 200 OK\r\n\r\nold",
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nold",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmore than two",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 abc OK\r\n\r\n",
		"HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
		"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nNo-Colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\nX: b\r\nx: c\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 301 Moved\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 2<<20) + "\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/1.1",
		"",
	}
}

func same(t *testing.T, name string, ours, theirs outcome) {
	t.Helper()
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("%q:\n ours   %.300v\n theirs %.300v", name, fmt.Sprintf("%+v", ours), fmt.Sprintf("%+v", theirs))
	}
}

func TestLikeNetHTTP(t *testing.T) {
	t.Parallel()
	ours, theirs := New(Options{}), reference()
	defer ours.CloseIdleConnections()
	theirs.DisableKeepAlives = true // it logs what arrives on an idle connection
	for _, r := range responses() {
		addr := canned(t, r)
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
			req := get(t, addr)
			req.Method = method
			req.Close = true
			same(t, method+" "+r[:min(len(r), 120)], observe(ours, req), observe(theirs, req))
		}
	}
}

func FuzzLikeNetHTTP(f *testing.F) {
	for _, r := range responses() {
		if len(r) < 1000 {
			f.Add(r)
		}
	}
	var mu sync.Mutex
	response := ""
	addr := raw(f, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			mu.Lock()
			r := response
			mu.Unlock()
			_, _ = io.WriteString(c, r)
		}
	})
	ours, theirs := New(Options{}), reference()
	theirs.DisableKeepAlives = true
	f.Fuzz(func(t *testing.T, r string) {
		if strings.Contains(r, " 101 ") || strings.Contains(r, "HTTP/1.1 101") {
			t.Skip("nobody asked to switch protocols; net/http hands the connection over")
		}
		mu.Lock()
		response = r
		mu.Unlock()
		req := get(t, addr)
		req.Close = true
		same(t, r, observe(ours, req), observe(theirs, req))
	})
}

// TestRequestsOnTheWire compares what a server sees of the two.
func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	type seen struct {
		Method, URI, Host, Body string
		Length                  int64
		Header                  http.Header
	}
	var last seen
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		last = seen{r.Method, r.RequestURI, r.Host, string(b), r.ContentLength, r.Header}
	}))
	defer srv.Close()
	ours, theirs := New(Options{}), reference()
	defer theirs.CloseIdleConnections()
	defer ours.CloseIdleConnections()
	requests := map[string]func() *http.Request{
		"get":    func() *http.Request { return get(t, srv.URL+"/a%2Fb/c?x=1&y=%20") },
		"root":   func() *http.Request { return get(t, srv.URL) },
		"query":  func() *http.Request { return get(t, srv.URL+"?") },
		"host":   func() *http.Request { r := get(t, srv.URL); r.Host = "example.com"; return r },
		"agent":  func() *http.Request { r := get(t, srv.URL); r.Header.Set("User-Agent", "me"); return r },
		"silent": func() *http.Request { r := get(t, srv.URL); r.Header["User-Agent"] = []string{""}; return r },
		"close":  func() *http.Request { r := get(t, srv.URL); r.Close = true; return r },
		"values": func() *http.Request { r := get(t, srv.URL); r.Header["X"] = []string{"a", " b "}; return r },
		"empty post": func() *http.Request {
			r, _ := http.NewRequest(http.MethodPost, srv.URL, nil)
			return r
		},
		"empty delete": func() *http.Request {
			r, _ := http.NewRequest(http.MethodDelete, srv.URL, http.NoBody)
			return r
		},
		"lies about length": func() *http.Request {
			r, _ := http.NewRequest(http.MethodPut, srv.URL, strings.NewReader("body"))
			r.Header.Set("Content-Length", "99")
			return r
		},
	}
	for _, size := range []int{1, 100, inline, inline + 1, maxBody, maxBody + 1, 1 << 20} {
		requests[fmt.Sprint("post ", size)] = func() *http.Request {
			r, _ := http.NewRequest(http.MethodPost, srv.URL, strings.NewReader(strings.Repeat("x", size)))
			return r
		}
	}
	requests["stream"] = func() *http.Request {
		r, _ := http.NewRequest(http.MethodPost, srv.URL, io.MultiReader(strings.NewReader("unknown"), strings.NewReader(" length")))
		return r
	}
	for name, make := range requests {
		var got [2]seen
		for i, rt := range []http.RoundTripper{ours, theirs} {
			if o := observe(rt, make()); o.Failed || o.Status != 200 {
				t.Errorf("%s: %+v", name, o)
			}
			got[i] = last
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s:\n ours   %.300s\n theirs %.300s", name, fmt.Sprintf("%+v", got[0]), fmt.Sprintf("%+v", got[1]))
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Smuggled") != "" {
			t.Error("a header was smuggled in")
		}
		w.WriteHeader(http.StatusOK)
	}))
	defer srv.Close()
	ours, theirs := New(Options{}), reference()
	defer theirs.CloseIdleConnections()
	for name, change := range map[string]func(*http.Request){
		"header value":  func(r *http.Request) { r.Header.Set("X", "a\r\nSmuggled: 1") },
		"header name":   func(r *http.Request) { r.Header["X\r\nSmuggled: 1"] = []string{"a"} },
		"method":        func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nSmuggled: 1\r\n\r\nGET" },
		"host":          func(r *http.Request) { r.Host = "a\r\nSmuggled: 1" },
		"query":         func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1\r\nSmuggled: 1\r\nX: " },
		"no URL":        func(r *http.Request) { r.URL = nil },
		"no host":       func(r *http.Request) { r.URL.Host = ""; r.Host = "" },
		"other scheme":  func(r *http.Request) { r.URL.Scheme = "gopher" },
		"no header map": func(r *http.Request) { r.Header = nil },
	} {
		a, b := get(t, srv.URL), get(t, srv.URL)
		change(a)
		change(b)
		if o, th := observe(ours, a), observe(theirs, b); o.Failed != th.Failed || o.Status != th.Status {
			t.Errorf("%s: ours %+v, theirs %+v", name, o, th)
		}
	}
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
	_, err := New(Options{}).RoundTrip(get(t, addr)) //nolint:bodyclose // there is none
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

func TestCancel(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 8)
	addr := raw(t, func(_ int, c net.Conn, br *bufio.Reader) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if req.URL.Path == "/body" {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		}
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, c) // until the client gives up
	})
	tr := New(Options{})
	t.Run("headers", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { <-arrived; cancel() }()
		if _, err := tr.RoundTrip(get(t, addr).WithContext(ctx)); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
			t.Errorf("got %v", err)
		}
	})
	t.Run("body", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		resp, err := tr.RoundTrip(get(t, addr+"/body").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		<-arrived
		cancel()
		if b, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) || string(b) != "half" {
			t.Errorf("got %q, %v", b, err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := tr.RoundTrip(get(t, addr).WithContext(ctx)) //nolint:bodyclose // there is none
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		<-arrived
	})
	t.Run("close wakes a reader", func(t *testing.T) {
		resp, err := tr.RoundTrip(get(t, addr+"/body"))
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		if _, err := io.ReadFull(resp.Body, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := resp.Body.Read(make([]byte, 10))
			read <- err
		}()
		<-arrived
		_ = resp.Body.Close()
		if err := <-read; err == nil {
			t.Error("the read succeeded")
		}
	})
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := tr.RoundTrip(get(t, addr).WithContext(ctx)); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
			t.Errorf("got %v", err)
		}
	})
}

func TestInformational(t *testing.T) {
	t.Parallel()
	addr := canned(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	var got []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			got = append(got, fmt.Sprint(code, " ", h.Get("Link")))
			return nil
		},
	})
	if o := observe(New(Options{}), get(t, addr).WithContext(ctx)); o.Status != 200 || len(got) != 1 || got[0] != "103 </a>" {
		t.Errorf("%+v, hints %v", o, got)
	}
}

func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	addr := canned(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 64<<10)+"\r\nContent-Length: 0\r\n\r\n")
	_, err := New(Options{MaxHeaderBytes: 16 << 10}).RoundTrip(get(t, addr)) //nolint:bodyclose // there is none
	if !errors.Is(err, errHeaderTooLarge) {
		t.Errorf("got %v", err)
	}
	if o := observe(New(Options{MaxHeaderBytes: 128 << 10}), get(t, addr)); o.Failed {
		t.Error("a header below the limit was refused")
	}
}

// TestBound: with one connection allowed, requests take turns.
func TestBound(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		runtime.Gosched()
		now.Add(-1)
	}))
	defer srv.Close()
	tr := New(Options{MaxConnsPerHost: 2})
	defer tr.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { observe(tr, get(t, srv.URL)) })
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d at once, want at most 2", most.Load())
	}
	if p := tr.pool(strings.TrimPrefix(srv.URL, "http://")); len(p.free) != 0 {
		t.Errorf("%d slots were not given back", len(p.free))
	}
}

// TestConcurrent mixes every ending of a response, for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // whole: the server would drop the rest at the first write
		_, _ = w.Write(b)
		_, _ = io.WriteString(w, r.URL.RawQuery)
	}))
	defer srv.Close()
	tr := New(Options{MaxIdlePerHost: 4, IdleTimeout: 20 * time.Millisecond})
	defer tr.CloseIdleConnections()
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 100 {
				query := fmt.Sprintf("g=%d&i=%d", g, i)
				body := strings.Repeat("y", (i*797)%(80<<10))
				ctx, cancel := context.WithCancel(context.Background())
				req, _ := http.NewRequestWithContext(ctx, http.MethodPut, srv.URL+"?"+query, strings.NewReader(body))
				if i%10 == 9 {
					go cancel()
				}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					cancel()
					if i%10 != 9 {
						t.Error(err)
					}
					continue
				}
				if i%7 != 0 {
					got, err := io.ReadAll(resp.Body)
					if err == nil && string(got) != body+query {
						t.Errorf("an answer of another request: %d bytes, want %d", len(got), len(body+query))
					}
				}
				_ = resp.Body.Close()
				cancel()
			}
		})
	}
	wg.Wait()
}

func TestProxyGoesToNetHTTP(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "via proxy to "+r.URL.Host)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	tr := New(Options{Proxy: http.ProxyURL(at)})
	defer tr.CloseIdleConnections()
	if o := observe(tr, get(t, "http://example.test/")); o.Body != "via proxy to example.test" {
		t.Errorf("%+v", o)
	}
}

func TestTLSGoesToNetHTTP(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	tr := New(Options{})
	if _, err := tr.RoundTrip(get(t, srv.URL)); err == nil || !strings.Contains(err.Error(), "certificate") { //nolint:bodyclose // there is none
		t.Errorf("got %v, want the certificate refused", err)
	}
}

func benchmark(b *testing.B, rt http.RoundTripper) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"1","name":"a lamp"}`)
	}))
	defer srv.Close()
	req := get(b, srv.URL+"/products/1")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func BenchmarkTransport(b *testing.B) { benchmark(b, New(Options{})) }

func BenchmarkNetHTTP(b *testing.B) { benchmark(b, reference()) }
