package acceptance

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestAPIPage: in both shapes the admin address of what takes the API's requests serves
// the document that api/served.gen.yaml holds, and a page that loads nothing from
// elsewhere and tries operations, on behalf of nobody but itself.
func TestAPIPage(t *testing.T) {
	project := scaffold(t, "shop", shopSpec)
	for _, target := range []string{"all", "split"} {
		t.Run(target, func(t *testing.T) {
			s := run(t, project.Dir, t.TempDir(), setting{target: target})
			document := s.admin(t, "GET", "/openapi.json")
			served, err := os.ReadFile(filepath.Join(project.Dir, "api/served.gen.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			var want, got any
			if yaml.Unmarshal(served, &want) != nil || yaml.Unmarshal(document.Body, &got) != nil || !json.Valid(document.Body) || !reflect.DeepEqual(want, got) {
				t.Error("/openapi.json is not what api/served.gen.yaml holds")
			}
			if again := s.admin(t, "GET", "/openapi.json", "If-None-Match: "+document.Header.Get("ETag")); again.Status != 304 {
				t.Errorf("the same document again: %d", again.Status)
			}
			page := s.admin(t, "GET", "/")
			if policy := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") {
				t.Errorf("policy %q", policy)
			}
			for _, name := range regexp.MustCompile(`(?:src|href)="(docs/[^"]+)"`).FindAllSubmatch(page.Body, -1) {
				if a := s.admin(t, "GET", "/"+string(name[1])); a.Status != 200 || len(a.Body) == 0 {
					t.Errorf("%s: %d", name[1], a.Status)
				}
			}
			if regexp.MustCompile(`(?:src|href)="(https?:)?//`).Match(page.Body) {
				t.Error("the page loads from elsewhere")
			}
			own := []string{"X-Try: 1", "Origin: " + s.Admin, "Sec-Fetch-Site: same-origin", "Authorization: Bearer " + s.token(t, allScopes...)}
			if a := s.admin(t, "GET", "/try/api/v1/users", own...); a.Status != 200 || a.field("items") != "[]" {
				t.Errorf("tried: %d %s", a.Status, a.Body)
			}
			if a := s.admin(t, "GET", "/try/api/v1/users", own[:3]...); a.Status != 401 {
				t.Errorf("tried without a token: %d", a.Status)
			}
			if a := s.admin(t, "GET", "/try/api/v1/users", "X-Try: 1", "Origin: http://evil.example", own[3]); a.Status != 403 {
				t.Errorf("tried by another origin: %d", a.Status)
			}
			for _, p := range s.Processes { // a service is not where the API's users come in
				if p.Target == "all" || p.Target == "gateway" {
					continue
				}
				if a := (&server{Admin: p.Admin}).admin(t, "GET", "/openapi.json"); a.Status != 404 {
					t.Errorf("%s: %d", p.Target, a.Status)
				}
			}
		})
	}
}

// admin sends a request to the admin address.
func (s *server) admin(t testing.TB, method, path string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, s.Admin+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	return receive(t, request)
}
