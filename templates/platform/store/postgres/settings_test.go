package postgres

import (
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("n", 70)
	for _, test := range []struct {
		url         string
		place       store.Place
		schema      string
		path        string
		connections int
	}{
		{"postgres://u:p@h/d", store.Place{Service: "orders"}, "orders", `"orders"`, 10},
		{"postgresql://u:p@h:1/d?pool_max_conns=2", store.Place{Service: `o"x`, Shared: true}, `o"x`, `"o""x"`, 2},
		{"postgres://h/d?search_path=a,b", store.Place{Service: "orders"}, "", "a,b", 10},
		{"postgres://h/d?search_path=kept", store.Place{Service: "orders", Scratch: "s1"}, "s1_orders", `"s1_orders"`, 10},
		{"postgres://h/d", store.Place{Service: long}, long[:54], "", 10},
	} {
		s, err := parse(test.url, test.place)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		schema := s.schema
		if len(schema) == maxName {
			schema = schema[:54]
		}
		if schema != test.schema || test.path != "" && s.path != test.path || s.connections != test.connections || len(s.schema) > maxName {
			t.Errorf("%s: got schema %q, path %q, %d connections", test.url, s.schema, s.path, s.connections)
		}
		if s.schema != "" && s.config.RuntimeParams["search_path"] != s.path {
			t.Errorf("%s: the session's search_path is %q", test.url, s.config.RuntimeParams["search_path"])
		}
	}
	one, err := parse("postgres://h/d", store.Place{Service: long + "1"})
	if err != nil {
		t.Fatal(err)
	}
	if two, err := parse("postgres://h/d", store.Place{Service: long + "2"}); err != nil || one.schema == two.schema {
		t.Errorf("two long names share a schema: %v", err)
	}
}

func TestSettings(t *testing.T) {
	s, err := parse("postgres://h/d?lock_timeout=1s&application_name=mine&connect_timeout=2", store.Place{Service: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"lock_timeout": "1s", "application_name": "mine", "statement_timeout": "30s", "timezone": "UTC", "idle_in_transaction_session_timeout": "60s",
	} {
		if got := s.config.RuntimeParams[name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if s.config.ConnectTimeout.Seconds() != 2 {
		t.Errorf("connect_timeout is %s", s.config.ConnectTimeout)
	}
}

// TestPasswordsAreNotShown: no mistake in a URL brings its password to light.
func TestPasswordsAreNotShown(t *testing.T) {
	const secret = "s3cr3t"
	for _, bad := range []string{
		"postgres://u:" + secret + "@h:port/d",
		"postgres://u:x/" + secret + "@h/d",
		"postgres://u:" + secret + "%zz@h/d",
		"postgres://u:" + secret + "@h/d?sslmode=sometimes",
		"postgres://h/d?password=" + secret + "&sslmode=sometimes",
		"postgres://u:" + secret + "@h/d?pool_max_conns=1",
		"postgres://u:" + secret + "@h/d?pool_max_conns=many",
		"postgres://u:" + secret + "@h/d?search_path=x",
		"postgres://u:" + secret + "@h/d?connect_timeout=soon",
		"host=h password=" + secret,
		"mysql://u:" + secret + "@h/d",
		"postgres:u:" + secret, "",
	} {
		_, err := parse(bad, store.Place{Service: "orders", Shared: true})
		if err == nil {
			t.Errorf("%s: no error", bad)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
