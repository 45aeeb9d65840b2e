package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
)

// TestMain lets the test binary stand in for a project's, and for a supervisor that
// can be killed.
func TestMain(m *testing.M) {
	switch os.Getenv("STANDIN") {
	case "project":
		os.Exit(standIn(os.Args[2], os.Getenv("STANDIN_DIR")))
	case "supervisor":
		os.Exit(killable())
	}
	os.Exit(m.Run())
}

// standIn does as a generated project does. Files in dir tell it to misbehave:
// fail-TARGET holds an exit code and last words, hang-TARGET keeps it from getting
// ready, deaf-TARGET from stopping, gather-TARGET from going on at its start and at
// its end before the services that the file names have come as far, chatty-TARGET
// lets it write so many lines once ready.
func standIn(target, dir string) int {
	told := func(what string) (string, bool) {
		text, err := os.ReadFile(filepath.Join(dir, what+"-"+target))
		return string(text), err == nil
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	event(dir, "start %s", target)
	if text, ok := told("fail"); ok {
		code, words, _ := strings.Cut(text, " ")
		n, _ := strconv.Atoi(code)
		fmt.Fprintln(os.Stderr, words)
		return n
	}
	if peers, ok := told("gather"); ok {
		await(dir, "start", peers)
	}
	if _, ok := told("hang"); ok {
		<-stop
		event(dir, "stop %s", target)
		return 0
	}
	public, err := net.Listen("tcp", os.Getenv("ADDR"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	admin, err := net.Listen("tcp", os.Getenv("ADMIN_ADDR"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	go http.Serve(public, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, kv := range os.Environ() {
			if strings.HasPrefix(kv, "SERVICE_") || strings.HasPrefix(kv, "A") {
				fmt.Fprintln(w, kv)
			}
		}
	}))
	fmt.Println("a note before it is ready")
	event(dir, "ready %s", target)
	fmt.Printf(`{"msg":"ready","target":"%s","url":"http://%s","admin":"http://%s"}`+"\n", target, public.Addr(), admin.Addr())
	if n, ok := told("chatty"); ok {
		chat(target, n)
	}
	for range stop {
		if _, deaf := told("deaf"); !deaf {
			break
		}
		event(dir, "deaf %s", target)
	}
	event(dir, "stop %s", target)
	if peers, ok := told("gather"); ok {
		await(dir, "stop", peers)
	}
	event(dir, "end %s", target)
	return 0
}

// chat writes lines in pieces that do not end where lines do.
func chat(target, lines string) {
	n, _ := strconv.Atoi(lines)
	var all bytes.Buffer
	for i := range n {
		fmt.Fprintf(&all, `{"target":"%s","n":%d,"text":"%s"}`+"\n", target, i, strings.Repeat(target, i%40))
		fmt.Fprintf(&all, "plain %s %d\n", target, i)
	}
	for all.Len() > 0 {
		os.Stdout.Write(all.Next(777))
	}
	fmt.Print("the end without a line end")
}

// event adds a line to the events, in one write.
func event(dir, format string, args ...any) {
	f, err := os.OpenFile(filepath.Join(dir, "events"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %d\n", fmt.Sprintf(format, args...), os.Getpid())
}

// await polls the events until every one of the targets has come so far: nothing
// else ties the processes together.
func await(dir, what, targets string) {
	for {
		text, _ := os.ReadFile(filepath.Join(dir, "events"))
		missing := false
		for target := range strings.FieldsSeq(targets) {
			missing = missing || !strings.Contains("\n"+string(text), "\n"+what+" "+target+" ")
		}
		if !missing {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// rig is a supervisor's surroundings.
type rig struct {
	t   *testing.T
	dir string
	log buffer

	mu     sync.Mutex
	pauses []time.Duration
	lines  chan string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{t: t, dir: t.TempDir(), lines: make(chan string, 100)}
}

// tell makes a stand-in misbehave.
func (r *rig) tell(what, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, what), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// options are a supervisor of stand-ins that does not pause, but notes how long it
// would have.
func (r *rig) options(services ...string) Options {
	o := standIns(r.dir, services...)
	o.Log, o.Report = &r.log, func(line string) { r.lines <- line }
	o.after = func(d time.Duration) <-chan time.Time {
		r.mu.Lock()
		r.pauses = append(r.pauses, d)
		r.mu.Unlock()
		now := make(chan time.Time, 1)
		now <- time.Time{}
		return now
	}
	return o
}

func standIns(dir string, services ...string) Options {
	return Options{
		State: state.OS(), Path: os.Args[0], Dir: dir,
		// The race detector would let each sleep for a second at its end.
		Env:   []string{"STANDIN=project", "STANDIN_DIR=" + dir, "GORACE=atexit_sleep_ms=0"},
		Front: "gateway", Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Services: services,
	}
}

// start starts a supervisor, which is stopped at the end if the test does not.
func (r *rig) start(o Options) *Supervisor {
	r.t.Helper()
	s, err := Start(r.t.Context(), o)
	if err != nil {
		r.t.Fatalf("%v; log:\n%s", err, r.log.String())
	}
	r.t.Cleanup(func() { _ = s.Stop() })
	return s
}

// events are the lines so far, without process ids.
func (r *rig) events() []string {
	var out []string
	for _, line := range r.eventLines() {
		out = append(out, line[:strings.LastIndexByte(line, ' ')])
	}
	return out
}

func (r *rig) eventLines() []string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "events"))
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// pids are the process ids in the events that begin so.
func (r *rig) pids(prefix string) []int {
	var out []int
	for _, line := range r.eventLines() {
		if strings.HasPrefix(line, prefix+" ") {
			pid, _ := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
			out = append(out, pid)
		}
	}
	return out
}

// alone wants every process that there was to be gone.
func (r *rig) alone() {
	r.t.Helper()
	for _, pid := range r.pids("start") {
		if err := syscall.Kill(pid, 0); err == nil {
			r.t.Errorf("process %d is left", pid)
		}
	}
}

// line waits for the next line of the report.
func (r *rig) line() string {
	r.t.Helper()
	select {
	case line := <-r.lines:
		return line
	case <-time.After(time.Minute):
		r.t.Fatalf("no report; log:\n%s", r.log.String())
		return ""
	}
}

// get returns the environment that a stand-in answers with.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// killable is a supervisor in a process of its own, which prints its processes.
func killable() int {
	s, err := Start(context.Background(), standIns(os.Getenv("STANDIN_DIR"), "orders", "users"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = json.NewEncoder(os.Stdout).Encode(s.Processes())
	<-s.Failed()
	return 1
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
