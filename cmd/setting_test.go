package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates"
)

// engines are an embedded engine and one that is a server.
var engines = []templates.Adapter{
	{Title: "SQLite", Schemes: []string{"sqlite"}},
	{Title: "PostgreSQL", Schemes: []string{"postgres", "postgresql"}, Compose: &templates.Compose{}},
}

func TestChosenDatabases(t *testing.T) {
	for name, c := range map[string]struct {
		vars      map[string]string
		env       []string
		databases string
		servers   string
	}{
		"none":     {databases: "SQLite"},
		"embedded": {vars: map[string]string{"DATABASE_URL": "sqlite:/home/me/shop.db", "SERVICE_ORDERS_DATABASE_URL": "sqlite:x.db"}, databases: "SQLite"},
		"a server": {
			vars: map[string]string{"DATABASE_URL": "postgres://me:secret@127.0.0.1:5432/shop?sslmode=disable"},
			env:  []string{"DATABASE_URL=postgres://me:secret@127.0.0.1:5432/shop?sslmode=disable"}, databases: "PostgreSQL at 127.0.0.1:5432", servers: "postgres://127.0.0.1:5432/shop",
		},
		"of one service": {
			vars: map[string]string{"DATABASE_URL": "sqlite:shop.db", "SERVICE_ORDER_ITEMS_DATABASE_URL": "postgresql://db.example.com/items"},
			env:  []string{"SERVICE_ORDER_ITEMS_DATABASE_URL=postgresql://db.example.com/items"}, databases: "PostgreSQL at db.example.com, SQLite", servers: "postgresql://db.example.com/items",
		},
		"of all but one": {
			vars: map[string]string{"DATABASE_URL": "postgres://a:1/x", "SERVICE_ORDERS_DATABASE_URL": "sqlite:/home/me/orders.db"},
			env:  []string{"DATABASE_URL=postgres://a:1/x", "SERVICE_ORDERS_DATABASE_URL=sqlite:///data/orders.db"}, databases: "PostgreSQL at a:1, SQLite", servers: "postgres://a:1/x",
		},
		"unknown":             {vars: map[string]string{"DATABASE_URL": "oracle://a/x"}, env: []string{"DATABASE_URL=oracle://a/x"}, databases: "oracle at a", servers: "oracle://a/x"},
		"nobody's":            {vars: map[string]string{"SERVICE_GONE_DATABASE_URL": "postgres://a/x"}, databases: "SQLite"},
		"shards, each once":   {vars: map[string]string{"DATABASE_URL": "postgres://u:p@a/x,postgres://u:q@b/y"}, env: []string{"DATABASE_URL=postgres://u:p@a/x,postgres://u:q@b/y"}, databases: "PostgreSQL at a", servers: "postgres://a/x"},
		"no place to be told": {vars: map[string]string{"DATABASE_URL": "postgres://u:p/q@a/x"}, env: []string{"DATABASE_URL=postgres://u:p/q@a/x"}, databases: "PostgreSQL", servers: "postgres://"},
	} {
		s := &setting{}
		s.choose(engines, []string{"order-items", "orders"}, func(name string) string { return c.vars[name] }, "/data")
		if !slices.Equal(s.env, c.env) || strings.Join(s.databases, ", ") != c.databases || strings.Join(s.servers, ", ") != c.servers {
			t.Errorf("%s: got %q, %q, %q", name, s.env, s.databases, s.servers)
		}
	}
}

// Whatever a URL looks like, no password is shown.
func TestPlaceHidesPasswords(t *testing.T) {
	for _, text := range []string{
		"postgres://u:SECRET@h:5432/db", "postgres://u:SECRET@h/db?password=SECRET", "postgres://h/db?password=SECRET#SECRET",
		"postgres://u:x/SECRET@h/db", "postgres://u:1/SECRET@h/db", "postgres://u:x@SECRET@h/db", "postgres://u:x?SECRET@h/db", "postgres://u:x#SECRET@h/db",
		"postgres://u:1?SECRET@h/db", "postgres:u:SECRET@h/db", "postgres:/u:SECRET@h/db", "postgres:///u:SECRET@h/db", "postgres://a/b,postgres://u:SECRET@h/db",
		"postgres://u:SECRET@a/b,postgres://u:SECRET@h/db", "postgres://u:SECRET,x@a/b,postgres://h/db", "mysql://u:SECRET@tcp(h:3306)/db", "host=h password=SECRET",
	} {
		host, database := placeOf(text)
		if shown := scheme(text) + " " + host + database; strings.Contains(shown, "SECRET") {
			t.Errorf("%s is shown as %s", text, shown)
		}
	}
}

func TestDescribe(t *testing.T) {
	st, _, _, _ := fake()
	p := &project{dir: t.TempDir()}
	s := &setting{databases: []string{"PostgreSQL at 127.0.0.1:5432"}}
	for profile, want := range map[string]string{
		"":                                    "split (gateway and 1 service), PostgreSQL at 127.0.0.1:5432",
		"version: 1\n":                        "split (gateway and 1 service), PostgreSQL at 127.0.0.1:5432, in-process cache",
		"version: 1\ncache: {engine: none}\n": "split (gateway and 1 service), PostgreSQL at 127.0.0.1:5432, no cache",
		"version: {":                          "split (gateway and 1 service), PostgreSQL at 127.0.0.1:5432",
	} {
		file := filepath.Join(p.dir, "backend.yaml")
		if err := os.WriteFile(file, []byte(profile), 0o644); err != nil {
			t.Fatal(err)
		}
		if profile == "" {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.describe(st, p, 1); got != want {
			t.Errorf("%q: got %q, want %q", profile, got, want)
		}
	}
}

// A load test never meets the user's own data: it says so by its environment.
func TestFreshSetting(t *testing.T) {
	st, _, _, _ := fake()
	t.Setenv("SERVICE_ORDERS_DATABASE_URL", "sqlite:/home/me/orders.db")
	st.Getenv = os.Getenv
	p := &project{dir: t.TempDir()}
	lock := filepath.Join(p.dir, ".backend/lock.json")
	if err := errors.Join(os.Mkdir(filepath.Dir(lock), 0o755), os.WriteFile(lock, []byte(`{"operations":{"a":{"service":"orders"},"b":{"service":"users"}}}`), 0o644)); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{"sqlite:/home/me/shop.db": "DATABASE_URL=", "postgres://me@h/shop": "DATABASE_URL=postgres://me@h/shop"} {
		t.Setenv("DATABASE_URL", url)
		s, err := (&loadtestOptions{}).fresh(st, p, "/data")
		if err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		for _, kv := range s.env {
			name, _, _ := strings.Cut(kv, "=")
			last[name] = kv
		}
		for _, kv := range last {
			if strings.Contains(kv, "/home/me") {
				t.Errorf("the project is given %s", kv)
			}
		}
		if got := last["DATABASE_URL"]; got != want {
			t.Errorf("with %s: %q", url, got)
		}
		if got := last["DATABASE_SCRATCH"]; !regexp.MustCompile("^DATABASE_SCRATCH=loadtest_[0-9a-f]{8}$").MatchString(got) {
			t.Errorf("scratch: %q", got)
		}
		own, err := (&loadtestOptions{embedded: true}).fresh(st, p, "/data")
		if err != nil || len(own.servers) > 0 || strings.Contains(strings.Join(own.env, " "), "postgres") {
			t.Errorf("embedded: %+v, %v", own, err)
		}
	}
}
