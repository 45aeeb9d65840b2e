package acceptance

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"testing"
)

const goldenDir = repository + "/testdata/golden"

// presets are what TestGolden generates. The golden of each but the first holds only
// the files that differ from the first's.
var presets = []string{"monolith", "microservices"}

// TestGolden: the shop as each preset generates it is what testdata/golden holds; it
// is formatted, tidy, vetted and linted with this repository's own rules, unedited,
// and its own tests pass. BACKEND_UPDATE=1 rewrites the golden.
func TestGolden(t *testing.T) {
	var base map[string][]byte
	for _, preset := range presets {
		project := scaffold(t, "shop", shopSpec, "--profile", preset)
		got := files(t, project.Dir)
		if os.Getenv("BACKEND_UPDATE") != "" {
			rewrite(t, preset, got, base)
		}
		want := maps.Clone(base)
		if want == nil {
			want = map[string][]byte{}
		}
		for name, data := range files(t, filepath.Join(goldenDir, preset)) {
			want[strings.TrimSuffix(name, ".golden")] = data
		}
		for _, name := range names(got, want) {
			switch {
			case got[name] == nil:
				t.Errorf("%s: %s is no longer generated", preset, name)
			case want[name] == nil:
				t.Errorf("%s: %s is new", preset, name)
			case !bytes.Equal(got[name], want[name]):
				t.Errorf("%s: %s differs: %s", preset, name, difference(got[name], want[name]))
			}
		}
		if t.Failed() {
			t.Log("`make golden` rewrites the golden; read its diff")
		}
		if base == nil {
			base = got
		}
		checkProject(t, project.Dir)
		checkCompose(t, project.Dir)
	}
}

// checkCompose lets docker-compose read the compose file, with the secrets that the
// project's Makefile makes.
func checkCompose(t *testing.T, dir string) {
	t.Helper()
	compose := "docker-compose"
	if _, err := exec.LookPath(compose); err != nil {
		compose = "docker compose"
		if _, err := tryCommand(t, dir, "docker", "compose", "version"); err != nil {
			if os.Getenv("BACKEND_TEST_REQUIRE") == "all" {
				t.Fatal("docker-compose is not installed; `make servers` installs it")
			}
			t.Log("docker-compose is not installed: the compose file was not checked")
			return
		}
	}
	command(t, dir, "make", "COMPOSE=AUTH_ISSUER=https://issuer.example.com "+compose, "compose")
}

// downloads are lines that the go command prints when the module cache is cold.
var downloads = regexp.MustCompile(`(?m)^go: downloading .*$`)

// checkProject holds a generated project to the standards of hand-written code.
func checkProject(t *testing.T, dir string) {
	t.Helper()
	config, err := filepath.Abs(repository + "/.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	command(t, dir, "git", "init", "-q", ".") // golangci-lint looks for the root
	for _, check := range [][]string{
		{"gofmt", "-l", "."},
		{"go", "mod", "tidy", "-diff"},
		{"go", "mod", "verify"},
		{"go", "vet", "./..."},
		{"staticcheck", "./..."},
		{"golangci-lint", "run", "--allow-parallel-runners", "--config", config, "./..."},
		{"go", "test", "./..."},
	} {
		out, err := tryCommand(t, dir, check[0], check[1:]...)
		quiet := check[0] == "gofmt" || check[1] == "mod" && check[2] == "tidy"
		if err != nil || quiet && strings.TrimSpace(downloads.ReplaceAllString(out, "")) != "" {
			t.Errorf("%s: %v\n%s", strings.Join(check, " "), err, out)
		}
	}
}

// files reads a project. internal/platform, which is tested in this repository,
// counts as one hash; go.sum and the lock are left out, for every change of a
// dependency or of the platform would touch them.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	platform := sha256.New()
	var seen bool
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(rel, "internal/platform/") && rel != "internal/platform/SHA256":
			seen = true
			fmt.Fprintf(platform, "%s %d\n%s", rel, len(data), data)
		case rel == "go.sum", strings.HasPrefix(rel, ".backend/"), strings.HasPrefix(rel, ".git/"):
		default:
			out[rel] = data
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen {
		out["internal/platform/SHA256"] = []byte(hex.EncodeToString(platform.Sum(nil)) + "\n")
	}
	return out
}

// rewrite replaces a golden, less the files that base has alike. Go files and go.mod
// get another ending, so that the Go tool does not take them for packages or a module
// of this repository.
func rewrite(t *testing.T, preset string, got, base map[string][]byte) {
	t.Helper()
	dir := filepath.Join(goldenDir, preset)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, data := range got {
		if bytes.Equal(base[name], data) && base[name] != nil {
			continue
		}
		if strings.HasSuffix(name, ".go") || name == "go.mod" || strings.HasPrefix(filepath.Base(name), ".git") {
			name += ".golden"
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func names(sets ...map[string][]byte) []string {
	seen := map[string]bool{}
	var out []string
	for _, m := range sets {
		for name := range m {
			if !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// difference is the first line in which two texts differ.
func difference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return fmt.Sprintf("line %d:\n  got  %s\n  want %s", i+1, a, b)
		}
	}
	return "only in length"
}

// TestStandsAlone: a generated project builds, tests, migrates and runs with no
// `backend` on PATH, and the same input gives the same bytes.
func TestStandsAlone(t *testing.T) {
	first, second := scaffold(t, "shop", shopSpec), scaffold(t, "shop", shopSpec)
	a, b := files(t, first.Dir), files(t, second.Dir)
	for _, name := range names(a, b) {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs from one run to the next", name)
		}
	}
	goTool := strings.TrimSpace(command(t, first.Dir, "go", "env", "GOROOT")) + "/bin"
	t.Setenv("PATH", goTool+":/usr/bin:/bin")
	if out, err := tryCommand(t, first.Dir, "sh", "-c", "command -v backend"); err == nil {
		t.Skipf("backend is on the system's own PATH: %s", out)
	}
	command(t, first.Dir, "make", "build", "test")
	bootAlone(t, first.Dir)
}

// bootAlone starts the project's own binary, without backend around it, until it
// says that it is ready, and stops it in order.
func bootAlone(t *testing.T, dir string) {
	t.Helper()
	c := exec.Command(filepath.Join(dir, "bin/shop"))
	c.Dir = dir
	c.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR="+t.TempDir())
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	ready := false
	for !ready && lines.Scan() {
		ready = strings.Contains(lines.Text(), `"msg":"ready"`)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil || !ready {
		t.Errorf("ready %v, %v", ready, err)
	}
	for lines.Scan() { // until it has closed its log
		continue
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the binary ended with %v", err)
	}
}
