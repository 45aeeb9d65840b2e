package peer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/peer"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
)

const token = "0123456789abcdef0123456789abcdef"

// callee starts a process that serves calls.
func callee(t *testing.T, register func(*peer.Server)) *httptest.Server {
	t.Helper()
	calls := rest.NewCalls(peer.ServerOptions{Service: "orders", Token: token, Log: slog.New(slog.DiscardHandler)})
	register(calls)
	s := httptest.NewServer(calls.Handler(http.NotFoundHandler()))
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, timeout time.Duration, addresses ...string) *peer.Client {
	t.Helper()
	o := peer.Options{Service: "orders", Token: token, Timeout: timeout, RequestID: func(context.Context) string { return "id-1" }}
	for _, address := range addresses {
		u, err := url.Parse(address)
		must(t, err)
		o.URLs = append(o.URLs, u)
	}
	c := peer.NewClient(o)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return "http://" + l.Addr().String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatTravels(t *testing.T) {
	type message struct {
		Key  int64
		Text string
		Time time.Time
		Raw  []byte
		None *string
	}
	sent := message{Key: math.MaxInt64 - 1, Text: "<a&b>\u2028\x7f", Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Raw: []byte{0, 255}}
	ann := auth.Principal{Subject: "änn\x7f", Scopes: []string{"a", "b"}, Claims: map[string]any{"n": 1.5, "list": []any{"x", true, nil}}}
	end := time.Now().Add(time.Minute)
	s := callee(t, func(calls *peer.Server) {
		peer.Serve(calls, "Echo", func(ctx context.Context, in message) (message, error) {
			if caller := auth.From(ctx); !reflect.DeepEqual(caller, ann) {
				t.Errorf("the caller is %+v", caller)
			}
			if id := rest.RequestID(ctx); id != "id-1" {
				t.Errorf("the request is %q", id)
			}
			if got, ok := ctx.Deadline(); !ok || got.Sub(end).Abs() > 10*time.Second {
				t.Errorf("the end is %v, want %v", got, end)
			}
			return in, nil
		})
		peer.Serve(calls, "Nobody", func(ctx context.Context, _ struct{}) (bool, error) { return auth.From(ctx).Anonymous(), nil })
	})
	c := client(t, time.Minute, s.URL)
	ctx, cancel := context.WithDeadline(auth.With(t.Context(), ann), end)
	defer cancel()
	if got, err := peer.Call[message, message](ctx, c, "Echo", sent); err != nil || !reflect.DeepEqual(got, sent) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := peer.Call[struct{}, bool](t.Context(), c, "Nobody", struct{}{}); err != nil || !got {
		t.Errorf("an anonymous caller: %v, %v", got, err)
	}
	must(t, c.Ping(t.Context()))
}

// TestErrors: what a call fails with means the same to the end user in either shape.
func TestErrors(t *testing.T) {
	custom := problem.New(http.StatusPaymentRequired, "pay first").With("Retry-After", "7").With("Link", "</pay>")
	custom.Instance, custom.Type = "/payments/1", "https://example.com/pay"
	failures := map[string]error{
		"problem":     custom,
		"invalid":     problem.Invalid("no", problem.FieldError{In: "body", Pointer: "/a", Message: "is odd"}),
		"not found":   &store.NotFound{Resource: "order", Key: "1"},
		"conflict":    &store.Conflict{Resource: "order", Reason: "exists"},
		"reference":   &store.InvalidReference{Pointer: "/userId", Resource: "user", Key: "1"},
		"version":     &store.VersionMismatch{Resource: "order", Key: "1"},
		"busy":        store.ErrBusy,
		"unavailable": store.ErrUnavailable,
		"late":        context.DeadlineExceeded,
		"after write": store.ErrCallAfterWrite,
		"unforeseen":  errors.New("a secret"),
		"no problem":  &problem.Problem{},
	}
	serve := func(_ context.Context, name string) (rest.Response, error) { return nil, failures[name] }
	s := callee(t, func(calls *peer.Server) {
		rest.ServeCall(calls, "Fail", serve)
		peer.Serve(calls, "Panic", func(context.Context, struct{}) (bool, error) { panic("a secret") })
		peer.Serve(calls, "Big", func(context.Context, struct{}) (string, error) { return strings.Repeat("x", 65<<20), nil })
	})
	c := client(t, 20*time.Second, s.URL)
	for name := range failures {
		_, here := rest.Local(t.Context(), nil, serve, name)
		_, there := rest.Remote(t.Context(), c, "Fail", name, func(int, http.Header, []byte) (rest.Response, error) { return nil, nil })
		var want, got *problem.Problem
		errors.As(here, &want)
		errors.As(there, &got)
		if there == nil || !reflect.DeepEqual(got, want) && name != "no problem" {
			t.Errorf("%s: %+v from another process, %+v from this one", name, there, here)
		}
		if want == nil && name != "unforeseen" && name != "after write" {
			t.Errorf("%s means nothing to a client: %v", name, here)
		}
	}
	for _, name := range []string{"Panic", "Big", "Unknown"} {
		_, err := peer.Call[struct{}, any](t.Context(), c, name, struct{}{})
		var p *problem.Problem
		if err == nil || errors.As(err, &p) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := peer.Call[string, any](t.Context(), c, "Panic", "not an object"); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a call of another version: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	arrived := make(chan struct{}, 10)
	s := callee(t, func(calls *peer.Server) {
		peer.Serve(calls, "Sleep", func(ctx context.Context, _ struct{}) (bool, error) {
			arrived <- struct{}{}
			<-ctx.Done() // the caller hangs up, or its end user's time is over
			return false, ctx.Err()
		})
	})
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	hangsUp.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer hangsUp.Close()
	sleep := func(ctx context.Context, c *peer.Client) *problem.Problem {
		t.Helper()
		_, err := rest.Remote(ctx, c, "Sleep", struct{}{}, func(int, http.Header, []byte) (rest.Response, error) { return nil, nil })
		var p *problem.Problem
		if !errors.As(err, &p) {
			t.Fatalf("got %v", err)
		}
		return p
	}
	for name, c := range map[string]*peer.Client{
		"too slow": client(t, 100*time.Millisecond, s.URL), "refused": client(t, time.Minute, nobody(t), nobody(t)),
		"hung up": client(t, time.Minute, hangsUp.URL), "nowhere": client(t, time.Minute),
	} {
		if p := sleep(t.Context(), c); p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if p := sleep(ctx, client(t, time.Minute, s.URL)); p.Status != http.StatusGatewayTimeout {
		t.Errorf("the end user's time is over: %+v", p)
	}
	if len(arrived) != 2 {
		t.Errorf("%d calls arrived, want each once", len(arrived))
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := peer.Call[struct{}, bool](ctx, client(t, time.Minute, s.URL), "Sleep", struct{}{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the end user has left: %v", err)
	}
}

// TestReplicas: calls go round, and past a replica that is down.
func TestReplicas(t *testing.T) {
	var served [2]atomic.Int64
	serve := func(i int) *httptest.Server {
		return callee(t, func(calls *peer.Server) {
			peer.Serve(calls, "Count", func(context.Context, struct{}) (int64, error) { return served[i].Add(1), nil })
		})
	}
	c := client(t, 20*time.Second, serve(0).URL, nobody(t), serve(1).URL)
	for range 30 {
		if _, err := peer.Call[struct{}, int64](t.Context(), c, "Count", struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := served[0].Load(), served[1].Load(); a+b != 30 || a < 10 || b < 10 {
		t.Errorf("%d and %d calls", a, b)
	}
}

// TestOnlyTheBackendCalls: the header decides what is a call, and the token whether it
// is served.
func TestOnlyTheBackendCalls(t *testing.T) {
	s := callee(t, func(calls *peer.Server) {
		peer.Serve(calls, "Yes", func(context.Context, struct{}) (bool, error) { return true, nil })
	})
	for _, test := range []struct {
		header, name, body string
		want               int
	}{
		{"Bearer " + token, "orders", "{}", 200},
		{"Bearer " + token, "users", "{}", 421},
		{"Bearer " + token, "orders", "{", 500},
		{"Bearer " + token + "x", "orders", "{}", 401},
		{"Bearer", "orders", "{}", 401},
		{"", "orders", "{}", 404}, // no call: for the next handler
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/-/calls/Yes", strings.NewReader(test.body))
		must(t, err)
		r.Header.Set("Service-Name", test.name)
		if test.header != "" {
			r.Header.Set(peer.Header, test.header)
		}
		response, err := http.DefaultClient.Do(r)
		must(t, err)
		text, err := io.ReadAll(response.Body)
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%+v: %d %s", test, response.StatusCode, text)
		}
	}
}

// reply is a response that says that it refuses.
type reply int

func (r reply) Respond(w *rest.Writer) { w.JSON(int(r), r) }

// TestUnits: a call leaves the caller's unit of work, and runs in one of its own, which
// is rolled back if the response refuses; in either shape.
func TestUnits(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.Options{})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.Run(t.Context(), func(ctx context.Context) error {
		tx, err := db.Tx(ctx)
		if err == nil {
			_, err = tx.ExecContext(ctx, "CREATE TABLE rows (status INTEGER)")
		}
		return err
	}))
	write := func(ctx context.Context, status int) (rest.Response, error) {
		tx, err := db.Tx(ctx)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO rows VALUES (?)", status)
		}
		if rest.PathOf(ctx) != "" || rest.Location(ctx, "1") != "/1" {
			t.Errorf("the path is %q", rest.PathOf(ctx))
		}
		return reply(status), err
	}
	local := func(ctx context.Context, status int) (rest.Response, error) {
		return rest.Local(ctx, db, write, status)
	}
	s := callee(t, func(calls *peer.Server) { rest.ServeCall(calls, "Write", local) })
	c := client(t, 20*time.Second, s.URL)
	remote := func(ctx context.Context, status int) (rest.Response, error) {
		return rest.Remote(ctx, c, "Write", status, func(status int, h http.Header, body []byte) (rest.Response, error) {
			if h.Get("Content-Type") != "application/json" || len(body) != 3 {
				t.Errorf("got %v %s", h, body)
			}
			return reply(status), nil
		})
	}
	for name, call := range map[string]func(context.Context, int) (rest.Response, error){"local": local, "remote": remote} {
		err := db.Run(t.Context(), func(ctx context.Context) error {
			for _, status := range []int{201, 409} {
				if out, err := call(ctx, status); err != nil || out != reply(status) {
					t.Errorf("%s: %v, %v", name, out, err)
				}
			}
			if _, err := db.Tx(ctx); err != nil {
				return err
			}
			if _, err := call(ctx, 201); !errors.Is(err, store.ErrCallAfterWrite) {
				t.Errorf("%s after a write: %v", name, err)
			}
			return errors.New("roll back")
		})
		if err == nil {
			t.Error("the unit was not rolled back")
		}
		var n int
		must(t, db.Run(t.Context(), func(ctx context.Context) error {
			tx, err := db.Tx(ctx)
			if err == nil {
				err = tx.QueryRowContext(ctx, "SELECT count(*) FROM rows WHERE status = 201").Scan(&n)
			}
			if err == nil {
				_, err = tx.ExecContext(ctx, "DELETE FROM rows WHERE status = 201")
			}
			return err
		}))
		if n != 1 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
	must(t, db.Run(t.Context(), func(ctx context.Context) error {
		tx, err := db.Tx(ctx)
		var n int
		if err == nil {
			err = tx.QueryRowContext(ctx, "SELECT count(*) FROM rows").Scan(&n)
		}
		if n != 0 {
			t.Errorf("%d rows of refused calls", n)
		}
		return err
	}))
}

func TestTokenFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	tokens := make([]string, 8)
	var group sync.WaitGroup
	for i := range tokens {
		group.Go(func() {
			var err error
			if tokens[i], err = peer.TokenFile(dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, got := range tokens {
		if got != tokens[0] || len(got) != 64 {
			t.Errorf("tokens %q and %q", got, tokens[0])
		}
	}
	file := filepath.Join(dir, "internal-token")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	must(t, os.WriteFile(file, nil, 0o600))
	if got, err := peer.TokenFile(dir); err == nil {
		t.Errorf("an empty file is the token %q", got)
	}
}
