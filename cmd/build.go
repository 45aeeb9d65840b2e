package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/problem"
)

// build compiles the project with the user's Go and returns the binary's path.
func (p *project) build(ctx context.Context, st *state.State, out *progress) (string, error) {
	goTool, err := st.LookPath("go")
	if err != nil {
		return "", environment("no-go", "Go is not on PATH", "install Go 1.26 or newer, or add its bin folder to PATH")
	}
	// An interrupted go command leaves its work folder behind; here it is ours.
	temp, remove, err := st.TempDir("backend-build-")
	if err != nil {
		return "", environment("temp", "no temporary folder: "+err.Error(), "set TMPDIR")
	}
	defer remove()
	binary := projectFile(p.dir, ".backend/bin/"+p.name)
	watch := &buildWatch{out: out, began: st.Now(), now: st.Now}
	stop := watch.every(time.Second)
	// -s -w: a tenth of the build is for a debugger, which nobody runs on this binary.
	err = st.Run(ctx, state.Command{
		Path: goTool, Args: []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-v", "-o", binary, "./cmd/" + p.name}, Dir: p.dir,
		Env: []string{"GOWORK=off", "TMPDIR=" + temp, "GOTMPDIR=" + temp}, Stdout: io.Discard, Stderr: watch, Interrupt: true,
	})
	stop()
	out.Done()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", &codeError{exitEnvironment, problem.List{{
			Code: "build-failed", File: p.dir, Message: "go build failed:\n" + watch.rest(err), Hint: "fix the lines above; files ending in .gen.go belong to the generator",
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
	doing    string
	packages int
	other    []string
}

// every shows again what is being done, with the time it has taken: one package
// can keep the compiler busy for half a minute without a line.
func (w *buildWatch) every(interval time.Duration) (stop func()) {
	tick := time.NewTicker(interval)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				w.mu.Lock()
				w.show()
				w.mu.Unlock()
			case <-done:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(done)
		<-ended
	}
}

// Write takes output of the go command.
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
		w.take(strings.TrimRight(string(line), " \r"))
	}
}

func (w *buildWatch) take(line string) {
	switch {
	case strings.TrimSpace(line) == "":
	case strings.HasPrefix(line, "go: downloading "):
		w.doing = "downloading " + strings.TrimPrefix(line, "go: downloading ")
		w.show()
	case !strings.ContainsAny(line, " \t:#"):
		w.packages++
		w.doing = "compiling " + line
		w.show()
	default:
		w.other = append(w.other, line)
	}
}

func (w *buildWatch) show() {
	if w.doing == "" {
		return
	}
	w.out.Now("%s (%s, %s)", w.doing, count(w.packages, "package"), w.now().Sub(w.began).Round(time.Second))
}

// maxBuildLines is how much of what the compiler said an error repeats.
const maxBuildLines = 20

// rest is what the go command said beyond progress, or err when it said nothing.
func (w *buildWatch) rest(err error) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) > 0 {
		w.take(string(w.line))
		w.line = nil
	}
	lines := w.other
	if len(lines) == 0 {
		return fmt.Sprint(err)
	}
	if more := len(lines) - maxBuildLines; more > 0 {
		lines = append(lines[:maxBuildLines:maxBuildLines], "… and "+count(more, "more line"))
	}
	return strings.Join(lines, "\n")
}
