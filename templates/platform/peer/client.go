package peer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

const idlePerHost = 64

// Options configures a Client.
type Options struct {
	// Service is the name of the service that is called.
	Service string
	// URLs are the base addresses of its replicas, asked in turn.
	URLs []*url.URL
	// Token is the secret that the processes share.
	Token string
	// Timeout bounds one call; zero means 1 s.
	Timeout time.Duration
	// RequestID returns the id of the request that a context belongs to; nil: none.
	RequestID func(context.Context) string
	// Transport sends the calls; nil: one of the client's own, see NewTransport.
	Transport http.RoundTripper
}

// Client calls one service. Its methods are safe for concurrent use.
type Client struct {
	Options
	own      *http.Transport // nil if the transport is somebody else's
	replicas Replicas
}

// NewClient returns a client. It connects when it is used.
func NewClient(o Options) *Client {
	c := &Client{Options: o}
	if c.Timeout <= 0 {
		c.Timeout = time.Second
	}
	if c.Transport == nil {
		c.own = NewTransport(idlePerHost)
		c.Transport = c.own
	}
	c.replicas.URLs, c.replicas.Transport = c.URLs, c.Transport
	return c
}

// Close closes the idle connections of the client's own transport.
func (c *Client) Close() error {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return nil
}

// Call asks the service: in goes as JSON, and so does the result. Once the unit of work
// that ctx carries has begun to write it refuses with store.ErrCallAfterWrite. The error
// holds a *problem.Problem (errors.As) where it means something to the end user: what
// the service says, or that it is unreachable, see [Unreachable].
func Call[In, Out any](ctx context.Context, c *Client, name string, in In) (out Out, err error) {
	if store.Writing(ctx) {
		return out, store.ErrCallAfterWrite
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // raw JSON arrives as it is
	if err := encoder.Encode(in); err != nil {
		return out, fmt.Errorf("call %s of service %s: %w", name, c.Service, err)
	}
	return send[Out](ctx, c, http.MethodPost, name, body.Bytes())
}

// Ping asks whether the service answers, and by the name that the client has for it.
func (c *Client) Ping(ctx context.Context) error {
	_, err := send[struct{}](ctx, c, http.MethodGet, pingName, nil)
	return err
}

// send makes a call and reads its reply.
func send[Out any](ctx context.Context, c *Client, method, name string, body []byte) (out Out, err error) {
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	header, err := c.header(ctx)
	if err != nil {
		return out, fmt.Errorf("call %s of service %s: %w", name, c.Service, err)
	}
	status, text, err := c.roundTrip(limited, method, name, header, body)
	switch {
	case err == nil:
	case errors.Is(err, errTooLarge):
		return out, fmt.Errorf("call %s of service %s: %w", name, c.Service, err)
	case ctx.Err() != nil: // the end user's own time is over, or they have left
		return out, fmt.Errorf("call %s of service %s: %w", name, c.Service, ctx.Err())
	default:
		return out, Unreachable(c.Service, err)
	}
	var r reply[Out]
	if err := json.Unmarshal(text, &r); err != nil {
		return out, fmt.Errorf("call %s of service %s: the reply cannot be read: %w", name, c.Service, err)
	}
	switch {
	case r.Problem != nil:
		r.Problem.Header = r.Header
		return out, r.Problem
	case status != http.StatusOK:
		return out, fmt.Errorf("call %s of service %s: it failed: %s", name, c.Service, r.Failed)
	}
	return r.Out, nil
}

// header is what a call says about itself and about the end user.
func (c *Client) header(ctx context.Context) (http.Header, error) {
	h := http.Header{
		"Content-Type": {"application/json"},
		Header:         {"Bearer " + c.Token},
		nameHeader:     {c.Service},
	}
	if c.RequestID != nil {
		h[idHeader] = []string{c.RequestID(ctx)}
	}
	if end, ok := ctx.Deadline(); ok {
		h[timeoutHeader] = []string{strconv.FormatInt(max(1, time.Until(end).Milliseconds()), 10)}
	}
	if caller := auth.From(ctx); !caller.Anonymous() {
		text, err := json.Marshal(caller)
		if err != nil {
			return nil, err
		}
		h[callerHeader] = []string{base64.StdEncoding.EncodeToString(text)}
	}
	return h, nil
}

var errTooLarge = errors.New("the reply is too large")

// roundTrip asks a replica.
func (c *Client) roundTrip(ctx context.Context, method, name string, header http.Header, body []byte) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, prefix+name, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = header
	response, err := c.replicas.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end, or is of no more use
	text, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if len(text) > maxBody {
		err = errTooLarge
	}
	return response.StatusCode, text, err
}
