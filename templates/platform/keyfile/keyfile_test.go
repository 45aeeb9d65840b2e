package keyfile_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/keyfile"
)

// TestLoad: all that start at once get the same secret, which only its owner can
// read, and get it again later.
func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	create := func() ([]byte, error) { return []byte(rand.Text()), nil }
	const starters = 16
	found := make([]string, starters)
	var group sync.WaitGroup
	for i := range starters {
		group.Go(func() {
			content, err := keyfile.Load(dir, "secret", create)
			if err != nil {
				t.Error(err)
			}
			found[i] = string(content)
		})
	}
	group.Wait()
	for _, content := range found {
		if content == "" || content != found[0] {
			t.Fatalf("%q and %q", content, found[0])
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "secret")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	never := func() ([]byte, error) { return nil, errors.New("made again") }
	if content, err := keyfile.Load(dir, "secret", never); err != nil || string(content) != found[0] {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := keyfile.Load(dir, "other", never); err == nil || err.Error() != "made again" {
		t.Errorf("got %v", err)
	}
	if _, err := keyfile.Load(filepath.Join(dir, "secret"), "below a file", create); err == nil {
		t.Error("a file as the folder: no error")
	}
}
