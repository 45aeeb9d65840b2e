// Package acceptance drives the built command as a user would: through its flags,
// its exit codes, and the servers that it generates.
package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// repository is the root of this repository, seen from the package's folder.
const repository = "../.."

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "backend-acceptance-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "backend")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

// backend is the path of the command, built once.
func backend(t testing.TB) string {
	t.Helper()
	binary, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// command runs a program to its end and fails the test when it fails.
func command(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	out, err := tryCommand(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func tryCommand(t testing.TB, dir, name string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

// scaffolded is the JSON of scaffold new, as far as tests look at it.
type scaffolded struct {
	Dir        string
	Files      int
	Lines      int
	Operations struct{ Total, Implemented, Stubbed, Raw int }
	Coverage   []struct {
		Operation, Status, Reason string
		NotKept                   []string `json:"not_kept"`
		ReadOnly                  bool     `json:"read_only"`
	}
	Stubs    []struct{ Operation, Reason string }
	Webhooks []struct{ Webhook, Method, Service, Sender, Operation, URL, Reason string }
	Service  map[string]int `json:"service_lines"`
}

// scaffold generates a project into a temporary folder.
func scaffold(t testing.TB, name, spec string, flags ...string) scaffolded {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	c := exec.Command(backend(t), append([]string{"scaffold", "new", name, "--spec", spec, "--dir", dir, "--output", "json"}, flags...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("scaffold %s: %v\n%s", spec, err, stderr.String())
	}
	var result scaffolded
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("scaffold printed no JSON: %v\n%s", err, out)
	}
	return result
}

// server is a project that `backend run` runs.
type server struct {
	URL, Admin string
	PID        int
	Processes  []process
	tokens     map[string]string
	stop       func()
	supervisor *os.Process // of `backend run`
	stderr     *syncBuffer
}

// process is one process of a running project.
type process struct {
	Target, URL, Admin string
	PID                int
}

// syncBuffer is a buffer that a running command may still write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run starts a project on free ports and its own data folder; it is stopped when
// the test ends, or by stop. A setting says in which shape, and on which database;
// without one it is one process on embedded parts.
func run(t testing.TB, dir, data string, settings ...setting) *server {
	t.Helper()
	c := exec.Command(backend(t), "run", dir, "--addr", "127.0.0.1:0", "--output", "json")
	c.Env = append(os.Environ(), "DATA_DIR="+data, "ADMIN_ADDR=127.0.0.1:0")
	for _, s := range settings {
		c.Args = append(c.Args, "--target", s.target)
		c.Env = append(c.Env, "DATABASE_URL="+s.database)
	}
	stderr := new(syncBuffer)
	c.Stderr = stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{tokens: map[string]string{}, supervisor: c.Process, stderr: stderr}
	s.stop = sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("run ended with %v:\n%s", err, stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, s) != nil || s.URL == "" {
		_ = c.Process.Kill()
		t.Fatalf("no ready line: %v %s\n%s", err, line, stderr.String())
	}
	t.Cleanup(s.stop)
	return s
}

// answer is a response, read whole.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// field returns a member of the JSON body, "" when there is none.
func (a answer) field(name string) string {
	var body map[string]any
	if json.Unmarshal(a.Body, &body) != nil || body[name] == nil {
		return ""
	}
	return fmt.Sprint(body[name])
}

// allScopes are the scopes of the shop.
var allScopes = []string{
	"users:read", "users:write", "products:write", "reviews:write", "orders:read", "orders:write", "payments:read", "payments:write",
}

// send sends a request with a token for every scope of the shop, and headers given
// as "Name: value".
func (s *server) send(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+s.token(t, allScopes...))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			request.Header.Del(name)
			continue
		}
		request.Header.Set(name, value)
	}
	return receive(t, request)
}

// receive sends a request and reads the response.
func receive(t testing.TB, request *http.Request) answer {
	t.Helper()
	response, err := (&http.Client{Timeout: 20 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, text}
}

// want is send, insisting on a status.
func (s *server) want(t testing.TB, status int, method, path, body string, headers ...string) answer {
	t.Helper()
	a := s.send(t, method, path, body, headers...)
	if a.Status != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	return a
}

// token asks the dev issuer for a token, once per set of scopes.
func (s *server) token(t testing.TB, scopes ...string) string {
	t.Helper()
	key := strings.Join(scopes, " ")
	if s.tokens[key] == "" {
		body, err := json.Marshal(map[string]any{"sub": "u1", "scopes": scopes})
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Post(s.Admin+"/dev/token", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var token struct {
			Access string `json:"access_token"`
		}
		if err := json.NewDecoder(response.Body).Decode(&token); err != nil || token.Access == "" {
			t.Fatalf("no token: %v", err)
		}
		s.tokens[key] = token.Access
	}
	return s.tokens[key]
}
