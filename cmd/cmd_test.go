package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
	"github.com/e6b96b0c/backend/generator/problem"
)

// fake is a state whose streams are buffers and whose clock stands.
func fake() (st *state.State, stdout, stderr *bytes.Buffer, clock *time.Time) {
	stdout, stderr, clock = &bytes.Buffer{}, &bytes.Buffer{}, new(time.Time)
	*clock = time.Unix(1_000_000, 0)
	st = &state.State{Stdout: stdout, Stderr: stderr, Width: 60, Now: func() time.Time { return *clock }, Getenv: func(string) string { return "" }}
	return st, stdout, stderr, clock
}

func TestProgressOnATerminal(t *testing.T) {
	st, _, stderr, _ := fake()
	st.StderrTTY = true
	p := newProgress(st)
	p.Say("Building")
	p.Now("compiling %s", strings.Repeat("x", 100))
	p.Now("a\nb\x1b[31m")
	p.Say("Done")
	want := "Building\n\r\x1b[Kcompiling " + strings.Repeat("x", 48) + "…\r\x1b[Ka b[31m\r\x1b[KDone\n"
	if got := stderr.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProgressInAPipe(t *testing.T) {
	st, _, stderr, clock := fake()
	p := newProgress(st)
	p.Say("Building")
	for second := range 12 {
		*clock = clock.Add(time.Second)
		p.Now("second %d", second)
	}
	p.Done()
	if got, want := stderr.String(), "Building\nsecond 5\nsecond 10\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBuildWatch(t *testing.T) {
	st, _, stderr, clock := fake()
	st.StderrTTY = true
	w := &buildWatch{out: newProgress(st), began: *clock, now: st.Now}
	*clock = clock.Add(3 * time.Second)
	for _, chunk := range []string{"go: downloading exam", "ple.com/m v1.2.3\nmodernc.org/", "libc\n# shop/internal/orders\n", "internal/orders/x.go:1:2: undefined: y\n\tmore", " about it"} {
		if n, err := w.Write([]byte(chunk)); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	text := stderr.String()
	for _, want := range []string{"downloading example.com/m v1.2.3 (0", "compiling modernc.org/libc (1 package, "} {
		if !strings.Contains(text, want) {
			t.Errorf("progress lacks %q: %q", want, text)
		}
	}
	want := "# shop/internal/orders\ninternal/orders/x.go:1:2: undefined: y\n\tmore about it"
	if got := w.rest(errors.New("exit status 1")); got != want {
		t.Errorf("rest is %q, want %q", got, want)
	}
}

func TestBuildWatchBounds(t *testing.T) {
	st, _, _, clock := fake()
	w := &buildWatch{out: newProgress(st), began: *clock, now: st.Now}
	if got := w.rest(errors.New("exit status 1")); got != "exit status 1" {
		t.Errorf("without a word: %q", got)
	}
	for i := range 100 {
		_, _ = fmt.Fprintf(w, "x.go:%d:1: wrong\n", i)
	}
	lines := strings.Split(w.rest(nil), "\n")
	if len(lines) != maxBuildLines+1 || lines[maxBuildLines] != "… and 80 more lines" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestStartError(t *testing.T) {
	for _, c := range []struct {
		failed *supervisor.StartError
		want   int
		text   string
	}{
		{&supervisor.StartError{Code: 3, Said: "cannot listen: address already in use"}, exitEnvironment, "cannot listen: address already in use · try: stop what listens there, or choose another address with --addr (port 0 picks a free one)"},
		{&supervisor.StartError{Code: 2, Said: "DATABASE_URL: no such scheme", Target: "orders"}, exitUsage, "orders: DATABASE_URL: no such scheme"},
		{&supervisor.StartError{Code: -1, Said: "the project was killed (signal: killed) before it was ready"}, exitEnvironment, "the project was killed (signal: killed) before it was ready"},
	} {
		err := startError(c.failed)
		var coded *codeError
		if !errors.As(err, &coded) || coded.code != c.want || problem.Of(err)[0].Error() != c.text {
			t.Errorf("of %+v: %v", c.failed, problem.Of(err)[0])
		}
	}
}

func TestCheckAddr(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8080": true, ":8080": true, "[::1]:0": true, "localhost:65535": true,
		"": false, "8080": false, "localhost": false, "localhost:": false, "::1:80": false, "a:b": false, "a:65536": false,
		"http://a:80": false, "a:80/x": false, "u@a:80": false, "a:-1": false, "a b:80": false,
	} {
		if err := checkAddr(addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestFreeName(t *testing.T) {
	st, _, _, _ := fake()
	t.Chdir(t.TempDir())
	for _, want := range []string{"demo", "demo-2", "demo-3"} {
		if got := freeName(st, "demo"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if want == "demo-2" { // a file is as taken as a folder with something in it
			if err := st.WriteFile(want, nil); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := errors.Join(st.MkdirAll(want), st.WriteFile(filepath.Join(want, "x"), nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.MkdirAll("empty"); err != nil {
		t.Fatal(err)
	}
	if got := freeName(st, "empty"); got != "empty" {
		t.Errorf("an empty folder is free, got %s", got)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain ünïcödé 🙂 مرحبا": "plain ünïcödé 🙂 مرحبا",
		"\x1b[31mred\x1b[0m":    "[31mred[0m",
		"a\tb\nc\rd\x00e\x7ff":  "a\tb\ncdef",
		"\u009b2J\u202egnp.exe": "2Jgnp.exe",
		"a\u2028b\u2066c":       "abc",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := cell(" a\n\tb\x1b "); got != "a b" {
		t.Errorf("cell: %q", got)
	}
}

func TestWantsJSON(t *testing.T) {
	for args, want := range map[string]bool{
		"": false, "run -o json": true, "-ojson run": true, "--output=json": true, "-o=json x --bad": true,
		"run --output json": true, "run --output": false, "run --output text": false, "run -o text": false,
	} {
		if got := wantsJSON(strings.Fields(args), func(string) string { return "" }); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
	env := func(string) string { return "json" }
	if !wantsJSON(nil, env) || wantsJSON([]string{"--output=text"}, env) {
		t.Error("BACKEND_OUTPUT is read, and a flag beats it")
	}
}

func TestInterrupted(t *testing.T) {
	broken := environment("x", "broken", "")
	live := context.Background()
	ended, cancel := context.WithCancelCause(live)
	cancel(state.ErrInterrupted)
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"fine":                   {ended, nil, exitOK},
		"broken":                 {live, broken, exitEnvironment},
		"broken by a signal":     {ended, broken, exitInterrupted},
		"the signal itself":      {live, fmt.Errorf("x: %w", state.ErrInterrupted), exitInterrupted},
		"a verdict":              {ended, &codeError{exitSLO, nil}, exitSLO},
		"a stop that went wrong": {ended, &stopError{broken}, exitEnvironment},
	} {
		st, _, _, _ := fake()
		if got := report(st, interrupted(c.ctx, c.err), false); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

// What a document says reaches the terminal without its control characters.
func TestReportIsPrintable(t *testing.T) {
	st, stdout, stderr, _ := fake()
	err := problem.List{{Code: "x", File: "a.yaml", Line: 3, Message: "bad \x1b[2J\u202e name", Hint: "try\x07"}}
	if code := report(st, err, true); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if got, want := stderr.String(), "error: a.yaml:3: bad [2J name · try: try\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	var out struct {
		Error struct {
			Message  string
			Problems problem.List
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil || len(out.Error.Problems) != 1 || out.Error.Problems[0].Line != 3 {
		t.Errorf("stdout %q: %v", stdout.String(), err)
	}
}

func TestOverrides(t *testing.T) {
	st, _, _, _ := fake()
	dir := t.TempDir()
	for name, text := range map[string]string{
		".backend/lock.json": `{"operations":{
			"a":{"package":"orders","goName":"A"},"b":{"package":"orders","goName":"B"},
			"c":{"package":"orders","goName":"C"},"d":{"package":"users","goName":"A"}}}`,
		"internal/orders/service.go":   "package orders\ntype Service struct{}\nfunc (s *Service) A() {}\nfunc (s Service) B() {}\nfunc (d Defaults) C() {}\nfunc C() {}\n",
		"internal/orders/x.gen.go":     "package orders\nfunc (s *Service) C() {}\n",
		"internal/orders/x_test.go":    "package orders\nfunc (s *Service) C() {}\n",
		"internal/orders/broken.go":    "package orders\nfunc (s *Service) C( {}\n",
		"internal/users/notes/file.go": "package notes\nfunc (s *Service) A() {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := (&project{dir: dir}).overrides(st)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]bool{"a": true, "b": true, "c": false, "d": false}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBadURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://example.com/base": true, "http://[::1]:80": true,
		"http://": false, "http://:80": false, "ftp://a": false, "127.0.0.1:80": false, "http://a?x=1": false, "http://a#b": false, "http://a b": false,
	} {
		if bad := badURL(text); (bad == "") != ok {
			t.Errorf("%q: %q", text, bad)
		}
	}
}
