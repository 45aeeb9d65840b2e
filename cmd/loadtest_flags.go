package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/loadtest"
)

// options turns the flags into options, with every wrong one reported at once,
// after the problems that are known already.
func (o *loadtestOptions) options(st *state.State, problems problem.List) (loadtest.Options, error) {
	check := func(bad bool, message, hint string) {
		if bad {
			problems = append(problems, &problem.Problem{Code: "flag", Message: message, Hint: hint})
		}
	}
	rate, duration := o.rate > 0 && o.rate <= maxRate, o.duration > 0 && o.duration <= maxDuration
	check(!rate, fmt.Sprintf("--rate %g is not between 0 and %d", o.rate, maxRate), "write --rate 100")
	check(!duration, fmt.Sprintf("--duration %s is not between 0 and %s", o.duration, maxDuration), "write --duration 10s")
	requests := o.rate * o.duration.Seconds()
	check(rate && duration && (requests < 1 || requests > maxRequests),
		fmt.Sprintf("--rate %g for --duration %s makes %.3g requests", o.rate, o.duration, requests), fmt.Sprintf("choose between 1 and %d", maxRequests))
	check(o.maxInFlight < 0, fmt.Sprintf("--max-in-flight %d is negative", o.maxInFlight), "leave it out for 10000")
	check(o.timeout < 0, fmt.Sprintf("--timeout %s is negative", o.timeout), "leave it out for 10s")
	if o.out != "" {
		folder := filepath.Dir(o.out)
		check(st.IsDir(o.out), fmt.Sprintf("--out %s is a folder", o.out), "name a file in it")
		if !st.IsDir(folder) {
			check(true, fmt.Sprintf("--out %s: there is no folder %s", o.out, folder), "create it, or choose another place")
		} else if err := st.Writable(folder); err != nil {
			check(true, fmt.Sprintf("--out %s: the folder cannot be written to: %v", o.out, err), "choose another place")
		}
	}
	var slos []loadtest.SLO
	for _, text := range o.slo {
		parsed, err := loadtest.ParseSLO(text)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				message, hint := splitHint(line)
				check(true, "--slo: "+message, cmp.Or(hint, "write --slo 'p99<50ms'"))
			}
		}
		slos = append(slos, parsed...)
	}
	slos = append(slos, standing(slos)...)
	return loadtest.Options{
		Rate: o.rate, Duration: o.duration, Seed: o.seed, MaxInFlight: o.maxInFlight, Timeout: o.timeout, SLOs: slos,
		Rerun: o.rerun(),
		Facts: map[string]string{
			"cores": fmt.Sprint(runtime.NumCPU()), "system": runtime.GOOS + "/" + runtime.GOARCH, "go": runtime.Version(), "backend": version(),
		},
	}, problems.Err()
}

// standing are the objectives that hold unless the user sets others on the same
// metric: a server that errs or breaks its document does not pass, however fast.
func standing(given []loadtest.SLO) (out []loadtest.SLO) {
	for metric, text := range map[loadtest.Metric]string{
		loadtest.MetricErrors: "errors<=0", loadtest.MetricViolations: "schema_violations<=0",
	} {
		if slices.ContainsFunc(given, func(s loadtest.SLO) bool { return s.Metric == metric }) {
			continue
		}
		if parsed, err := loadtest.ParseSLO(text); err == nil {
			out = append(out, parsed...)
		}
	}
	slices.SortFunc(out, func(a, b loadtest.SLO) int { return cmp.Compare(a.Expression, b.Expression) })
	return out
}

// urlProblems reports what is wrong with the flags that go with a URL.
func (o *loadtestOptions) urlProblems() problem.List {
	var problems problem.List
	add := func(message, hint string) {
		problems = append(problems, &problem.Problem{Code: "flag", Message: message, Hint: hint})
	}
	if bad := badURL(o.subject); bad != "" {
		add(fmt.Sprintf("%.100q %s", o.subject, bad), "write one such as http://127.0.0.1:8080")
	}
	if o.spec == "" {
		add("a URL needs its document", "add --spec FILE")
	}
	if o.admin != "" {
		if bad := badURL(o.admin); bad != "" {
			add(fmt.Sprintf("--admin %.100q %s", o.admin, bad), "write one such as http://127.0.0.1:9090")
		}
	}
	return problems
}

// badURL says what is wrong with a server's address, "" for nothing.
func badURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || !isURL(text):
		return "is not the address of a server"
	case u.RawQuery != "" || u.Fragment != "":
		return "has a query or a fragment, which a server's address has not"
	}
	return ""
}

// checkObjectives reports objectives of operations that there are not.
func (o *loadtestOptions) checkObjectives(options loadtest.Options) error {
	var problems problem.List
	var ids []string
	for _, op := range options.API.Operations {
		ids = append(ids, op.ID)
	}
	for _, slo := range options.SLOs {
		switch id := slo.Operation; {
		case id == "" || slices.Contains(ids, id):
		case slices.Contains(options.Stubs, id):
			problems = append(problems, &problem.Problem{Code: "flag", Message: fmt.Sprintf("--slo %s: %s is a stub, so it is not requested", slo.Expression, id), Hint: "override it, or drop the objective"})
		default:
			problems = append(problems, &problem.Problem{Code: "flag", Message: fmt.Sprintf("--slo %s: there is no operation %.60q", slo.Expression, id), Hint: didYouMean(id, ids, "the scaffold's coverage table lists them")})
		}
	}
	return problems.Err()
}

// rerun is the command that repeats this run.
func (o *loadtestOptions) rerun() string {
	command := fmt.Sprintf("%s --rate %g --duration %s --seed %d", o.command, o.rate, o.duration, o.seed)
	if o.target == targetSplit {
		command += " --target split"
	}
	if o.spec != "" {
		command += " --spec " + shellPath(o.spec)
	}
	if o.maxInFlight > 0 {
		command += fmt.Sprintf(" --max-in-flight %d", o.maxInFlight)
	}
	for _, slo := range o.slo {
		command += " --slo '" + strings.ReplaceAll(slo, "'", "") + "'"
	}
	return command
}

// scenario is loadtest/scenario.yaml of a project: what the flags default to.
type scenario struct {
	Rate        float64  `yaml:"rate"`
	Duration    string   `yaml:"duration"`
	SLO         []string `yaml:"slo"`
	Seed        uint64   `yaml:"seed"`
	MaxInFlight int      `yaml:"max_in_flight"`
}

// applyScenario takes from the project's scenario what was not given, and reports
// what is wrong with it.
func (o *loadtestOptions) applyScenario(st *state.State, c *cobra.Command, p *project) problem.List {
	file := projectFile(p.dir, "loadtest/scenario.yaml")
	shown := st.Rel(file)
	if !st.Exists(file) {
		return nil // the scenario is the user's, and optional
	}
	data, err := st.ReadFile(file)
	if err != nil {
		return problem.List{{Code: "scenario", File: shown, Message: "cannot be read: " + reason(err), Hint: "correct or remove it"}}
	}
	var s scenario
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil {
		return problem.List{scenarioProblem(shown, err)}
	}
	given := c.Flags().Changed
	if s.Rate != 0 && !given("rate") {
		o.rate = s.Rate
	}
	if s.Duration != "" && !given("duration") {
		d, err := time.ParseDuration(s.Duration)
		if err != nil {
			return problem.List{{Code: "scenario", File: shown, Message: fmt.Sprintf("duration %.40q is not a duration", s.Duration), Hint: "write 10s"}}
		}
		o.duration = d
	}
	if len(s.SLO) > 0 && !given("slo") {
		o.slo = s.SLO
	}
	if s.Seed != 0 && !given("seed") {
		o.seed = s.Seed
	}
	if s.MaxInFlight != 0 && !given("max-in-flight") {
		o.maxInFlight = s.MaxInFlight
	}
	return nil
}

// scenarioProblem gives an error of the YAML library its place.
func scenarioProblem(file string, err error) *problem.Problem {
	out := &problem.Problem{Code: "scenario", File: file, Message: "not valid YAML", Hint: "keys: rate, duration, slo, seed, max_in_flight"}
	var placed yaml.Error
	if errors.As(err, &placed) {
		out.Message = placed.GetMessage()
		if t := placed.GetToken(); t != nil {
			out.Line, out.Column = t.Position.Line, t.Position.Column
		}
	}
	return out
}

// splitHint takes the way out off an error of package loadtest, which is written
// "what · why · try …".
func splitHint(text string) (message, hint string) {
	if i := strings.LastIndex(text, " · try "); i >= 0 {
		return text[:i], text[i+len(" · try "):]
	}
	return text, ""
}
