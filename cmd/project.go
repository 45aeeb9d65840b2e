package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
)

// project is a generated project on disk.
type project struct {
	dir, name string
}

// openProject recognises a generated project by its lock file.
func openProject(st *state.State, dir string) (*project, error) {
	dir = st.Abs(dir)
	switch {
	case !st.Exists(dir):
		return nil, problem.List{{Code: "project-missing", File: dir, Message: "no such folder", Hint: "make one with `backend scaffold new`"}}
	case !st.IsDir(dir):
		return nil, problem.List{{Code: "project-missing", File: dir, Message: "this is a file, not a project's folder", Hint: "name the folder"}}
	case !st.Exists(projectFile(dir, ".backend/lock.json")):
		return nil, problem.List{{Code: "project-unknown", File: dir, Message: "this folder holds no generated project: there is no .backend/lock.json", Hint: "name a project's folder, or make one with `backend scaffold new`"}}
	}
	names := st.ListDir(projectFile(dir, "cmd"))
	if len(names) != 1 {
		return nil, problem.List{{Code: "project-main", File: projectFile(dir, "cmd"), Message: fmt.Sprintf("expected one program, found %d", len(names))}}
	}
	return &project{dir: dir, name: names[0]}, nil
}

// build compiles the project with the user's Go and returns the binary's path.
func (p *project) build(ctx context.Context, st *state.State, out *progress) (string, error) {
	goTool, err := st.LookPath("go")
	if err != nil {
		return "", environment("no-go", "Go is not on PATH", "install Go 1.26 or newer, or add its bin folder to PATH")
	}
	binary := projectFile(p.dir, ".backend/bin/"+p.name)
	watch := &buildWatch{out: out, began: st.Now(), now: st.Now}
	err = st.Run(ctx, state.Command{
		Path: goTool, Args: []string{"build", "-v", "-o", binary, "./cmd/" + p.name}, Dir: p.dir,
		Env: []string{"CGO_ENABLED=0", "GOWORK=off"}, Stdout: io.Discard, Stderr: watch,
	})
	out.Done()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", &codeError{exitEnvironment, problem.List{{
			Code: "build-failed", File: p.dir, Message: "the project does not compile:\n" + watch.rest(), Hint: "fix the lines above; files ending in .gen.go belong to the generator",
		}}}
	}
	return binary, nil
}

// buildWatch turns the lines of `go build -v` into progress; what is neither a
// package nor a download is kept for the error.
type buildWatch struct {
	out      *progress
	began    time.Time
	now      func() time.Time
	mu       sync.Mutex
	line     []byte
	packages int
	other    []string
}

func (w *buildWatch) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, b...)
	for {
		line, rest, ok := bytes.Cut(w.line, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.line = rest
		w.take(strings.TrimSpace(string(line)))
	}
}

func (w *buildWatch) take(line string) {
	took := w.now().Sub(w.began).Round(time.Second)
	switch {
	case line == "":
	case strings.HasPrefix(line, "go: downloading "):
		w.out.Now("downloading %s (%s)", strings.TrimPrefix(line, "go: downloading "), took)
	case !strings.ContainsAny(line, " :#"):
		w.packages++
		w.out.Now("compiling %s (%d packages, %s)", line, w.packages, took)
	default:
		w.other = append(w.other, line)
	}
}

func (w *buildWatch) rest() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.other
	if len(lines) > 20 {
		lines = append(lines[:20:20], fmt.Sprintf("… and %d more lines", len(w.other)-20))
	}
	return strings.Join(lines, "\n")
}

// instance is a running project.
type instance struct {
	process    *state.Process
	URL, Admin string
	tail       *logTail
}

// readyTimeout bounds the time from start to the line that says ready; opening
// and migrating embedded databases takes well under a second.
const readyTimeout = 30 * time.Second

// boot starts the binary and waits until it serves. Its log goes to logs.
func (p *project) boot(ctx context.Context, st *state.State, binary string, env []string, target string, logs io.Writer) (*instance, error) {
	tail := &logTail{to: logs, ready: make(chan readyLine, 1)}
	process, err := st.Start(state.Command{Path: binary, Args: []string{"-target", target}, Dir: p.dir, Env: env, Stdout: tail, Stderr: tail})
	if err != nil {
		return nil, environment("start", "cannot start "+binary+": "+err.Error(), "")
	}
	timeout := time.NewTimer(readyTimeout)
	defer timeout.Stop()
	select {
	case ready := <-tail.ready:
		return &instance{process: process, URL: ready.URL, Admin: ready.Admin, tail: tail}, nil
	case <-process.Done():
		return nil, tail.exit(process.ExitCode())
	case <-timeout.C:
		process.Stop(time.Second)
		return nil, environment("not-ready", fmt.Sprintf("%s did not become ready within %s", p.name, readyTimeout), "see its log above")
	case <-ctx.Done():
		process.Stop(5 * time.Second)
		return nil, context.Cause(ctx)
	}
}

type readyLine struct {
	Message string `json:"msg"`
	URL     string `json:"url"`
	Admin   string `json:"admin"`
}

// logTail passes a child's log on, finds the line that says ready, and keeps the
// last lines that are no JSON: what the program said when it gave up.
type logTail struct {
	to    io.Writer
	mu    sync.Mutex
	line  []byte
	said  []string
	found bool
	ready chan readyLine
}

func (t *logTail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to != nil {
		if _, err := t.to.Write(b); err != nil {
			t.to = nil
		}
	}
	t.line = append(t.line, b...)
	for {
		line, rest, ok := bytes.Cut(t.line, []byte("\n"))
		if !ok {
			if len(t.line) > bufio.MaxScanTokenSize {
				t.line = nil
			}
			return len(b), nil
		}
		t.line = rest
		t.take(line)
	}
}

func (t *logTail) take(line []byte) {
	var ready readyLine
	if len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &ready) == nil {
		if !t.found && ready.Message == "ready" && ready.URL != "" {
			t.found = true
			t.ready <- ready
		}
		return
	}
	if text := strings.TrimSpace(string(line)); text != "" {
		t.said = append(t.said, text)
		if len(t.said) > 10 {
			t.said = t.said[1:]
		}
	}
}

// exit is the error of a child that ended before it was ready.
func (t *logTail) exit(code int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	message := strings.Join(t.said, "\n")
	if message == "" {
		message = fmt.Sprintf("the project ended with code %d before it was ready", code)
	}
	hint := ""
	if strings.Contains(message, "address already in use") {
		hint = "stop what listens there, or choose another address with --addr (port 0 picks a free one)"
	}
	if code == exitUsage {
		return usage("settings", message, hint)
	}
	return environment("start", message, hint)
}

// stop ends the project in order.
func (i *instance) stop() { i.process.Stop(20 * time.Second) }

// token asks the dev issuer of a running project for a token.
func devToken(admin string) func(ctx context.Context, scopes []string) (string, error) {
	return func(ctx context.Context, scopes []string) (string, error) {
		body, err := json.Marshal(map[string]any{"sub": "loadtest", "scopes": scopes})
		if err != nil {
			return "", err
		}
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := state.PostJSON(ctx, admin+"/dev/token", body, &answer); err != nil {
			return "", fmt.Errorf("no development token from %s: %w", admin, err)
		}
		return answer.Token, nil
	}
}

// checkAddr reports what is wrong with an address to listen on.
func checkAddr(addr string) error {
	host, port, ok := strings.Cut(addr, ":")
	if i := strings.LastIndex(addr, ":"); i >= 0 {
		host, port = addr[:i], addr[i+1:]
	}
	u, err := url.Parse("http://" + addr)
	if !ok || port == "" || err != nil || u.Port() != port || host == "" && !strings.HasPrefix(addr, ":") {
		return usage("addr", fmt.Sprintf("--addr %.60q is not host:port", addr), "write 127.0.0.1:8080; port 0 picks a free one")
	}
	return nil
}

// isURL reports whether an argument is a server rather than a folder.
func isURL(arg string) bool {
	return strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://")
}

// logFile is where a project's log goes while a terminal shows something else.
func (p *project) logFile() string { return filepath.Join(p.dir, ".backend", "run.log") }

// overrides lists the operations that the user has written: methods on *Service
// in files that the generator does not own.
func (p *project) overrides(st *state.State) (map[string]bool, error) {
	file := projectFile(p.dir, ".backend/lock.json")
	data, err := st.ReadFile(file)
	if err != nil {
		return nil, environment("lock", err.Error(), "")
	}
	var lock plan.Lock
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, problem.List{{Code: "lock", File: file, Message: "not a lock file: " + err.Error(), Hint: "restore it from version control"}}
	}
	methods := map[string]bool{} // "orders.CancelOrder"
	for _, service := range st.ListDir(projectFile(p.dir, "internal")) {
		dir := projectFile(p.dir, "internal/"+service)
		for _, name := range st.ListDir(dir) {
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".gen.go") && !strings.HasSuffix(name, "_test.go") {
				text, err := st.ReadFile(filepath.Join(dir, name))
				if err == nil {
					serviceMethods(text, service, methods)
				}
			}
		}
	}
	out := map[string]bool{}
	for id, op := range lock.Operations {
		out[id] = methods[op.Package+"."+op.GoName]
	}
	return out, nil
}

// serviceMethods adds the methods that a file declares on *Service.
func serviceMethods(text []byte, service string, methods map[string]bool) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return // the compiler will say
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || len(f.Recv.List) != 1 {
			continue
		}
		receiver := f.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok && id.Name == "Service" {
			methods[service+"."+f.Name.Name] = true
		}
	}
}
