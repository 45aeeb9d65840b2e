package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
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

// stop ends the project in order.
func (i *instance) stop() { i.process.Stop(20 * time.Second) }

// tokens is where a running project gives out tokens, nil when it asks for none:
// it serves its dev issuer only if an operation needs a credential.
func (i *instance) tokens(ctx context.Context) func(context.Context, []string) (string, error) {
	status, _, err := state.Send(ctx, http.MethodPost, i.Admin+"/dev/token", "", `{"sub":"loadtest"}`)
	if err == nil && status == http.StatusNotFound {
		return nil
	}
	return devToken(i.Admin)
}

// devToken asks the dev issuer at an admin address for tokens.
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
	u, err := url.Parse("http://" + addr)
	if err == nil && u.Host == addr && u.Port() != "" {
		if _, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
			return nil
		}
	}
	return usage("addr", fmt.Sprintf("--addr %.60q is not host:port", addr), "write 127.0.0.1:8080; port 0 picks a free one")
}

// isURL reports whether an argument is a server rather than a folder.
func isURL(arg string) bool {
	return strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://")
}

// logFile is where a project's log goes while a terminal shows something else.
func (p *project) logFile() string { return filepath.Join(p.dir, ".backend", "run.log") }
