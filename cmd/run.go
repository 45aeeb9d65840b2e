package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
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
it in order; its log goes to stderr.`,
		Example: "  backend run shop\n  backend run shop --addr 127.0.0.1:0 --output json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("arguments", "run takes one folder", "backend run [DIR]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = "."
			if len(args) == 1 {
				o.dir = args[0]
			}
			return runRun(c.Context(), st, root, o)
		},
	}
	c.Flags().StringVar(&o.addr, "addr", "", "public address, `HOST:PORT`; port 0 picks a free one (default $ADDR or 127.0.0.1:8080)")
	c.Flags().StringVar(&o.target, "target", "all", "what to run, `TARGET`: all")
	return c
}

// readyResult is the one line of JSON that run prints.
type readyResult struct {
	Ready   bool    `json:"ready"`
	URL     string  `json:"url"`
	Admin   string  `json:"admin"`
	PID     int     `json:"pid"`
	Seconds float64 `json:"seconds"`
}

func runRun(ctx context.Context, st *state.State, root *rootOptions, o *runOptions) error {
	began := st.Now()
	if o.target != "all" {
		return usage("target", fmt.Sprintf("--target %.40q is not in this build yet", o.target), "use --target all")
	}
	var env []string
	if o.addr != "" {
		if err := checkAddr(o.addr); err != nil {
			return err
		}
		env = append(env, "ADDR="+o.addr)
		if st.Getenv("ADMIN_ADDR") == "" {
			// A second project beside this one must not fight over the admin port.
			env = append(env, "ADMIN_ADDR=127.0.0.1:0")
		}
	}
	p, err := openProject(st, o.dir)
	if err != nil {
		return err
	}
	out := newProgress(st)
	out.Say("Building %s …", p.name)
	binary, err := p.build(ctx, st, out)
	if err != nil {
		return err
	}
	i, err := p.boot(ctx, st, binary, env, o.target, st.Stderr)
	if err != nil {
		return err
	}
	defer i.stop()
	took := st.Now().Sub(began)
	if root.output == "json" {
		err = printJSON(st, readyResult{true, i.URL, i.Admin, i.process.Pid(), took.Seconds()})
	} else {
		_, err = fmt.Fprintf(st.Stdout, "%s serves %s (admin %s), ready after %s. Ctrl-C stops it.\n", cell(p.name), i.URL, i.Admin, took.Round(10*time.Millisecond))
	}
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		i.stop()
		if code := i.process.ExitCode(); code != 0 {
			return &stopError{environment("stop", fmt.Sprintf("the project did not stop in order: it ended with code %d", code), "see its log above")}
		}
		return nil
	case <-i.process.Done():
		if code := i.process.ExitCode(); code != 0 {
			return environment("stopped", fmt.Sprintf("the project stopped by itself with code %d", code), "see its log above")
		}
		return nil
	}
}
