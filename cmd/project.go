package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/write"
)

// project is a generated project on disk.
type project struct {
	dir, name string
}

// openProject finds a project and finishes an update of it that was cut off.
func openProject(st *state.State, dir string) (*project, error) {
	p, err := findProject(st, dir)
	if err != nil {
		return nil, err
	}
	return p, write.Recover(p.dir)
}

// findProject recognises a generated project by its lock file.
func findProject(st *state.State, dir string) (*project, error) {
	dir = st.Abs(dir)
	switch {
	case !st.Exists(dir):
		return nil, problem.List{{Code: "project-missing", File: dir, Message: "no such folder", Hint: "make one with `backend scaffold new`"}}
	case !st.IsDir(dir):
		return nil, problem.List{{Code: "project-missing", File: dir, Message: "this is a file, not a project's folder", Hint: "name the folder"}}
	case !st.Exists(projectFile(dir, ".backend/lock.json")):
		return nil, problem.List{{Code: "project-unknown", File: dir, Message: "this folder holds no generated project: there is no .backend/lock.json", Hint: "name a project's folder, or make one with `backend scaffold new`"}}
	}
	p := &project{dir: dir}
	lock, err := p.lock(st)
	if err != nil {
		return nil, err
	}
	if p.name = lock.Name; p.name != "" {
		return p, nil
	}
	names := st.ListDir(projectFile(dir, "cmd")) // the first form of the lock had no name
	if len(names) != 1 {
		return nil, problem.List{{Code: "project-main", File: projectFile(dir, "cmd"), Message: fmt.Sprintf("expected one program, found %d", len(names))}}
	}
	p.name = names[0]
	return p, nil
}

// lock reads what the generator noted about the project.
func (p *project) lock(st *state.State) (plan.Lock, error) {
	var lock plan.Lock
	file := projectFile(p.dir, ".backend/lock.json")
	data, err := st.ReadFile(file)
	if err != nil {
		return lock, environment("lock", err.Error(), "")
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return lock, problem.List{{Code: "lock", File: file, Message: "not a lock file: " + err.Error(), Hint: "restore it from version control"}}
	}
	return lock, nil
}

// services lists the project's services by name.
func (p *project) services(st *state.State) ([]string, error) {
	lock, err := p.lock(st)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, op := range lock.Operations {
		names[op.Service] = true
	}
	return sorted(names), nil
}

// The targets beside the services.
const (
	targetAll     = "all"
	targetSplit   = "split"
	targetGateway = "gateway"
)

// processes returns what a target runs: the process that clients talk to, and the
// services that run beside it.
func (p *project) processes(st *state.State, target string) (front string, services []string, err error) {
	if target == targetAll {
		return targetAll, nil, nil
	}
	names, err := p.services(st)
	if err != nil {
		return "", nil, err
	}
	targets := append([]string{targetAll, targetSplit, targetGateway}, names...)
	switch {
	case target == targetSplit:
		return targetGateway, names, nil
	case slices.Contains(targets, target):
		return target, nil, nil
	}
	list := "targets: " + strings.Join(targets, ", ")
	if near := problem.Nearest(target, targets); near != "" {
		list = fmt.Sprintf("did you mean %q? %s", near, list)
	}
	return "", nil, usage("target", fmt.Sprintf("--target %.60q: %s has no such target", target, p.name), list)
}

// boot starts the project and waits until it serves.
func (p *project) boot(ctx context.Context, o supervisor.Options) (*supervisor.Supervisor, error) {
	o.Dir = p.dir
	running, err := supervisor.Start(ctx, o)
	var failed *supervisor.StartError
	switch {
	case err == nil:
		return running, nil
	case errors.As(err, &failed):
		return nil, startError(failed)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, environment("start", err.Error(), "")
}

// startError says in a process's own words why it could not start, with the class
// of its exit code.
func startError(e *supervisor.StartError) error {
	message, hint := e.Error(), ""
	switch {
	case strings.Contains(message, "in use by another process"):
		hint = "stop the other server, or give this one a DATA_DIR of its own"
	case strings.Contains(message, "address already in use"):
		hint = "stop what listens there, or choose another address with --addr (port 0 picks a free one)"
	}
	if e.Code == exitUsage {
		return usage("settings", message, hint)
	}
	return environment("start", message, hint)
}

// tokens is where a running project gives out tokens, nil when it asks for none:
// it serves its dev issuer only if an operation needs a credential.
func tokens(ctx context.Context, admin string) func(context.Context, []string) (string, error) {
	status, _, err := state.Send(ctx, http.MethodPost, admin+"/dev/token", "", `{"sub":"loadtest"}`)
	if err == nil && status == http.StatusNotFound {
		return nil
	}
	return devToken(admin)
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
