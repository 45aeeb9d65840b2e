package acceptance

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/testenv"
)

// edit is one change of a project's document or profile, and what must come of it.
type edit struct {
	name    string
	replace []string // pairs: a text of the document, and what takes its place everywhere
	flags   []string // of scaffold update
	finding string   // code of the override that no longer fits; the compiler must name its file
	note    string   // code of a note
	fix     func(t *testing.T, u *updated)
	check   func(t *testing.T, s *server, u *updated)
}

// updated is a project that is updated over and over, with its user's work in it.
type updated struct {
	dir, override                                 string
	user, product, order, payment, review, coupon string
	// mine are texts of the user's, by file.
	mine map[string]string
}

func (u *updated) path(name string) string { return filepath.Join(u.dir, filepath.FromSlash(name)) }

func (u *updated) change(t *testing.T, name string, pairs ...string) {
	t.Helper()
	data, err := os.ReadFile(u.path(name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	if err := os.WriteFile(u.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestUpdate: a shop with an override, an edited compose file and an edited CI file
// goes through one change after another. After each, what the user wrote is still
// there, the project builds or the compiler names the user's own outdated line, rows
// from before are still read on SQLite and on Postgres, and --check is clean.
func TestUpdate(t *testing.T) {
	postgres := setting{"Postgres", "all", testenv.Postgres(t)}
	u := &updated{dir: scaffold(t, "shop", shopSpec).Dir, override: "internal/orders/cancel.go", mine: map[string]string{}}
	cancel, err := os.ReadFile(filepath.Join(repository, "testdata/demo/cancel.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(u.path(u.override), cancel, 0o600); err != nil {
		t.Fatal(err)
	}
	u.change(t, "deploy/compose.yaml", "\nvolumes:\n  data: {}\n", "\n  mailer: # mine\n    image: axllent/mailpit\n\nvolumes:\n  data: {}\n")
	u.change(t, ".github/workflows/ci.yaml", "      - run: make vet\n", "      - run: ./mine.sh\n      - run: make vet\n")
	u.change(t, "internal/products/service.go", "\tDefaults\n", "\tDefaults\n\tMine int\n")
	u.mine["deploy/compose.yaml"], u.mine[".github/workflows/ci.yaml"] = "  mailer: # mine\n", "./mine.sh"
	u.mine["internal/products/service.go"], u.mine[u.override] = "Mine int", "the order is already"

	data := t.TempDir()
	first := run(t, u.dir, data)
	u.user = newUser(t, first)
	u.insert(t, first)
	first.stop()
	seeded := false
	for _, e := range edits() {
		ok := t.Run(e.name, func(t *testing.T) {
			migrated := u.apply(t, e)
			s := run(t, u.dir, data)
			u.read(t, s)
			if e.check != nil {
				e.check(t, s, u)
			}
			s.stop()
			if migrated && strings.Contains(read(t, u.path("backend.yaml")), "engine: postgres") {
				s := run(t, u.dir, t.TempDir(), postgres)
				if !seeded {
					user := newUser(t, s)
					other := *u
					other.user = user
					other.insert(t, s)
					seeded = true
				}
				u.readAll(t, s)
				s.stop()
			}
		})
		if !ok {
			return
		}
	}
	checkProject(t, u.dir)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// insert makes the rows that must outlive every change.
func (u *updated) insert(t *testing.T, s *server) {
	t.Helper()
	u.product = s.want(t, 201, http.MethodPost, "/api/v1/products",
		`{"sku":"KEEP-1","name":"Kept","description":"kept description","price":1999,"category":"books","tags":["kept-tag"]}`).field("id")
	u.review = s.want(t, 201, http.MethodPost, "/api/v1/products/"+u.product+"/reviews", `{"rating":4,"title":"42","text":"kept text"}`).field("id")
	u.order = s.want(t, 201, http.MethodPost, "/api/v1/orders",
		`{"userId":"`+u.user+`","items":[{"productId":"`+u.product+`","quantity":3}],"note":"kept note"}`).field("id")
	u.payment = s.want(t, 201, http.MethodPost, "/api/v1/payments",
		`{"orderId":"`+u.order+`","amount":777,"currency":"EUR","method":"card"}`).field("id")
}

// read finds the rows of the beginning.
func (u *updated) read(t *testing.T, s *server) {
	t.Helper()
	for path, want := range map[string]string{
		"/users/" + u.user: `"name":"U"`, "/products/" + u.product: `"name":"Kept"`, "/orders/" + u.order: "kept note", "/payments/" + u.payment: `"amount":777`,
		"/products/" + u.product + "/reviews/" + u.review: "kept text",
	} {
		if body := string(s.want(t, 200, http.MethodGet, "/api/v1"+path, "").Body); !strings.Contains(body, want) {
			t.Errorf("%s lost %s: %s", path, want, body)
		}
	}
	u.readAll(t, s)
}

// readAll finds them in lists.
func (u *updated) readAll(t *testing.T, s *server) {
	t.Helper()
	for path, want := range map[string]string{
		"/users": `"name":"U"`, "/products?category=books": `"name":"Kept"`, "/orders": "kept note", "/payments": `"amount":777`,
	} {
		if body := string(s.want(t, 200, http.MethodGet, "/api/v1"+path, "").Body); !strings.Contains(body, want) {
			t.Errorf("%s lost %s: %s", path, want, body)
		}
	}
}

// outcome is the JSON of scaffold update, as far as the test looks at it.
type outcome struct {
	Error      *struct{ Message string }
	UpToDate   bool `json:"up_to_date"`
	Conflicts  []string
	Migrations []string
	Overrides  []struct {
		Code, File string
		Line       int
	}
	Notes []struct{ Code, Message string }
}

// update runs scaffold update and wants an exit code.
func update(t *testing.T, code int, args ...string) outcome {
	t.Helper()
	c := exec.Command(backend(t), append([]string{"scaffold", "update", "--output", "json"}, args...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, _ := c.Output()
	var o outcome
	if err := json.Unmarshal(out, &o); err != nil || c.ProcessState.ExitCode() != code {
		t.Fatalf("scaffold update %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), c.ProcessState.ExitCode(), code, out, stderr.String())
	}
	return o
}

// apply makes an edit, updates, holds what came of it to the promise, and says whether
// tables changed.
func (u *updated) apply(t *testing.T, e edit) (migrated bool) {
	t.Helper()
	if len(e.replace) > 0 {
		u.change(t, "api/openapi.yaml", e.replace...)
		if o := update(t, 1, u.dir, "--check"); o.UpToDate {
			t.Error("--check did not see the edit")
		}
	}
	code := 0
	if e.finding != "" {
		code = 1
	}
	o := update(t, code, append([]string{u.dir}, e.flags...)...)
	if len(o.Conflicts) > 0 {
		t.Errorf("conflicts in %v", o.Conflicts)
	}
	noted := e.note == ""
	for _, n := range o.Notes {
		noted = noted || n.Code == e.note
	}
	if !noted {
		t.Errorf("no note %s in %+v", e.note, o.Notes)
	}
	for name, text := range u.mine {
		if !strings.Contains(read(t, u.path(name)), text) {
			t.Errorf("%s lost %q", name, text)
		}
	}
	if o := update(t, 0, u.dir, "--check"); !o.UpToDate {
		t.Error("not up to date right after an update")
	}
	if e.finding != "" {
		if len(o.Overrides) == 0 || o.Overrides[0].Code != e.finding || o.Overrides[0].File != u.override || o.Overrides[0].Line == 0 {
			t.Errorf("overrides %+v", o.Overrides)
		}
		if out, err := tryCommand(t, u.dir, "go", "build", "./..."); err == nil || !strings.Contains(out, u.override+":") {
			t.Errorf("the compiler does not name %s: %s", u.override, out)
		}
		e.fix(t, u)
		if o := update(t, 0, u.dir, "--check"); !o.UpToDate { // the tombstone compiles now, and goes with the next change
			t.Error("what the user mended is taken for drift")
		}
	}
	return len(o.Migrations) > 0
}
