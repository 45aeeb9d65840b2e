package acceptance

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// examples is the npm package that real documents come from, at a pinned version.
const examples = "@readme/oas-examples@8.2.2"

// packages are the npm packages that documents come from, each brought once.
var packages sync.Map // name@version -> func() (string, error)

// fetch brings a package through the ordinary npm client.
func fetch(pack string) (string, error) {
	once, _ := packages.LoadOrStore(pack, sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "backend-examples-")
		if err != nil {
			return "", err
		}
		fetch := exec.Command("sh", "-c", `npm pack --silent "$0" && tar xzf ./*.tgz`, pack)
		fetch.Dir = dir
		if out, err := fetch.CombinedOutput(); err != nil {
			return string(out), err
		}
		return filepath.Join(dir, "package"), nil
	}))
	return once.(func() (string, error))()
}

// example is the path of a document of the package.
func example(t *testing.T, name string) string {
	t.Helper()
	return packed(t, examples, name)
}

// packed is the path of a document of a package, or of this repository without one.
func packed(t *testing.T, pack, name string) string {
	t.Helper()
	if pack == "" {
		return name
	}
	dir, err := fetch(pack)
	if err != nil {
		if os.Getenv("BACKEND_TEST_REQUIRE") == "all" || os.Getenv("CI") != "" {
			t.Fatalf("npm pack %s: %v %s", pack, err, dir)
		}
		t.Skipf("npm pack %s: %v %s", pack, err, dir)
	}
	return filepath.Join(dir, name)
}

// result is the JSON of loadtest, as far as tests look at it.
type result struct {
	Verdict string
	Setting string
	Reasons []string
	Total   struct {
		Requests   int
		Errors     int
		Violations int `json:"schema_violations"`
		Validated  int `json:"validated"`
	}
	Operations []struct {
		Operation string
		Requests  int
		Errors    int
	}
	Stubs []string
}

// TestReal takes documents that no one here wrote through the whole line. The
// operations named are the hand count of what their texts allow to be stored; the
// others are actions, computed results, or filter by what is not stored.
func TestReal(t *testing.T) {
	for _, doc := range []struct {
		name, file  string
		implemented []string
	}{
		{"petstore", "3.1/json/petstore.json", []string{
			"addPet", "createUser", "deleteOrder", "deletePet", "deleteUser", "findPetsByStatus", "getOrderById", "getPetById",
			"getUserByName", "placeOrder", "updateUser",
		}},
		{"train-travel", "3.1/json/train-travel.json", []string{
			"create-booking", "create-booking-payment", "delete-booking", "get-booking", "get-bookings", "get-stations",
		}},
	} {
		t.Run(doc.name, func(t *testing.T) {
			project := scaffold(t, doc.name, example(t, doc.file), "--set", "database.engine=postgres")
			var implemented []string
			for _, c := range project.Coverage {
				if c.Status != "stub" {
					implemented = append(implemented, c.Operation)
				} else if c.Reason == "" {
					t.Errorf("stub %s has no reason", c.Operation)
				}
			}
			for _, op := range doc.implemented {
				if !slices.Contains(implemented, op) {
					t.Errorf("%s is a stub", op)
				}
			}
			checkProject(t, project.Dir)
			loadtestEverywhere(t, project.Dir, implemented)
		})
	}
}

// TestShopLoad: the shop's load test passes in all four settings.
func TestShopLoad(t *testing.T) {
	project := scaffold(t, "shop", shopSpec, "--set", "database.engine=postgres")
	loadtestEverywhere(t, project.Dir, nil)
}

// loadtestEverywhere: the project's load test passes in all four settings, says which
// it was, exercises the operations, and leaves nothing in the database.
func loadtestEverywhere(t *testing.T, dir string, operations []string) {
	t.Helper()
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) {
			t.Setenv("DATABASE_URL", setting.database)
			r := loadtest(t, dir, "--rate", "200", "--duration", "5s", "--target", setting.target)
			if r.Verdict != "pass" || r.Total.Errors != 0 || r.Total.Violations != 0 {
				t.Errorf("verdict %s %v, %d errors, %d violations", r.Verdict, r.Reasons, r.Total.Errors, r.Total.Violations)
			}
			shape, engine := "one process", "SQLite"
			if setting.target == "split" {
				shape = "split (gateway and "
			}
			if setting.database != "" {
				engine = "PostgreSQL at 127.0.0.1:"
			}
			if !strings.HasPrefix(r.Setting, shape) || !strings.Contains(r.Setting, engine) {
				t.Errorf("setting %q", r.Setting)
			}
			exercised := map[string]int{}
			for _, op := range r.Operations {
				exercised[op.Operation] = op.Requests
			}
			for _, op := range operations {
				if exercised[op] == 0 {
					t.Errorf("%s was not exercised", op)
				}
			}
			if setting.database != "" {
				if left := scratchSchemas(t, setting.database); len(left) > 0 {
					t.Errorf("the load test left the schemas %v", left)
				}
			}
		})
	}
}

// scratchSchemas are the schemas of load tests in a database.
func scratchSchemas(t *testing.T, database string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'loadtest%'")
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

// loadtest runs a load test whose verdict may be pass or fail. An invalid one says
// that this machine was too busy to measure, nothing about the server: it is made
// again, three times at most.
func loadtest(t *testing.T, args ...string) result {
	t.Helper()
	var r result
	for range 3 {
		if r = loadtestOnce(t, args...); r.Verdict != "invalid" {
			break
		}
		t.Logf("made again: %v", r.Reasons)
	}
	return r
}

// loadtestOnce runs a load test for what it does, whatever its figures are worth.
func loadtestOnce(t *testing.T, args ...string) (r result) {
	t.Helper()
	c := exec.Command(backend(t), append([]string{"loadtest", "--output", "json"}, args...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, _ := c.Output() // the exit code repeats the verdict
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("loadtest printed no JSON: %v\n%s\n%s", err, out, stderr.String())
	}
	return r
}
