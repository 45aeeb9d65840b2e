package acceptance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDatabaseURL: one DATABASE_URL serves all services, each with tables of its
// own, and one service may have another.
func TestDatabaseURL(t *testing.T) {
	project := scaffold(t, "shop", shopSpec)
	data := t.TempDir()
	t.Setenv("DATABASE_URL", "sqlite:"+data+"/all.db")
	t.Setenv("SERVICE_USERS_DATABASE_URL", "sqlite:"+data+"/people.db")
	s := run(t, project.Dir, t.TempDir())
	newOrder(t, s)
	newProduct(t, s, "URL-1")
	s.stop()
	for _, name := range []string{"all-orders.db", "all-products.db", "all-payments.db", "people.db"} {
		if _, err := os.Stat(filepath.Join(data, name)); err != nil {
			t.Error(err)
		}
	}
	// A load test leaves them alone.
	before, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	size := func() (n int64) {
		for _, e := range before {
			if info, err := os.Stat(filepath.Join(data, e.Name())); err == nil {
				n += info.Size()
			}
		}
		return n
	}
	bytes := size()
	loadtest(t, project.Dir, "--rate", "50", "--duration", "2s")
	if after := size(); after != bytes {
		t.Errorf("a load test wrote into the user's databases: %d bytes, then %d", bytes, after)
	}
	// An engine that is not compiled in is refused by name.
	t.Setenv("DATABASE_URL", "postgres://127.0.0.1/x")
	out, err := tryCommand(t, project.Dir, backend(t), "run", project.Dir, "--addr", "127.0.0.1:0")
	if code := exitCode(err); code != 3 || !strings.Contains(out, "database.engine=postgres") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// exitCode is the code that a command ended with, 0 for none.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
