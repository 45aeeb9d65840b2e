package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/peer"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// RouterOptions configures a router.
type RouterOptions struct {
	// Log takes one line for each request, and what went wrong inside; nil
	// means slog.Default().
	Log *slog.Logger
	// Metrics counts and times the requests; nil: nothing does.
	Metrics *telemetry.Metrics
}

// Router is the server's root handler. It gives each request an id, routes it,
// survives its panics, and reports it in the log and the metrics. Add all routes
// before it serves.
type Router struct {
	log          *slog.Logger
	metrics      *telemetry.Metrics
	unmatched    *telemetry.Operation
	unmatchedLog *slog.Logger
	tree         node
	idle         sync.Pool // of *exchange
}

// NewRouter returns a router without routes.
func NewRouter(o RouterOptions) *Router {
	rt := &Router{log: o.Log, metrics: o.Metrics}
	if rt.log == nil {
		rt.log = slog.Default()
	}
	rt.unmatchedLog = logOf(rt.log, "none", "unmatched")
	if rt.metrics != nil {
		rt.unmatched = rt.metrics.Operation("none", "unmatched")
	}
	rt.idle.New = func() any { return &exchange{router: rt, writer: newWriter()} }
	return rt
}

// logOf returns the log of an operation: what is the same for all of its
// requests is rendered once.
func logOf(log *slog.Logger, service, operation string) *slog.Logger {
	return log.With(slog.String("service", service), slog.String("operation", operation))
}

// operation adds the route of an operation.
func (rt *Router) operation(o *operation, serve func(*exchange) error) {
	rt.add(o.Method, o.Path, &route{log: logOf(rt.log, o.api.Service, o.ID), metrics: o.metrics, op: o, serve: serve})
}

// Handle adds a handler of your own beside the operations of the API. It gets an
// id, a log line and metrics under the service and operation given, and
// nothing else.
func (rt *Router) Handle(service, operation, method, path string, h http.Handler) {
	r := &route{log: logOf(rt.log, service, operation), handler: h}
	if rt.metrics != nil {
		r.metrics = rt.metrics.Operation(service, operation)
	}
	rt.add(method, path, r)
}

// exchange is one request and its response. Exchanges are used again, so nothing
// that outlives the request may keep one.
type exchange struct {
	router    *Router
	request   Request
	writer    *Writer
	id        string
	principal string
	errors    func(*problem.Problem) (string, any) // of the operation; nil: its problems have no shape
	status    int
	bytes     int64
}

// ServeHTTP serves a request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := rt.idle.Get().(*exchange) //nolint:forcetypeassert // the pool holds nothing else
	x.request.reset(r)
	x.writer.reset()
	x.id, x.principal, x.status, x.bytes = requestID(r), "", 0, 0
	header := w.Header()
	header["X-Request-Id"] = []string{x.id}
	header["X-Content-Type-Options"] = nosniff()
	if rt.metrics != nil {
		rt.metrics.Begin()
	}
	found := rt.route(x)
	panicked := rt.serve(x, found, w)
	rt.report(x, found, time.Since(began))
	if panicked != nil {
		panic(panicked)
	}
	x.request.reset(nil)
	x.writer.close()
	rt.idle.Put(x)
}

func nosniff() []string { return []string{"nosniff"} }

// route finds the request's route; HEAD is served by GET.
func (rt *Router) route(x *exchange) *route {
	r := &x.request
	found, values := rt.tree.find(r.http.Method, r.http.URL, r.values)
	if found == nil && r.http.Method == http.MethodHead {
		found, values = rt.tree.find(http.MethodGet, r.http.URL, r.values[:0])
	}
	if found != nil {
		r.names = found.names
	}
	r.values = values
	return found
}

// serve answers the request. It returns the panic that is to abort the
// connection, if there is one.
func (rt *Router) serve(x *exchange, found *route, w http.ResponseWriter) (panicked any) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause == http.ErrAbortHandler { //nolint:errorlint // net/http panics with it as it is
			panicked = cause
			return
		}
		rt.log.ErrorContext(x.request.http.Context(), "a handler panicked", slog.String("request_id", x.id),
			slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
		if x.status != 0 {
			panicked = http.ErrAbortHandler // the response has begun: cut it off
			return
		}
		x.writer.problem(internal(), nil)
		x.send(w)
	}()
	switch {
	case found == nil:
		rt.miss(x)
	case found.handler != nil:
		rt.plain(x, found, w)
		return nil
	case found.op.api.Forward != nil:
		if rt.forward(x, found, w) {
			return nil
		}
	default:
		rt.call(x, found)
	}
	x.send(w)
	return nil
}

func internal() *problem.Problem {
	return problem.New(http.StatusInternalServerError, "the server failed; it has kept the details under the request's id")
}

// miss answers a request that no operation is for.
func (rt *Router) miss(x *exchange) {
	allowed := rt.allowed(x.request.http.URL)
	switch {
	case len(allowed) == 0:
		x.writer.problem(problem.NotFound("there is nothing at this path"), nil)
	case x.request.http.Method == http.MethodOptions:
		x.writer.Empty(http.StatusNoContent)
		x.writer.header.Set("Allow", strings.Join(allowed, ", "))
	default:
		x.writer.problem(problem.New(http.StatusMethodNotAllowed, "the path does not have this method").
			With("Allow", strings.Join(allowed, ", ")), nil)
	}
}

// call runs an operation, whose response then stands in the writer.
func (rt *Router) call(x *exchange, found *route) {
	ctx, cancel := context.WithTimeout(x.request.http.Context(), found.op.timeout())
	defer cancel()
	x.request.ctx = &about{Context: ctx, id: x.id, request: x.request.http}
	x.errors = found.op.Errors
	x.request.maxBody = found.op.api.MaxBody
	x.request.receive, x.request.maxFile = found.op.api.Receive, found.op.api.MaxFile
	if err := found.serve(x); err != nil {
		rt.fail(x, found, err)
	}
}

// fail replaces the response by what the client may know of an error.
func (rt *Router) fail(x *exchange, found *route, err error) {
	if x.request.http.Context().Err() != nil {
		x.status = statusClientLeft
		return
	}
	p := problemOf(err, found.op.Invalid)
	unforeseen := p == nil || p.Status < 400 || p.Status > 599
	if unforeseen || errors.Is(err, store.ErrUnavailable) || errors.Is(err, peer.ErrUnreachable) {
		found.log.ErrorContext(x.request.ctx, "an operation failed", slog.String("request_id", x.id), slog.Any("error", err))
	}
	if unforeseen {
		p = internal()
	}
	x.writer.problem(p, found.op.Errors)
}

// report writes the request's line in the log, and counts it.
func (rt *Router) report(x *exchange, found *route, took time.Duration) {
	log, metrics := rt.unmatchedLog, rt.unmatched
	if found != nil {
		log, metrics = found.log, found.metrics
	}
	if metrics != nil {
		rt.metrics.End()
		metrics.Observe(x.status, took)
	}
	r := x.request.http
	log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", x.status),
		slog.Int64("bytes", x.bytes), slog.Int64("duration_us", took.Microseconds()),
		slog.String("request_id", x.id), slog.String("principal", x.principal))
}

// send writes the response to the client.
func (x *exchange) send(w http.ResponseWriter) {
	if x.status == statusClientLeft {
		return
	}
	out, header, r := x.writer, w.Header(), x.request.http
	for name, values := range out.header {
		header[name] = values
	}
	x.status = out.status
	if out.stream != nil {
		x.sendStream(w)
		return
	}
	if notModified(r, out) {
		x.status = http.StatusNotModified
		header.Del("Content-Type")
		w.WriteHeader(x.status)
		return
	}
	if x.status != http.StatusNoContent && x.status >= 200 {
		header["Content-Length"] = []string{strconv.Itoa(out.body.Len())}
	}
	w.WriteHeader(x.status)
	if r.Method == http.MethodHead || out.body.Len() == 0 || x.status == http.StatusNoContent {
		return
	}
	n, _ := w.Write(out.body.Bytes()) // only a client that has left makes this fail
	x.bytes = int64(n)
}

// notModified tells whether the client has this response already: weak
// comparison, RFC 9110 section 13.1.2.
func notModified(r *http.Request, out *Writer) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || out.status != http.StatusOK {
		return false
	}
	tag := strings.TrimPrefix(out.header.Get("ETag"), "W/")
	known := r.Header["If-None-Match"]
	if tag == "" || len(known) == 0 {
		return false
	}
	for item := range strings.SplitSeq(strings.Join(known, ","), ",") {
		if item = strings.TrimSpace(item); item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}

// plain serves a handler that is not an operation. It gets a response writer of
// its own, since it might keep it.
func (rt *Router) plain(x *exchange, found *route, w http.ResponseWriter) {
	rec := &recorder{ResponseWriter: w}
	defer func() { x.status, x.bytes = rec.status, rec.bytes }()
	for i, name := range found.names {
		x.request.http.SetPathValue(name, x.request.values[i])
	}
	found.handler.ServeHTTP(rec, x.request.http)
	if rec.status == 0 {
		rec.status = http.StatusOK // as net/http sends it
	}
}

// recorder notes the status and size of a response.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader notes the first status that is not informational.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}
