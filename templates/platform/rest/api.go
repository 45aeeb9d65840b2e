package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// Options configures the API of one service.
type Options struct {
	// Service is the name of the service in logs and metrics.
	Service string
	// DB holds the units of work of unsafe operations; nil: there are none.
	DB *store.DB
	// Auth checks credentials; nil accepts none.
	Auth *auth.Authenticator
	// MaxBody bounds a request's body in bytes; zero means 1 MiB.
	MaxBody int64
	// Timeout bounds the time that an operation may take; zero means 30 s.
	Timeout time.Duration
	// Forward sends requests on instead of serving them: the process is a gateway. It
	// knows the operations all the same, and who may call them; nil: they are served.
	Forward Forwarder
	// Receive takes the files of operations that upload, of at most MaxFile bytes.
	Receive Receiver
	MaxFile int64
	// KeyTTL is how long the answer to an Idempotency-Key is remembered; zero
	// means 24 h.
	KeyTTL time.Duration
}

// API is the operations of one service, on a router.
type API struct {
	router *Router
	Options
}

// NewAPI returns an API without operations; see [Handle].
func NewAPI(router *Router, o Options) *API {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.KeyTTL <= 0 {
		o.KeyTTL = 24 * time.Hour
	}
	return &API{router: router, Options: o}
}

// ParameterName names a parameter by its place (path, query, header, cookie) and name.
type ParameterName struct{ In, Name string }

// Operation is what the API's description says about an operation.
type Operation struct {
	// ID is the operation's id, unique in the service.
	ID string
	// Method and Path are its route: POST, /api/v1/orders/{orderId}/items.
	Method, Path string
	// Security lists the alternatives of which a request must satisfy one;
	// empty: the operation is public.
	Security []auth.Requirement
	// Idempotent makes it honour an Idempotency-Key header, RequireKey insist on one.
	Idempotent, RequireKey bool
	// Invalid is the status for input that breaks the schema; zero means 422.
	Invalid int
	// Consumes and Produces list the media types of requests and responses;
	// empty: any.
	Consumes, Produces []string
	// Refused lists parameters that are declared, and that nothing acts on.
	// Sending one is answered by 501 rather than ignored.
	Refused []ParameterName
	// Upload says that requests bring a file, which is not kept in memory.
	Upload bool
	// Stub says that nothing but an override answers it: no Allow header lists its method.
	Stub bool
	// Errors renders a problem in the shape that the operation declares for its
	// status; nil, or a nil body: application/problem+json.
	Errors func(*problem.Problem) (mediaType string, body any)
}

// Response is what an operation returns: a value that knows how to write itself.
type Response interface{ Respond(w *Writer) }

// operation is an Operation that is being served.
type operation struct {
	Operation
	api     *API
	unsafe  bool
	metrics *telemetry.Operation
}

// Handle serves an operation. decode reads its input from the request, and serve
// does its work; serve runs in a unit of work if the method is unsafe.
func Handle[In any, Out Response](api *API, description Operation, decode func(*Request) In, serve func(context.Context, In) (Out, error)) {
	o := api.operation(description)
	if api.Forward != nil {
		api.router.operation(o, nil)
		return
	}
	api.router.operation(o, func(x *exchange) error {
		if err := o.admit(x); err != nil {
			return err
		}
		var in In
		if decode != nil {
			in = decode(&x.request)
		}
		if err := x.request.faults(o.Invalid); err != nil {
			return err
		}
		return o.run(x, func(ctx context.Context) error {
			out, err := serve(ctx, in)
			if err != nil {
				return err
			}
			return x.writer.render(out)
		})
	})
}

func (api *API) operation(description Operation) *operation {
	o := &operation{Operation: description, api: api}
	if o.Invalid == 0 {
		o.Invalid = http.StatusUnprocessableEntity
	}
	switch o.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
	default:
		o.unsafe = true
	}
	if m := api.router.metrics; m != nil {
		o.metrics = m.Operation(api.Service, o.ID)
	}
	return o
}

// authenticate decides whether the operation is for this caller.
func (o *operation) authenticate(x *exchange) error {
	caller, err := o.api.Auth.Authenticate(x.request.http, o.Security)
	if err != nil {
		return err
	}
	if !caller.Anonymous() {
		x.principal = caller.Subject
		x.request.ctx = auth.With(x.request.ctx, caller)
	}
	return nil
}

// admit decides whether the operation is for this caller and in this form.
func (o *operation) admit(x *exchange) error {
	if err := o.authenticate(x); err != nil {
		return err
	}
	r := &x.request
	for _, name := range o.Refused {
		if r.has(name) {
			return problem.New(http.StatusNotImplemented, "the "+name.In+" parameter "+name.Name+" is not supported")
		}
	}
	if !acceptable(r.http.Header["Accept"], o.Produces) {
		return problem.New(http.StatusNotAcceptable, "the operation answers in "+list(o.Produces))
	}
	if r.http.ContentLength != 0 && !consumable(r.http.Header.Get("Content-Type"), o.Consumes) {
		return problem.New(http.StatusUnsupportedMediaType, "the operation reads "+list(o.Consumes)).
			With("Accept", list(o.Consumes))
	}
	return nil
}

// refused is the error that rolls a unit of work back whose operation returned a
// response that refuses the request.
type refused struct{}

func (refused) Error() string { return "the response refuses the request" }

// refusal returns refused if that is what the response does.
func (w *Writer) refusal() error {
	if w.status >= http.StatusBadRequest {
		return refused{}
	}
	return nil
}

// unlessRefused drops the error that has done its work: the unit is rolled back,
// and the response stands.
func unlessRefused(err error) error {
	if errors.Is(err, refused{}) {
		return nil
	}
	return err
}

// run serves an admitted and decoded request, in a unit of work if it is unsafe.
func (o *operation) run(x *exchange, serve func(context.Context) error) error {
	ctx := x.request.ctx
	if !o.unsafe || o.api.DB == nil {
		return serve(ctx)
	}
	if o.Idempotent || o.RequireKey {
		key, err := idempotencyKey(x.request.http, o)
		if err != nil {
			return err
		}
		if key != "" {
			return o.runOnce(x, key, serve)
		}
	}
	return unlessRefused(o.api.DB.Run(ctx, func(ctx context.Context) error { return o.unit(ctx, x, serve) }))
}

// unit serves inside a unit of work.
func (o *operation) unit(ctx context.Context, x *exchange, serve func(context.Context) error) error {
	if err := serve(ctx); err != nil {
		return err
	}
	return x.writer.refusal()
}
