package testenv_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/e6b96b0c/backend/templates/testenv"
)

const victim = "TESTENV_VICTIM"

func query(t *testing.T, url, text string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var out string
	if err := conn.QueryRow(t.Context(), text).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPostgres(t *testing.T) {
	one, two := testenv.Postgres(t), testenv.Postgres(t)
	if a, b := query(t, one, "SELECT current_database()"), query(t, two, "SELECT current_database()"); a == b {
		t.Fatalf("two tests share the database %s", a)
	}
	for setting, want := range map[string]string{"server_encoding": "UTF8", "listen_addresses": "127.0.0.1"} {
		if got := query(t, one, "SHOW "+setting); got != want && os.Getenv(testenv.PostgresURL) == "" {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
}

func TestStopAndStart(t *testing.T) {
	s := testenv.NewPostgres(t, "fsync=off")
	if got := query(t, s.URL(), "SHOW fsync"); got != "off" {
		t.Fatalf("fsync is %s", got)
	}
	query(t, s.URL(), "WITH x AS (SELECT 1) SELECT set_config('a.b', 'c', false)")
	s.Stop(t)
	if conn, err := pgx.Connect(t.Context(), s.URL()); err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("a stopped server answers")
	}
	s.Start(t)
	query(t, s.URL(), "SELECT current_database()")
}

// TestKilled: a server does not outlive the test process, however that ends, and
// leaves no folder.
func TestKilled(t *testing.T) {
	if os.Getenv(victim) != "" {
		s := testenv.NewPostgres(t)
		fmt.Println(s.URL())
		<-t.Context().Done() // until we are killed
	}
	temp := t.TempDir()
	if err := os.Chmod(temp, 0o777); err != nil { // #nosec G302 -- the server's user works in it
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(temp), 0o755); err != nil { // #nosec G302 -- as above
		t.Fatal(err)
	}
	testenv.Postgres(t) // skips where there is none
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), victim+"=1", "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the victim did not start: %v %q", err, line)
	}
	u, err := url.Parse(line[:len(line)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	deadline := time.Now().Add(30 * time.Second)
	for {
		conn, dialled := net.Dial("tcp", u.Host)
		if dialled == nil {
			_ = conn.Close()
		}
		left, err := filepath.Glob(filepath.Join(temp, "backend-postgres-*"))
		if err != nil {
			t.Fatal(err)
		}
		if dialled != nil && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server outlives its test: dial %v, folders %v", dialled, left)
		}
	}
}
