package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkHandler puts the generated handler of the shop, over no store, beside one
// written by hand on net/http and encoding/json that enforces the same constraints,
// in one run of one process. The metric is how many requests a CPU second of the
// generated handler serves, relative to the other: above 1 is faster. Once both
// carry what operating them needs (request id, access log, metrics, deadline), and
// once neither logs nor counts ("bare": the generated one still makes request ids
// and deadlines, the other does nothing but its job).
func BenchmarkHandler(b *testing.B) {
	project := scaffold(b, "shop", shopSpec, "--set", "auth.mode=none")
	source, err := os.ReadFile(repository + "/testdata/bench/handler_bench_test.go.txt")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project.Dir, "internal/products/handler_bench_test.go"), source, 0o600); err != nil {
		b.Fatal(err)
	}
	run := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-count", "5", "-benchtime", "300ms", "-cpu", "1", "./internal/products")
	run.Dir = project.Dir
	out, err := run.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for b.Loop() { // the measurement was made by the other process
		continue
	}
	b.Logf("\n%s", out)
	for _, name := range []string{"post", "refused", "get"} {
		b.ReportMetric(best(b, string(out), name+"/hand")/best(b, string(out), name+"/generated"), name+"-ratio")
		b.ReportMetric(best(b, string(out), name+"/bare-hand")/best(b, string(out), name+"/bare-generated"), "bare-"+name+"-ratio")
	}
}

// best is the least time of a benchmark's runs, in nanoseconds.
func best(b *testing.B, out, name string) float64 {
	b.Helper()
	least := 0.0
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkHandler/`+name+`\s+\d+\s+([\d.]+) ns/op`).FindAllStringSubmatch(out, -1) {
		ns, err := strconv.ParseFloat(strings.TrimSpace(m[1]), 64)
		if err == nil && (least == 0 || ns < least) {
			least = ns
		}
	}
	if least == 0 {
		b.Fatalf("no figure for %s in:\n%s", name, out)
	}
	return least
}

// BenchmarkScaffold is the CPU of scaffolding the shop, start of the process included.
func BenchmarkScaffold(b *testing.B) {
	binary := backend(b)
	var user float64
	n := 0
	for b.Loop() {
		c := exec.Command(binary, "scaffold", "new", "shop", "--spec", shopSpec, "--dir", filepath.Join(b.TempDir(), "shop"))
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		user += (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
		n++
	}
	b.ReportMetric(user/float64(n), "cpu-s/op")
}
