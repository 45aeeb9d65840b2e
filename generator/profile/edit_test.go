package profile

import (
	"testing"

	"github.com/e6b96b0c/backend/generator/problem"
)

func TestEdit(t *testing.T) {
	for _, test := range []struct{ text, set, want string }{
		{"version: 1\n", "cache.engine=none", "version: 1\ncache:\n  engine: none\n"},
		{"version: 1", "shape=microservices", "version: 1\nshape: microservices\n"},
		{"# mine\ndatabase:\n    engine: sqlite   # why\ncache: {ttl: 5s}\n", "database.engine=postgres", "# mine\ndatabase:\n    engine: postgres   # why\ncache: {ttl: 5s}\n"},
		{"cache: {ttl: 5s} # é\n", "cache.engine=none", "cache: {engine: none, ttl: 5s} # é\n"},
		{"cache: {ttl: 5s, engine: local} # é\n", "cache.engine=none", "cache: {ttl: 5s, engine: none} # é\n"},
		{"cache: {}\n", "cache.engine=none", "cache: {engine: none}\n"},
		{"load:\n  p99: '5ms'\n", "load.p99=9ms", "load:\n  p99: 9ms\n"},
		{"load:\n  # first\n  p99: \"5ms\"\n", "load.records=5", "load:\n  records: 5\n  # first\n  p99: \"5ms\"\n"},
		{"database:\n  engine: sqlite\n", "database.engine=sqlite", "database:\n  engine: sqlite\n"},
		{"", "deploy.ci=none", "deploy:\n  ci: none\n"},
	} {
		got, p, err := Edit("backend.yaml", []byte(test.text), test.set)
		if err != nil || string(got) != test.want {
			t.Errorf("%q with %s: %v\n%s", test.text, test.set, err, got)
			continue
		}
		if again, err := Parse("", got); err != nil || p.Get("cache.engine") != again.Get("cache.engine") {
			t.Errorf("%s: %v", got, err)
		}
	}
	made, err := Preset("monolith")
	if err != nil {
		t.Fatal(err)
	}
	if got, p, err := Edit("", made.YAML(), "database.engine=postgres"); err != nil || p.Get("database.engine") != "postgres" || len(got) != len(made.YAML())+len("postgres")-len("sqlite") {
		t.Errorf("%v\n%s", err, got)
	}
	for set, code := range map[string]string{"nonsense": "set-syntax", "cache.engnie=none": "profile-key", "cache.engine=maybe": "set-value"} {
		if _, _, err := Edit("", []byte("version: 1\n"), set); err == nil || problem.Of(err)[0].Code != code {
			t.Errorf("%s: %v", set, err)
		}
	}
}
