package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// PostgresURL is the variable with the URL of a server to use, as a user who may
	// create databases.
	PostgresURL = "BACKEND_TEST_POSTGRES_URL"
)

// errNoPostgres means that there is nothing to start.
var errNoPostgres = errors.New("no PostgreSQL: install its server (apt-get install postgresql), or set " + PostgresURL)

var sharedPostgres = shared(func() (*Server, error) { return newPostgres() })

// Server is a PostgreSQL server of a test's own.
type Server struct {
	dir, bin string
	settings []string // name=value
	user     func(*exec.Cmd)
	url      url.URL
	process  *process
}

// Postgres returns the URL of a new, empty database, which is dropped when t ends.
// It is on the server of BACKEND_TEST_POSTGRES_URL, or on one that all tests of this
// process share. Without either t is skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresURL)
	if server == "" {
		s, err := sharedPostgres()
		fatal(t, "PostgreSQL", err, errNoPostgres)
		server = s.URL()
	}
	name := "test_" + strings.ToLower(rand.Text())
	run(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", PostgresURL)
	}
	u.Path = "/" + name
	return u.String()
}

// NewPostgres starts a server for t alone, which may stop it and start it again.
// Settings are name=value, as postgresql.conf knows them. It ends with t.
func NewPostgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := newPostgres(settings...)
	fatal(t, "PostgreSQL", err, errNoPostgres)
	t.Cleanup(func() {
		s.Stop(t)
		if err := os.RemoveAll(s.dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

func run(t testing.TB, url, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Error(err)
		return
	}
	if _, err = conn.Exec(ctx, statement); err != nil {
		t.Error(err)
	}
	_ = conn.Close(ctx) // the statement has been answered
}

// URL is that of the server's first database.
func (s *Server) URL() string { return s.url.String() }

// Stop ends the server, and every connection to it, at once.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process != nil {
		s.process.stop()
		s.process = nil
	}
}

// Start starts the server again, at the same address, and waits until it is ready.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal("start PostgreSQL again: ", err)
	}
}

// binaries returns the folder of the newest server that is installed.
func binaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errNoPostgres
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0: an odd name
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func newPostgres(settings ...string) (s *Server, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "backend-postgres-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	s = &Server{dir: dir, bin: bin, settings: settings}
	if s.user, err = unprivileged("postgres", dir); err != nil {
		return nil, err
	}
	if err := s.initialize(); err != nil {
		return nil, err
	}
	for range 3 { // somebody else may take the port first
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		s.url.Host = "127.0.0.1:" + strconv.Itoa(port)
		if err = s.start(); err == nil {
			break
		}
	}
	return s, err
}

// initialize makes the server's data.
func (s *Server) initialize() error {
	password := rand.Text()
	s.url = url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Path: "/postgres", RawQuery: "sslmode=disable"}
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil { // #nosec G306 -- the folder keeps others out
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--username", "postgres", "--pwfile", secret, // #nosec G204 -- our own command
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	cmd.Dir = s.dir
	s.user(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) start() error {
	command := []string{filepath.Join(s.bin, "postgres"), "-D", s.data(), "-h", "127.0.0.1", "-p", s.url.Port(), "-k", s.dir}
	for _, setting := range append([]string{"max_connections=200"}, s.settings...) {
		command = append(command, "-c", setting)
	}
	// SIGQUIT ends it at once: what it leaves behind is thrown away, or recovered.
	process, err := start(s.dir, "QUIT", s.user, command...)
	if err != nil {
		return err
	}
	err = process.await(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.URL())
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err == nil {
		s.process = process
	}
	return err
}
