package loadtest

import (
	"strings"
	"testing"
)

func TestParseSLO(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]SLO{
		"p99<50ms":                       {Metric: MetricPercentile, Percentile: 99, Compare: "<", Value: 50},
		"p99.9 <= 1.5s":                  {Metric: MetricPercentile, Percentile: 99.9, Compare: "<=", Value: 1500},
		"service_p50<200us":              {Metric: MetricPercentile, Percentile: 50, Service: true, Compare: "<", Value: 0.2},
		"max<1m":                         {Metric: MetricMax, Compare: "<", Value: 60_000},
		"mean<5ms":                       {Metric: MetricMean, Compare: "<", Value: 5},
		"errors<1%":                      {Metric: MetricErrors, Compare: "<", Value: 1, Percent: true},
		"errors<=0":                      {Metric: MetricErrors, Compare: "<="},
		"schema_violations<=0":           {Metric: MetricViolations, Compare: "<="},
		"rate>=495/s":                    {Metric: MetricRate, Compare: ">=", Value: 495},
		"operation:createOrder:p95<20ms": {Operation: "createOrder", Metric: MetricPercentile, Percentile: 95, Compare: "<", Value: 20},
		"operation:a:b<c:errors<1%":      {Operation: "a:b<c", Metric: MetricErrors, Compare: "<", Value: 1, Percent: true},
	} {
		got, err := ParseSLO(text)
		if err != nil || len(got) != 1 {
			t.Errorf("%q: %v, %v", text, got, err)
			continue
		}
		want.Expression = strings.Join(strings.Fields(text), "")
		if got[0] != want {
			t.Errorf("%q: got %+v, want %+v", text, got[0], want)
		}
	}
	many, err := ParseSLO("p99<50ms, errors<1%,operation:x:p50<1ms")
	if err != nil || len(many) != 3 || many[2].Operation != "x" {
		t.Errorf("several: %+v, %v", many, err)
	}
}

func TestParseSLORefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "p99", "p99<", "<50ms", "p99<50", "p99<-5ms", "p100<1s", "p-1<1s", "pNaN<1s", "p1e1<1s", "p99=50ms", "p99<50ms,,errors<1%",
		"errors<x%", "errors<-1%", "errors<NaN", "speed<1", "operation:p99<1ms", "operation::p99<1ms", "operation:x:rate>1", "service_errors<1%",
	} {
		if got, err := ParseSLO(text); err == nil {
			t.Errorf("%q was accepted as %+v", text, got)
		}
	}
	_, err := ParseSLO("p99,errors<x%")
	if err == nil || !strings.Contains(err.Error(), `"p99"`) || !strings.Contains(err.Error(), `"errors<x%"`) {
		t.Errorf("not every wrong objective is named: %v", err)
	}
}

func TestSLOHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		compare string
		below   bool
		at      bool
		above   bool
	}{{"<", true, false, false}, {"<=", true, true, false}, {">", false, false, true}, {">=", false, true, true}} {
		s := SLO{Compare: c.compare, Value: 10}
		if s.Holds(9) != c.below || s.Holds(10) != c.at || s.Holds(11) != c.above {
			t.Errorf("%s is decided wrongly", c.compare)
		}
	}
}

// FuzzParseSLO: what is accepted parses again to the same objective.
func FuzzParseSLO(f *testing.F) {
	for _, s := range []string{"p99<50ms", "errors<=1%,rate>5", "operation:x:service_max<1s", "p99.9<1us", ",", "operation:<:p1<1s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		slos, err := ParseSLO(text)
		if err != nil {
			if len(slos) > 0 {
				t.Fatal("objectives beside an error")
			}
			return
		}
		for _, s := range slos {
			again, err := ParseSLO(s.Expression)
			if err != nil || len(again) != 1 || again[0] != s {
				t.Fatalf("%q became %+v, %v", s.Expression, again, err)
			}
			if s.Value < 0 || s.Percentile < 0 || s.Percentile >= 100 {
				t.Fatalf("%q: %+v", text, s)
			}
		}
	})
}
