package cmd

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/e6b96b0c/backend/cmd/state"
)

const rootLong = `backend turns an OpenAPI document plus a short architecture profile into a complete
Go backend that runs at once on real persisted data, load-tests what it generated,
and says in numbers whether that architecture is worth its price.

Start with:  backend demo`

// rootOptions are what every command takes.
type rootOptions struct {
	output string
}

func newRoot(st *state.State) *cobra.Command {
	o := &rootOptions{}
	root := &cobra.Command{
		Use: "backend", Short: "From an OpenAPI document to a running, measured Go backend", Long: rootLong,
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := applySettings(st, c); err != nil {
				return err
			}
			if o.output != "text" && o.output != "json" {
				return usage("output", fmt.Sprintf("--output %.20q is neither text nor json", o.output), "write --output json")
			}
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&o.output, "output", "o", "text", "text or json; JSON is all that goes to stdout")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("flag", err.Error(), fmt.Sprintf("`%s --help` lists the flags", c.CommandPath()))
	})
	root.AddCommand(newDemo(st, o), newScaffold(st, o), newRun(st, o), newLoadtest(st, o), newVersion(st, o))
	root.AddCommand(planned()...)
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("`%s --help`", c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return usage("command", fmt.Sprintf("unknown command %.60q", args[0]), hint)
}

// planned are commands of the design that this build does not have; they say so.
func planned() []*cobra.Command {
	var out []*cobra.Command
	for _, name := range []string{"validate", "diff", "wizard", "profile", "advise", "doctor"} {
		out = append(out, &cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return usage("planned", fmt.Sprintf("`backend %s` is not in this build yet", name), "`backend --help` lists what is")
			},
		})
	}
	return out
}

// applySettings fills flags that were not given from BACKEND_* variables, then
// .backend.yaml in this folder, then the user's own settings.
func applySettings(st *state.State, c *cobra.Command) error {
	v := viper.New()
	v.SetEnvPrefix("BACKEND")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	files := []string{".backend.yaml"}
	if dir := st.UserConfigDir(); dir != "" {
		files = append([]string{filepath.Join(dir, "backend", "config.yaml")}, files...)
	}
	for _, file := range files {
		if !st.Exists(file) || st.IsDir(file) {
			continue
		}
		v.SetConfigFile(file)
		if err := v.MergeInConfig(); err != nil {
			return usage("settings", fmt.Sprintf("%s: %v", file, err), "fix or remove the file")
		}
	}
	var failed error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || failed != nil || f.Name == "help" || !v.IsSet(f.Name) {
			return
		}
		if err := f.Value.Set(v.GetString(f.Name)); err != nil {
			failed = usage("settings", fmt.Sprintf("setting %s=%.60q: %v", f.Name, v.GetString(f.Name), err), "")
		}
	})
	return failed
}

// printJSON writes v as one line of JSON, the only thing on stdout.
func printJSON(st *state.State, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	_, err = fmt.Fprintln(st.Stdout, string(text))
	return err
}
