package lifecycle

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

const checkTimeout = 2 * time.Second

// adminHandler serves what is for operators, not for users of the API.
func (r *run) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, "application/json", map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", r.readyz)
	if r.Metrics != nil {
		mux.Handle("GET /metrics", r.Metrics)
	}
	switch {
	case r.Dev == nil:
	case IsLoopback(r.admin.Addr().String()):
		mux.Handle("/dev/token", localOnly(r.Dev))
	default:
		r.Log.Warn("POST /dev/token is not served: the admin address is not a loopback one",
			slog.String("admin", r.admin.Addr().String()))
	}
	if r.JWKS != nil {
		mux.Handle("GET /.well-known/jwks.json", r.JWKS)
	}
	if r.Pages != nil {
		mux.Handle("/", r.Pages(r.addresses()))
	}
	return mux
}

// readyz answers 503 with the names of the parts that fail. Why they do stands
// in the log.
func (r *run) readyz(w http.ResponseWriter, request *http.Request) {
	if !r.ready.Load() {
		p := problem.Unavailable("the server is stopping", time.Second)
		respond(w, p.Status, problem.MediaType, p)
		return
	}
	ctx, cancel := context.WithTimeout(request.Context(), checkTimeout)
	defer cancel()
	failures := make([]error, len(r.Checks))
	var all sync.WaitGroup
	for i, check := range r.Checks {
		all.Go(func() { failures[i] = check.Run(ctx) })
	}
	all.Wait()
	failing := ""
	for i, err := range failures {
		if err == nil {
			continue
		}
		r.Log.WarnContext(ctx, "a part is not ready", slog.String("part", r.Checks[i].Name), slog.Any("error", err))
		if failing != "" {
			failing += ", "
		}
		failing += r.Checks[i].Name
	}
	if failing != "" {
		p := problem.Unavailable("not ready: "+failing, time.Second)
		respond(w, p.Status, problem.MediaType, p)
		return
	}
	respond(w, http.StatusOK, "application/json", map[string]string{"status": "ready"})
}

// localOnly refuses requests that were meant for another host: a web page whose
// name resolves to this machine must not reach the handler through a browser.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsLoopback(r.Host) {
			p := problem.Forbidden("development tokens are for this machine only")
			respond(w, p.Status, problem.MediaType, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// IsLoopback tells whether an address, with or without a port, stays on this machine.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func respond(w http.ResponseWriter, status int, mediaType string, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // only a client that has left makes this fail
}
