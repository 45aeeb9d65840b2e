package acceptance

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUpdateKilled: whenever an update is interrupted or killed, the project is the
// old one or the new one; where it was killed between, the next command finishes.
func TestUpdateKilled(t *testing.T) {
	dir := scaffold(t, "shop", shopSpec).Dir
	spec := read(t, filepath.Join(dir, "api/openapi.yaml"))
	changed := filepath.Join(t.TempDir(), "changed.yaml")
	text := strings.ReplaceAll(spec, "        note: {type: string, maxLength: 200}\n", "        note: {type: string, maxLength: 300}\n        gift: {type: boolean}\n")
	text = strings.ReplaceAll(text, "tags: [payments]", "tags: [billing]") // a service comes, another goes
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	old := everything(t, dir)
	whole := copyOf(t, old)
	began := time.Now()
	command(t, ".", backend(t), "scaffold", "update", whole, "--spec", changed)
	took := time.Since(began)
	now := everything(t, whole)
	seen := map[string]int{}
	const rounds = 24
	for i := range rounds {
		signal := []os.Signal{syscall.SIGKILL, syscall.SIGINT}[i%2]
		victim := copyOf(t, old)
		c := exec.Command(backend(t), "scaffold", "update", victim, "--spec", changed)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if i%4 < 2 {
			time.Sleep(took * time.Duration(i) / rounds)
		} else { // in the midst of moving files into place, or as close to it as one can aim
			journal := filepath.Join(victim, ".backend/update/journal.json")
			for deadline := time.Now().Add(5 * took); !exists(journal) && time.Now().Before(deadline); {
				runtime.Gosched()
			}
		}
		_ = c.Process.Signal(signal)
		_ = c.Wait()
		if signal == syscall.SIGINT { // it stops in order
			if _, err := os.Stat(filepath.Join(victim, ".backend/update")); err == nil {
				t.Error("an interrupted update left its scrap")
			}
		} else if out, err := tryCommand(t, ".", backend(t), "scaffold", "update", victim, "--check"); err != nil && strings.Contains(out, "cut off") {
			seen["cut off"]++
			command(t, ".", backend(t), "scaffold", "update", victim)
		}
		got := everything(t, victim)
		maps.DeleteFunc(got, func(name string, _ []byte) bool { return strings.HasPrefix(name, ".backend/update/") })
		switch {
		case maps.EqualFunc(got, old, bytes.Equal):
			seen["old"]++
		case maps.EqualFunc(got, now, bytes.Equal):
			seen["new"]++
		default:
			t.Fatalf("%v after %d of %d leaves neither the old project nor the new one", signal, i, rounds)
		}
	}
	t.Log(fmt.Sprint(seen))
}

// everything reads all files of a folder.
func everything(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path[len(dir)+1:]] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func copyOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
