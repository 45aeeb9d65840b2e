package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
)

func newProfile(st *state.State, root *rootOptions) *cobra.Command {
	c := &cobra.Command{
		Use: "profile", Short: "Show architecture profiles, and propose lines for one", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newProfileList(st, root), newProfileShow(st, root), newProfileSuggest(st, root))
	return c
}

// presetLine is one line of profile list.
type presetLine struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

func newProfileList(st *state.State, root *rootOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the presets that --profile takes", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			var lines []presetLine
			for _, name := range profile.Presets() {
				lines = append(lines, presetLine{name, profile.Doc(name)})
			}
			if root.output == "json" {
				return printJSON(st, map[string]any{"presets": lines})
			}
			for _, l := range lines {
				st.Printf("%-14s %s\n", l.Name, l.Doc)
			}
			return nil
		},
	}
}

func newProfileShow(st *state.State, root *rootOptions) *cobra.Command {
	return &cobra.Command{
		Use: "show PROFILE", Short: "Print a preset, or a profile file with its defaults", Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("arguments", fmt.Sprintf("profile show takes one preset or file, not %d", len(args)), "backend profile show "+strings.Join(profile.Presets(), "|"))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := loadProfile(st, args[0], nil)
			if err != nil {
				return err
			}
			if root.output == "json" {
				return printJSON(st, map[string]any{"name": args[0], "yaml": string(p.YAML())})
			}
			st.Printf("%s", p.YAML())
			return nil
		},
	}
}

type suggestOptions struct {
	dir, spec, profile string
}

func newProfileSuggest(st *state.State, root *rootOptions) *cobra.Command {
	const takes = "profile suggest takes one folder, or --spec FILE"
	o := &suggestOptions{}
	c := &cobra.Command{
		Use:   "suggest [DIR] | --spec FILE",
		Short: "Propose what operations do that the document leaves open",
		Long: "Proposes a line for every operation that is a stub. Put those that are right below \"operations:\" in\n" +
			"backend.yaml; each was tried, and says whether the operation is implemented with it.",
		Example: "  backend profile suggest shop\n  backend profile suggest --spec shop.yaml",
		Args:    oneOf(&o.dir, takes, "backend profile suggest [DIR]"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && o.spec != "" {
				return usage("arguments", takes, "backend profile suggest [DIR]")
			}
			return runSuggest(c.Context(), st, root, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.spec, "spec", "", "an OpenAPI document instead of a project, `FILE`")
	f.StringVar(&o.profile, "profile", "monolith", "with --spec, `PROFILE`: a preset or a profile file")
	return c
}

// suggestResult is the JSON of profile suggest.
type suggestResult struct {
	Operations  suggestCounts    `json:"operations"`
	Suggestions []suggestionLine `json:"suggestions"`
}

type suggestCounts struct {
	Total       int `json:"total"`
	Implemented int `json:"implemented"`
	// With counts those that are implemented when every line is accepted.
	With int `json:"with_suggestions"`
}

type suggestionLine struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Reason    string `json:"reason"`
	// Line is for backend.yaml, below "operations:"; XBackend for the document.
	Line       string `json:"line"`
	XBackend   string `json:"x_backend"`
	Implements bool   `json:"implements"`
}

func runSuggest(ctx context.Context, st *state.State, root *rootOptions, o *suggestOptions) error {
	request, err := suggestRequest(st, o)
	if err != nil {
		return err
	}
	found, err := generator.Suggest(ctx, request)
	if err != nil {
		return err
	}
	result := suggestResult{Operations: suggestCounts{found.Total, found.Implemented, found.With}, Suggestions: []suggestionLine{}}
	for _, s := range found.Lines {
		op := s.Operation
		name := model.YAMLText(op.ID) + ": "
		line := suggestionLine{op.ID, op.Method, op.Path, s.Reason, name + s.Says.String(), "x-backend: " + s.Says.String(), s.Implements}
		result.Suggestions = append(result.Suggestions, line)
	}
	if root.output == "json" {
		return printJSON(st, result)
	}
	printSuggestions(st, &result)
	return nil
}

// suggestRequest is the generation of a project, or of a document alone.
func suggestRequest(st *state.State, o *suggestOptions) (generator.Request, error) {
	if o.spec != "" {
		p, err := loadProfile(st, o.profile, nil)
		return generator.Request{Name: "backend", Module: "example.com/backend", Spec: o.spec, Profile: p, Read: st.ReadFile}, err
	}
	p, err := findProject(st, o.dir)
	if err != nil {
		hints := problem.Of(err)
		hints[0].Hint = "name a project's folder, or a document: backend profile suggest --spec FILE"
		return generator.Request{}, hints
	}
	r, err := p.updateRequest(st, &updateOptions{})
	return r.Request, err
}

func printSuggestions(st *state.State, r *suggestResult) {
	n := r.Operations
	st.Printf("# %d of %s are implemented; with all of these lines, %d.\n", n.Implemented, count(n.Total, "operation"), n.With)
	if len(r.Suggestions) == 0 {
		return
	}
	st.Printf(`# Put the lines that are right below "operations:" in backend.yaml, then: backend scaffold update
#   store   what it answers is rows of its own, which nothing in the document writes: SQL or your code does
#   record  what was asked is kept, a row of a table of its own; acting on it is yours
#   stub    it is yours to write: the service's package has its types and its signature
operations:
`)
	for _, s := range r.Suggestions {
		st.Printf("  %-40s # %s %s: %s\n", s.Line, s.Method, cell(s.Path), cell(s.Reason))
	}
}
