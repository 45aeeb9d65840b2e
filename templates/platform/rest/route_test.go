package rest_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
)

// echo adds an operation that answers with its id and path parameters.
func echo(api *rest.API, method, path string, names ...string) {
	rest.Handle(api, rest.Operation{ID: method + " " + path, Method: method, Path: path},
		func(r *rest.Request) (values []string) {
			for _, name := range names {
				values = append(values, r.Path(name).String())
			}
			return values
		},
		func(_ context.Context, values []string) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.JSON(200, append([]string{method + " " + path}, values...)) }), nil
		})
}

func plainAPI() (*rest.Router, *rest.API) {
	router := rest.NewRouter(rest.RouterOptions{Log: discard()})
	return router, rest.NewAPI(router, rest.Options{Service: "paths"})
}

func ask(router http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestRouting(t *testing.T) {
	router, api := plainAPI()
	echo(api, "GET", "/a")
	echo(api, "GET", "/a/")
	echo(api, "GET", "/a/{odd:name*}", "odd:name*")
	echo(api, "DELETE", "/a/{id}", "id")
	echo(api, "GET", "/a/me")
	echo(api, "GET", "/a/{id}/b", "id")
	echo(api, "GET", "/a/{id}/b/", "id")
	echo(api, "GET", "/a/{x}/b/{y}.json", "x", "y")
	echo(api, "POST", "/a/{id}:cancel", "id")
	echo(api, "POST", "/a/{id}", "id")
	echo(api, "GET", "/w/*/x")
	echo(api, "GET", "/space d/{id}", "id")
	echo(api, "GET", "/pre%20escaped")
	echo(api, "GET", "/ünï/{id}", "id")
	echo(api, "GET", "/{lang}/v/{id}", "lang", "id")
	echo(api, "GET", "/users/{id}/c", "id")
	echo(api, "GET", "/brace/{open")
	for target, want := range map[string]string{
		"GET /a":                    `["GET /a"]`,
		"GET /a/":                   `["GET /a/"]`,
		"GET /a/1":                  `["GET /a/{odd:name*}","1"]`,
		"HEAD /a/1":                 ``,
		"DELETE /a/1":               `["DELETE /a/{id}","1"]`,
		"GET /a/me":                 `["GET /a/me"]`,
		"GET /a/me/b":               `["GET /a/{id}/b","me"]`,
		"GET /a/me/b/":              `["GET /a/{id}/b/","me"]`,
		"GET /a/a%2Fb%20c%25d/b":    `["GET /a/{id}/b","a/b c%d"]`,
		"GET /a/%252F":              `["GET /a/{odd:name*}","%2F"]`,
		"GET /a/1+1":                `["GET /a/{odd:name*}","1+1"]`,
		"GET /a/1/b/2.json":         `["GET /a/{x}/b/{y}.json","1","2"]`,
		"GET /a/1/b/v2.0.json":      `["GET /a/{x}/b/{y}.json","1","v2.0"]`,
		"POST /a/urn:7:cancel":      `["POST /a/{id}:cancel","urn:7"]`,
		"POST /a/7:cancel":          `["POST /a/{id}:cancel","7"]`,
		"POST /a/7%3Acancel":        `["POST /a/{id}:cancel","7"]`,
		"POST /a/7:other":           `["POST /a/{id}","7:other"]`,
		"GET /w/*/x":                `["GET /w/*/x"]`,
		"GET /w/%2A/x":              `["GET /w/*/x"]`,
		"GET /w/1/x":                `404`,
		"GET /space%20d/%C3%A9%2F1": `["GET /space d/{id}","é/1"]`,
		"GET /pre%20escaped":        `["GET /pre%20escaped"]`,
		"GET /%C3%BCn%C3%AF/1":      `["GET /ünï/{id}","1"]`,
		"GET /users/v/1":            `["GET /{lang}/v/{id}","users","1"]`,
		"GET /users/v/c":            `["GET /users/{id}/c","v"]`,
		"GET /users/v/x/c":          `404`,
		"GET /a//b":                 `404`,
		"GET /A":                    `404`,
		"GET /brace/%7Bopen":        `["GET /brace/{open"]`,
		"PUT /a/1":                  `405`,
		"DELETE /a/me":              `405`, // GET /a/me says more about the path
		"POST /a/me:cancel":         `["POST /a/{id}:cancel","me"]`,
		"DELETE /a/me:cancel":       `["DELETE /a/{id}","me:cancel"]`,
		"BREW /a/1":                 `405`,
		"BREW /nothing":             `404`,
	} {
		method, path, _ := strings.Cut(target, " ")
		w := ask(router, method, path)
		got := w.Body.String()
		if w.Code != 200 {
			got = http.StatusText(w.Code)
			want = http.StatusText(map[string]int{"404": 404, "405": 405}[want])
		}
		if got != want {
			t.Errorf("%s: got %d %s, want %s", target, w.Code, got, want)
		}
	}
}

// TestParametersFitTheirPath holds random sets of overlapping paths against one
// law: the route that is found, filled with its parameters, is the path asked for.
func TestParametersFitTheirPath(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	segments := []string{"a", "b", "ab", "{x}", "{y}", "{x}.json", "{x}:do", "v{x}", "{x}-{y}", "a:do", "{x}{y}", "a.json"}
	pick := func() string {
		path := ""
		for range 1 + random.IntN(4) {
			path += "/" + segments[random.IntN(len(segments))]
		}
		return path
	}
	values := []string{"1", "a", "b", "ab", "v2", "x.json", "q:do", "m-n"}
	served := 0
	for range 300 {
		router, api := plainAPI()
		var paths []string
		for range 1 + random.IntN(8) {
			path := pick()
			paths = append(paths, path)
			names := regexp.MustCompile(`{[^}]*}`).FindAllString(path, -1)
			for i := range names { // a name that occurs twice stands for its first place
				names[i] = strings.Trim(names[i], "{}")
			}
			if len(names) == 2 && names[0] == names[1] || len(names) > 2 {
				paths = paths[:len(paths)-1]
				continue
			}
			echo(api, "GET", path, names...)
		}
		for _, path := range paths {
			asked := regexp.MustCompile(`{[^}]*}`).ReplaceAllStringFunc(path, func(string) string { return values[random.IntN(len(values))] })
			w := ask(router, "GET", asked)
			if w.Code != 200 {
				t.Fatalf("%s of %q: %d", asked, paths, w.Code)
			}
			served++
			var got []string
			must(t, json.Unmarshal(w.Body.Bytes(), &got))
			filled := strings.TrimPrefix(got[0], "GET ")
			for _, value := range got[1:] {
				open, end := strings.IndexByte(filled, '{'), strings.IndexByte(filled, '}')
				filled = filled[:open] + value + filled[end+1:]
			}
			if filled != asked {
				t.Fatalf("%s of %q was served as %q", asked, paths, got)
			}
		}
	}
	if served < 500 {
		t.Errorf("only %d requests were served", served)
	}
}

func TestAllow(t *testing.T) {
	router, api := plainAPI()
	echo(api, "GET", "/a/{id}", "id")
	echo(api, "DELETE", "/a/{other}", "other")
	echo(api, "POST", "/a/fixed")
	for _, path := range []string{"/a/{id}", "/stubs"} {
		rest.Handle(api, rest.Operation{ID: "stub", Method: "PATCH", Path: path, Stub: true}, nil, func(context.Context, struct{}) (rest.Response, error) {
			return answer(func(w *rest.Writer) { w.Empty(501) }), nil
		})
	}
	for target, want := range map[string]string{
		"PUT /a/1": "405 DELETE, GET, HEAD, OPTIONS", "OPTIONS /a/1": "204 DELETE, GET, HEAD, OPTIONS",
		"PATCH /a/fixed": "405 OPTIONS, POST", "OPTIONS /b": "404 ", "BREW /a/1": "405 DELETE, GET, HEAD, OPTIONS",
		"OPTIONS /stubs": "204 OPTIONS", "GET /stubs": "405 OPTIONS",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := ask(router, method, path)
		if got := strings.Join([]string{map[int]string{405: "405", 204: "204", 404: "404"}[w.Code], w.Header().Get("Allow")}, " "); got != want {
			t.Errorf("%s: got %s", target, got)
		}
	}
}

func TestOwnHandlersStandBesideTheAPI(t *testing.T) {
	router, _ := plainAPI()
	router.Handle("web", "page", "GET", "/page/{name}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.PathValue("name")))
	}))
	router.Handle("web", "abort", "GET", "/abort", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		panic("too late for an answer")
	}))
	if w := ask(router, "GET", "/page/a%2Fb"); w.Code != 200 || w.Body.String() != "a/b" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
			t.Error("a response that is cut off must abort the connection")
		}
	}()
	ask(router, "GET", "/abort")
}

func TestLinks(t *testing.T) {
	router, api := plainAPI()
	rest.Handle(api, rest.Operation{ID: "links", Method: "GET", Path: "/v1/a b/{id}"}, nil,
		func(ctx context.Context, _ struct{}) (rest.Response, error) {
			return answer(func(w *rest.Writer) {
				w.JSON(200, []string{
					rest.PathOf(ctx), rest.URL(ctx), rest.Location(ctx, "x/y", "z"), rest.Again(ctx, "cursor", "n&1", "page", ""), rest.RequestID(ctx),
				})
			}), nil
		})
	w := ask(router, "GET", "/v1/a%20b/1%2F2?page=1&limit=5")
	var got []string
	must(t, json.Unmarshal(w.Body.Bytes(), &got))
	want := []string{
		"/v1/a%20b/1%2F2", "http://example.com/v1/a%20b/1%2F2", "/v1/a%20b/1%2F2/x%2Fy/z", "/v1/a%20b/1%2F2?cursor=n%261&limit=5",
		w.Header().Get("X-Request-Id"),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
	if rest.PathOf(t.Context()) != "" || rest.RequestID(t.Context()) != "" || rest.URL(t.Context()) != "" {
		t.Error("a context outside of a request knows a path")
	}
}
