package supervisor

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// readyLine is the line of a child's log that says that it serves.
type readyLine struct {
	Message string `json:"msg"`
	URL     string `json:"url"`
	Admin   string `json:"admin"`
}

// Bounds of what a tail keeps of a child's output.
const (
	maxLogLine = 64 << 10
	maxSaid    = 10
)

// tail passes a child's log on by whole lines and finds the one that says ready.
// Until then it holds back lines that are no JSON, the last few of them: they are
// what the program says when it gives up, and go into the error.
type tail struct {
	to io.Writer
	// name, if any, stands before lines that do not say themselves which target
	// they come from.
	name  string
	ready chan readyLine // takes one

	mu    sync.Mutex
	line  []byte // begun
	out   []byte // to be passed on, in one write
	said  []string
	found bool
}

func newTail(to io.Writer, name string) *tail {
	return &tail{to: to, name: name, ready: make(chan readyLine, 1)}
}

// Write takes output of the child; it never fails, so that a log that cannot be
// written does not end the child.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = append(t.line, b...)
	rest := t.line
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			break
		}
		t.take(line)
		rest = after
	}
	t.line = append(t.line[:0], rest...)
	if len(t.line) > maxLogLine {
		t.take(t.line)
		t.line = t.line[:0]
	}
	t.flush()
	return len(b), nil
}

// end passes on what the child did not end with a line end.
func (t *tail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.line) > 0 {
		t.take(t.line)
		t.line = nil
	}
	t.flush()
}

// words are the last that the child said before it was ready.
func (t *tail) words() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.said, "\n")
}

func (t *tail) take(line []byte) {
	isJSON := len(line) > 0 && line[0] == '{'
	var ready readyLine
	switch {
	case t.found:
	case isJSON:
		if json.Unmarshal(line, &ready) == nil && ready.Message == "ready" && ready.URL != "" {
			t.found = true
			for _, said := range t.said {
				t.pass([]byte(said))
			}
			t.said = nil
			t.ready <- ready
		}
	default:
		if text := strings.TrimSpace(string(line)); text != "" {
			t.said = append(t.said, text)
			t.said = t.said[max(0, len(t.said)-maxSaid):]
		}
		return
	}
	t.pass(line)
}

func (t *tail) pass(line []byte) {
	if t.name != "" && (len(line) == 0 || line[0] != '{' || !bytes.Contains(line, []byte(`"target":"`))) {
		t.out = append(append(t.out, t.name...), " | "...)
	}
	t.out = append(append(t.out, line...), '\n')
}

func (t *tail) flush() {
	if len(t.out) == 0 {
		return
	}
	if _, err := t.to.Write(t.out); err != nil {
		t.to = io.Discard
	}
	t.out = t.out[:0]
}

// shared lets several children write to one log, one at a time.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes b in one piece.
func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(b)
}
