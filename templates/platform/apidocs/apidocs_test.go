package apidocs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/apidocs"
)

const document = `{"openapi":"3.1.0"}`

// pages are those of an API that answers with the request that reached it.
func pages(local bool) http.Handler {
	return apidocs.New(apidocs.Options{
		Document: []byte(document), URL: "http://127.0.0.1:8080", Local: local, Tokens: true,
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{
				"method": r.Method, "path": r.URL.EscapedPath(), "query": r.URL.RawQuery, "host": r.Host,
				"marked": r.Header.Get("X-Try") != "" || r.Header.Get("Origin") != "",
			})
		}),
	})
}

func get(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:9090"
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDocument(t *testing.T) {
	h := pages(true)
	w := get(h, "GET", "/openapi.json")
	if w.Code != 200 || w.Body.String() != document || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("ETag") == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if again := get(h, "GET", "/openapi.json", "If-None-Match: "+w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
		t.Errorf("the same again: %d", again.Code)
	}
	if w := get(h, "HEAD", "/openapi.json"); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := get(h, "POST", "/openapi.json"); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestPage: what the page names is served, by this address alone, under a policy that
// lets it load nothing else.
func TestPage(t *testing.T) {
	h := pages(true)
	for _, path := range []string{"/", "/docs/"} {
		if w := get(h, "GET", path); w.Code != 302 || w.Header().Get("Location") != "/docs" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	page := get(h, "GET", "/docs")
	if page.Code != 200 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", page.Code, page.Header())
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(named) != 5 {
		t.Errorf("the page names %v", named)
	}
	for _, n := range named {
		if strings.HasPrefix(n[1], "data:") {
			continue
		}
		if w := get(h, "GET", "/"+n[1]); w.Code != 200 || w.Body.Len() == 0 || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d", n[1], w.Code)
		}
	}
	if w := get(h, "GET", "/docs/nonsense"); w.Code != 404 {
		t.Errorf("nonsense: %d", w.Code)
	}
}

func TestCompression(t *testing.T) {
	h := pages(true)
	plain := get(h, "GET", "/docs/swagger-ui.css", "Accept-Encoding: br, gzip;q=0")
	small := get(h, "GET", "/docs/swagger-ui.css", "Accept-Encoding: br, gzip")
	if plain.Header().Get("Content-Encoding") != "" || small.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("ETag") == small.Header().Get("ETag") {
		t.Fatalf("%v %v", plain.Header(), small.Header())
	}
	r, err := gzip.NewReader(small.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(text, plain.Body.Bytes()) || !strings.HasPrefix(string(text), ".swagger-ui") {
		t.Errorf("%v, %d bytes", err, len(text))
	}
}

// TestTry: the page's own requests reach the API as if they had been sent to it, and
// nobody else's do.
func TestTry(t *testing.T) {
	h := pages(true)
	own := []string{"X-Try: 1", "Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:9090"}
	w := get(h, "PUT", "/try/api/a%2Fb?x=%20", own...)
	want := `{"host":"127.0.0.1:8080","marked":false,"method":"PUT","path":"/api/a%2Fb","query":"x=%20"}` + "\n"
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, headers := range map[string][]string{
		"another site":                   {"X-Try: 1", "Sec-Fetch-Site: cross-site"},
		"another port of this machine":   {"X-Try: 1", "Sec-Fetch-Site: same-site"},
		"typed into the address bar":     {"Sec-Fetch-Site: none"},
		"another origin":                 {"X-Try: 1", "Origin: http://evil.example"},
		"no origin":                      {"X-Try: 1", "Origin: null"},
		"no mark":                        {"Sec-Fetch-Site: same-origin"},
		"a name that leads here":         {"X-Try: 1", "Host: evil.example:9090", "Sec-Fetch-Site: same-origin"},
		"a name, and its own origin":     {"X-Try: 1", "Host: evil.example", "Origin: http://evil.example"},
		"an address that is not ours":    {"X-Try: 1", "Host: 192.0.2.1:9090"},
		"a question about other origins": {"Origin: http://evil.example", "Access-Control-Request-Method: POST"},
	} {
		w := get(h, "POST", "/try/api/x", headers...)
		if w.Code != 403 || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if w := get(pages(false), "GET", "/try/api/x", own...); w.Code != 404 {
		t.Errorf("tried from another machine: %d", w.Code)
	}
	if w := get(pages(false), "GET", "/docs/settings.json"); !strings.Contains(w.Body.String(), `"tokens":false,"try":false`) {
		t.Errorf("settings %s", w.Body)
	}
}

// TestPinned: the bundle is the version that `make apidocs` fetches, with its licences.
func TestPinned(t *testing.T) {
	makefile, err := os.ReadFile("../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	version, err := os.ReadFile("assets/swagger-ui.VERSION.txt")
	if err != nil || !strings.Contains(string(makefile), "SWAGGER_UI := "+string(version)) {
		t.Errorf("the bundle is %s: %v", version, err)
	}
	for name, want := range map[string]string{"swagger-ui.LICENSE.txt": "Apache License", "swagger-ui.NOTICE.txt": "swagger-ui", "swagger-ui-bundle.js.LICENSE.txt": "MIT"} {
		if text, err := os.ReadFile("assets/" + name); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
