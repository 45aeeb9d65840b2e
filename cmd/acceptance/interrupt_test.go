package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// promptly is how soon a command must end after a signal, and patience how long
// what it started may take to vanish from /proc after that.
const (
	promptly = 15 * time.Second
	patience = 5 * time.Second
)

// victim is a command to be interrupted, in a folder of its own.
type victim struct {
	work           string
	command        *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan error
}

// start starts backend with its temporary files, and on request its compiled
// packages, inside work.
func start(t *testing.T, work string, cold bool, args ...string) *victim {
	t.Helper()
	v := &victim{work: work, ended: make(chan error, 1)}
	if err := os.MkdirAll(filepath.Join(work, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	v.command = exec.Command(backend(t), args...)
	v.command.Dir = work
	v.command.Env = append(os.Environ(), "TMPDIR="+filepath.Join(work, "tmp"), "GOFLAGS=-trimpath -buildvcs=false", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR="+filepath.Join(work, "data"))
	if cold {
		v.command.Env = append(v.command.Env, "GOCACHE="+filepath.Join(work, "cache"))
	}
	v.command.Stdout, v.command.Stderr = &v.stdout, &v.stderr
	if err := v.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.command.Process.Kill() })
	go func() { v.ended <- v.command.Wait() }()
	return v
}

// interrupt signals at a moment and checks how the command ends.
func (v *victim) interrupt(t *testing.T, after time.Duration, signal syscall.Signal, mayServe bool) {
	t.Helper()
	var err error
	select {
	case err = <-v.ended: // it was faster
	case <-time.After(after):
		_ = v.command.Process.Signal(signal)
		select {
		case err = <-v.ended:
		case <-time.After(promptly):
			t.Fatalf("still running %s after %s; stderr:\n%s", promptly, signal, v.stderr.String())
		}
		v.checkCode(t, err, signal, mayServe)
	}
	v.checkNothingLeft(t, err)
}

func (v *victim) checkCode(t *testing.T, err error, signal syscall.Signal, mayServe bool) {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.As(err, &exit) && exit.ExitCode() == 130:
		if err == nil && mayServe && !strings.Contains(v.stdout.String(), "serves http") {
			t.Errorf("exit code 0 without having served")
		}
		return
	case exit == nil:
		t.Errorf("ended with %v", err)
		return
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == signal && v.stderr.Len() == 0:
		// It came before the command could take signals.
	case slices.Contains([]int{4, 5}, exit.ExitCode()) && !strings.Contains(v.stdout.String(), "interrupted"):
		// The test was over: its verdict is the exit code, on a busy machine any.
	default:
		t.Errorf("ended with %v after %s; stdout:\n%s\nstderr:\n%s", err, signal, v.stdout.String(), v.stderr.String())
	}
}

// checkNothingLeft wants no process, no temporary file, and every target whole or
// absent.
func (v *victim) checkNothingLeft(t *testing.T, ended error) {
	t.Helper()
	v.gone(t, patience)
	for place, target := range map[string]string{"shop": "shop", "deep": "deep/er/shop"} {
		if exists(filepath.Join(v.work, place)) && !exists(filepath.Join(v.work, target, ".backend/lock.json")) {
			t.Errorf("%s is there without the lock of %s (%v)", place, target, ended)
		}
	}
	for _, pattern := range []string{".*.tmp-*", "deep/.*", "deep/er/.*", ".report-*", ".backend-*"} {
		if found, _ := filepath.Glob(filepath.Join(v.work, pattern)); len(found) > 0 {
			t.Errorf("%s is left half-written (%v)", found, ended)
		}
	}
	left, err := os.ReadDir(filepath.Join(v.work, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s is left in TMPDIR (%v); stderr:\n%s", e.Name(), ended, v.stderr.String())
	}
}

// gone waits until no process knows the folder.
func (v *victim) gone(t *testing.T, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for left := processesOf(v.work); len(left) > 0; left = processesOf(v.work) {
		if time.Now().After(deadline) {
			t.Fatalf("processes are left:\n%s", strings.Join(left, "\n"))
		}
		time.Sleep(20 * time.Millisecond) // there is no event for another's end
	}
}

// TestInterrupt: a signal at any moment ends a command promptly with its exit code
// and leaves nothing behind.
func TestInterrupt(t *testing.T) {
	if !exists("/proc/self/environ") {
		t.Skip("needs /proc to see what is left")
	}
	const seed = 20261123
	random := rand.New(rand.NewPCG(seed, seed))
	spec, err := filepath.Abs(filepath.Join(repository, "testdata/specs/good/shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// A project that is built, so that the moments fall into boot, load and serving.
	project := filepath.Join(t.TempDir(), "shop")
	command(t, ".", backend(t), "scaffold", "new", "shop", "--spec", spec, "--dir", project)
	warm := start(t, t.TempDir(), false, "loadtest", project, "--duration", "1s", "--rate", "10")
	<-warm.ended

	kinds := []struct {
		name     string
		points   int
		within   time.Duration
		cold     bool
		mayServe bool
		args     []string
	}{
		{"scaffold", 8, 400 * time.Millisecond, false, false, []string{"scaffold", "new", "shop", "--spec", spec, "--dir", "deep/er/shop"}},
		{"build", 4, 5 * time.Second, true, false, []string{"demo", "--dir", "shop"}},
		{"demo", 5, 8 * time.Second, false, false, []string{"demo", "--dir", "shop", "--duration", "3s"}},
		{"loadtest", 6, 5 * time.Second, false, false, []string{"loadtest", project, "--duration", "3s", "--rate", "100", "--out", "report.html"}},
		{"run", 6, 3 * time.Second, false, true, []string{"run", project, "--addr", "127.0.0.1:0"}},
	}
	for _, kind := range kinds {
		for n := range kind.points {
			after := time.Duration(random.Int64N(int64(kind.within)))
			signal := syscall.SIGINT
			if n%3 == 2 {
				signal = syscall.SIGTERM
			}
			t.Run(fmt.Sprintf("%s/%s@%s", kind.name, signal, after.Round(time.Millisecond)), func(t *testing.T) {
				v := start(t, t.TempDir(), kind.cold, kind.args...)
				v.interrupt(t, after, signal, kind.mayServe)
			})
		}
	}
}

// TestKilled: a command that is killed takes what it runs with it.
func TestKilled(t *testing.T) {
	if !exists("/proc/self/environ") {
		t.Skip("needs Linux: elsewhere nothing tells a child that its parent is gone")
	}
	spec, err := filepath.Abs(filepath.Join(repository, "testdata/specs/good/shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("serving", func(t *testing.T) {
		work := t.TempDir()
		project := filepath.Join(work, "shop")
		command(t, ".", backend(t), "scaffold", "new", "shop", "--spec", spec, "--dir", project)
		c := exec.Command(backend(t), "run", project, "--addr", "127.0.0.1:0", "--output", "json")
		c.Env = append(os.Environ(), "GOFLAGS=-trimpath -buildvcs=false", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR="+filepath.Join(work, "data"))
		url := readyURL(t, c)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // it was killed
		(&victim{work: work}).gone(t, promptly)
		if resp, err := http.Get(url + "/readyz"); err == nil {
			_ = resp.Body.Close()
			t.Errorf("the project still serves")
		}
	})
	t.Run("building", func(t *testing.T) {
		v := start(t, t.TempDir(), true, "demo", "--dir", "shop")
		select {
		case err := <-v.ended:
			t.Fatalf("ended with %v before it could be killed:\n%s", err, v.stderr.String())
		case <-time.After(3 * time.Second): // by now it compiles
		}
		_ = v.command.Process.Kill()
		<-v.ended
		// A compiler that runs ends with its package.
		v.gone(t, time.Minute)
	})
}

// readyURL starts a run and returns the address in its ready line.
func readyURL(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	var ready struct{ URL string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	return ready.URL
}
