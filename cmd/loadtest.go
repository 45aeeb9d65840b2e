package cmd

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/spec"
	"github.com/e6b96b0c/backend/loadtest"
)

type loadtestOptions struct {
	subject, target         string // a folder or URL; what is run of a folder's project
	spec, token, admin, out string
	rate                    float64
	duration, timeout       time.Duration
	slo                     []string
	seed                    uint64
	maxInFlight             int
	embedded                bool   // whatever databases the environment names
	command                 string // what repeats the run
}

// Bounds of a load test from the command line.
const (
	maxRate     = 100_000
	maxDuration = 24 * time.Hour
	maxRequests = 1_000_000_000
)

func newLoadtest(st *state.State, root *rootOptions) *cobra.Command {
	o := &loadtestOptions{}
	c := &cobra.Command{
		Use: "loadtest [DIR|URL]", Short: "Load-test a generated project, or any server with its document",
		Long: `Drive a server with requests made from its OpenAPI document, at a fixed offered rate,
and say whether it kept its objectives. Given a project's folder, it builds and boots the
project on a fresh data folder first: as one process, or with --target split as one per
service and a gateway. If DATABASE_URL names a database server, it keeps to schemas of
its own there and drops them at the end. Given a URL, --spec names the document.

Response times count from when a request was due, not from when it could be sent. What
cannot be trusted is called invalid (exit 5); a missed objective exits 4.

errors<=0 and schema_violations<=0 are objectives too, unless others on the same metric are set.

Objectives: [operation:ID:]METRIC<VALUE, such as p99<50ms, errors<=0, schema_violations<=0,
rate>=495, operation:createOrder:p95<20ms.`,
		Example: "  backend loadtest shop --rate 500 --duration 30s --slo 'p99<50ms'\n  backend loadtest shop --target split\n  backend loadtest http://127.0.0.1:8080 --spec shop.yaml --admin http://127.0.0.1:9090",
		Args:    oneOf(&o.subject, "loadtest takes one folder or URL", "backend loadtest [DIR|URL]"),
		RunE: func(c *cobra.Command, _ []string) error {
			o.command = "backend loadtest " + shellPath(o.subject)
			result, err := runLoadtest(c, st, root, o)
			if err != nil {
				return err
			}
			return printResult(c.Context(), st, root, result)
		},
	}
	f := c.Flags()
	f.StringVar(&o.target, "target", targetAll, "what to run of the project in DIR, `TARGET`: all or split")
	f.StringVar(&o.spec, "spec", "", "the document of the server at URL, `FILE`")
	f.Float64Var(&o.rate, "rate", 100, "requests per second to offer, `N`")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "for how long, `DURATION`")
	f.StringArrayVar(&o.slo, "slo", nil, "`OBJECTIVE`, such as p99<50ms (repeatable)")
	f.Uint64Var(&o.seed, "seed", 1, "`N` fixes the order of operations and every generated value")
	f.IntVar(&o.maxInFlight, "max-in-flight", 0, "bound on unanswered requests, `N`; a run that hits it is invalid (default 10000)")
	f.DurationVar(&o.timeout, "timeout", 0, "bound on one request, `DURATION` (default 10s)")
	f.StringVar(&o.out, "out", "", "`FILE` for the HTML report (default loadtest/report.html in DIR, or ./report.html)")
	f.StringVar(&o.token, "token", "", "`CREDENTIAL` for the server at URL")
	f.StringVar(&o.admin, "admin", "", "admin address `URL` of the server, for a development token")
	return c
}

// runLoadtest runs against a URL, or boots a project first. What is wrong with the
// flags, the document and the objectives shows before anything is built.
func runLoadtest(c *cobra.Command, st *state.State, root *rootOptions, o *loadtestOptions) (*loadtest.Result, error) {
	ctx := c.Context()
	if isURL(o.subject) {
		problems := o.urlProblems()
		if root.given["target"] {
			problems = append(problems, &problem.Problem{Code: "flag", Message: "--target goes with a project's folder", Hint: "the server at a URL runs already"})
		}
		options, err := o.options(st, problems)
		if err != nil {
			return nil, err
		}
		return o.attackURL(ctx, st, options)
	}
	var problems problem.List
	if root.given["spec"] || root.given["token"] || root.given["admin"] {
		problems = append(problems, &problem.Problem{
			Code: "flag", Message: "--spec, --token and --admin go with a URL", Hint: "a project's folder brings its own document and tokens",
		})
	}
	if o.target != targetAll && o.target != targetSplit {
		problems = append(problems, &problem.Problem{
			Code: "flag", Message: fmt.Sprintf("--target %.60q is neither all nor split", o.target), Hint: didYouMean(o.target, []string{targetAll, targetSplit}, "write --target split"),
		})
	}
	p, err := openProject(st, o.subject)
	if err != nil {
		return nil, append(problems, problem.Of(err)...)
	}
	problems = append(problems, o.applyScenario(st, c, p)...)
	options, err := o.options(st, problems)
	if err != nil {
		return nil, err
	}
	if err := p.documents(st, &options); err != nil {
		return nil, err
	}
	if err := o.checkObjectives(options); err != nil {
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

func (o *loadtestOptions) attackURL(ctx context.Context, st *state.State, options loadtest.Options) (*loadtest.Result, error) {
	doc, err := spec.Load(st.ReadFile, o.spec)
	if err != nil {
		return nil, err
	}
	options.BaseURL, options.API, options.Validate = strings.TrimRight(o.subject, "/"), doc.API, doc.ResponseValidator()
	if err := o.checkObjectives(options); err != nil {
		return nil, err
	}
	switch {
	case o.token != "":
		options.Token = func(context.Context, []string) (string, error) { return o.token, nil }
	case o.admin != "":
		options.Token = devToken(strings.TrimRight(o.admin, "/"))
	}
	options.Setting = "external server"
	report := o.out
	if report == "" {
		report = "report.html"
	}
	return attack(ctx, newProgress(st), options, st.Abs(report))
}

// attackProject boots a built project on fresh data, drives it with what options
// say of its documents, and stops it again.
func (o *loadtestOptions) attackProject(ctx context.Context, st *state.State, p *project, binary string, options loadtest.Options) (*loadtest.Result, error) {
	start := supervisor.Options{State: st, Path: binary}
	var err error
	if start.Front, start.Services, err = p.processes(st, o.target); err != nil {
		return nil, err
	}
	data, remove, err := st.TempDir("backend-loadtest-")
	if err != nil {
		return nil, environment("temp", "no temporary folder: "+err.Error(), "set TMPDIR")
	}
	defer remove()
	where, err := o.fresh(st, p, data)
	if err != nil {
		return nil, err
	}
	logs, err := st.Create(p.logFile())
	if err != nil {
		return nil, environment("log", "the log cannot be written: "+err.Error(), "")
	}
	defer func() { _ = logs.Close() }()
	out := newProgress(st)
	start.Log = logs
	start.Report = func(sentence string) { out.Say("%s", cell(sentence)) }
	running, err := p.bootFresh(ctx, out, start, where)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := running.Stop(); err != nil {
			out.Say("%s", cell(where.left(err)))
		}
	}()
	processes := running.Processes()
	options.BaseURL = processes[0].URL
	options.Token = tokens(ctx, processes[0].Admin)
	options.Setting = where.describe(st, p, len(start.Services))
	options.Facts["processes"] = pids(processes)
	report := o.out
	if report == "" {
		report = projectFile(p.dir, "loadtest/report.html")
	}
	if err := st.MkdirAll(filepath.Dir(report)); err != nil {
		return nil, environment("report", "the report's folder cannot be made: "+reason(err), "choose another place with --out")
	}
	return attack(ctx, out, options, st.Abs(report))
}

// pids lists processes as "gateway 123, orders 124".
func pids(processes []supervisor.Process) string {
	var out []string
	for _, p := range processes {
		out = append(out, fmt.Sprintf("%s %d", p.Target, p.PID))
	}
	return strings.Join(out, ", ")
}

// documents loads what the project serves into options: the served document, and
// from the input document the stubs that the user has overridden since. Stubs
// that are left are named.
func (p *project) documents(st *state.State, options *loadtest.Options) error {
	whole, err := spec.Load(st.ReadFile, projectFile(p.dir, "api/openapi.yaml"))
	if err != nil {
		return err
	}
	served, err := spec.Load(st.ReadFile, projectFile(p.dir, "api/served.gen.yaml"))
	api := model.API{Security: whole.API.Security}
	switch {
	case err == nil:
		api = *served.API
	case problem.Of(err)[0].Code == "no-paths": // all are stubs, or written by hand
		served = whole
	default:
		return err
	}
	overridden, err := p.overrides(st)
	if err != nil {
		return err
	}
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
	if len(api.Operations) == 0 {
		return problem.List{{
			Code: "all-stubs", File: p.dir, Message: "every operation is a stub, so there is nothing to load",
			Hint: "write one of them, or see what `backend profile suggest` proposes",
		}}
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
func attack(ctx context.Context, out *progress, options loadtest.Options, report string) (*loadtest.Result, error) {
	out.Say("Load-testing %s: %g requests/s for %s (%s) …", options.BaseURL, options.Rate, options.Duration, options.Setting)
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
		message, hint := splitHint(err.Error())
		return nil, environment("loadtest", message, hint)
	}
	return result, nil
}

// printResult prints the verdict and turns it into the exit code.
func printResult(ctx context.Context, st *state.State, root *rootOptions, r *loadtest.Result) error {
	if root.output == "json" {
		if err := printJSON(st, r); err != nil {
			return err
		}
	} else {
		r.Text(st.Stdout, st.Color)
	}
	return exitOf(ctx, r)
}
