package rest

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// route is one method of one path.
type route struct {
	log     *slog.Logger
	names   []string // of the path's parameters
	metrics *telemetry.Operation
	op      *operation            // nil for a plain handler
	serve   func(*exchange) error // of an operation
	handler http.Handler          // a plain one
}

// methods are those that a path can have in an API's description.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodTrace,
	}
}

// add makes a route findable.
func (rt *Router) add(method, path string, r *route) {
	segments, names := template(path)
	r.names = names
	at := rt.tree.add(segments)
	if at.routes == nil {
		at.routes = map[string]*route{}
	}
	at.routes[method] = r
}

// allowed lists the methods that a path has, for the Allow header; none if there is no
// such path. A method that is not implemented is none to rely on.
func (rt *Router) allowed(u *url.URL) []string {
	var found []string
	known := false
	for _, method := range methods() {
		if r, _ := rt.tree.find(method, u, nil); r != nil {
			known = true
			if r.op == nil || !r.op.Stub {
				found = append(found, method)
			}
		}
	}
	if !known {
		return nil
	}
	if slices.Contains(found, http.MethodGet) && !slices.Contains(found, http.MethodHead) {
		found = append(found, http.MethodHead)
	}
	if !slices.Contains(found, http.MethodOptions) {
		found = append(found, http.MethodOptions)
	}
	slices.Sort(found)
	return found
}
