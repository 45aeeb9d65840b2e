package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/e6b96b0c/backend/cmd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"backend": func() { os.Exit(cmd.Main(os.Args[1:])) },
	})
}

// TestScripts runs testdata/scripts through the command line. What errors say is
// part of the scripts; BACKEND_UPDATE=1 writes what they say now.
func TestScripts(t *testing.T) {
	cache := goEnvironment(t)
	var quiet sync.RWMutex
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join(repository, "testdata/scripts"),
		UpdateScripts: os.Getenv("BACKEND_UPDATE") == "1",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, cache...)
			// Built without the folder in it, every script's project shares one cache.
			e.Setenv("GOFLAGS", "-buildvcs=false -trimpath")
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			for _, dir := range filepath.SplitList(e.Getenv("PATH")) {
				if path := filepath.Join(dir, "backend"); exists(path) {
					e.Setenv("BACKEND", path) // for a script that takes PATH away
					break
				}
			}
			// No project may find a port or a store of the tester's own.
			e.Setenv("ADMIN_ADDR", "127.0.0.1:0")
			e.Values[machine{}] = &quiet
			e.Values[running{}] = map[string]*background{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "measure": measure, "json": checkJSON, "serve": serve, "halt": halt,
			"http": request, "taken": taken, "slowserver": slowServer, "alone": alone,
		},
	})
}

// goEnvironment is where the go command keeps modules and compiled packages.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	var vars []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOROOT"} {
		value := strings.TrimSpace(command(t, ".", "go", "env", name))
		vars = append(vars, name+"="+value)
	}
	return vars
}

// machine is the key of the lock that gives a measurement the machine to itself:
// scripts run side by side, and some of them compile.
type machine struct{}

// exits CODE ARGS… runs backend and wants its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	quiet := ts.Value(machine{}).(*sync.RWMutex)
	quiet.RLock()
	defer quiet.RUnlock()
	if got := execute(ts, args[1:]); strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// measure CODE ARGS… is exits for a load test, alone; when others keep the machine
// busy the measurement may be invalid (5), and is repeated a few times.
func measure(ts *testscript.TestScript, _ bool, args []string) {
	quiet := ts.Value(machine{}).(*sync.RWMutex)
	quiet.Lock()
	defer quiet.Unlock()
	for range 10 {
		switch got := execute(ts, args[1:]); {
		case strconv.Itoa(got) == args[0]:
			return
		case got != 5:
			ts.Fatalf("exit code %d, want %s", got, args[0])
		}
		if i := slices.Index(args, "--dir"); i > 0 { // what demo wrote is in the way of the next
			ts.Check(os.RemoveAll(ts.MkAbs(args[i+1])))
		}
	}
	ts.Fatalf("the measurement stays invalid, want exit code %s", args[0])
}

func execute(ts *testscript.TestScript, args []string) int {
	var exit *exec.ExitError
	err := ts.Exec("backend", args...)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("backend: %v", err)
	return -1
}

// json FILE PATH PATTERN wants a value of a JSON file, at a path such as
// problems.0.line or problems.length, to match a whole regular expression;
// ! wants it absent.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	text := ts.ReadFile(args[0])
	ts.Check(json.Unmarshal([]byte(text), &v))
	found := true
	for _, key := range strings.Split(args[1], ".") {
		switch parent := v.(type) {
		case map[string]any:
			v, found = parent[key]
		case []any:
			i, err := strconv.Atoi(key)
			if key == "length" {
				v = float64(len(parent))
			} else if found = err == nil && i < len(parent); found {
				v = parent[i]
			}
		default:
			found = false
		}
		if !found {
			break
		}
	}
	if neg {
		if found {
			ts.Fatalf("%s is %v, want none", args[1], v)
		}
		return
	}
	shown := fmt.Sprint(v)
	if number, ok := v.(float64); ok {
		shown = strconv.FormatFloat(number, 'f', -1, 64)
	}
	if !found || !regexp.MustCompile("^(?s:"+args[2]+")$").MatchString(shown) {
		ts.Fatalf("%s is %s, want %s", args[1], shown, args[2])
	}
}

// running is the key of a script's background commands.
type running struct{}

type background struct {
	command        *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

// serve NAME ARGS… starts backend and waits for the JSON line that says ready; it
// sets $NAME_URL, $NAME_ADMIN and $NAME_PID.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	b := &background{ended: make(chan struct{})}
	b.command = exec.Command(find(ts, "backend"), args[1:]...)
	b.command.Dir = ts.MkAbs(".")
	b.command.Env = environ(ts)
	b.command.Stderr = &b.stderr
	out, err := b.command.StdoutPipe()
	ts.Check(err)
	ts.Check(b.command.Start())
	ts.Defer(func() {
		_ = b.command.Process.Kill()
		<-b.ended
	})
	lines := make(chan []byte, 1)
	go func() {
		reader := bufio.NewReader(out)
		line, _ := reader.ReadBytes('\n')
		lines <- line
		_, _ = io.Copy(&b.stdout, reader)
		_ = b.command.Wait()
		close(b.ended)
	}()
	var ready struct {
		Ready      bool
		URL, Admin string
		PID        int
		Seconds    float64
	}
	line := <-lines
	if json.Unmarshal(line, &ready) != nil || !ready.Ready || ready.Seconds <= 0 {
		ts.Fatalf("no ready line but %q; stderr:\n%s", line, b.stderr.String())
	}
	ts.Setenv(name+"_URL", ready.URL)
	ts.Setenv(name+"_ADMIN", ready.Admin)
	ts.Setenv(name+"_PORT", ready.URL[strings.LastIndex(ready.URL, ":")+1:])
	ts.Setenv(name+"_PID", strconv.Itoa(ready.PID))
	ts.Value(running{}).(map[string]*background)[name] = b
}

// halt NAME SIGNAL CODE signals what serve started, and wants its exit code and
// nothing more on stdout.
func halt(ts *testscript.TestScript, _ bool, args []string) {
	b := ts.Value(running{}).(map[string]*background)[args[0]]
	sent := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[args[1]]
	if signal.Ignored(sent) { // nohup started the tests, and what they start ignores it, too
		sent = syscall.SIGTERM
	}
	ts.Check(b.command.Process.Signal(sent))
	select {
	case <-b.ended:
	case <-time.After(time.Minute):
		ts.Check(b.command.Process.Kill())
		ts.Fatalf("still running a minute after the signal; stderr:\n%s", b.stderr.String())
	}
	if got := b.command.ProcessState.ExitCode(); strconv.Itoa(got) != args[2] {
		ts.Fatalf("exit code %d, want %s; stderr:\n%s", got, args[2], b.stderr.String())
	}
	if b.stdout.Len() > 0 {
		ts.Fatalf("more on stdout than the ready line: %s", b.stdout.String())
	}
}

func find(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	ts.Fatalf("%s is not on PATH", name)
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// environ is the script's environment, as far as a project looks at it.
func environ(ts *testscript.TestScript) []string {
	var vars []string
	for _, name := range []string{
		"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOROOT", "GOFLAGS", "ADMIN_ADDR", "ADDR", "WORK",
	} {
		if v := ts.Getenv(name); v != "" {
			vars = append(vars, name+"="+v)
		}
	}
	return vars
}

// http METHOD URL STATUS [BODY] sends a request and wants a status; ! wants that
// nobody answers.
func request(ts *testscript.TestScript, neg bool, args []string) {
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if neg {
		if err == nil {
			_ = resp.Body.Close()
			ts.Fatalf("status %d from a server that should be gone", resp.StatusCode)
		}
		return
	}
	ts.Check(err)
	text, err := io.ReadAll(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	if strconv.Itoa(resp.StatusCode) != args[2] {
		ts.Fatalf("%s %s: status %d, want %s: %s", args[0], args[1], resp.StatusCode, args[2], text)
	}
}

// taken NAME listens on a free port and sets $NAME to it.
func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// slowserver NAME starts a server that thinks for 100 ms before it answers {} to
// whoever brings no or the right credential; it sets $NAME to its address and
// wants "Bearer secret" on /private.
func slowServer(ts *testscript.TestScript, _ bool, args []string) {
	var seen sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.URL.Path, true)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/private" {
			if r.Header.Get("Authorization") != "Bearer secret" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		} else {
			time.Sleep(100 * time.Millisecond) // the slowness is what the server is for
		}
		_, _ = io.WriteString(w, "{}")
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

// alone wants no process of the script to be left, and no temporary file.
func alone(ts *testscript.TestScript, _ bool, _ []string) {
	if left := processesOf(ts.Getenv("WORK")); len(left) > 0 {
		ts.Fatalf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	entries, err := os.ReadDir(ts.Getenv("TMPDIR"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		ts.Check(err)
	}
	for _, e := range entries {
		ts.Fatalf("%s is left in TMPDIR", e.Name())
	}
}

// processesOf lists the processes, but this one, that have a folder in their
// command line or environment, or work in it.
func processesOf(dir string) []string {
	var found []string
	inside := regexp.MustCompile(regexp.QuoteMeta(dir) + "[/:\x00]") // not its longer namesakes
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		vars, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if len(line) > 0 && inside.Match(slices.Concat(line, []byte{0}, vars, []byte{0}, []byte(cwd), []byte{0})) {
			found = append(found, fmt.Sprintf("%d: %s", pid, bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
	}
	return found
}
