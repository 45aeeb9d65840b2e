package loadtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/loadtest/attack"
)

// TestVerdict judges made-up recordings: 100 requests over a second.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slo     string
		change  func(n int, o *attack.Observation) bool // false: not sent
		cancel  bool
		verdict string
		reason  string
	}{
		"pass":         {slo: "p99<50ms,errors<1%", verdict: "pass"},
		"no objective": {verdict: "pass"},
		"slow":         {slo: "p99<5ms", verdict: "fail", reason: "p99<5ms was missed: 10"},
		"late":         {change: lateBy(6*time.Millisecond, false), verdict: "invalid", reason: "itself was late"},
		"late, small part": {
			change: func(_ int, o *attack.Observation) bool {
				o.Sent += 6 * time.Millisecond
				o.Done += time.Second
				return true
			},
			verdict: "pass",
		},
		"bound": {change: lateBy(50*time.Millisecond, true), verdict: "invalid", reason: "100 requests waited because"},
		"errors": {
			slo: "errors<=10", verdict: "fail", reason: "errors<=10 was missed: 20",
			change: func(n int, o *attack.Observation) bool { o.Failed = n%5 == 0; return true },
		},
		"held back": {
			change:  func(n int, _ *attack.Observation) bool { return n < 90 },
			verdict: "invalid", reason: "only 90.0 of 100.0",
		},
		"drawn out": {
			change: func(n int, o *attack.Observation) bool {
				if n == 99 {
					o.Sent, o.Done = 1100*time.Millisecond, 1110*time.Millisecond
				}
				return true
			},
			verdict: "invalid", reason: "requests per second were sent",
		},
		"refused": {
			slo: "errors<=0", verdict: "fail", reason: "100 measured; most requests were refused (401): give --token or --admin",
			change: func(_ int, o *attack.Observation) bool { o.Status, o.Failed = 401, true; return true },
		},
		"forbidden, as declared": {
			verdict: "pass", reason: "most requests were refused (403)",
			change: func(n int, o *attack.Observation) bool {
				if n%10 < 6 {
					o.Status = 403
				}
				return true
			},
		},
		"refused by half": {
			verdict: "pass",
			change: func(n int, o *attack.Observation) bool {
				if n%2 == 0 {
					o.Status = 401 + n%4
				}
				return true
			},
		},
		"refused, of those answered": {
			verdict: "pass", reason: "refused (401)",
			change: func(n int, o *attack.Observation) bool {
				switch {
				case n%10 < 6:
					o.Status = 0
				case n%10 < 9:
					o.Status = 401
				}
				return true
			},
		},
		"interrupted":          {cancel: true, slo: "p99<1us", verdict: "invalid", reason: "interrupted after 100 of 100"},
		"invalid and missed":   {slo: "p99<1ms", change: lateBy(50*time.Millisecond, true), verdict: "invalid"},
		"operation not called": {slo: "operation:pong:p99<1s", verdict: "fail", reason: "pong was not requested"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			o := Options{BaseURL: "http://127.0.0.1:1", API: pingAPI(), Rate: 100, Duration: time.Second}
			pong := *o.API.Operations[0]
			pong.ID, pong.Path = "pong", "/pong"
			o.API.Operations = append(o.API.Operations, &pong)
			if c.slo != "" {
				slos, err := ParseSLO(c.slo)
				if err != nil {
					t.Fatal(err)
				}
				o.SLOs = slos
			}
			r, err := prepare(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			for n := range 100 {
				at := time.Duration(n) * 10 * time.Millisecond
				ob := attack.Observation{Intended: at, Sent: at, Done: at + 10*time.Millisecond, Status: 200}
				if c.change == nil || c.change(n, &ob) {
					r.recorder.Record(ob)
				}
			}
			if c.cancel {
				r.elapsed = time.Second
				cancel()
			}
			res := r.result()
			if all := strings.Join(res.Reasons, "; "); res.Verdict != c.verdict || !strings.Contains(all, c.reason) || (c.reason == "" && c.verdict == "pass") != (all == "") {
				t.Errorf("%s: %s, want %s: %s", res.Verdict, all, c.verdict, c.reason)
			}
		})
	}
}

func lateBy(d time.Duration, waited bool) func(int, *attack.Observation) bool {
	return func(_ int, o *attack.Observation) bool {
		o.Sent += d
		o.Done += d
		o.Waited = waited
		return true
	}
}
