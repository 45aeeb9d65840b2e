package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

const ready = `{"msg":"ready","url":"http://127.0.0.1:1","admin":"http://127.0.0.1:2"}`

func TestTail(t *testing.T) {
	t.Parallel()
	var to bytes.Buffer
	tail := newTail(&to, "")
	for _, chunk := range []string{"note\n{\"msg\":\"start\"}\n", ready[:20], ready[20:] + "\nrest", " of it\n" + ready + "\nunended"} {
		if n, err := tail.Write([]byte(chunk)); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	tail.end()
	got := <-tail.ready
	if got.URL != "http://127.0.0.1:1" || got.Admin != "http://127.0.0.1:2" {
		t.Errorf("ready line %+v", got)
	}
	if want := "{\"msg\":\"start\"}\nnote\n" + ready + "\nrest of it\n" + ready + "\nunended\n"; to.String() != want {
		t.Errorf("passed on %q, want %q", to.String(), want)
	}
}

func TestTailOfAFailure(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"": "",
		"{\"msg\":\"x\"}\ncannot listen: address already in use": "cannot listen: address already in use",
		strings.Repeat("line\n", 50):                             strings.TrimSuffix(strings.Repeat("line\n", maxSaid), "\n"),
	} {
		tail := newTail(io.Discard, "orders")
		_, _ = tail.Write([]byte(output))
		tail.end()
		if got := tail.words(); got != want {
			t.Errorf("after %q: %q", output, got)
		}
	}
}

// A line without an end must not grow without bound.
func TestTailBounds(t *testing.T) {
	t.Parallel()
	tail := newTail(io.Discard, "")
	for range 100 {
		_, _ = tail.Write(bytes.Repeat([]byte("x"), maxLogLine))
	}
	if cap(tail.line) > 4*maxLogLine || len(tail.said) > maxSaid {
		t.Errorf("keeps %d bytes and %d lines", cap(tail.line), len(tail.said))
	}
}

// A log that cannot be written costs the log, not the child.
func TestTailOfABrokenLog(t *testing.T) {
	t.Parallel()
	tail := newTail(broken{}, "")
	for range 2 {
		if n, err := tail.Write([]byte(ready + "\n")); n != len(ready)+1 || err != nil {
			t.Fatal(n, err)
		}
	}
	<-tail.ready
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }

// halves writes everything in two pieces.
type halves struct{ to io.Writer }

func (h halves) Write(b []byte) (int, error) {
	n, err := h.to.Write(b[:len(b)/2])
	runtime.Gosched()
	if err != nil {
		return n, err
	}
	m, err := h.to.Write(b[len(b)/2:])
	return n + m, err
}

// Lines of processes that write at once stay whole, and say where they come from.
func TestLogOfMany(t *testing.T) {
	t.Parallel()
	const lines = 2000
	r := newRig(t)
	services := []string{"orders", "users", "items"}
	for _, name := range services {
		r.tell("chatty-"+name, fmt.Sprint(lines))
	}
	o := r.options(services...)
	o.Log = halves{o.Log}
	s := r.start(o)
	deadline := time.Now().Add(time.Minute)
	for _, name := range services {
		for !strings.Contains(r.log.String(), fmt.Sprintf("%s | plain %s %d\n", name, name, lines-1)) {
			if time.Now().After(deadline) {
				t.Fatalf("the last line of %s does not come", name)
			}
			time.Sleep(10 * time.Millisecond) // the log is another process's
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	want := map[string]int{}
	for _, name := range append(services, "gateway") {
		want[name+" | a note before it is ready"] = 1
		if name == "gateway" {
			continue
		}
		want[name+" | the end without a line end"] = 1
		for i := range lines {
			want[fmt.Sprintf(`{"target":"%s","n":%d,"text":"%s"}`, name, i, strings.Repeat(name, i%40))] = 1
			want[fmt.Sprintf("%s | plain %s %d", name, name, i)] = 1
		}
	}
	for line := range strings.Lines(r.log.String()) {
		line = strings.TrimSuffix(line, "\n")
		if want[line] == 0 && !strings.HasPrefix(line, `{"msg":"ready","target":`) {
			t.Fatalf("line %q is not one that was written", line)
		}
		delete(want, line)
	}
	if len(want) > 0 {
		t.Errorf("%d lines are missing", len(want))
	}
}
