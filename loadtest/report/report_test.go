package report

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// stalled is a result with everything in it, hostile texts included.
func stalled() *Result {
	r := &Result{
		Verdict: Fail, Reasons: []string{"p99<50ms was missed: 973.8 measured"}, Target: "http://127.0.0.1:41234", Seed: 7,
		Setting:     "split (gateway and 4 services), PostgreSQL at <i>127.0.0.1:5432</i>\x1b[2J, in-process cache",
		OfferedRate: 1000, AchievedRate: 999.8, DurationSeconds: 20, InFlightMax: 1021, InFlightBound: 10000,
		ScheduleLag: Lag{P50: 0.02, P99: 0.4, Max: 3.1},
		Total: Stats{
			Requests: 20000, Errors: 31, SchemaViolations: 2, Validated: 812,
			Status:       map[string]int64{"200": 15969, "201": 4000, "500": 31},
			ResponseTime: Percentiles{1.19, 525.3, 773.6, 973.8, 1030.7}, ServiceTime: Percentiles{0.17, 525.3, 773.6, 973.3, 1028.6},
		},
		SLO: []SLO{{"p99<50ms", 973.8, false}, {"errors<1%", 0.155, true}}, Stubs: []string{"refundOrder"},
		NotExercised: []Skipped{{"uploadPhoto", "its body is image/png, for which no values are made"}},
		WarmUp:       WarmUp{Requests: 80, Seconds: 0.4}, Started: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
		Facts: map[string]string{"Machine": "2 cores, 4 GB", "<b>Go</b>": "<script>alert(1)</script>"},
		Rerun: "backend loadtest http://127.0.0.1:41234 --rate 1000 --duration 20s --seed 7",
	}
	for i, id := range []string{"getOrder", "listOrders", "createOrder", "updateOrder", "</table><script>x</script>"} {
		o := Operation{Operation: id, Method: "GET", Path: "/orders/{orderId}", Stats: r.Total}
		o.Requests, o.Errors, o.Status = int64(9000/(i+1)), 0, map[string]int64{"200": int64(9000 / (i + 1))}
		r.Operations = append(r.Operations, o)
	}
	r.Operations[2].Errors = 31
	r.Operations[2].ErrorSamples = []Sample{{"POST /orders?q=\"><img src=x>", 500, "server error 500", "<script>alert('body')</script>\x1b[2J"}}
	for i := range 20 {
		iv := Interval{Second: float64(i), Rate: 1000, P50: 1, P99: 4 + float64(i%3)}
		if i%5 == 4 {
			iv.P50, iv.P99, iv.Errors = 500, 990, 8
		}
		r.Timeline = append(r.Timeline, iv)
	}
	for _, p := range []float64{0, 10, 25, 50, 75, 80, 90, 95, 97.5, 99, 99.5, 99.9, 99.99, 100} {
		r.Curve = append(r.Curve, CurvePoint{p, max(1, (p-80)*50) + max(0, p-99)})
	}
	return r
}

func render(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHTMLIsSelfContainedAndEscaped(t *testing.T) {
	t.Parallel()
	got := render(t, stalled())
	for _, hostile := range []string{"<script", "<img", "alert('body')", "</table><script"} {
		if strings.Contains(got, hostile) {
			t.Errorf("the page holds %q", hostile)
		}
	}
	if m := regexp.MustCompile(`(?i)<[^>]*\s(src|href)\s*=|url\(|@import`).FindString(got); m != "" {
		t.Errorf("the page refers to something else: %q", m)
	}
	if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Error("a chart has a position that is not a number")
	}
	for _, want := range []string{
		"1 of 2 objectives missed at 1,000 requests per second for 20 s.", "p99&lt;50ms", "✗ missed", "✓ held", "refundOrder",
		"<p>split (gateway and 4 services), PostgreSQL at &lt;i&gt;", "image/png", "backend loadtest http://127.0.0.1:41234 --rate 1000", "server error 500", "999.8/s achieved", "<svg",
		">Requests due per second</h2>", "0 s: 1,000 requests due per second, 0 errors",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if at, svg := strings.Index(got, "objectives missed"), strings.Index(got, "<svg"); at > svg {
		t.Error("the verdict does not come first")
	}
}

func TestHTMLOfLittle(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Result{
		"empty":    {Verdict: Invalid},
		"one":      {Verdict: Pass, Timeline: []Interval{{Rate: 1, P50: 1, P99: 1}}, Curve: []CurvePoint{{0, 1}, {100, 1}}},
		"zero":     {Verdict: Pass, Timeline: []Interval{{}, {Second: 1}}, Curve: []CurvePoint{{0, 0}, {100, 0}}},
		"enormous": {Verdict: Pass, OfferedRate: 1e9, Timeline: []Interval{{Rate: 1e9, P50: 3.6e6, P99: 3.6e6}}, Curve: []CurvePoint{{0, 0}, {100, 3.6e6}}},
	} {
		if got := render(t, r); strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
			t.Errorf("%s: a position is not a number", name)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	stalled().Text(&b, false)
	if strings.Contains(b.String(), "\x1b") {
		t.Error("without colour, the text holds an escape")
	}
	golden := filepath.Join("testdata", "summary.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	var c strings.Builder
	stalled().Text(&c, true)
	stripped := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(c.String(), "")
	if stripped != b.String() {
		t.Error("colour changes the text")
	}
	if !strings.HasPrefix(stripped, "FAIL") {
		t.Error("the verdict does not come first")
	}
}

func TestNiceAxis(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{0.003, 0.9, 1, 7, 42, 99.9, 100, 101, 1234, 1e6} {
		top := niceMax(v)
		if step := niceStep(v / 4); top < v*0.999 || math.Mod(top/step+1e-9, 1) > 1e-6 || top > 2*v {
			t.Errorf("axis of %v ends at %v", v, top)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]int{Pass: 0, Fail: 4, Invalid: 5} {
		if got := (&Result{Verdict: verdict}).ExitCode(); got != want {
			t.Errorf("%s exits %d, want %d", verdict, got, want)
		}
	}
}

// TestRefused: an operation whose every answer is a declared refusal says so; one that
// succeeded once, failed, or was hardly asked does not.
func TestRefused(t *testing.T) {
	for want, s := range map[string]Stats{
		"all 4 answers were 404 or 409, so its times are those of refusals": {Requests: 4, Status: map[string]int64{"409": 1, "404": 3}},
		"": {Requests: 4, Status: map[string]int64{"204": 1, "404": 3}},
	} {
		if got := s.Refused(); got != want {
			t.Errorf("%v: %q, want %q", s.Status, got, want)
		}
	}
	for _, s := range []Stats{{Requests: 2, Status: map[string]int64{"404": 2}}, {Requests: 4, Errors: 4, Status: map[string]int64{"500": 4}}} {
		if got := s.Refused(); got != "" {
			t.Errorf("%+v: %q", s, got)
		}
	}
}
