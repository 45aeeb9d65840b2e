package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/gateway"
	"github.com/e6b96b0c/backend/templates/platform/peer"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

const token = "0123456789abcdef0123456789abcdef"

// The API under test is two services, notes and files, as they would be generated.

type noteInput struct{ ID, Text, Match string }

func (in *noteInput) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("text") {
		switch key {
		case "text":
			in.Text = d.String()
			d.Length(in.Text, 1, 10)
		default:
			d.Unknown(key)
		}
	}
}

// answer is a response that a test writes as it likes.
type answer func(w *rest.Writer)

func (a answer) Respond(w *rest.Writer) { a(w) }

// declared is the shape that the notes' description gives its errors.
func declared(p *problem.Problem) (string, any) {
	return "application/json", map[string]any{"code": p.Status, "message": p.Message()}
}

func notes(api *rest.API) {
	jsonOnly := []string{"application/json"}
	rest.Handle(api, rest.Operation{
		ID: "listNotes", Method: "GET", Path: "/notes", Produces: jsonOnly, Refused: []rest.ParameterName{{In: "query", Name: "sort"}},
	}, func(r *rest.Request) (limit int64) {
		if p := r.Query("limit"); p.Set() {
			limit = p.Int64()
			p.MaxInt(limit, 100)
		}
		return limit
	}, func(ctx context.Context, limit int64) (rest.Response, error) {
		return answer(func(w *rest.Writer) {
			w.Header().Set("ETag", `"7"`)
			w.JSON(200, map[string]any{"limit": limit, "self": rest.URL(ctx), "next": rest.Again(ctx, "page", "2")})
		}), nil
	})
	rest.Handle(api, rest.Operation{
		ID: "createNote", Method: "POST", Path: "/notes", Consumes: jsonOnly, Produces: jsonOnly, Errors: declared,
		Security: auth.AnyOf(auth.Bearer("notes:write")),
	}, func(r *rest.Request) (in noteInput) {
		r.Body(in.DecodeJSON)
		return in
	}, func(ctx context.Context, in noteInput) (rest.Response, error) {
		return answer(func(w *rest.Writer) {
			w.Header().Set("Location", rest.Location(ctx, in.Text))
			w.JSON(201, map[string]string{"text": in.Text, "by": auth.From(ctx).Subject})
		}), nil
	})
	one := func(r *rest.Request) noteInput {
		return noteInput{ID: r.Path("noteId").String(), Match: r.Header("If-Match").String()}
	}
	rest.Handle(api, rest.Operation{ID: "getNote", Method: "GET", Path: "/notes/{noteId}", Produces: jsonOnly}, one, getNote)
	rest.Handle(api, rest.Operation{ID: "deleteNote", Method: "DELETE", Path: "/notes/{noteId}", Errors: declared}, one, getNote)
}

func getNote(ctx context.Context, in noteInput) (rest.Response, error) {
	switch in.ID {
	case "missing":
		return nil, &store.NotFound{Resource: "note", Key: in.ID}
	case "busy":
		return nil, store.ErrBusy
	case "broken":
		return nil, errors.New("a secret of the server")
	case "panic":
		panic("a secret of the server")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "gone":
		return nil, problem.New(http.StatusGone, "it was there once").With("Link", "</notes>")
	}
	if in.Match == `"9"` {
		return nil, &store.VersionMismatch{Resource: "note", Key: in.ID}
	}
	return answer(func(w *rest.Writer) { w.JSON(200, map[string]string{"id": in.ID, "path": rest.PathOf(ctx)}) }), nil
}

func files(api *rest.API) {
	rest.Handle(api, rest.Operation{ID: "putFile", Method: "PUT", Path: "/files/{name}"},
		func(r *rest.Request) []byte { return r.Bytes() },
		func(_ context.Context, in []byte) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.Bytes(200, "application/octet-stream", in) }), nil
		})
	rest.Handle(api, rest.Operation{ID: "deleteFile", Method: "DELETE", Path: "/files/{name}"}, nil,
		func(context.Context, struct{}) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.Empty(204) }), nil
		})
	// It lies among the notes' paths, and is another service's.
	rest.Handle(api, rest.Operation{ID: "exportNotes", Method: "GET", Path: "/notes/export"}, nil,
		func(context.Context, struct{}) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.Bytes(200, "text/csv", []byte("a,b")) }), nil
		})
}

// journal collects what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// backend makes the parts of a backend.
type backend struct {
	t       *testing.T
	auth    *auth.Authenticator
	bearer  string // a token that may do everything
	reader  string // one that may not write
	log     journal
	timeout time.Duration
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	dev, err := auth.NewDevIssuer(t.TempDir())
	must(t, err)
	b := &backend{t: t, timeout: 2 * time.Second}
	b.auth, err = auth.New(t.Context(), auth.Config{Dev: dev})
	must(t, err)
	b.bearer, err = dev.Token("ann", []string{"notes:write"}, time.Hour)
	must(t, err)
	b.reader, err = dev.Token("bob", nil, time.Hour)
	must(t, err)
	return b
}

func (b *backend) router() *rest.Router {
	return rest.NewRouter(rest.RouterOptions{Log: telemetry.NewLogger(&b.log, slog.LevelInfo), Metrics: telemetry.New()})
}

func (b *backend) api(router *rest.Router, service string, forward rest.Forwarder) *rest.API {
	return rest.NewAPI(router, rest.Options{Service: service, Auth: b.auth, MaxBody: 1 << 10, Timeout: b.timeout, Forward: forward})
}

// serve starts a server until the test ends.
func (b *backend) serve(h http.Handler) *httptest.Server {
	b.t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	b.t.Cleanup(s.Close)
	return s
}

// one starts the backend as one process.
func (b *backend) one() *httptest.Server {
	router := b.router()
	notes(b.api(router, "notes", nil))
	files(b.api(router, "files", nil))
	return b.serve(router)
}

// service starts one service as a process of its own would.
func (b *backend) service(name string, routes func(*rest.API)) *httptest.Server {
	router := b.router()
	routes(b.api(router, name, nil))
	calls := rest.NewCalls(peer.ServerOptions{Service: name, Token: token, Log: slog.New(slog.DiscardHandler)})
	return b.serve(calls.Handler(router))
}

// gateway starts the gateway in front of the two services' addresses.
func (b *backend) gateway(toNotes, toFiles []*url.URL) *httptest.Server {
	proxy := gateway.New(token)
	b.t.Cleanup(func() { must(b.t, proxy.Close()) })
	router := b.router()
	notes(b.api(router, "notes", proxy.Service("notes", toNotes)))
	files(b.api(router, "files", proxy.Service("files", toFiles)))
	return b.serve(router)
}

// split starts the backend as three processes would.
func (b *backend) split() *httptest.Server {
	return b.gateway(at(b.service("notes", notes).URL), at(b.service("files", files).URL))
}

func at(addresses ...string) (urls []*url.URL) {
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			panic(err)
		}
		urls = append(urls, u)
	}
	return urls
}

// nobody returns an address that refuses connections.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return "http://" + l.Addr().String()
}

// exchange sends a request as it is written, and returns the response and its body.
func exchange(t *testing.T, s *httptest.Server, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	must(t, err)
	defer func() { _ = conn.Close() }()
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, request)
	must(t, err)
	if strings.Contains(request, "hang up") {
		must(t, conn.(*net.TCPConn).CloseWrite()) //nolint:forcetypeassert // net.Dial made it
	}
	method, _, _ := strings.Cut(request, " ")
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		must(t, err)
		if response.StatusCode < http.StatusOK {
			continue
		}
		body, err := io.ReadAll(response.Body)
		must(t, err)
		return response, string(body)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls a condition that other goroutines bring about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
