package cmd

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/spec"
	"github.com/e6b96b0c/backend/loadtest"
)

type loadtestOptions struct {
	target, spec, token, admin, out string
	rate                            float64
	duration, timeout               time.Duration
	slo                             []string
	seed                            uint64
	maxInFlight                     int
	command                         string // what repeats the run
}

// Bounds of a load test from the command line.
const (
	maxRate     = 100_000
	maxDuration = 24 * time.Hour
)

func newLoadtest(st *state.State, root *rootOptions) *cobra.Command {
	o := &loadtestOptions{}
	c := &cobra.Command{
		Use: "loadtest [DIR|URL]", Short: "Load-test a generated project, or any server with its document",
		Long: `Drive a server with requests made from its OpenAPI document, at a fixed offered rate,
and say whether it kept its objectives. Given a project's folder, it builds and boots the
project on a fresh data folder first. Given a URL, --spec names the document.

Response times count from when a request was due, not from when it could be sent. What
cannot be trusted is called invalid (exit 5); a missed objective exits 4.

Objectives: [operation:ID:]METRIC<VALUE, such as p99<50ms, errors<=0, schema_violations<=0,
rate>=495, operation:createOrder:p95<20ms.`,
		Example: "  backend loadtest shop --rate 500 --duration 30s --slo 'p99<50ms'\n  backend loadtest http://127.0.0.1:8080 --spec shop.yaml --admin http://127.0.0.1:9090",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("arguments", "loadtest takes one folder or URL", "backend loadtest [DIR|URL]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.target = "."
			if len(args) == 1 {
				o.target = args[0]
			}
			o.command = "backend loadtest " + shellPath(o.target)
			result, err := runLoadtest(c.Context(), st, c, o)
			if err != nil {
				return err
			}
			return printResult(st, root, result)
		},
	}
	f := c.Flags()
	f.StringVar(&o.spec, "spec", "", "the document of the server at URL")
	f.Float64Var(&o.rate, "rate", 100, "requests per second to offer")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "for how long")
	f.StringArrayVar(&o.slo, "slo", nil, "objective, such as p99<50ms (repeatable)")
	f.Uint64Var(&o.seed, "seed", 1, "fixes the order of operations and every generated value")
	f.IntVar(&o.maxInFlight, "max-in-flight", 0, "bound on unanswered requests; a run that hits it is invalid (default 10000)")
	f.DurationVar(&o.timeout, "timeout", 0, "bound on one request (default 10s)")
	f.StringVar(&o.out, "out", "", "the HTML report (default loadtest/report.html in DIR, or ./report.html)")
	f.StringVar(&o.token, "token", "", "credential for the server at URL")
	f.StringVar(&o.admin, "admin", "", "admin address of the server at URL, for a development token")
	return c
}

// runLoadtest runs against a URL, or boots a project first.
func runLoadtest(ctx context.Context, st *state.State, c *cobra.Command, o *loadtestOptions) (*loadtest.Result, error) {
	if isURL(o.target) {
		if o.spec == "" {
			return nil, usage("spec", "a URL needs its document", "add --spec FILE")
		}
		options, err := o.options(st)
		if err != nil {
			return nil, err
		}
		return o.attackURL(ctx, st, options)
	}
	if o.spec != "" || o.token != "" || o.admin != "" {
		return nil, usage("flag", "--spec, --token and --admin go with a URL", "a project's folder brings its own document and tokens")
	}
	p, err := openProject(st, o.target)
	if err != nil {
		return nil, err
	}
	if err := o.applyScenario(st, c, p); err != nil {
		return nil, err
	}
	options, err := o.options(st)
	if err != nil {
		return nil, err
	}
	out := newProgress(st)
	out.Say("Building %s …", p.name)
	binary, err := p.build(ctx, st, out)
	if err != nil {
		return nil, err
	}
	return o.attackProject(ctx, st, p, binary, options)
}

// options turns the flags into options, with every wrong one reported at once.
func (o *loadtestOptions) options(st *state.State) (loadtest.Options, error) {
	var problems problem.List
	check := func(bad bool, message, hint string) {
		if bad {
			problems = append(problems, &problem.Problem{Code: "flag", Message: message, Hint: hint})
		}
	}
	check(!(o.rate > 0) || o.rate > maxRate, fmt.Sprintf("--rate %g is not between 0 and %d", o.rate, maxRate), "write --rate 100")
	check(o.duration <= 0 || o.duration > maxDuration, fmt.Sprintf("--duration %s is not between 0 and %s", o.duration, maxDuration), "write --duration 10s")
	check(o.maxInFlight < 0, fmt.Sprintf("--max-in-flight %d is negative", o.maxInFlight), "")
	check(o.timeout < 0, fmt.Sprintf("--timeout %s is negative", o.timeout), "")
	check(o.out != "" && st.IsDir(o.out), fmt.Sprintf("--out %s is a folder", o.out), "name a file")
	var slos []loadtest.SLO
	if len(o.slo) > 0 {
		parsed, err := loadtest.ParseSLO(strings.Join(o.slo, ","))
		if err != nil {
			check(true, "--slo: "+err.Error(), "write --slo 'p99<50ms'")
		}
		slos = parsed
	}
	return loadtest.Options{
		Rate: o.rate, Duration: o.duration, Seed: o.seed, MaxInFlight: o.maxInFlight, Timeout: o.timeout, SLOs: slos,
		Rerun: o.rerun(),
		Facts: map[string]string{
			"cores": fmt.Sprint(runtime.NumCPU()), "system": runtime.GOOS + "/" + runtime.GOARCH, "go": runtime.Version(), "backend": version(),
		},
	}, problems.Err()
}

// rerun is the command that repeats this run.
func (o *loadtestOptions) rerun() string {
	command := fmt.Sprintf("%s --rate %g --duration %s --seed %d", o.command, o.rate, o.duration, o.seed)
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

func (o *loadtestOptions) applyScenario(st *state.State, c *cobra.Command, p *project) error {
	file := projectFile(p.dir, "loadtest/scenario.yaml")
	data, err := st.ReadFile(file)
	if err != nil {
		return nil //nolint:nilerr // the scenario is the user's, and optional
	}
	var s scenario
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return problem.List{{Code: "scenario", File: file, Message: text, Hint: "keys: rate, duration, slo, seed, max_in_flight"}}
	}
	given := func(flag string) bool { return c != nil && c.Flags().Changed(flag) }
	if s.Rate != 0 && !given("rate") {
		o.rate = s.Rate
	}
	if s.Duration != "" && !given("duration") {
		d, err := time.ParseDuration(s.Duration)
		if err != nil {
			return problem.List{{Code: "scenario", File: file, Message: fmt.Sprintf("duration %.40q is not a duration", s.Duration), Hint: "write 10s"}}
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

func (o *loadtestOptions) attackURL(ctx context.Context, st *state.State, options loadtest.Options) (*loadtest.Result, error) {
	doc, err := spec.Load(st.ReadFile, o.spec)
	if err != nil {
		return nil, err
	}
	options.BaseURL, options.API, options.Validate = o.target, doc.API, doc.ResponseValidator()
	switch {
	case o.token != "":
		options.Token = func(context.Context, []string) (string, error) { return o.token, nil }
	case o.admin != "":
		options.Token = devToken(strings.TrimRight(o.admin, "/"))
	}
	options.Facts["setting"] = "external server"
	report := o.out
	if report == "" {
		report = "report.html"
	}
	return attack(ctx, st, options, st.Abs(report))
}

// attackProject boots a built project on a fresh data folder, drives it, and stops
// it again.
func (o *loadtestOptions) attackProject(ctx context.Context, st *state.State, p *project, binary string, options loadtest.Options) (*loadtest.Result, error) {
	data, remove, err := st.TempDir("backend-loadtest-")
	if err != nil {
		return nil, environment("temp", "no temporary folder: "+err.Error(), "set TMPDIR")
	}
	defer remove()
	logs, err := st.Create(p.logFile())
	if err != nil {
		return nil, environment("log", "the log cannot be written: "+err.Error(), "")
	}
	defer func() { _ = logs.Close() }()
	i, err := p.boot(ctx, st, binary, embedded(data), "all", logs)
	if err != nil {
		return nil, err
	}
	defer i.stop()
	if err := p.documents(st, &options); err != nil {
		return nil, err
	}
	options.BaseURL = i.URL
	options.Token = devToken(i.Admin)
	options.Facts["setting"] = "one process, embedded SQLite, in-process cache"
	report := o.out
	if report == "" {
		report = projectFile(p.dir, "loadtest/report.html")
	}
	return attack(ctx, st, options, st.Abs(report))
}

// embedded is the environment of a project on its embedded parts only, on free
// ports; it clears what the user's own environment would swap in.
func embedded(data string) []string {
	return []string{
		"ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR=" + data, "DATABASE_URL=", "AUTH_ISSUER=", "AUTH_JWKS_URL=",
	}
}

// documents loads what the project serves into options: the served document, and
// from the input document the stubs that the user has overridden since. Stubs
// that are left are named.
func (p *project) documents(st *state.State, options *loadtest.Options) error {
	served, err := spec.Load(st.ReadFile, projectFile(p.dir, "api/served.gen.yaml"))
	if err != nil {
		return err
	}
	whole, err := spec.Load(st.ReadFile, projectFile(p.dir, "api/openapi.yaml"))
	if err != nil {
		return err
	}
	overridden, err := p.overrides(st)
	if err != nil {
		return err
	}
	api := *served.API
	byHand := map[*model.Operation]bool{}
	for _, op := range whole.API.Operations {
		if slices.ContainsFunc(api.Operations, func(s *model.Operation) bool { return s.Method == op.Method && s.Path == op.Path }) {
			continue
		}
		if overridden[op.ID] {
			api.Operations = append(api.Operations, op)
			byHand[op] = true
			continue
		}
		options.Stubs = append(options.Stubs, op.ID)
	}
	generated, input := served.ResponseValidator(), whole.ResponseValidator()
	options.API = &api
	options.Validate = func(op *model.Operation, status int, header http.Header, body []byte) error {
		if byHand[op] {
			return input(op, status, header, body)
		}
		return generated(op, status, header, body)
	}
	return nil
}

// attack runs the test with progress on stderr, and writes the reports.
func attack(ctx context.Context, st *state.State, options loadtest.Options, report string) (*loadtest.Result, error) {
	if !st.IsDir(filepath.Dir(report)) {
		return nil, usage("out", "the report's folder does not exist: "+filepath.Dir(report), "create it, or choose another place with --out")
	}
	out := newProgress(st)
	out.Say("Load-testing %s: %g requests/s for %s …", options.BaseURL, options.Rate, options.Duration)
	options.Progress = func(p loadtest.Progress) {
		if p.Phase != "load" {
			out.Now("warm-up: creating something to read …")
			return
		}
		out.Now("%5.1f s of %s  %d sent  %.0f/s  p99 %s  %d errors", p.Elapsed.Seconds(), p.Total, p.Sent, p.Rate, p.P99.Round(10*time.Microsecond), p.Errors)
	}
	options.ReportPath = report
	result, err := loadtest.Run(ctx, options)
	out.Done()
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &codeError{exitEnvironment, problem.List{{Code: "loadtest", Message: err.Error()}}}
	}
	return result, nil
}

// printResult prints the verdict and turns it into the exit code.
func printResult(st *state.State, root *rootOptions, r *loadtest.Result) error {
	if root.output == "json" {
		if err := printJSON(st, r); err != nil {
			return err
		}
	} else {
		r.Text(st.Stdout, st.Color)
	}
	if slices.Contains(r.Reasons, "interrupted") {
		return &codeError{exitInterrupted, nil}
	}
	if code := r.ExitCode(); code != exitOK {
		return &codeError{code, nil}
	}
	return nil
}
