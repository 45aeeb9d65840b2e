package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The escape sequences of a terminal that shows colours.
const (
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

// Text writes a summary for a terminal: the verdict first, then a table. What
// the server sent is stripped of control characters.
func (r *Result) Text(w io.Writer, color bool) {
	p := painter{color: color}
	p.verdict(r)
	p.figures(r)
	p.objectives(r)
	p.table(r)
	p.problems(r)
	p.rest(r)
	_, _ = io.WriteString(w, p.b.String()) // a closed terminal is not ours to report
}

type painter struct {
	b     strings.Builder
	color bool
}

func (p *painter) paint(code, s string) string {
	if !p.color {
		return s
	}
	return code + s + reset
}

func (p *painter) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

func (p *painter) verdict(r *Result) {
	code := map[string]string{Pass: green, Fail: red, Invalid: yellow}[r.Verdict]
	p.line("%s  %s", p.paint(bold+code, strings.ToUpper(r.Verdict)), r.Sentence())
	for _, why := range r.Reasons {
		p.line("  - %s", printable(why))
	}
	if r.Setting != "" {
		p.line("%s", p.paint(faint, printable(r.Setting)))
	}
	p.line("")
}

func (p *painter) figures(r *Result) {
	t := r.Total
	p.line("%s requests, %s/s of %s/s offered; %s errors (%s); %s schema violations in %s checked",
		formatCount(t.Requests), formatRate(r.AchievedRate), formatRate(r.OfferedRate),
		formatCount(t.Errors), share(t.Errors, t.Requests), formatCount(t.SchemaViolations), formatCount(t.Validated))
	p.line("response time p50 %s, p90 %s, p95 %s, p99 %s, max %s",
		formatMS(t.ResponseTime.P50), formatMS(t.ResponseTime.P90), formatMS(t.ResponseTime.P95), formatMS(t.ResponseTime.P99), formatMS(t.ResponseTime.Max))
	p.line("%s", p.paint(faint, fmt.Sprintf("service time p50 %s, p99 %s; schedule lag p99 %s; %d in flight at most",
		formatMS(t.ServiceTime.P50), formatMS(t.ServiceTime.P99), formatMS(r.ScheduleLag.P99), r.InFlightMax)))
	p.line("")
}

func (p *painter) objectives(r *Result) {
	for _, s := range r.SLO {
		mark := p.paint(green, "held  ")
		if !s.OK {
			mark = p.paint(red, "missed")
		}
		p.line("%s  %-32s %s", mark, printable(s.Expression), s.Shown())
	}
	if len(r.SLO) > 0 {
		p.line("")
	}
}

// maxName is the widest operation name of the table, in characters.
const maxName = 32

func (p *painter) table(r *Result) {
	if len(r.Operations) == 0 {
		return
	}
	width := len("OPERATION")
	for _, o := range r.Operations {
		width = max(width, min(maxName, utf8.RuneCountInString(printable(o.Operation))))
	}
	row := "%-*s %9s %7s %9s %9s %9s  %s"
	p.line("%s", p.paint(faint, fmt.Sprintf(row, width, "OPERATION", "REQUESTS", "ERRORS", "P50", "P99", "MAX", "STATUSES")))
	for _, o := range r.Operations {
		errs := fmt.Sprintf("%7s", formatCount(o.Errors))
		if o.Errors > 0 {
			errs = p.paint(red, errs)
		}
		p.line("%-*s %9s %s %9s %9s %9s  %s", width, cut(printable(o.Operation), width), formatCount(o.Requests), errs,
			formatMS(o.ResponseTime.P50), formatMS(o.ResponseTime.P99), formatMS(o.ResponseTime.Max), strings.ReplaceAll(statuses(o.Stats), "\u00a0", " "))
	}
	p.line("")
}

// shownSamples is how many samples of an operation the summary shows; the report
// has the others.
const shownSamples = 1

func (p *painter) problems(r *Result) {
	for _, pr := range r.problems() {
		p.line("%s: %s %s", printable(pr.Title), formatCount(pr.Count), pr.Kind)
		for _, s := range pr.Samples[:min(len(pr.Samples), shownSamples)] {
			p.line("  %s", p.paint(red, printable(s.Message)))
			p.line("  %s", printable(s.Request))
			if s.Body != "" {
				p.line("  %s", p.paint(faint, printable(s.Body)))
			}
		}
		p.line("")
	}
}

func (p *painter) rest(r *Result) {
	for _, s := range r.NeverSucceeded {
		p.line("never succeeded: %s: %s", printable(s.Operation), printable(s.Reason))
	}
	for _, s := range r.NotExercised {
		p.line("not requested: %s: %s", printable(s.Operation), printable(s.Reason))
	}
	if len(r.Stubs) > 0 {
		p.line("left out as stubs: %s", printable(strings.Join(r.Stubs, ", ")))
	}
	if r.Report != "" {
		p.line("report: %s", r.Report)
	}
}

// printable drops what could move a terminal's cursor or hide text: control and
// formatting characters; line ends become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		default:
			return r
		}
	}, s)
}

func cut(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	return string(runes[:width-1]) + "…"
}
