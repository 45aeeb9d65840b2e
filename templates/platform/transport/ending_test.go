package transport

import (
	"bufio"
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
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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
		if _, err := tr.RoundTrip(get(t, addr).WithContext(ctx)); !errors.Is(err, context.Canceled) {
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
		_, err := tr.RoundTrip(get(t, addr).WithContext(ctx))
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
		if _, err := tr.RoundTrip(get(t, addr).WithContext(ctx)); !errors.Is(err, context.Canceled) {
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
	_, err := New(Options{MaxHeaderBytes: 16 << 10}).RoundTrip(get(t, addr))
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
	if _, err := tr.RoundTrip(get(t, srv.URL)); err == nil || !strings.Contains(err.Error(), "certificate") {
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
