package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// document is a line of testdata/corpus.tsv: a real document in an npm package.
type document struct {
	pkg, file  string
	operations int
}

func (d document) name() string { return d.pkg + ":" + d.file }

// corpus reads testdata/corpus.tsv.
func corpus(t *testing.T) []document {
	t.Helper()
	text, err := os.ReadFile(repository + "/testdata/corpus.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []document
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		fields := strings.Split(line, "\t")
		pkg, file, ok := strings.Cut(fields[0], ":")
		n, err := strconv.Atoi(fields[2])
		if !ok || err != nil {
			t.Fatalf("corpus.tsv: %q", line)
		}
		out = append(out, document{pkg, file, n})
	}
	return out
}

// npmPackage is the folder of an npm package at a pinned version, fetched once by the
// ordinary client and kept under .tools.
func npmPackage(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(repository, ".tools", "npm", strings.NewReplacer("/", "_", "@", "").Replace(name)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "package", "package.json")); err == nil {
		return filepath.Join(dir, "package")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fetch := exec.Command("sh", "-c", "rm -rf ./* && npm pack --silent "+name+" && tar xzf ./*.tgz && rm ./*.tgz")
	fetch.Dir = dir
	if out, err := fetch.CombinedOutput(); err != nil {
		if os.Getenv("BACKEND_TEST_REQUIRE") == "all" || os.Getenv("CI") != "" {
			t.Fatalf("npm pack %s: %v %s", name, err, out)
		}
		t.Skipf("npm pack %s: %v %s", name, err, out)
	}
	return filepath.Join(dir, "package")
}

// passage is how far a document came.
type passage struct {
	document
	stage    string // refused, scaffold, vet, build, test, boot: where it ended; "" for the whole way
	note     string
	result   scaffolded
	told     int // operations that are implemented with what profile suggest proposes
	scaffold time.Duration
}

// sampled documents are those of `make test`: a seeded choice, so that every run takes
// the same few small ones.
func sampled(all []document) []document {
	key := func(d document) uint32 {
		h := fnv.New32a()
		_, _ = h.Write([]byte("1" + d.name())) // a hash takes everything
		return h.Sum32()
	}
	small := slices.DeleteFunc(slices.Clone(all), func(d document) bool { return d.operations > 60 || d.operations < 4 })
	sort.Slice(small, func(i, j int) bool { return key(small[i]) < key(small[j]) })
	return small[:8]
}

// TestCorpus takes real documents through scaffold, vet, build, the project's own tests and boot. A document
// that the loader refuses must be refused with a message; every other must boot. With
// BACKEND_CORPUS=all it takes the whole corpus and writes docs/coverage.md.
func TestCorpus(t *testing.T) {
	docs := corpus(t)
	whole := os.Getenv("BACKEND_CORPUS") == "all"
	if !whole {
		docs = sampled(docs)
	}
	var passages []passage
	for _, d := range docs {
		o := takeThrough(t, d)
		t.Logf("%-70s %s %s", d.name(), o.stage, o.note)
		if o.stage != "" && o.stage != "refused" {
			t.Errorf("%s: %s: %s", d.name(), o.stage, o.note)
		}
		passages = append(passages, o)
	}
	if whole {
		writeCoverage(t, passages)
	}
}

// takeThrough takes one document through the whole line. All projects have one module
// path, so that the packages which they share are compiled once.
func takeThrough(t *testing.T, d document) (o passage) {
	t.Helper()
	o.document = d
	dir := filepath.Join(t.TempDir(), "corpus")
	began := time.Now()
	c := exec.Command(backend(t), "scaffold", "new", "corpus", "--module", "example.com/corpus", "--spec",
		filepath.Join(npmPackage(t, d.pkg), filepath.FromSlash(d.file)), "--dir", dir, "--output", "json")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	o.scaffold = time.Since(began)
	if err != nil {
		o.stage, o.note = "scaffold", lastLine(stderr.String())
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 2 && !strings.Contains(stderr.String(), "goroutine") {
			o.stage = "refused"
		}
		return o
	}
	if err := json.Unmarshal(out, &o.result); err != nil {
		o.stage, o.note = "scaffold", err.Error()
		return o
	}
	o.told = suggest(t, dir).Operations.With_suggestions
	binary := filepath.Join(dir, "corpus")
	for _, step := range [][]string{{"vet", "-trimpath", "./..."}, {"build", "-trimpath", "-o", binary, "./cmd/corpus"}, {"test", "-trimpath", "./internal/app"}} {
		if out, err := tryCommand(t, dir, "go", step...); err != nil {
			o.stage, o.note = step[0], out
			return o
		}
	}
	if err := boots(t, binary); err != nil {
		o.stage, o.note = "boot", err.Error()
	}
	return o
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// boots starts a binary on free ports until it is ready, and stops it.
func boots(t *testing.T, binary string) error {
	t.Helper()
	c := exec.Command(binary)
	c.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR="+t.TempDir())
	logs, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		return err
	}
	admin, text := "", ""
	timer := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(logs)
	lines.Buffer(nil, 1<<20)
	for admin == "" && lines.Scan() {
		text += lines.Text() + "\n"
		var line struct{ Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			admin = line.Admin
		}
	}
	go func() { _, _ = io.Copy(io.Discard, logs) }()
	defer func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}()
	if admin == "" {
		return fmt.Errorf("it did not start:\n%s", text)
	}
	if !strings.Contains(admin, "://") {
		admin = "http://" + admin
	}
	response, err := http.Get(admin + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz: %d", response.StatusCode)
	}
	return nil
}

// writeCoverage writes docs/coverage.md.
func writeCoverage(t *testing.T, passages []passage) {
	t.Helper()
	var b strings.Builder
	loaded, whole, total, implemented, readOnly, told := 0, 0, 0, 0, 0, 0
	var shares, written, with []float64
	for _, o := range passages {
		if o.stage == "refused" {
			continue
		}
		loaded++
		if o.stage == "" {
			whole++
		}
		n := o.result.Operations
		total, implemented, told = total+n.Total, implemented+n.Implemented, told+o.told
		if n.Total >= 20 {
			shares = append(shares, 100*float64(n.Implemented)/float64(n.Total))
			with = append(with, 100*float64(o.told)/float64(n.Total))
			written = append(written, 100*float64(n.Implemented-o.readOnly())/float64(n.Total))
		}
		readOnly += o.readOnly()
	}
	fmt.Fprintf(&b, "# Real documents\n\nWritten by `make corpus` on %s, from the documents of testdata/corpus.tsv, which come from npm packages at pinned\nversions. Each is generated, vetted, built, tested by its own tests and booted.\n\n", time.Now().Format(time.DateOnly))
	fmt.Fprintf(&b, "- %d documents; %d can be loaded, %d of those compile, vet, pass their tests and boot (%.0f%%)\n", len(passages), loaded, whole, 100*float64(whole)/float64(loaded))
	fmt.Fprintf(&b, "- %d operations; %d are implemented with real persistence (%.0f%%), %d of those on tables that nothing in the document writes\n",
		total, implemented, 100*float64(implemented)/float64(total), readOnly)
	fmt.Fprintf(&b, "- median share of the %d documents with 20 operations and more: %.1f%%; without those that are only read: %.1f%%\n", len(shares), median(shares), median(written))
	fmt.Fprintf(&b, "- with the lines that `backend profile suggest` proposes: %d (%.0f%%), median %.1f%%\n\n", told, 100*float64(told)/float64(total), median(with))
	b.WriteString("| document | operations | implemented | only read | raw | share | with lines | scaffold | end |\n|---|--:|--:|--:|--:|--:|--:|--:|---|\n")
	reasons := map[string]int{}
	for _, o := range passages {
		end := "boots"
		if o.stage != "" {
			end = o.stage + ": " + cellText(strings.ReplaceAll(o.note, npmPackage(t, o.pkg)+"/", ""))
		}
		n := o.result.Operations
		share := func(part int) float64 { return 100 * float64(part) / float64(max(1, n.Total)) }
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %.0f%% | %.0f%% | %.1f s | %s |\n",
			o.name(), o.operations, n.Implemented, o.readOnly(), n.Raw, share(n.Implemented), share(o.told), o.scaffold.Seconds(), end)
		for _, s := range o.result.Stubs {
			reasons[generalReason(s.Reason)]++
		}
	}
	b.WriteString("\n## Why operations are stubs\n\n| reason | operations |\n|---|--:|\n")
	names := make([]string, 0, len(reasons))
	for r := range reasons {
		names = append(names, r)
	}
	sort.Slice(names, func(i, j int) bool {
		if reasons[names[i]] != reasons[names[j]] {
			return reasons[names[i]] > reasons[names[j]]
		}
		return names[i] < names[j]
	})
	for _, r := range names {
		fmt.Fprintf(&b, "| %s | %d |\n", cellText(r), reasons[r])
	}
	if err := os.WriteFile(repository+"/docs/coverage.md", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readOnly counts the implemented operations on rows that nothing in the document creates.
func (o passage) readOnly() (n int) {
	for _, c := range o.result.Coverage {
		if c.ReadOnly && c.Status != "stub" {
			n++
		}
	}
	return n
}

// median is the middle of at least one value.
func median(values []float64) float64 {
	slices.Sort(values)
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}

func cellText(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 160 {
		s = s[:160] + "…"
	}
	return strings.ReplaceAll(s, "|", "\\|")
}

// generalReason takes names out of a stub's reason, so that reasons can be counted.
func generalReason(reason string) string {
	words := strings.Fields(reason)
	for i := 1; i < len(words); i++ {
		switch strings.TrimSuffix(words[i-1], ",") {
		case "property", "parameter", "key", "require", "its", "the":
			if words[i-1] == "the" && !strings.HasPrefix(reason, "what it") {
				continue
			}
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}
