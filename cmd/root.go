package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/problem"
)

const rootLong = `backend turns an OpenAPI document plus a short architecture profile into a complete
Go backend that runs at once on real persisted data, load-tests what it generated,
and says in numbers whether that architecture is worth its price.

Start with:  backend demo

Every flag can also be set by an environment variable (BACKEND_RATE=500), in
.backend.yaml of the project (rate: 500), or in backend/config.yaml of your
configuration folder; a flag beats the variable, and so on in that order.

Exit codes: 0 fine, 1 findings, 2 wrong usage or input, 3 environment (no Go, port
taken), 4 an objective was missed, 5 the measurement is invalid, 130 interrupted.`

// rootOptions are what every command takes.
type rootOptions struct {
	output string
	// given are the flags of the command line itself, without the settings.
	given map[string]bool
}

func newRoot(st *state.State) (*cobra.Command, *rootOptions) {
	o := &rootOptions{given: map[string]bool{}}
	root := &cobra.Command{
		Use: "backend", Short: "From an OpenAPI document to a running, measured Go backend", Long: rootLong,
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			c.Flags().Visit(func(f *pflag.Flag) { o.given[f.Name] = true })
			if err := applySettings(st, c, args); err != nil {
				return err
			}
			if o.output != "text" && o.output != "json" {
				return usage("output", fmt.Sprintf("--output %.20q is neither text nor json", o.output), "write --output json")
			}
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&o.output, "output", "o", "text", "`FORMAT`: text or json; JSON is all that goes to stdout")
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate(min(st.Width, maxHelpWidth)))
	root.AddCommand(newDemo(st, o), newScaffold(st, o), newProfile(st, o), newRun(st, o), newLoadtest(st, o), newVersion(st, o))
	root.AddCommand(planned()...)
	return root, o
}

// maxHelpWidth is where help wraps on a wide terminal: lines stay readable.
const maxHelpWidth = 100

// usageTemplate is cobra's, less the flags of commands that only hold others, and
// wrapped to width.
func usageTemplate(width int) string {
	return strings.ReplaceAll(`Usage:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{else}}
  {{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more about a command.{{end}}
`, "WIDTH", fmt.Sprint(width))
}

// oneOf takes at most one argument into to, "." without any. message and hint say what it
// takes.
func oneOf(to *string, message, hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		*to = "."
		switch len(args) {
		case 0:
		case 1:
			*to = args[0]
		default:
			return usage("arguments", message, hint)
		}
		return nil
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasAvailableSubCommands() {
		return usage("arguments", fmt.Sprintf("`%s` takes no arguments, but got %.60q", c.CommandPath(), args[0]), fmt.Sprintf("`%s --help`", c.CommandPath()))
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usage("command", fmt.Sprintf("unknown command %.60q", args[0]), didYouMean(args[0], names, fmt.Sprintf("`%s --help`", c.CommandPath())))
}

// didYouMean names the candidate nearest to word, or says otherwise.
func didYouMean(word string, candidates []string, otherwise string) string {
	if near := problem.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// flagError says what is wrong with a flag in the words of the command line rather
// than of the flag library.
func flagError(c *cobra.Command, err error) error {
	message, hint := err.Error(), fmt.Sprintf("`%s --help` lists the flags", c.CommandPath())
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		message = fmt.Sprintf("unknown flag -%.20s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		message = fmt.Sprintf("unknown flag --%.60s", unknown.GetSpecifiedName())
		if near := problem.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = fmt.Sprintf("did you mean --%s?", near)
		}
	case errors.As(err, &value):
		message = fmt.Sprintf("--%s %.60q is not %s", value.GetFlag().Name, value.GetValue(), kindOf(value.GetFlag()))
	case errors.As(err, &missing):
		message = fmt.Sprintf("--%s needs a value", missing.GetFlag().Name)
	}
	return usage("flag", message, hint)
}

// kindOf says what a flag's value must be.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "float64":
		return "a number"
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number from 0"
	case "duration":
		return "a duration such as 500ms, 10s or 2m"
	case "bool":
		return "true or false"
	}
	return "a value that it takes"
}

// planned are commands of the design that this build does not have; they say so.
func planned() []*cobra.Command {
	var out []*cobra.Command
	for _, name := range []string{"validate", "diff", "wizard", "advise", "doctor"} {
		out = append(out, &cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return usage("planned", fmt.Sprintf("`backend %s` is not in this build yet", name), "`backend --help` lists what is")
			},
		})
	}
	return out
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
