package apidocs

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/e6b96b0c/backend/templates/platform/lifecycle"
	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// tryHeader marks the page's requests. A page of another origin cannot set it without
// asking first (CORS), and nothing here answers that question.
const tryHeader = "X-Try"

// guard lets the page's own requests through to the API, under the path that follows
// /try. Every web page that is open on this machine can reach the admin address, so
// three things must be right: the name that the browser knows this address by (another
// name that leads here is DNS rebinding), the origin, and the page's mark.
func guard(public string, api http.Handler) http.Handler {
	host := ""
	if u, err := url.Parse(public); err == nil {
		host = u.Host
	}
	forward := http.StripPrefix("/try", api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := foreign(r); reason != "" {
			p := problem.Forbidden(reason)
			w.Header().Set("Content-Type", problem.MediaType)
			w.WriteHeader(p.Status)
			_ = json.NewEncoder(w).Encode(p) // only a client that has left makes this fail
			return
		}
		inner := r.Clone(r.Context())
		inner.Header.Del(tryHeader)
		inner.Header.Del("Origin")
		inner.Host = host
		forward.ServeHTTP(w, inner)
	})
}

// foreign says why a request is not the page's own; "" if it is.
func foreign(r *http.Request) string {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case !lifecycle.IsLoopback(r.Host):
		return "operations are tried on this machine only, under its own name"
	case site != "" && site != "same-origin", origin != "" && origin != "http://"+r.Host:
		return "this is for the page at /docs only"
	case r.Header.Get(tryHeader) == "":
		return "this is for the page at /docs only; send your requests to the API's own address"
	}
	return ""
}
