package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// FuzzRequest sends anything to a small API: nothing makes it panic or answer
// 500, and what a path parameter held arrives unescaped exactly once.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v/a%2Fb", "limit=1&tag=a,b", "application/json;q=0.5", "text/plain", `"1"`, "body")
	f.Add("POST", "/v/x.json", "a=%zz&&=;", "*/*;q=x", "application/json; charset=", `W/"`, `{"text":`)
	f.Add("PUT", "/v/%25%00", "%", ",;=", ";", "*", "")
	f.Fuzz(func(t *testing.T, method, path, query, accept, contentType, tag, body string) {
		u := url.URL{Path: path}
		if parsed, err := url.ParseRequestURI(path); err == nil && parsed.Host == "" && parsed.RawQuery == "" && parsed.Opaque == "" {
			u = *parsed
		}
		u.RawQuery = query
		router, api := plainAPI()
		got := ""
		operation := func(_ context.Context, in noteInput) (rest.Response, error) {
			got = in.ID
			return answer(func(w *rest.Writer) { w.Header().Set("ETag", `"1"`); w.JSON(200, in) }), nil
		}
		decode := func(r *rest.Request) (in noteInput) {
			in.ID = r.Path("id").String()
			if p := r.Query("limit"); p.Set() {
				in.Limit = p.Int64()
			}
			for e := range r.Query("tag").Items(",") {
				in.Tags = append(in.Tags, e.String())
			}
			r.IfMatch("notes", in.ID)
			if r.HasBody() {
				r.Body(in.DecodeJSON)
			}
			return in
		}
		types := []string{"application/json", "application/vnd.x+json"}
		for _, m := range []string{"GET", "POST"} {
			o := rest.Operation{ID: m, Method: m, Path: "/v/{id}", Consumes: types, Produces: types}
			rest.Handle(api, o, decode, operation)
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, &u
		r.Header = http.Header{"Accept": {accept}, "Content-Type": {contentType}, "If-Match": {tag}, "If-None-Match": {tag}, "X-Request-Id": {accept}}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		escaped, ok := strings.CutPrefix(u.EscapedPath(), "/v/")
		if want, err := url.PathUnescape(escaped); w.Code == 200 && ok && (err != nil || got != want) {
			t.Fatalf("%s arrived as %q, want %q, %v", escaped, got, want, err)
		}
	})
}
