package transport

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
)

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
	for name, request := range requests {
		var got [2]seen
		for i, rt := range []http.RoundTripper{ours, theirs} {
			if o := observe(rt, request()); o.Failed || o.Status != 200 {
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
