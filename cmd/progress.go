package cmd

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
)

// progress says on stderr what is happening: one line redrawn on a terminal, a
// plain line now and then elsewhere.
type progress struct {
	st    *state.State
	mu    sync.Mutex
	last  time.Time
	drawn bool
}

// plainEvery is how often a changing line is repeated where it cannot be redrawn.
const plainEvery = 5 * time.Second

func newProgress(st *state.State) *progress { return &progress{st: st} }

// Say prints a line that stays.
func (p *progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.st.Notef("%s\n", printable(fmt.Sprintf(format, args...)))
	p.last = time.Time{}
}

// Now shows what is happening at the moment.
func (p *progress) Now(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := strings.ReplaceAll(printable(fmt.Sprintf(format, args...)), "\n", " ")
	if p.st.StderrTTY {
		if runes := []rune(line); len(runes) > p.st.Width-1 {
			line = string(runes[:p.st.Width-2]) + "…"
		}
		p.st.Notef("\r\x1b[K%s", line)
		p.drawn = true
		return
	}
	now := p.st.Now()
	if p.last.IsZero() {
		p.last = now // the line that came before says enough for a while
		return
	}
	if now.Sub(p.last) >= plainEvery {
		p.last = now
		p.st.Notef("%s\n", line)
	}
}

// Done takes the changing line away.
func (p *progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.drawn {
		p.st.Notef("\r\x1b[K")
		p.drawn = false
	}
}
