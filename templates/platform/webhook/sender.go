package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

const (
	maxAnswer   = 4 << 10  // of an answer's body, in bytes; the rest is not read
	maxHeader   = 64 << 10 // of an answer's header
	idle        = 64       // connections
	idleTimeout = 90 * time.Second
	idHeader    = "X-Request-Id"
)

// Options configures a Sender.
type Options struct {
	// Service is the name of the service that sends, for metrics and logs.
	Service string
	// Agent is the User-Agent.
	Agent string
	// Secrets sign the messages, each by itself; none: they are not signed.
	Secrets [][]byte
	// AllowPrivate lets messages go to loopback and private addresses, too.
	AllowPrivate bool
	// Timeout bounds one attempt; zero means 10 s.
	Timeout time.Duration
	// Attempts is how often a message is tried at most; zero means 5.
	Attempts int
	// Backoff is the longest wait before the second attempt, which doubles with each
	// attempt up to a minute; zero means 1 s.
	Backoff time.Duration
	// RequestID returns the id of the request that a context belongs to; nil: none.
	RequestID func(context.Context) string
	// Metrics counts messages and attempts; nil: nobody does.
	Metrics *telemetry.Metrics
	// Log tells of messages that AfterCommit could not deliver; nil: the default one.
	Log *slog.Logger
}

// Sender sends messages. Its methods are safe for concurrent use.
type Sender struct {
	Options
	transport *http.Transport
	counters  counters
	later     later
}

// NewSender returns a sender. It connects when it is used.
func NewSender(o Options) *Sender {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Control: guard(o.AllowPrivate)}
	s := &Sender{Options: o, transport: &http.Transport{
		// No proxy of the environment: it would connect in our place, unguarded.
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConns:           idle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}}
	s.counters.service, s.counters.metrics, s.counters.log = o.Service, o.Metrics, o.Log
	s.later.init()
	return s
}

// Send delivers a message: it returns nil once the receiver has answered 2xx, and an
// *[Error] when it has not, or ctx ends first. No answer, 408, 429 and 5xx are tried
// again; redirects are not followed. In a unit of work that has begun to write it refuses
// with [ErrUncommitted].
func (s *Sender) Send(ctx context.Context, m *Message) error {
	if store.Writing(ctx) {
		return &Error{Message: m.name, Err: ErrUncommitted}
	}
	address, err := m.address()
	d, wrong := s.delivery(ctx)
	if err := errors.Join(err, wrong); err != nil {
		s.counters.message(m.name, outcomeRefused)
		return &Error{Message: m.name, Permanent: true, Err: err}
	}
	failed := s.deliver(ctx, m, address, d)
	switch {
	case failed == nil:
		s.counters.message(m.name, outcomeDelivered)
		return nil
	case failed.Permanent:
		s.counters.message(m.name, outcomeRefused)
	default:
		s.counters.message(m.name, outcomeFailed)
	}
	return failed
}

// deliver tries until the message is delivered, or of no more use.
func (s *Sender) deliver(ctx context.Context, m *Message, address *url.URL, d Delivery) *Error {
	for attempt := 1; ; attempt++ {
		s.counters.attempt(m.name)
		answer, err := s.attempt(ctx, m, address, d)
		failed := &Error{Message: m.name, Attempts: attempt, Err: err}
		switch {
		case err == nil && answer.status >= 200 && answer.status <= 299:
			return nil
		case err == nil:
			failed.Status, failed.Body = answer.status, answer.body
			failed.Permanent = !passing(answer.status)
		case ctx.Err() != nil:
			failed.Err = context.Cause(ctx)
			return failed
		default:
			failed.Permanent = errors.Is(err, ErrForbidden)
		}
		if failed.Permanent || attempt >= s.Attempts {
			return failed
		}
		if err := s.wait(ctx, max(s.backoff(attempt), answer.retryAfter)); err != nil {
			if failed.Err == nil {
				failed.Err = err
			}
			return failed
		}
	}
}

// answer is what a receiver said.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration
}

// attempt sends a message once.
func (s *Sender) attempt(ctx context.Context, m *Message, address *url.URL, d Delivery) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, m.method, address.String(), bytes.NewReader(m.body))
	if err != nil {
		return answer{}, err
	}
	request.Header = s.header(ctx, m, d, time.Now())
	response, err := s.transport.RoundTrip(request) // a transport follows no redirects
	if err != nil {
		return answer{}, withoutAddress(err)
	}
	defer func() { _ = response.Body.Close() }() // what it began with is all that is of use
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return answer{response.StatusCode, body, retryAfter(response.Header.Get("Retry-After"), time.Now())}, nil
}

// header is the message's header fields, and those of an attempt at a time.
func (s *Sender) header(ctx context.Context, m *Message, d Delivery, now time.Time) http.Header {
	h := m.header.Clone()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(headerID, d.ID)
	h.Set(headerTimestamp, timestamp)
	if len(d.Secrets) > 0 {
		h.Set(headerSignature, signatures(d.Secrets, d.ID, timestamp, m.body))
	}
	if s.Agent != "" {
		h.Set("User-Agent", s.Agent)
	}
	if id := s.requestID(ctx); id != "" {
		h.Set(idHeader, id)
	}
	return h
}

// withoutAddress takes the address out of an error.
func withoutAddress(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return dial.Err
	}
	return err
}
