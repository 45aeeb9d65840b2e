package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

// Request is what an operation's input is decoded from. Decoding does not stop
// at an error: all of them are reported together. A Request and its parameters
// are valid while the operation's decode function runs, what was read from them
// for as long as it is needed.
type Request struct {
	http    *http.Request
	ctx     context.Context
	names   []string // of the path parameters
	values  []string // of the path parameters, unescaped
	query   []pair
	form    []pair
	queried bool // query is filled
	errs    wire.Errors
	fault   *problem.Problem // what is worse than a field error
	params  []*Param
	used    int
	maxBody int64
	body    []byte
	read    bool // body is filled
	json    bool // body is valid JSON
	lent    bool // body is in other hands, and not to be used again

	receive  Receiver
	received Received // the file that came with it
	maxFile  int64
	failed   error // what is the server's own fault
}

// pair is a name and a value of a query or form.
type pair struct{ name, value string }

func (r *Request) reset(h *http.Request) {
	clear(r.values)
	clear(r.query)
	clear(r.form)
	r.discard()
	if r.lent || cap(r.body) > maxKept {
		r.body = nil
	}
	*r = Request{
		http: h, params: r.params,
		values: r.values[:0], query: r.query[:0], form: r.form[:0], body: r.body[:0],
	}
}

// HTTP returns the request as net/http has it.
func (r *Request) HTTP() *http.Request { return r.http }

// Context returns the context that the operation will run in.
func (r *Request) Context() context.Context { return r.ctx }

// Path returns the path parameter called name.
func (r *Request) Path(name string) *Param {
	p := r.param("path", name)
	for i, n := range r.names {
		if n == name {
			p.values = append(p.values, r.values[i])
		}
	}
	return p
}

// Query returns the query parameter called name. A property of a deepObject
// parameter is called filter[status].
func (r *Request) Query(name string) *Param {
	p := r.param("query", name)
	for _, q := range r.queryPairs() {
		if q.name == name {
			p.values = append(p.values, q.value)
		}
	}
	return p
}

// Header returns the header called name.
func (r *Request) Header(name string) *Param {
	p := r.param("header", name)
	p.header = true
	p.values = append(p.values, r.http.Header.Values(name)...)
	return p
}

// Cookie returns the cookie called name. Cookies travel percent-encoded (OpenAPI, style
// form); what is no encoding is taken as it is.
func (r *Request) Cookie(name string) *Param {
	p := r.param("cookie", name)
	for _, c := range r.http.CookiesNamed(name) {
		p.values = append(p.values, unescaped(c.Value))
	}
	return p
}

func (r *Request) param(in, name string) *Param {
	if r.used == len(r.params) {
		r.params = append(r.params, new(Param))
	}
	p := r.params[r.used]
	r.used++
	p.Reuse(&r.errs, in, name)
	p.values, p.header = p.values[:0], false
	return p
}

// has tells whether a parameter was sent; for a query parameter also as a
// deepObject.
func (r *Request) has(name ParameterName) bool {
	switch name.In {
	case "query":
		for _, q := range r.queryPairs() {
			rest, ok := strings.CutPrefix(q.name, name.Name)
			if ok && (rest == "" || rest[0] == '[') {
				return true
			}
		}
		return false
	case "header":
		return len(r.http.Header.Values(name.Name)) > 0
	case "cookie":
		return len(r.http.CookiesNamed(name.Name)) > 0
	default:
		return false
	}
}

func (r *Request) queryPairs() []pair {
	if !r.queried {
		r.queried = true
		r.query = r.pairs(r.query, r.http.URL.RawQuery, "query")
	}
	return r.query
}

// pairs takes an application/x-www-form-urlencoded text apart. It does not use
// url.ParseQuery, which drops what it cannot read.
func (r *Request) pairs(into []pair, text, what string) []pair {
	for text != "" {
		var item string
		item, text, _ = strings.Cut(text, "&")
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		name, err1 := unescape(name)
		value, err2 := unescape(value)
		if err1 != nil || err2 != nil {
			r.refuse(problem.BadRequest("the " + what + " holds an invalid escape"))
			continue
		}
		into = append(into, pair{name, value})
	}
	return into
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// IfMatch takes the If-Match header, if there is one, as what the caller expects
// of the row with the key in the table: the operation fails with 412 if the row
// is of another version.
func (r *Request) IfMatch(table string, key any) {
	values := r.http.Header["If-Match"]
	if len(values) == 0 {
		return
	}
	versions, anyVersion, err := store.ParseETags(strings.Join(values, ","))
	if err != nil {
		r.errs.Add(problem.FieldError{In: "header", Pointer: "/If-Match", Message: "must be a list of entity tags, or *"})
		return
	}
	r.ctx = store.Expect(r.ctx, table, key, versions, anyVersion)
}

// RequireIfMatch is IfMatch for an operation that insists on the header: 428, RFC 6585.
func (r *Request) RequireIfMatch(table string, key any) {
	if len(r.http.Header["If-Match"]) == 0 {
		r.refuse(problem.New(http.StatusPreconditionRequired, "the If-Match header is required"))
	}
	r.IfMatch(table, key)
}

// HasBody tells whether the request has a body that is not empty.
func (r *Request) HasBody() bool {
	return r.http.ContentLength != 0 && len(r.text()) > 0
}

// Body reads the request's body, which must be there, as JSON.
func (r *Request) Body(decode func(*wire.Decoder)) {
	text := r.text()
	if r.fault != nil {
		return
	}
	if len(text) == 0 {
		r.refuse(problem.BadRequest("a request body is required"))
		return
	}
	faults, err := wire.Decode(text, decode)
	if err != nil {
		r.refuse(problem.BadRequest(err.Error()))
		return
	}
	r.json = true
	for _, fault := range faults {
		r.errs.Add(fault)
	}
}

// Bytes returns the request's body as it is, empty if there is none.
func (r *Request) Bytes() []byte {
	r.lent = true
	return r.text()
}

// text reads the body, once. It is bounded: a longer body answers 413.
func (r *Request) text() []byte {
	if r.read {
		return r.body
	}
	r.read = true
	if r.http.ContentLength > r.maxBody {
		r.tooLarge()
		return nil
	}
	body, err := readAll(r.http.Body, r.body[:0], r.maxBody)
	r.body = body
	switch {
	case err == nil:
	case errors.Is(err, errTooLarge):
		r.tooLarge()
	default:
		r.refuse(brokenBody(err))
	}
	return r.body
}

// brokenBody is what a client hears whose body did not arrive.
func brokenBody(err error) *problem.Problem {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem.New(http.StatusRequestTimeout, "the body did not arrive in time").With("Connection", "close")
	}
	return problem.BadRequest("the body could not be read").With("Connection", "close")
}

// tooLarge closes the connection as well: else the rest of the body would have
// to be read.
func (r *Request) tooLarge() {
	r.body = r.body[:0]
	r.refuse(bodyTooLarge())
}

func bodyTooLarge() *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "the body is larger than the server accepts").With("Connection", "close")
}

var errTooLarge = errors.New("too large")

// readAll appends all of src, at most limit bytes, to buf.
func readAll(src io.Reader, buf []byte, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// refuse ends the request with a problem, unless a worse one is known.
func (r *Request) refuse(p *problem.Problem) {
	if r.fault == nil {
		r.fault = p
	}
}

// faults returns all that is wrong with the request as one error.
func (r *Request) faults(invalid int) error {
	if r.failed != nil {
		return r.failed
	}
	if r.fault != nil {
		r.fault.Errors = r.errs.List()
		return r.fault
	}
	if r.errs.Len() == 0 {
		return nil
	}
	p := problem.New(invalid, "the request is not valid")
	p.Errors = r.errs.List()
	return p
}
