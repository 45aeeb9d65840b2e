package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// note is the row of the API under test.
type note struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Version int64  `json:"-"`
}

func notesTable() *store.Table[note] {
	return &store.Table[note]{
		Name: "notes", Resource: "note", Key: "id", KeyMode: store.KeyUUID, Version: "version",
		Columns: []store.Column{{Name: "id"}, {Name: "text"}, {Name: "version", Kind: store.Integer}},
		Fields:  func(n *note) []any { return []any{&n.ID, &n.Text, &n.Version} },
		Unique:  [][]string{{"text"}},
	}
}

type noteInput struct {
	ID    string
	Limit int64
	Tags  []string
	Text  string
}

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

func decodeNote(r *rest.Request) (in noteInput) {
	r.Body(in.DecodeJSON)
	return in
}

func decodeID(r *rest.Request) (in noteInput) {
	in.ID = r.Path("noteId").String()
	return in
}

func decodeUpdate(r *rest.Request) (in noteInput) {
	in.ID = r.Path("noteId").String()
	r.IfMatch("notes", in.ID)
	r.Body(in.DecodeJSON)
	return in
}

// server is an API of notes on a real database.
type server struct {
	t      *testing.T
	router *rest.Router
	api    *rest.API
	db     *store.DB
	notes  *store.Collection[note]
	log    *syncBuffer
	dev    *auth.DevIssuer
	gate   func() // called inside createNote's unit, after the write
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, log: &syncBuffer{}, gate: func() {}}
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "notes.db"), sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	must(t, db.Migrate(t.Context(), fstest.MapFS{"0001_init.sql": {Data: []byte(
		"-- +goose Up\nCREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL UNIQUE, version INTEGER NOT NULL);\n")}}))
	s.db, s.notes = db, store.NewCollection(db, notesTable())
	s.dev, err = auth.NewDevIssuer(dir)
	must(t, err)
	authenticator, err := auth.New(t.Context(), auth.Config{Dev: s.dev})
	must(t, err)
	s.router = rest.NewRouter(rest.RouterOptions{Log: telemetry.NewLogger(s.log, slog.LevelInfo), Metrics: telemetry.New()})
	s.api = rest.NewAPI(s.router, rest.Options{Service: "notes", DB: db, Auth: authenticator, MaxBody: 1 << 10})
	s.routes()
	return s
}

func (s *server) routes() {
	jsonOnly := []string{"application/json"}
	rest.Handle(s.api, rest.Operation{
		ID: "createNote", Method: "POST", Path: "/notes", Idempotent: true, Consumes: jsonOnly, Produces: jsonOnly,
	}, decodeNote, func(ctx context.Context, in noteInput) (rest.Response, error) {
		n := note{Text: in.Text}
		if err := s.notes.Create(ctx, &n); err != nil {
			return nil, err
		}
		s.gate()
		return answer(func(w *rest.Writer) {
			w.Header().Set("Location", rest.Location(ctx, n.ID))
			w.Header().Set("ETag", store.ETag(n.Version))
			w.JSON(http.StatusCreated, n)
		}), nil
	})
	rest.Handle(s.api, rest.Operation{ID: "getNote", Method: "GET", Path: "/notes/{noteId}", Produces: jsonOnly},
		decodeID, func(ctx context.Context, in noteInput) (rest.Response, error) {
			n, err := s.notes.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(func(w *rest.Writer) {
				w.Header().Set("ETag", store.ETag(n.Version))
				w.JSON(http.StatusOK, n)
			}), nil
		})
	rest.Handle(s.api, rest.Operation{ID: "updateNote", Method: "PATCH", Path: "/notes/{noteId}", Consumes: jsonOnly, Produces: jsonOnly},
		decodeUpdate, func(ctx context.Context, in noteInput) (rest.Response, error) {
			_, err := s.notes.Update(ctx, in.ID, func(n *note) error { n.Text = in.Text; return nil })
			return answer(func(w *rest.Writer) { w.Empty(http.StatusNoContent) }), err
		})
}

// custom adds an operation that does what a test says.
func (s *server) custom(o rest.Operation, serve func(ctx context.Context) (rest.Response, error)) {
	if o.Method == "" {
		o.Method = "POST"
	}
	rest.Handle(s.api, o, nil, func(ctx context.Context, _ struct{}) (rest.Response, error) { return serve(ctx) })
}

// do sends a request; headers are names and values in turn.
func (s *server) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r)
	return w
}

func (s *server) count() int64 {
	n, err := s.notes.Count(s.t.Context())
	must(s.t, err)
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want checks the status and, as "pointer message" lines, the field errors.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, faults ...string) {
	t.Helper()
	var p problem.Problem
	if w.Code >= 400 {
		if got := w.Header().Get("Content-Type"); got != problem.MediaType {
			t.Errorf("the content type is %q", got)
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &p))
		if p.Status != w.Code || p.Title == "" {
			t.Errorf("the problem is %s", w.Body)
		}
	}
	if w.Code != status {
		t.Fatalf("got %d %s, want %d", w.Code, w.Body, status)
	}
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.In+" "+f.Pointer+" "+f.Message)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(faults, "\n"); len(faults) > 0 && g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestWhatIsPostedIsRead(t *testing.T) {
	s := newServer(t)
	created := s.do("POST", "/notes", `{"text":"<héllo>"}`, "Content-Type", "application/json")
	want(t, created, 201)
	location := created.Header().Get("Location")
	read := s.do("GET", location, "")
	want(t, read, 200)
	if read.Body.String() != created.Body.String() || !strings.Contains(read.Body.String(), `"text":"<héllo>"}`) {
		t.Errorf("posted %s, read %s", created.Body, read.Body)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "ETag": `"1"`, "X-Content-Type-Options": "nosniff",
	} {
		if got := read.Header().Get(name); got != value {
			t.Errorf("%s is %q", name, got)
		}
	}
	head := s.do("HEAD", location, "")
	want(t, head, 200)
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != read.Header().Get("Content-Length") {
		t.Errorf("HEAD answers %d bytes, Content-Length %s", head.Body.Len(), head.Header().Get("Content-Length"))
	}
	want(t, s.do("GET", "/notes/nothing", ""), 404)
	want(t, s.do("POST", "/notes", `{"text":"<héllo>"}`), 409)
}

func TestConditionalRequests(t *testing.T) {
	s := newServer(t)
	path := s.do("POST", "/notes", `{"text":"a"}`).Header().Get("Location")
	for tag, status := range map[string]int{`"1"`: 304, `W/"1"`: 304, `"0", "1"`: 304, "*": 304, `"2"`: 200, "": 200} {
		w := s.do("GET", path, "", "If-None-Match", tag)
		want(t, w, status)
		if status == 304 && (w.Body.Len() > 0 || w.Header().Get("ETag") != `"1"` || w.Header().Get("Content-Type") != "") {
			t.Errorf("304 with %q and %v", w.Body, w.Header())
		}
	}
	want(t, s.do("PATCH", path, `{"text":"b"}`, "If-Match", `"7"`), 412)
	want(t, s.do("PATCH", path, `{"text":"b"}`, "If-Match", `W/"1"`), 412)
	want(t, s.do("PATCH", path, `{"text":""}`, "If-Match", `x`), 422,
		"header /If-Match must be a list of entity tags, or *", "body /text must be at least 1 character long")
	want(t, s.do("PATCH", path, `{"text":"b"}`, "If-Match", `"1"`), 204)
	want(t, s.do("PATCH", path, `{"text":"c"}`, "If-Match", `"1"`), 412)
	want(t, s.do("PATCH", path, `{"text":"c"}`, "If-Match", `*`), 204)
}

func TestBodiesThatAreRefused(t *testing.T) {
	s := newServer(t)
	want(t, s.do("POST", "/notes", `{"text":`), 400)
	want(t, s.do("POST", "/notes", ""), 400)
	want(t, s.do("POST", "/notes", `{"text":"","x":1}`), 422,
		"body /text must be at least 1 character long", "body /x is not a known property")
	want(t, s.do("POST", "/notes", `{"text":"a"}`, "Content-Type", "text/plain"), 415)
	want(t, s.do("POST", "/notes", `{"text":"a"}`, "Content-Type", "application/json; charset=latin1"), 415)
	want(t, s.do("POST", "/notes", `{"text":"a"}`, "Content-Type", "Application/JSON; charset=UTF-8"), 201)
	want(t, s.do("POST", "/notes", strings.Repeat(" ", 2000)), 413)
	r := httptest.NewRequest("POST", "/notes", io.NopCloser(strings.NewReader(strings.Repeat(" ", 2000))))
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r)
	want(t, w, 413)
	if w.Header().Get("Connection") != "close" {
		t.Error("the connection stays open with the rest of the body")
	}
	for accept, status := range map[string]int{
		"text/html": 406, "text/html, */*;q=0.1": 200, "application/*": 200, "application/json;q=0, */*": 406, "application/json; q=0.5": 200,
	} {
		path := s.do("POST", "/notes", `{"text":"`+accept[:min(9, len(accept))]+`"}`).Header().Get("Location")
		if path == "" {
			path = s.do("POST", "/notes", `{"text":"b`+accept[len(accept)-8:]+`"}`).Header().Get("Location")
		}
		if got := s.do("GET", path, "", "Accept", accept); got.Code != status {
			t.Errorf("Accept %s: %d", accept, got.Code)
		}
	}
}

func TestNothingIsLeftBehindByARefusalOrFailure(t *testing.T) {
	s := newServer(t)
	s.custom(rest.Operation{ID: "fails", Path: "/fails"}, func(ctx context.Context) (rest.Response, error) {
		must(t, s.notes.Create(ctx, &note{Text: "x"}))
		return nil, errors.New("secret: the disk is on fire")
	})
	s.custom(rest.Operation{ID: "refuses", Path: "/refuses"}, func(ctx context.Context) (rest.Response, error) {
		must(t, s.notes.Create(ctx, &note{Text: "x"}))
		return answer(func(w *rest.Writer) { w.JSON(409, "taken") }), nil
	})
	s.custom(rest.Operation{ID: "panics", Path: "/panics"}, func(ctx context.Context) (rest.Response, error) {
		must(t, s.notes.Create(ctx, &note{Text: "x"}))
		panic("secret")
	})
	s.custom(rest.Operation{ID: "silent", Path: "/silent"}, func(ctx context.Context) (rest.Response, error) {
		must(t, s.notes.Create(ctx, &note{Text: "x"}))
		return nil, nil
	})
	s.custom(rest.Operation{ID: "unwritable", Path: "/unwritable"}, func(ctx context.Context) (rest.Response, error) {
		must(t, s.notes.Create(ctx, &note{Text: "x"}))
		return answer(func(w *rest.Writer) { w.Header().Set("Location", "/x"); w.JSON(201, func() {}) }), nil
	})
	for path, status := range map[string]int{"/fails": 500, "/refuses": 409, "/panics": 500, "/silent": 500, "/unwritable": 500} {
		w := s.do("POST", path, "")
		if w.Code != status || s.count() != 0 || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d %s %v, %d rows", path, w.Code, w.Body, w.Header(), s.count())
		}
		id := w.Header().Get("X-Request-Id")
		if status == 500 && strings.Count(s.log.String(), `"level":"ERROR"`) == 0 || !strings.Contains(s.log.String(), id) {
			t.Errorf("%s is not in the log: %s", path, s.log)
		}
	}
	if got := strings.Count(s.log.String(), "secret: the disk is on fire"); got != 1 {
		t.Errorf("the failure is logged %d times", got)
	}
	want(t, s.do("POST", "/notes", `{"text":"x"}`), 201)
}

func TestDeadlineAndDeparture(t *testing.T) {
	s := newServer(t)
	slow := rest.NewAPI(s.router, rest.Options{Service: "slow", Timeout: time.Millisecond})
	wait := func(ctx context.Context, _ struct{}) (rest.Response, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	rest.Handle(slow, rest.Operation{ID: "slow", Method: "GET", Path: "/slow"}, nil, wait)
	rest.Handle(s.api, rest.Operation{ID: "left", Method: "GET", Path: "/left"}, nil, wait)
	want(t, s.do("GET", "/slow", ""), 504)

	ctx, leave := context.WithCancel(t.Context())
	leave()
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, httptest.NewRequest("GET", "/left", nil).WithContext(ctx))
	if w.Body.Len() > 0 || !strings.Contains(s.log.String(), `"status":499`) {
		t.Errorf("got %s, log %s", w.Body, s.log)
	}
}

func TestStoreErrorsHaveTheirStatus(t *testing.T) {
	s := newServer(t)
	for path, c := range map[string]struct {
		err     error
		invalid int
		status  int
	}{
		"/1": {&store.NotFound{Resource: "note", Key: 1}, 0, 404},
		"/2": {&store.Conflict{Resource: "note", Reason: "is used"}, 0, 409},
		"/3": {&store.InvalidReference{Pointer: "/userId", Resource: "user", Key: 1}, 0, 422},
		"/4": {&store.InvalidReference{Pointer: "/userId", Resource: "user", Key: 1}, 400, 400},
		"/5": {&store.VersionMismatch{Resource: "note", Key: 1}, 0, 412},
		"/6": {&store.InvalidCursor{Reason: "garbled"}, 400, 400},
		"/7": {store.ErrBusy, 0, 503},
		"/d": {store.ErrUnavailable, 0, 503},
		"/8": {problem.Forbidden("no"), 0, 403},
		"/9": {problem.Invalid("no"), 400, 400},
		"/a": {&problem.Problem{Title: "?"}, 0, 500},
		"/b": {store.ErrCallAfterWrite, 0, 500},
		"/c": {context.DeadlineExceeded, 0, 504},
	} {
		s.custom(rest.Operation{ID: path, Path: path, Invalid: c.invalid}, func(context.Context) (rest.Response, error) {
			return nil, errors.Join(errors.New("while working"), c.err)
		})
		w := s.do("POST", path, "")
		want(t, w, c.status)
		if c.status == 503 && w.Header().Get("Retry-After") != map[error]string{store.ErrBusy: "1", store.ErrUnavailable: "5"}[c.err] {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	want(t, s.do("POST", "/3", ""), 422, "body /userId names no existing user")
	want(t, s.do("POST", "/6", ""), 400, "query /cursor is not a cursor of this list: garbled")
}

// TestAFullDisk: the engine's own reason goes to the log, once, and the client is
// asked to come again.
func TestAFullDisk(t *testing.T) {
	s := newServer(t)
	must(t, s.db.Run(t.Context(), func(ctx context.Context) error {
		tx, err := s.db.Tx(ctx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "PRAGMA max_page_count = 1") // the file keeps its size
		return err
	}))
	s.custom(rest.Operation{ID: "fill", Path: "/fill"}, func(ctx context.Context) (rest.Response, error) {
		n := note{Text: strings.Repeat("x", 8<<10)}
		return answer(func(w *rest.Writer) { w.Empty(204) }), s.notes.Create(ctx, &n)
	})
	w := s.do("POST", "/fill", "")
	want(t, w, 503)
	if w.Header().Get("Retry-After") != "5" || strings.Contains(w.Body.String(), "full") {
		t.Errorf("got %v %s", w.Header(), w.Body)
	}
	if n := strings.Count(s.log.String(), "database or disk is full"); n != 1 {
		t.Errorf("the cause is logged %d times: %s", n, s.log)
	}
	want(t, s.do("GET", "/notes/none", ""), 404) // reads go on
}

func TestDeclaredErrorShape(t *testing.T) {
	s := newServer(t)
	s.custom(rest.Operation{ID: "shaped", Path: "/shaped", Errors: func(p *problem.Problem) (string, any) {
		if p.Status == 500 {
			return "", nil
		}
		return "application/vnd.error+json", map[string]any{"code": p.Status, "why": p.Detail}
	}}, func(ctx context.Context) (rest.Response, error) {
		if rest.Again(ctx) == "/shaped?boom=1" {
			return nil, errors.New("boom")
		}
		return nil, problem.TooManyRequests(90 * time.Second)
	})
	w := s.do("POST", "/shaped", "")
	if w.Code != 429 || w.Body.String() != `{"code":429,"why":"too many requests"}` ||
		w.Header().Get("Content-Type") != "application/vnd.error+json" || w.Header().Get("Retry-After") != "90" {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
	want(t, s.do("POST", "/shaped?boom=1", ""), 500)
}

func TestRequestIDs(t *testing.T) {
	s := newServer(t)
	for sent, kept := range map[string]bool{
		"abc-123.X_y": true, "": false, "a b": false, "a\"b": false, strings.Repeat("a", 129): false, "ünï": false,
	} {
		w := s.do("GET", "/nowhere", "", "X-Request-Id", sent)
		got := w.Header().Get("X-Request-Id")
		if (got == sent) != kept || !kept && (len(got) != 36 || got[14] != '7' || !strings.ContainsRune("89ab", rune(got[19]))) {
			t.Errorf("sent %q, got %q", sent, got)
		}
	}
	first, second := s.do("GET", "/", "").Header(), s.do("GET", "/", "").Header()
	if first.Get("X-Request-Id") == second.Get("X-Request-Id") {
		t.Error("two requests have the same id")
	}
}

func TestSecurityComesFirst(t *testing.T) {
	s := newServer(t)
	rest.Handle(s.api, rest.Operation{
		ID: "guarded", Method: "POST", Path: "/guarded", Security: auth.AnyOf(auth.Bearer("notes:write")),
		Consumes: []string{"application/json"}, Refused: []rest.ParameterName{{In: "query", Name: "expand"}, {In: "header", Name: "X-Trace"}},
	}, decodeNote, func(ctx context.Context, _ noteInput) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.JSON(200, auth.From(ctx).Subject) }), nil
	})
	token := func(scopes ...string) string {
		text, err := s.dev.Token("u1", scopes, time.Minute)
		must(t, err)
		return "Bearer " + text
	}
	w := s.do("POST", "/guarded?expand=a", "{", "Content-Type", "text/plain")
	want(t, w, 401)
	if w.Header().Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("the challenge is %q", w.Header().Get("WWW-Authenticate"))
	}
	want(t, s.do("POST", "/guarded", "{", "Authorization", token("notes:read")), 403)
	allowed := token("notes:read", "notes:write")
	want(t, s.do("POST", "/guarded?expand=a", "{", "Authorization", allowed), 501)
	want(t, s.do("POST", "/guarded?expand[a]=a", "{", "Authorization", allowed), 501)
	want(t, s.do("POST", "/guarded", "{", "Authorization", allowed, "X-Trace", "1"), 501)
	want(t, s.do("POST", "/guarded", "{", "Authorization", allowed, "Content-Type", "text/plain"), 415)
	w = s.do("POST", "/guarded?expanded=1", `{"text":"a"}`, "Authorization", allowed)
	want(t, w, 200)
	if w.Body.String() != `"u1"` || !strings.Contains(s.log.String(), `"principal":"u1"`) {
		t.Errorf("the caller is %s", w.Body)
	}
}
