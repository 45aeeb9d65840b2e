package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
)

type runOptions struct {
	dir, addr, target string
}

func newRun(st *state.State, root *rootOptions) *cobra.Command {
	o := &runOptions{}
	c := &cobra.Command{
		Use: "run [DIR]", Short: "Build and run a generated project",
		Long: `Build a generated project with the Go toolchain and run it: on its embedded parts, or
on those that DATABASE_URL and the other variables of its README name. Ctrl-C stops
it in order; its log goes to stderr.

It runs as one process. With --target split it runs as one process per service on
ports of their own and a gateway in front, at --addr; one that ends is started again.
With --target gateway or a service's name it runs that alone, and finds the others
by SERVICE_<NAME>_URL.`,
		Example: "  backend run shop\n  backend run shop --addr 127.0.0.1:0 --output json\n  backend run shop --target split",
		Args:    oneOf(&o.dir, "run takes one folder", "backend run [DIR]"),
		RunE:    func(c *cobra.Command, _ []string) error { return runRun(c.Context(), st, root, o) },
	}
	c.Flags().StringVar(&o.addr, "addr", "", "public address, `HOST:PORT`; port 0 picks a free one (default $ADDR or 127.0.0.1:8080)")
	c.Flags().StringVar(&o.target, "target", targetAll, "what to run, `TARGET`: all, split, gateway, or a service")
	return c
}

// readyResult is the one line of JSON that run prints. URL, admin address and pid
// are those of the process that clients talk to, the first of Processes.
type readyResult struct {
	Ready     bool                 `json:"ready"`
	URL       string               `json:"url"`
	Admin     string               `json:"admin"`
	PID       int                  `json:"pid"`
	Seconds   float64              `json:"seconds"`
	Target    string               `json:"target"`
	Processes []supervisor.Process `json:"processes"`
}

func runRun(ctx context.Context, st *state.State, root *rootOptions, o *runOptions) error {
	began := st.Now()
	start := supervisor.Options{State: st, Addr: o.addr, AdminAddr: st.Getenv("ADMIN_ADDR"), Log: st.Stderr}
	if o.addr == "" {
		start.Addr = st.Getenv("ADDR")
	} else if err := checkAddr(o.addr); err != nil {
		return err
	} else if start.AdminAddr == "" {
		// A second project beside this one must not fight over the admin port.
		start.AdminAddr = "127.0.0.1:0"
	}
	p, err := openProject(st, o.dir)
	if err != nil {
		return err
	}
	if start.Front, start.Services, err = p.processes(st, o.target); err != nil {
		return err
	}
	out := newProgress(st)
	out.Say("Building %s …", p.name)
	if start.Path, err = p.build(ctx, st, out); err != nil {
		return err
	}
	if len(start.Services) > 0 {
		out.Say("Starting %s, then the gateway …", count(len(start.Services), "service"))
	}
	running, err := p.boot(ctx, start)
	if err != nil {
		return err
	}
	defer func() { _ = running.Stop() }() // a second time it only returns
	if err := printReady(st, root, p.name, o.target, running.Processes(), st.Now().Sub(began)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-running.Failed():
	}
	stopped := running.Stop()
	var ended *supervisor.EndError
	switch err := running.Err(); {
	case errors.As(err, &ended) && ended.Code == 0:
		return nil
	case err != nil:
		return &stopError{environment("stopped", err.Error(), "see its log above")}
	case stopped != nil:
		return &stopError{environment("stop", strings.ReplaceAll(stopped.Error(), "\n", "; "), "see its log above")}
	}
	return nil
}

// printReady says what serves where.
func printReady(st *state.State, root *rootOptions, name, target string, processes []supervisor.Process, took time.Duration) error {
	front := processes[0]
	if root.output == "json" {
		return printJSON(st, readyResult{true, front.URL, front.Admin, front.PID, took.Seconds(), target, processes})
	}
	text := fmt.Sprintf("%s serves %s (admin %s), ready after %s. Ctrl-C stops it.\n", cell(name), front.URL, front.Admin, took.Round(10*time.Millisecond))
	if len(processes) > 1 {
		var table strings.Builder
		columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(columns, "TARGET\tURL\tADMIN\tPID") // a strings.Builder takes everything
		for _, p := range processes {
			_, _ = fmt.Fprintf(columns, "%s\t%s\t%s\t%d\n", p.Target, p.URL, p.Admin, p.PID)
		}
		_ = columns.Flush()
		text += table.String()
	}
	_, err := fmt.Fprint(st.Stdout, text)
	return err
}
