package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
	"github.com/e6b96b0c/backend/loadtest"
	"github.com/e6b96b0c/backend/testdata"
)

type demoOptions struct {
	dir      string
	rate     float64
	duration time.Duration
}

func newDemo(st *state.State, root *rootOptions) *cobra.Command {
	o := &demoOptions{}
	c := &cobra.Command{
		Use: "demo", Short: "The whole story: generate a shop, build it, boot it, load-test it", Args: noArgs,
		Long: `Scaffold the bundled shop document into a folder, write one override into it, build it,
boot it on embedded parts, load-test it, and print the verdict. It needs nothing but Go.`,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), st, root, o) },
	}
	c.Flags().StringVar(&o.dir, "dir", "", "`DIR` to write the shop into (default ./shop-demo, or the next free number)")
	c.Flags().Float64Var(&o.rate, "rate", 200, "requests per second to offer, `N`")
	c.Flags().DurationVar(&o.duration, "duration", 10*time.Second, "for how long, `DURATION`")
	return c
}

// demoResult is the JSON of demo.
type demoResult struct {
	Scaffold *scaffoldResult `json:"scaffold"`
	// FirstDataSeconds is the time from the command to the first row written and
	// read back over HTTP.
	FirstDataSeconds float64          `json:"first_data_seconds"`
	Loadtest         *loadtest.Result `json:"loadtest"`
}

func runDemo(ctx context.Context, st *state.State, root *rootOptions, o *demoOptions) error {
	began := st.Now()
	out := newProgress(st)
	dir := o.dir
	if dir == "" {
		dir = freeName(st, "shop-demo")
	}
	out.Say("1/4 Scaffolding the bundled shop document into %s …", dir)
	result, p, err := demoProject(ctx, st, dir)
	if err != nil {
		return err
	}
	out.Say("    %d files, %d lines; %d of %d operations work as generated",
		result.Files, result.Lines, result.Operations.Implemented, result.Operations.Total)
	out.Say("    cancelOrder is overridden by hand in internal/orders/cancel.go")
	out.Say("2/4 Building it (the first time compiles SQLite too: a minute or so) …")
	binary, err := p.build(ctx, st, out)
	if err != nil {
		return err
	}
	out.Say("3/4 Booting it on embedded parts …")
	first, err := p.firstData(ctx, st, binary)
	if err != nil {
		return err
	}
	took := st.Now().Sub(began)
	out.Say("    %s, after %s", first, took.Round(100*time.Millisecond))
	lt := &loadtestOptions{
		subject: result.Dir, target: targetAll, embedded: true, rate: o.rate, duration: o.duration, seed: 1, slo: []string{"p99<200ms", "errors<=0", "schema_violations<=0"},
		command: "backend loadtest " + shellPath(dir),
	}
	options, err := lt.options(st, nil)
	if err != nil {
		return err
	}
	if err := p.documents(st, &options); err != nil {
		return err
	}
	out.Say("4/4 Measuring it …")
	measured, err := lt.attackProject(ctx, st, p, binary, options)
	if err != nil {
		return err
	}
	if root.output == "json" {
		if err := printJSON(st, demoResult{result, took.Seconds(), measured}); err != nil {
			return err
		}
		return exitOf(ctx, measured)
	}
	measured.Text(st.Stdout, st.Color)
	st.Printf("\nWhere to look next:\n")
	for _, next := range [][2]string{
		{projectFile(dir, "internal/orders/http.gen.go"), "every operation of a service, with its requests and responses"},
		{projectFile(dir, "internal/orders/cancel.go"), "the override: a rule, a write, one unit of work"},
		{projectFile(dir, "loadtest/report.html"), "the report, in a browser"},
		{"backend run " + shellPath(dir), "run it on http://127.0.0.1:8080"},
	} {
		st.Printf("  %-40s  %s\n", next[0], next[1])
	}
	return exitOf(ctx, measured)
}

// freeName is name, or name-2, name-3, … when it is taken.
func freeName(st *state.State, name string) string {
	taken := func(n string) bool { return st.Exists(n) && !(st.IsDir(n) && len(st.ListDir(n)) == 0) }
	next := name
	for n := 2; taken(next) && n < 1000; n++ {
		next = fmt.Sprintf("%s-%d", name, n)
	}
	return next
}

// demoProject scaffolds the shop and adds the override.
func demoProject(ctx context.Context, st *state.State, dir string) (*scaffoldResult, *project, error) {
	temp, remove, err := st.TempDir("backend-demo-")
	if err != nil {
		return nil, nil, environment("temp", "no temporary folder: "+err.Error(), "set TMPDIR")
	}
	defer remove()
	spec := filepath.Join(temp, "shop.yaml")
	if err := st.WriteFile(spec, testdata.Shop); err != nil {
		return nil, nil, environment("temp", err.Error(), "set TMPDIR")
	}
	result, err := scaffold(ctx, st, &scaffoldOptions{name: "shop", spec: spec, profile: "monolith", dir: dir})
	if err != nil {
		return nil, nil, err
	}
	if err := st.WriteFile(projectFile(result.Dir, "internal/orders/cancel.go"), testdata.CancelOrder); err != nil {
		return nil, nil, environment("write", err.Error(), "")
	}
	p, err := openProject(st, result.Dir)
	return result, p, err
}

// firstData boots the project, writes a product over HTTP, reads it back, and
// stops the project again.
func (p *project) firstData(ctx context.Context, st *state.State, binary string) (string, error) {
	data, remove, err := st.TempDir("backend-demo-data-")
	if err != nil {
		return "", environment("temp", "no temporary folder: "+err.Error(), "set TMPDIR")
	}
	defer remove()
	running, err := p.boot(ctx, supervisor.Options{
		State: st, Path: binary, Env: embedded(st, data), Front: targetAll, Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0",
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = running.Stop() }() // its data was for this only
	at := running.Processes()[0]
	token, err := devToken(at.Admin)(ctx, []string{"products:write"})
	if err != nil {
		return "", environment("first", err.Error(), "")
	}
	body := `{"sku":"DEMO-1","name":"A first product","price":1999,"category":"books"}`
	status, answer, err := state.Send(ctx, http.MethodPost, at.URL+"/api/v1/products", token, body)
	var product struct {
		ID string `json:"id"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &product)
	}
	if err != nil || status != http.StatusCreated {
		return "", environment("first", fmt.Sprintf("POST /api/v1/products answered %d: %.200s", status, answer), "")
	}
	status, answer, err = state.Send(ctx, http.MethodGet, at.URL+"/api/v1/products/"+product.ID, "", "")
	if err != nil || status != http.StatusOK {
		return "", environment("first", fmt.Sprintf("GET of what was written answered %d: %.200s", status, answer), "")
	}
	return "first real data: POST /api/v1/products 201, GET of it 200", nil
}

// exitOf turns a verdict into the exit code.
func exitOf(ctx context.Context, r *loadtest.Result) error {
	if ctx.Err() != nil {
		return &codeError{exitInterrupted, nil}
	}
	if code := r.ExitCode(); code != exitOK {
		return &codeError{code, nil}
	}
	return nil
}
