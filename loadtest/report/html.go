package report

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed page.html
var page string

// WriteHTML writes the report as one page that needs nothing else: no script, no
// font, no network. Whatever the server sent is escaped.
func (r *Result) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"ms": formatMS, "count": formatCount, "rate": formatRate, "statuses": statuses,
		"share": share,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return t.Execute(w, view{
		Result: r, Sentence: r.Sentence(), Facts: r.facts(), Figures: r.figures(), Problems: r.problems(),
		OverTime: latencyChart(r.Timeline), RateOverTime: rateChart(r.Timeline, r.OfferedRate),
		Percentiles: percentileChart(r.Curve),
	})
}

// view is what the page shows, beside the result itself.
type view struct {
	*Result
	Sentence     string
	Facts        []fact
	Figures      []figure
	Problems     []problem
	OverTime     template.HTML
	RateOverTime template.HTML
	Percentiles  template.HTML
}

type fact struct{ Name, Value string }

type figure struct{ Name, Value, Note string }

// problem is an operation with samples to show.
type problem struct {
	Title   string
	Kind    string
	Count   int64
	Samples []Sample
}

// Sentence is the verdict in words.
func (r *Result) Sentence() string {
	tail := fmt.Sprintf("at %s requests per second for %s", formatRate(r.OfferedRate), formatSeconds(r.DurationSeconds))
	switch r.Verdict {
	case Pass:
		if len(r.SLO) == 0 {
			return fmt.Sprintf("Measured %s; no objective was set.", tail)
		}
		return fmt.Sprintf("Every objective held %s.", tail)
	case Fail:
		missed := 0
		for _, s := range r.SLO {
			if !s.OK {
				missed++
			}
		}
		return fmt.Sprintf("%d of %d objectives missed %s.", missed, len(r.SLO), tail)
	default:
		return fmt.Sprintf("This measurement %s cannot be trusted.", tail)
	}
}

func (r *Result) figures() []figure {
	t := r.Total
	return []figure{
		{"Requests", formatCount(t.Requests), fmt.Sprintf("%s/s achieved of %s/s", formatRate(r.AchievedRate), formatRate(r.OfferedRate))},
		{"Errors", formatCount(t.Errors), share(t.Errors, t.Requests) + " of requests"},
		{"Response time p50", formatMS(t.ResponseTime.P50), "service time " + formatMS(t.ServiceTime.P50)},
		{"Response time p99", formatMS(t.ResponseTime.P99), "service time " + formatMS(t.ServiceTime.P99)},
		{"Slowest", formatMS(t.ResponseTime.Max), fmt.Sprintf("%s in flight at most", formatCount(int64(r.InFlightMax)))},
		{"Schema violations", formatCount(t.SchemaViolations), formatCount(t.Validated) + " responses checked"},
	}
}

func (r *Result) facts() []fact {
	facts := []fact{
		{"Target", r.Target},
		{"Started", r.Started.Format("2006-01-02 15:04:05 UTC")},
		{"Seed", fmt.Sprint(r.Seed)},
		{"Schedule lag", fmt.Sprintf("p50 %s, p99 %s, max %s", formatMS(r.ScheduleLag.P50), formatMS(r.ScheduleLag.P99), formatMS(r.ScheduleLag.Max))},
		{"In flight", fmt.Sprintf("%d at most, bound %d", r.InFlightMax, r.InFlightBound)},
		{"Warm-up", fmt.Sprintf("%d requests, %d errors, %s", r.WarmUp.Requests, r.WarmUp.Errors, formatSeconds(r.WarmUp.Seconds))},
	}
	names := make([]string, 0, len(r.Facts))
	for name := range r.Facts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		facts = append(facts, fact{name, r.Facts[name]})
	}
	return facts
}

func (r *Result) problems() []problem {
	var out []problem
	if len(r.WarmUp.Samples) > 0 {
		out = append(out, problem{"Warm-up", "errors", r.WarmUp.Errors, r.WarmUp.Samples})
	}
	for _, o := range r.Operations {
		if len(o.ErrorSamples) > 0 {
			out = append(out, problem{o.Operation, "errors", o.Errors, o.ErrorSamples})
		}
		if len(o.ViolationSamples) > 0 {
			out = append(out, problem{o.Operation, "schema violations", o.SchemaViolations, o.ViolationSamples})
		}
	}
	return out
}

// statuses lists the statuses of an operation: "200 × 31, 404 × 2".
func statuses(s Stats) string {
	codes := make([]string, 0, len(s.Status))
	for c := range s.Status {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	for i, c := range codes {
		codes[i] = fmt.Sprintf("%s\u00a0×\u00a0%s", c, formatCount(s.Status[c]))
	}
	return strings.Join(codes, ", ")
}
