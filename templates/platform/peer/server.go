package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// callTimeout bounds a call whose caller set no end.
const callTimeout = 30 * time.Second

// ServerOptions configures a Server.
type ServerOptions struct {
	// Service is the name of the service, which calls are addressed to.
	Service string
	// Token is what calls must carry.
	Token string
	// Problem says what an error means to an end user, nil for one that nobody foresaw.
	Problem func(error) *problem.Problem
	// Begin returns the context of a call, given the id of the end user's request.
	Begin func(ctx context.Context, requestID string) context.Context
	// Log takes one line for each call; nil means slog.Default().
	Log *slog.Logger
}

// Server serves the calls of other processes. Register all before it serves.
type Server struct {
	ServerOptions
	token [sha256.Size]byte
	calls map[string]func(context.Context, []byte) (any, error)
}

// NewServer returns a server without calls; see [Serve].
func NewServer(o ServerOptions) *Server {
	s := &Server{ServerOptions: o, token: sha256.Sum256([]byte(o.Token)), calls: map[string]func(context.Context, []byte) (any, error){}}
	s.calls[pingName] = func(context.Context, []byte) (any, error) { return struct{}{}, nil }
	if s.Log == nil {
		s.Log = slog.Default()
	}
	s.Log = s.Log.With(slog.String("service", o.Service))
	return s
}

// Serve registers what a call of a name does.
func Serve[In, Out any](s *Server, name string, serve func(context.Context, In) (Out, error)) {
	s.calls[name] = func(ctx context.Context, text []byte) (any, error) {
		var in In
		if err := json.Unmarshal(text, &in); err != nil {
			return nil, fmt.Errorf("the call cannot be read: %w", err)
		}
		return serve(ctx, in)
	}
}

// Handler takes the calls, and leaves all other requests to next: one without the
// header is no call, whatever its path.
func (s *Server) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, called := r.Header[Header]; called && strings.HasPrefix(r.URL.Path, prefix) {
			s.serve(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	name := strings.TrimPrefix(r.URL.Path, prefix)
	status, answer, err := s.answer(w, r, name)
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // raw JSON arrives as it is
	if fault := encoder.Encode(answer); fault != nil {
		status, err = http.StatusInternalServerError, fault
		body.Reset()
		_ = encoder.Encode(reply[any]{Failed: fault.Error()}) // a string: cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // only a caller that has left makes this fail
	if name == pingName && err == nil {
		return
	}
	attributes := []slog.Attr{
		slog.String("operation", name), slog.Int("status", status),
		slog.Int64("duration_us", time.Since(began).Microseconds()), slog.String("request_id", r.Header.Get(idHeader)),
	}
	if err != nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	s.Log.LogAttrs(r.Context(), slog.LevelInfo, "call", attributes...)
}

// answer runs a call. The error is what the reply was made of, for the log.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, name string) (status int, _ reply[any], err error) {
	token, _ := strings.CutPrefix(r.Header.Get(Header), "Bearer ")
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
		return failed(http.StatusUnauthorized, "the call does not carry this backend's INTERNAL_TOKEN")
	}
	if to := r.Header.Get(nameHeader); to != s.Service {
		return failed(http.StatusMisdirectedRequest, "this is service "+s.Service+", not "+to)
	}
	call := s.calls[name]
	if call == nil {
		return failed(http.StatusNotFound, "there is no call "+name+" in this version")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return failed(http.StatusBadRequest, "the call could not be read: "+err.Error())
	}
	ctx, cancel, err := s.context(r)
	if err != nil {
		return failed(http.StatusBadRequest, err.Error())
	}
	defer cancel()
	out, err := s.survive(ctx, call, body)
	if err == nil {
		return http.StatusOK, reply[any]{Out: out}, nil
	}
	if p := s.Problem(err); p != nil {
		return p.Status, reply[any]{Problem: p, Header: p.Header}, err
	}
	return http.StatusInternalServerError, reply[any]{Failed: err.Error()}, err
}

// failed is the answer to a call that was not served.
func failed(status int, why string) (int, reply[any], error) {
	return status, reply[any]{Failed: why}, fmt.Errorf("not served: %s", why)
}

// survive makes an error of a panic: it fails the call as it would fail a request.
func (s *Server) survive(ctx context.Context, call func(context.Context, []byte) (any, error), body []byte) (out any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Log.ErrorContext(ctx, "a call panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return call(ctx, body)
}

// context is the end user's: who they are, the id of their request, and their time.
func (s *Server) context(r *http.Request) (context.Context, context.CancelFunc, error) {
	timeout := callTimeout
	if text := r.Header.Get(timeoutHeader); text != "" {
		ms, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", timeoutHeader, err)
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	ctx := s.Begin(r.Context(), r.Header.Get(idHeader))
	if text := r.Header.Get(callerHeader); text != "" {
		var caller auth.Principal
		plain, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = json.Unmarshal(plain, &caller)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", callerHeader, err)
		}
		ctx = auth.With(ctx, caller)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, cancel, nil
}
