package acceptance

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// directus is an npm package with one large document.
const directus = "@directus/specs@15.2.0"

// judged are the documents whose backends are judged from outside. Examples are how many
// requests schemathesis makes up per operation and phase beside those that follow from the
// schemas; large documents get few, for time.
var judged = []struct {
	name, pack, file, examples string
}{
	{"shop", "", shopSpec, "15"},
	{"petstore", examples, "3.1/json/petstore.json", "15"},
	{"train-travel", examples, "3.1/json/train-travel.json", "15"},
	{"star-trek", examples, "3.0/json/star-trek.json", "10"},
	{"readme", examples, "3.1/json/readme.json", "15"},
	{"directus", directus, "dist/openapi.json", "3"},
}

// judge returns the path of a tool that `make judges` installs.
func judge(t *testing.T, tool string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(repository, ".tools/judges", tool))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("BACKEND_TEST_REQUIRE") == "all" {
			t.Fatalf("%v; `make judges` installs it", err)
		}
		t.Skipf("%v; `make judges` installs it", err)
	}
	return path
}

// servedDocument is what tests read of internal/app/served.gen.json.
type servedDocument struct {
	Servers    []struct{ URL string }
	Paths      map[string]map[string]servedOperation
	Components struct {
		SecuritySchemes map[string]struct{ Type, Scheme, Name, In string }
	}
}

type servedOperation struct {
	Security  []map[string][]string
	Responses map[string]json.RawMessage
	Adds      []struct{ At, Why, Takes, Of string } `json:"x-backend-adds"`
}

// defendant is a backend that is being judged.
type defendant struct {
	*server
	dir      string
	document servedDocument
	base     string // base path
	bearer   string
}

// accuse scaffolds and starts a backend, and gives it a few rows to refer to.
func accuse(t *testing.T, name, spec string) *defendant {
	t.Helper()
	project := scaffold(t, name, spec)
	x := &defendant{dir: project.Dir, server: run(t, project.Dir, t.TempDir())}
	data, err := os.ReadFile(filepath.Join(x.dir, "internal/app/served.gen.json"))
	if err != nil || json.Unmarshal(data, &x.document) != nil || len(x.document.Servers) != 1 {
		t.Fatalf("the served document cannot be read: %v", err)
	}
	x.base = strings.TrimSuffix(x.document.Servers[0].URL, "/")
	var scopes []string
	for _, item := range x.document.Paths {
		for _, operation := range item {
			for _, requirement := range operation.Security {
				for _, s := range requirement {
					scopes = append(scopes, s...)
				}
			}
		}
	}
	if slices.Sort(scopes); len(x.document.Components.SecuritySchemes) > 0 {
		x.bearer = x.token(t, slices.Compact(append(allScopes, scopes...))...)
	}
	loadtestOnce(t, x.URL, "--spec", filepath.Join(x.dir, "api/served.gen.yaml"), "--admin", x.Admin, "--rate", "50", "--duration", "2s", "--out", filepath.Join(t.TempDir(), "seed.html"))
	return x
}

// credentials are the headers that every request of a judge may carry.
func (x *defendant) credentials() map[string]string {
	headers := map[string]string{"Authorization": "Bearer " + x.bearer}
	for _, s := range x.document.Components.SecuritySchemes {
		if s.Type == "apiKey" && s.In == "header" {
			headers[s.Name] = x.bearer
		}
	}
	return headers
}

// settings is schemathesis.toml: all checks with their own defaults, told what they cannot
// know. Credentials, as the document's schemes ask for them. That no text holds U+0000,
// which no database stores (so it is schemathesis that offers the switch). That an example
// may be large: it is about the speed of making examples up. And which methods of a path
// are stubs: those are not in the document, and answer 501 rather than 405.
func (x *defendant) settings(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("suppress-health-check = [\"all\"]\n\n[generation]\nallow-x00 = false\n")
	for name, s := range x.document.Components.SecuritySchemes {
		switch {
		case s.Type == "apiKey":
			fmt.Fprintf(&b, "\n[auth.openapi.%q]\napi_key = %q\n", name, x.bearer)
		case s.Type == "http" && strings.EqualFold(s.Scheme, "basic"):
			fmt.Fprintf(&b, "\n[auth.openapi.%q]\nusername = \"u1\"\npassword = %q\n", name, x.bearer)
		case s.Type == "http":
			fmt.Fprintf(&b, "\n[auth.openapi.%q]\nbearer = %q\n", name, x.bearer)
		}
	}
	var lock struct {
		Operations map[string]struct{ Status, Path, Method string }
	}
	data, err := os.ReadFile(filepath.Join(x.dir, ".backend/lock.json"))
	if err != nil || json.Unmarshal(data, &lock) != nil {
		t.Fatalf("the lock cannot be read: %v", err)
	}
	others := map[string][]string{}
	for _, o := range lock.Operations {
		if o.Status != "stub" || x.document.Paths[o.Path] == nil {
			continue
		}
		if others[o.Path] == nil {
			others[o.Path] = []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"}
		}
		others[o.Path] = slices.DeleteFunc(others[o.Path], func(m string) bool { return m == o.Method })
	}
	for path, methods := range others {
		list, err := json.Marshal(methods)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n[[operations]]\ninclude-path = %q\nphases.coverage.unexpected-methods = %s\n", path, list)
	}
	file := filepath.Join(t.TempDir(), "schemathesis.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSchemathesis: schemathesis, with all its checks and its stateful phase, finds no
// failure in the backends of six documents, each judged by the document that it serves.
// BACKEND_JUDGE_EXAMPLES sets how long it searches.
func TestSchemathesis(t *testing.T) {
	tool := judge(t, "venv/bin/schemathesis")
	hooks, err := filepath.Abs("testdata/schemathesis_hooks.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range judged {
		t.Run(doc.name, func(t *testing.T) {
			x := accuse(t, doc.name, packed(t, doc.pack, doc.file))
			args := []string{
				"--config-file", x.settings(t), "run", "api/served.gen.yaml", "--origin", x.URL, "--checks", "all", "--continue-on-failure",
				"--seed", "1", "--max-examples", cmp.Or(os.Getenv("BACKEND_JUDGE_EXAMPLES"), doc.examples), "--generation-database", "none", "--no-color",
			}
			for _, s := range x.document.Components.SecuritySchemes {
				if s.Type == "oauth2" || s.Type == "openIdConnect" {
					args = append(args, "--header", "Authorization: Bearer "+x.bearer)
					break
				}
			}
			headers, err := json.Marshal(x.credentials())
			if err != nil {
				t.Fatal(err)
			}
			c := exec.Command(tool, args...)
			c.Dir = x.dir
			c.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+hooks, "JUDGE_URL="+x.URL+x.base, "JUDGE_HEADERS="+string(headers), "PYTHONDONTWRITEBYTECODE=1")
			out, err := c.CombinedOutput()
			operations := 0
			for _, item := range x.document.Paths {
				operations += len(item)
			}
			if err != nil || !strings.Contains(string(out), fmt.Sprintf("Tested: %d\n", operations)) {
				t.Errorf("schemathesis on %d operations: %v\n%s", operations, err, out)
			}
			summary := regexp.MustCompile(`\d+ generated.*`).FindString(string(out))
			t.Logf("%d operations, %s", operations, summary)
		})
	}
}

// TestPrism: prism's validation proxy, in front of the backends during a load test, sees
// neither a request nor a response that breaks the served document.
func TestPrism(t *testing.T) {
	tool := judge(t, "node_modules/.bin/prism")
	for _, doc := range judged {
		t.Run(doc.name, func(t *testing.T) {
			x := accuse(t, doc.name, packed(t, doc.pack, doc.file))
			// prism knows no base path: it stands behind it.
			var document map[string]any
			data, err := os.ReadFile(filepath.Join(x.dir, "internal/app/served.gen.json"))
			if err != nil || json.Unmarshal(data, &document) != nil {
				t.Fatal(err)
			}
			document["servers"] = []map[string]string{{"url": "/"}}
			if data, err = json.Marshal(document); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "served.json")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			proxy, said := startPrism(t, tool, file, x.URL+x.base)
			r := loadtestOnce(t, proxy, "--spec", file, "--admin", x.Admin, "--rate", "30", "--duration", "8s", "--out", filepath.Join(t.TempDir(), "judged.html"))
			if r.Total.Requests < 200 || r.Total.Errors != 0 || r.Total.Violations != 0 {
				t.Errorf("verdict %s %v, %d requests, %d errors, %d violations", r.Verdict, r.Reasons, r.Total.Requests, r.Total.Errors, r.Total.Violations)
			}
			log := said()
			if violations := regexp.MustCompile(`(?m)^.*Violation:.*$`).FindAllString(log, 20); violations != nil {
				t.Errorf("prism objects:\n%s", strings.Join(violations, "\n"))
			}
			if seen := strings.Count(log, "Received forward response"); seen < r.Total.Requests {
				t.Errorf("prism saw %d of %d requests", seen, r.Total.Requests)
			}
		})
	}
}

// startPrism starts the proxy on a free port. What it said is known once it has stopped.
func startPrism(t *testing.T, tool, document, upstream string) (url string, said func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // prism takes a number, not a socket
	_, port, _ := net.SplitHostPort(address)
	c := exec.Command(tool, "proxy", document, upstream, "--host", "127.0.0.1", "--port", port)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	listening, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<22)
		for open := true; lines.Scan(); {
			_, _ = log.Write(append(lines.Bytes(), '\n'))
			if open && strings.Contains(lines.Text(), "is listening on") {
				close(listening)
				open = false
			}
		}
	}()
	stop := func() string {
		_ = c.Process.Kill()
		<-ended
		_ = c.Wait() // it was killed
		return log.String()
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	select {
	case <-listening:
	case <-ended:
		t.Fatalf("prism ended:\n%s", stop())
	case <-time.After(time.Minute):
		t.Fatalf("prism does not listen:\n%s", stop())
	}
	return "http://" + address, stop
}

// TestAdditions: every answer and rule that the served document adds is listed in its
// operation, and nothing else is.
func TestAdditions(t *testing.T) {
	x := scaffold(t, "shop", shopSpec)
	var document servedDocument
	data, err := os.ReadFile(filepath.Join(x.Dir, "internal/app/served.gen.json"))
	if err != nil || json.Unmarshal(data, &document) != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths {
		for method, operation := range item {
			listed := map[string]bool{}
			for _, a := range operation.Adds {
				listed[a.At] = true
				if a.Why == "" {
					t.Errorf("%s %s: %s has no reason", method, path, a.At)
				}
			}
			for status, response := range operation.Responses {
				if added := strings.Contains(string(response), "AddedByServer"); added != listed["responses/"+status] {
					t.Errorf("%s %s: response %s added: %v, listed: %v", method, path, status, added, !added)
				}
			}
		}
	}
	rules := map[string]string{}
	for _, a := range document.Paths["/orders"]["post"].Adds {
		rules[a.At] = a.Takes + " " + a.Of
	}
	for at, want := range map[string]string{"requestBody/userId": "existing /users/{userId}", "parameters/header/Idempotency-Key": "unused "} {
		if rules[at] != want {
			t.Errorf("POST /orders, %s: %q, want %q", at, rules[at], want)
		}
	}
	for _, a := range document.Paths["/orders"]["get"].Adds {
		if a.At == "parameters/query/cursor" && (a.Takes != "issued" || a.Of != "nextCursor") {
			t.Errorf("GET /orders: cursor %+v", a)
		}
	}
}
