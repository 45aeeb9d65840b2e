//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package lifecycle_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/lifecycle"
)

const holderDir = "LIFECYCLE_TEST_HOLDER"

// TestMain is also the process that TestTheLockDiesWithItsProcess kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holderDir); dir != "" {
		_, err := lifecycle.LockDir(dir, "orders")
		fmt.Println("locked", err)
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed, or the test is
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLockDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	release, err := lifecycle.LockDir(dir, "orders")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, ".lock-orders"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want the mode %v", path, info, err, want)
		}
	}
	for range 2 { // a refused attempt takes nothing with it
		if _, err := lifecycle.LockDir(dir, "orders"); !errors.Is(err, lifecycle.ErrInUse) ||
			err.Error() != "orders in the data folder "+dir+" is in use by another process" {
			t.Fatalf("got %v", err)
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	next, err := lifecycle.LockDir(dir, "orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil { // again: the next one's lock stays
		t.Error(err)
	}
	if _, err := lifecycle.LockDir(dir, "orders"); !errors.Is(err, lifecycle.ErrInUse) {
		t.Errorf("got %v", err)
	}
	if err := next(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, ".lock-orders")
	if _, err := lifecycle.LockDir(file, "orders"); err == nil || errors.Is(err, lifecycle.ErrInUse) || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as the folder: %v", err)
	}
}

func TestTheLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env = append(os.Environ(), holderDir+"="+dir)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "locked <nil>\n" {
		t.Errorf("the other process says %q, %v", line, err)
	}
	if _, err := lifecycle.LockDir(dir, "orders"); !errors.Is(err, lifecycle.ErrInUse) {
		t.Errorf("got %v", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // it was killed
	release, err := lifecycle.LockDir(dir, "orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
