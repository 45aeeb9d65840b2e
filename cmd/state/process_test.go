package state_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/cmd/state"
)

// A child is told of our end by the end of the thread that started it, so that
// thread must not end before: threads of the program come and go.
func TestChildOutlivesThreads(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs sleep")
	}
	var children []*state.Process
	for range 20 {
		p, err := state.OS().Start(state.Command{Path: "sleep", Args: []string{"300"}})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Stop(10 * time.Second)
		children = append(children, p)
		var threads sync.WaitGroup
		for range 50 {
			threads.Go(func() {
				runtime.LockOSThread() // not unlocked: the thread ends here
			})
		}
		threads.Wait()
	}
	for _, p := range children {
		select {
		case <-p.Done():
			t.Errorf("child %d %s", p.Pid(), p.Ending())
		default:
		}
	}
	children[0].Stop(10 * time.Second)
	if got := children[0].Ending(); got != "was killed (signal: terminated)" {
		t.Errorf("it %s", got)
	}
}
