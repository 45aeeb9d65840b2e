package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
	"github.com/e6b96b0c/backend/templates/platform/webhook"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// received is a request that a receiver got.
type received struct {
	http.Header
	method, uri, body string
}

// receiver answers with the statuses in turn, the last one from then on.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []received
}

func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header, req.Method, req.RequestURI, string(body)})
		status := statuses[min(len(r.got), len(statuses))-1]
		if status >= 300 && status <= 399 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "said "+strconv.Itoa(status))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

func sender(t *testing.T, change func(*webhook.Options)) *webhook.Sender {
	t.Helper()
	o := webhook.Options{Service: "orders", AllowPrivate: true, Backoff: time.Millisecond, Timeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s := webhook.NewSender(o)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func hello(to string) *webhook.Message {
	m := webhook.NewMessage("hello", http.MethodPost, to)
	m.JSON("application/json", map[string]string{"text": "<hi & bye>"}, nil)
	return m
}

func failure(t *testing.T, err error) *webhook.Error {
	t.Helper()
	var failed *webhook.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	return failed
}

// TestSignature computes the signature as the specification words it.
func TestSignature(t *testing.T) {
	to := receive(t, 204)
	old, fresh := []byte("0123456789abcdef01234567"), []byte("76543210fedcba9876543210")
	s := sender(t, func(o *webhook.Options) {
		o.Secrets, o.Agent, o.RequestID = [][]byte{fresh, old}, "shop", func(context.Context) string { return "id-1" }
	})
	if err := s.Send(t.Context(), hello(to.URL+"/hook?a=1#fragment")); err != nil {
		t.Fatal(err)
	}
	got := to.requests()[0]
	if got.method != "POST" || got.uri != "/hook?a=1" || got.body != `{"text":"<hi & bye>"}` || got.Get("Content-Type") != "application/json" ||
		got.Get("User-Agent") != "shop" || got.Get("X-Request-Id") != "id-1" {
		t.Errorf("got %+v", got)
	}
	at, err := strconv.ParseInt(got.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("timestamp %q", got.Get("webhook-timestamp"))
	}
	var want []string
	for _, secret := range [][]byte{fresh, old} {
		mac := hmac.New(sha256.New, secret)
		_, _ = io.WriteString(mac, got.Get("webhook-id")+"."+got.Get("webhook-timestamp")+"."+got.body)
		want = append(want, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if got.Get("webhook-signature") != strings.Join(want, " ") || !strings.HasPrefix(got.Get("webhook-id"), "msg_") {
		t.Errorf("signed %q, want %q", got.Get("webhook-signature"), want)
	}
	own := webhook.With(t.Context(), webhook.Delivery{ID: "order-1", Secrets: [][]byte{old}})
	for range 2 {
		if err := s.Send(own, hello(to.URL)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range to.requests()[1:] {
		mac := hmac.New(sha256.New, old)
		_, _ = io.WriteString(mac, "order-1."+r.Get("webhook-timestamp")+"."+r.body)
		if signed := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Get("webhook-id") != "order-1" || r.Get("webhook-signature") != signed {
			t.Errorf("with a secret of its own: %v", r.Header)
		}
	}
	for _, id := range []string{"a.b", "a\nb", "é", strings.Repeat("x", 201)} {
		if f := failure(t, s.Send(webhook.With(t.Context(), webhook.Delivery{ID: id}), hello(to.URL))); !f.Permanent || f.Attempts != 0 {
			t.Errorf("id %q: %+v", id, f)
		}
	}
	plain := sender(t, nil)
	if err := plain.Send(t.Context(), hello(to.URL)); err != nil {
		t.Fatal(err)
	}
	if got := to.requests()[3]; got.Get("webhook-id") == "" || got.Header["Webhook-Signature"] != nil {
		t.Errorf("without a secret: %v", got.Header)
	}
}

func TestAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		statuses  []int
		attempts  int
		status    int // of the failure; 0: none
		permanent bool
	}{
		"at once":         {[]int{200}, 1, 0, false},
		"after a while":   {[]int{503, 429, 408, 202}, 4, 0, false},
		"never":           {[]int{500}, 5, 500, false},
		"not taken":       {[]int{400}, 1, 400, true},
		"gone":            {[]int{503, 410}, 2, 410, true},
		"moved":           {[]int{302, 200}, 1, 302, true},
		"moved for good":  {[]int{308, 200}, 1, 308, true},
		"not implemented": {[]int{501, 204}, 2, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			to := receive(t, test.statuses...)
			err := sender(t, nil).Send(t.Context(), hello(to.URL))
			got := to.requests()
			if len(got) != test.attempts {
				t.Errorf("%d attempts, want %d", len(got), test.attempts)
			}
			for _, r := range got {
				if r.Get("webhook-id") != got[0].Get("webhook-id") || r.body != got[0].body || r.uri != "/" {
					t.Errorf("another message: %+v", r)
				}
			}
			if test.status == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := failure(t, err)
			if f.Status != test.status || f.Permanent != test.permanent || f.Attempts != test.attempts || f.Message != "hello" ||
				string(f.Body) != "said "+strconv.Itoa(test.status) || strings.Contains(f.Error(), to.URL) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	f := failure(t, sender(t, nil).Send(t.Context(), hello("http://"+l.Addr().String()+"/secret")))
	if f.Attempts != 5 || f.Permanent || f.Status != 0 || f.Err == nil || strings.Contains(f.Error(), "secret") {
		t.Errorf("got %+v", f)
	}
	var slow atomic.Int64
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		slow.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer to.Close()
	s := sender(t, func(o *webhook.Options) { o.Timeout, o.Attempts = 50*time.Millisecond, 2 })
	if f := failure(t, s.Send(t.Context(), hello(to.URL))); f.Attempts != 2 || f.Permanent || slow.Load() != 2 {
		t.Errorf("too slow: %+v, %d requests", f, slow.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	var asked []time.Time
	value := "1"
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = append(asked, time.Now())
		if len(asked) == 1 {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		}
	}))
	defer to.Close()
	s := sender(t, nil)
	if err := s.Send(t.Context(), hello(to.URL)); err != nil || len(asked) != 2 || asked[1].Sub(asked[0]) < time.Second {
		t.Errorf("%v, %v", err, asked)
	}
	// One that lies beyond the end of the context is not waited for.
	asked, value = nil, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	began := time.Now()
	if f := failure(t, s.Send(ctx, hello(to.URL))); f.Status != 429 || f.Permanent || time.Since(began) > 10*time.Second || len(asked) != 1 {
		t.Errorf("%+v after %v", f, time.Since(began))
	}
}

func TestContextEnds(t *testing.T) {
	to := receive(t, 503)
	s := sender(t, func(o *webhook.Options) { o.Backoff = time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	f := failure(t, s.Send(ctx, hello(to.URL)))
	if f.Status != 503 || f.Permanent || f.Attempts != 1 {
		t.Errorf("got %+v", f)
	}
	if f := failure(t, s.Send(ctx, hello(to.URL))); !errors.Is(f, context.Canceled) || f.Permanent || len(to.requests()) != 1 {
		t.Errorf("after the end: %+v", f)
	}
}

// TestAnswersAreBounded: a receiver that never stops talking costs its first words.
func TestAnswersAreBounded(t *testing.T) {
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	defer to.Close()
	if f := failure(t, sender(t, nil).Send(t.Context(), hello(to.URL))); len(f.Body) != 4<<10 {
		t.Errorf("%d bytes", len(f.Body))
	}
}

func TestAddresses(t *testing.T) {
	to := receive(t, 200)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(to.URL, "http://"))
	s := sender(t, func(o *webhook.Options) { o.AllowPrivate = false })
	for _, address := range []string{
		to.URL, "http://localhost:" + port, "http://[::1]:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port, "http://127.1:" + port,
		"http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[fe80::1%25lo]/",
		"ftp://example.com/", "file:///etc/passwd", "//example.com/", "", "http://", "http://user:pw@example.com/", "http:opaque", "http://a b/", "\x7f",
		"https://example.com/" + strings.Repeat("x", 2048),
	} {
		f := failure(t, s.Send(t.Context(), hello(address)))
		// What a resolver does not take for an address has no address at all.
		if address == "http://127.1:"+port && !errors.Is(f, webhook.ErrForbidden) && f.Status == 0 {
			continue
		}
		if !errors.Is(f, webhook.ErrForbidden) || !f.Permanent || f.Attempts > 1 {
			t.Errorf("%s: %v", address, f)
		}
	}
	if got := to.requests(); len(got) != 0 {
		t.Errorf("it was reached: %v", got)
	}
	// Loopback is allowed by the operator; where clouds keep secrets is not.
	allowed := sender(t, nil)
	if err := allowed.Send(t.Context(), hello("http://localhost:"+port)); err != nil {
		t.Error(err)
	}
	if f := failure(t, allowed.Send(t.Context(), hello("http://169.254.169.254/"))); !errors.Is(f, webhook.ErrForbidden) {
		t.Error(f)
	}
}

// TestNoProxy: a proxy of the environment would connect for us, past the guard.
func TestNoProxy(t *testing.T) {
	proxy, to := receive(t, 200), receive(t, 200)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	if err := sender(t, nil).Send(t.Context(), hello(to.URL)); err != nil || len(proxy.requests()) != 0 || len(to.requests()) != 1 {
		t.Errorf("%v, %d by the proxy", err, len(proxy.requests()))
	}
}

func TestParameters(t *testing.T) {
	to := receive(t, 200)
	s := sender(t, nil)
	type state string
	m := webhook.NewMessage("m", http.MethodPut, to.URL+"/x?a=b")
	m.Query("text", "", "a b&c")
	m.Query("none", "", (*string)(nil))
	m.Query("each", "", []int64{1, 2})
	m.Query("joined", ",", []state{"x", "y"})
	m.Query("empty", ",", []string{})
	m.Header("X-State", new(state("paid")))
	m.Header("X-At", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	m.Header("X-List", []bool{true, false})
	m.Header("X-None", (*int64)(nil))
	m.Bytes("text/plain", []byte("hi"))
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := to.requests()[0]
	if got.method != "PUT" || got.uri != "/x?a=b&each=1&each=2&joined=x%2Cy&text=a+b%26c" || got.body != "hi" || got.Get("Content-Type") != "text/plain" {
		t.Errorf("got %+v", got)
	}
	if got.Get("X-State") != "paid" || got.Get("X-At") != "2026-01-02T03:04:05Z" || got.Get("X-List") != "true,false" || got.Header["X-None"] != nil {
		t.Errorf("got %v", got.Header)
	}
	for name, spoil := range map[string]func(*webhook.Message){
		"a header of two lines": func(m *webhook.Message) { m.Header("X-A", "a\r\nb: c") },
		"a media type of two":   func(m *webhook.Message) { m.Bytes("text/plain\nx: y", nil) },
		"what JSON cannot say":  func(m *webhook.Message) { m.Query("a", "", func() {}) },
		"a body unlike it":      func(m *webhook.Message) { m.JSON("application/json", make(chan int), nil) },
		"a body that breaks a rule": func(m *webhook.Message) {
			m.JSON("application/json", "long", func(d *wire.Decoder) { d.Length(d.String(), 0, 2) })
		},
		"a body of another type": func(m *webhook.Message) { m.JSON("application/json", "x", func(d *wire.Decoder) { d.Bool() }) },
	} {
		m := hello(to.URL)
		spoil(m)
		if f := failure(t, s.Send(t.Context(), m)); !f.Permanent || f.Attempts != 0 || f.Err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if n := len(to.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestMetrics(t *testing.T) {
	metrics := telemetry.New()
	s := sender(t, func(o *webhook.Options) { o.Metrics = metrics })
	_ = s.Send(t.Context(), hello(receive(t, 503, 200).URL))
	_ = s.Send(t.Context(), hello(receive(t, 400).URL))
	_ = s.Send(t.Context(), hello(receive(t, 500).URL))
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`webhook_attempts_total{message="hello",service="orders"} 8`,
		`webhook_messages_total{message="hello",outcome="delivered",service="orders"} 1`,
		`webhook_messages_total{message="hello",outcome="refused",service="orders"} 1`,
		`webhook_messages_total{message="hello",outcome="failed",service="orders"} 1`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// TestUnits: nothing is sent of what may be rolled back.
func TestUnits(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	to := receive(t, 200)
	s := sender(t, func(o *webhook.Options) { o.RequestID = func(context.Context) string { return "id-1" } })
	sent := make(chan error, 10)
	later := func(ctx context.Context) error {
		err := s.Send(ctx, hello(to.URL))
		sent <- err
		return err
	}
	rollback := errors.New("roll back")
	for _, outcome := range []error{rollback, nil} {
		err := db.Run(t.Context(), func(ctx context.Context) error {
			if err := s.Send(ctx, hello(to.URL)); err != nil { // it has not written yet
				return err
			}
			if _, err := db.Tx(ctx); err != nil {
				return err
			}
			if err := s.Send(ctx, hello(to.URL)); !errors.Is(err, webhook.ErrUncommitted) {
				t.Errorf("after a write: %v", err)
			}
			s.AfterCommit(ctx, later)
			return outcome
		})
		if !errors.Is(err, outcome) {
			t.Fatal(err)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	s.AfterCommit(t.Context(), later) // outside a unit
	if err := <-sent; err != nil {
		t.Error(err)
	}
	s.AfterCommit(t.Context(), func(context.Context) error { panic("a bug of the user's") })
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	s.AfterCommit(t.Context(), later)
	got := to.requests()
	if len(got) != 4 || len(sent) != 0 {
		t.Errorf("%d requests, want 4", len(got))
	}
	for _, r := range got {
		if r.Get("X-Request-Id") != "id-1" {
			t.Errorf("the request's id is %q", r.Get("X-Request-Id"))
		}
	}
}

// TestClose: who waits gives up at once, who sends gets a little time.
func TestClose(t *testing.T) {
	away := receive(t, 503)
	waits := sender(t, func(o *webhook.Options) { o.Backoff = time.Hour })
	ended := make(chan error, 100)
	for range 40 { // more than run at the same time
		waits.AfterCommit(t.Context(), func(ctx context.Context) error {
			err := waits.Send(ctx, hello(away.URL))
			ended <- err
			return err
		})
	}
	for len(away.requests()) < 16 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := waits.Close(t.Context()); err != nil || time.Since(began) > 2*time.Second || len(ended) != 16 {
		t.Errorf("%v after %v, %d had their turn", err, time.Since(began), len(ended))
	}
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		ended <- nil
		<-r.Context().Done()
	}))
	defer hangs.Close()
	for len(ended) > 0 {
		<-ended
	}
	sends := sender(t, func(o *webhook.Options) { o.Timeout = time.Hour })
	gaveUp := make(chan error, 1)
	sends.AfterCommit(t.Context(), func(ctx context.Context) error {
		gaveUp <- sends.Send(ctx, hello(hangs.URL))
		return nil
	})
	<-ended
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := sends.Close(ctx); err == nil {
		t.Error("it says that all is sent")
	}
	if err := <-gaveUp; !errors.Is(err, webhook.ErrStopped) {
		t.Errorf("got %v", err)
	}
}
