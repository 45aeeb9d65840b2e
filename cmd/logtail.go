package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

type readyLine struct {
	Message string `json:"msg"`
	URL     string `json:"url"`
	Admin   string `json:"admin"`
}

// Bounds of what a logTail keeps of a child's output.
const (
	maxLogLine = 64 << 10
	maxSaid    = 10
)

// logTail passes a child's log on and finds the line that says ready. Until then
// it holds back lines that are no JSON, the last few of them: they are what the
// program says when it gives up, and go into the error.
type logTail struct {
	to    io.Writer
	mu    sync.Mutex
	line  []byte
	said  []string
	found bool
	ready chan readyLine // takes one
}

// Write takes output of the child; it never fails, so that a log that cannot be
// written does not end the child.
func (t *logTail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.found {
		t.pass(b)
		return len(b), nil
	}
	t.line = append(t.line, b...)
	for !t.found {
		line, rest, ok := bytes.Cut(t.line, []byte("\n"))
		if !ok {
			if len(t.line) > maxLogLine {
				t.take(t.line)
				t.line = nil
			}
			return len(b), nil
		}
		t.line = rest
		t.take(line)
	}
	t.pass(t.line)
	t.line = nil
	return len(b), nil
}

func (t *logTail) pass(b []byte) {
	if t.to == nil || len(b) == 0 {
		return
	}
	if _, err := t.to.Write(b); err != nil {
		t.to = nil
	}
}

func (t *logTail) take(line []byte) {
	var ready readyLine
	if len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &ready) == nil {
		if ready.Message == "ready" && ready.URL != "" {
			t.found = true
			for _, said := range t.said {
				t.pass([]byte(said + "\n"))
			}
			t.ready <- ready
		}
		t.pass(append(bytes.Clone(line), '\n'))
		return
	}
	if text := strings.TrimSpace(string(line)); text != "" {
		t.said = append(t.said, text)
		if len(t.said) > maxSaid {
			t.said = t.said[1:]
		}
	}
}

// exit is the error of a child that ended before it was ready.
func (t *logTail) exit(code int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.line) > 0 {
		t.take(t.line)
		t.line = nil
	}
	message := strings.Join(t.said, "\n")
	if message == "" {
		message = fmt.Sprintf("the project ended with code %d before it was ready", code)
	}
	hint := ""
	switch {
	case strings.Contains(message, "in use by another process"):
		hint = "stop the other server, or give this one a DATA_DIR of its own"
	case strings.Contains(message, "address already in use"):
		hint = "stop what listens there, or choose another address with --addr (port 0 picks a free one)"
	}
	if code == exitUsage {
		return usage("settings", message, hint)
	}
	return environment("start", message, hint)
}
