package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/write"
)

type scaffoldOptions struct {
	name, spec, profile, dir, module string
	set                              []string
	dryRun, yes                      bool
}

func newScaffold(st *state.State, root *rootOptions) *cobra.Command {
	c := &cobra.Command{
		Use: "scaffold", Short: "Generate a project from an OpenAPI document, and keep it up to date", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	o := &scaffoldOptions{}
	create := &cobra.Command{
		Use:     "new NAME --spec FILE",
		Short:   "Generate a new project",
		Example: "  backend scaffold new shop --spec shop.yaml\n  backend scaffold new shop --spec shop.yaml --set cache.engine=none --dir /tmp/shop",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("arguments", fmt.Sprintf("scaffold new takes one name, not %d", len(args)), "backend scaffold new NAME --spec FILE")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return runScaffold(c.Context(), st, root, o)
		},
	}
	f := create.Flags()
	f.StringVar(&o.spec, "spec", "", "the OpenAPI document, `FILE`, YAML or JSON")
	f.StringVar(&o.profile, "profile", "monolith", "`PROFILE`: a preset or a profile file")
	f.StringArrayVar(&o.set, "set", nil, "change one key of the profile, `KEY=VALUE` (repeatable)")
	f.StringVar(&o.dir, "dir", "", "`DIR` to write into (default ./NAME)")
	f.StringVar(&o.module, "module", "", "Go module path (default example.com/NAME)")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be written, write nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer yes to every question (there are none today)")
	c.AddCommand(create, newUpdate(st, root))
	return c
}

// scaffoldResult is the JSON of scaffold new.
type scaffoldResult struct {
	Project       string           `json:"project"`
	Dir           string           `json:"dir"`
	Services      []string         `json:"services"`
	Files         int              `json:"files"`
	Lines         int              `json:"lines"`
	PlatformLines int              `json:"platform_lines"`
	ServiceLines  map[string]int   `json:"service_lines"`
	Seconds       float64          `json:"seconds"`
	DryRun        bool             `json:"dry_run"`
	Operations    operationCounts  `json:"operations"`
	Coverage      []coverageLine   `json:"coverage"`
	Stubs         []stubLine       `json:"stubs"`
	Webhooks      []webhookLine    `json:"webhooks"`
	Conflicts     []string         `json:"conflicts"`
	Warnings      []problemWarning `json:"warnings"`
	Plan          []plannedFile    `json:"plan,omitempty"`
}

type operationCounts struct {
	Total       int `json:"total"`
	Implemented int `json:"implemented"`
	Stubbed     int `json:"stubbed"`
	// Raw counts implemented operations with a part that travels as raw JSON.
	Raw int `json:"raw"`
}

type coverageLine struct {
	Operation string   `json:"operation"`
	Method    string   `json:"method"`
	Path      string   `json:"path"`
	Service   string   `json:"service"`
	Status    string   `json:"status"`
	Reason    string   `json:"reason,omitempty"`
	Assumed   []string `json:"assumed,omitempty"`
	Refused   []string `json:"refused,omitempty"`
	// Unchecked are parents in the path that nothing creates: they are taken as they come.
	Unchecked []string `json:"unchecked,omitempty"`
	// Lost are properties of requests that are not kept: those that are only written, say.
	Lost []string `json:"not_kept,omitempty"`
	// ReadOnly says that nothing in the document creates the rows.
	ReadOnly bool `json:"read_only,omitempty"`
	// Suggestion is an x-backend line that would make a stub do something.
	Suggestion string `json:"suggestion,omitempty"`
}

type stubLine struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Reason    string `json:"reason"`
}

// webhookLine is a request that the project can make: a webhook or a callback.
type webhookLine struct {
	Webhook string `json:"webhook"`
	Method  string `json:"method"`
	Service string `json:"service"`
	Sender  string `json:"sender"` // method of the service's Webhooks
	// Operation and URL are those of a callback.
	Operation string `json:"operation,omitempty"`
	URL       string `json:"url,omitempty"`
	// Reason says why the project cannot compute the URL.
	Reason string `json:"reason,omitempty"`
}

type problemWarning struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

type plannedFile struct {
	Path  string `json:"path"`
	Owner string `json:"owner"`
	Bytes int    `json:"bytes"`
}

func runScaffold(ctx context.Context, st *state.State, root *rootOptions, o *scaffoldOptions) error {
	if o.name == "" && o.spec == "" {
		return usage("missing", "scaffold new needs a name and a document", "backend scaffold new NAME --spec FILE (the wizard that asks is not in this build yet)")
	}
	result, err := scaffold(ctx, st, o)
	if err != nil {
		return err
	}
	if root.output == "json" {
		return printJSON(st, result)
	}
	printScaffold(st, result)
	return nil
}

// scaffold generates and, unless it is a dry run, writes a project.
func scaffold(ctx context.Context, st *state.State, o *scaffoldOptions) (*scaffoldResult, error) {
	began := st.Now()
	if err := generator.CheckName(o.name, o.module); err != nil {
		return nil, err
	}
	if o.spec == "" {
		return nil, usage("missing", "--spec is missing", "name the OpenAPI document: --spec FILE")
	}
	p, err := loadProfile(st, o.profile, o.set)
	if err != nil {
		return nil, err
	}
	dir := o.dir
	if dir == "" {
		dir = o.name
	}
	dir = st.Abs(dir)
	if err := write.Target(dir); err != nil {
		return nil, err
	}
	out, err := generator.Generate(ctx, generator.Request{
		Name: o.name, Module: o.module, Spec: o.spec, Profile: p, Read: st.ReadFile, Generator: version(),
	})
	if err != nil {
		return nil, err
	}
	if !o.dryRun {
		if err := write.New(ctx, dir, out.Plan); err != nil {
			return nil, err
		}
	}
	result := summarize(out, dir)
	result.DryRun = o.dryRun
	if o.dryRun {
		for _, f := range out.Plan.Files {
			result.Plan = append(result.Plan, plannedFile{f.Path, string(f.Owner), len(f.Data)})
		}
	}
	result.Seconds = st.Now().Sub(began).Seconds()
	return result, nil
}

// loadProfile reads a preset or a file, and changes some of its keys.
func loadProfile(st *state.State, name string, set []string) (*profile.Profile, error) {
	p, err := profile.Preset(name)
	if err != nil && (strings.ContainsAny(name, "./\\") || st.Exists(name)) {
		data, readErr := st.ReadFile(name)
		if readErr != nil {
			return nil, problem.List{{Code: "profile-missing", File: name, Message: "the profile cannot be read", Hint: "name a preset (" + strings.Join(profile.Presets(), ", ") + ") or an existing file"}}
		}
		p, err = profile.Parse(name, data)
	}
	if err != nil {
		return nil, err
	}
	var problems problem.List
	for _, assignment := range set {
		if err := p.Set(assignment); err != nil {
			problems = append(problems, problem.Of(err)...)
		}
	}
	return p, problems.Err()
}

func summarize(out *generator.Output, dir string) *scaffoldResult {
	all := func(string) bool { return true }
	result := &scaffoldResult{
		Project: out.Project.Name, Dir: dir, Files: len(out.Plan.Files), Lines: out.Plan.Lines(all), ServiceLines: map[string]int{},
		PlatformLines: out.Plan.Lines(func(p string) bool { return strings.HasPrefix(p, "internal/platform/") }),
		Coverage:      []coverageLine{}, Stubs: []stubLine{}, Conflicts: []string{}, Warnings: []problemWarning{}, Services: []string{}, Webhooks: []webhookLine{},
	}
	for _, s := range out.Project.Services {
		result.Services = append(result.Services, s.Name)
		prefix := "internal/" + s.Package + "/"
		for _, c := range s.Calls {
			line := webhookLine{Webhook: c.Name, Method: c.Method, Service: s.Name, Sender: c.GoName, URL: c.URL, Reason: c.Reason}
			if c.Of != nil {
				line.Operation = c.Of.ID
			}
			result.Webhooks = append(result.Webhooks, line)
		}
		result.ServiceLines[s.Name] = out.Plan.Lines(func(p string) bool { return strings.HasPrefix(p, prefix) && strings.HasSuffix(p, ".go") })
	}
	for _, c := range out.Project.Coverage {
		result.Operations.Total++
		op := c.Operation
		line := coverageLine{op.ID, op.Method, op.Path, c.Service, string(c.Status), c.Reason, c.Assumed, c.Refused, c.Unchecked, c.Lost, c.ReadOnly, ""}
		if c.Hint != nil {
			line.Suggestion = "x-backend: " + c.Hint.String()
		}
		result.Coverage = append(result.Coverage, line)
		if c.Status == model.Stubbed {
			result.Operations.Stubbed++
			result.Stubs = append(result.Stubs, stubLine{op.ID, op.Method, op.Path, c.Reason})
			continue
		}
		result.Operations.Implemented++
		if c.Status == model.RawTyped {
			result.Operations.Raw++
		}
	}
	for _, w := range out.Warnings {
		result.Warnings = append(result.Warnings, problemWarning{w.File, w.Line, w.Column, w.Code, w.Message})
	}
	return result
}

func printWarning(st *state.State, w problemWarning) {
	place := problem.Problem{File: w.File, Line: w.Line, Column: w.Column, Message: w.Message}
	st.Printf("note: %s\n", cell(place.Error()))
}

func printScaffold(st *state.State, r *scaffoldResult) {
	printCoverage(st, r)
	for _, w := range r.Warnings {
		printWarning(st, w)
	}
	verb := "Wrote"
	if r.DryRun {
		for _, f := range r.Plan {
			st.Printf("  %-12s %7d  %s\n", f.Owner, f.Bytes, cell(f.Path))
		}
		verb = "Would write"
	}
	dir := printable(st.Rel(r.Dir))
	st.Printf("\n%s %s: %d files, %d lines (%d of them platform) in %.1f s.\n", verb, dir, r.Files, r.Lines, r.PlatformLines, r.Seconds)
	if !r.DryRun {
		st.Printf("Next: backend run %s    or without this tool: cd %s && make run\n", shellPath(dir), shellPath(dir))
	}
}

// shellPath quotes a path for a shell when it needs it.
func shellPath(p string) string {
	if strings.ContainsAny(p, " '\"$`\\!*?(){}[]<>|&;#~\t\n") {
		return "'" + strings.ReplaceAll(p, "'", `'\''`) + "'"
	}
	return p
}

func printCoverage(st *state.State, r *scaffoldResult) {
	st.Printf("%s: %s, %s: %d implemented, %s\n\n", r.Project, count(len(r.Services), "service"), count(r.Operations.Total, "operation"),
		r.Operations.Implemented, count(r.Operations.Stubbed, "stub"))
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 2, 4, 2, ' ', 0)
	for _, c := range r.Coverage {
		mark := "✓"
		if c.Status == string(model.Stubbed) {
			mark = "·"
		}
		note := c.Reason
		if len(c.Assumed) > 0 {
			note = strings.TrimPrefix(note+"; assumed: "+strings.Join(c.Assumed, ", "), "; ")
		}
		if len(c.Refused) > 0 {
			note = strings.TrimPrefix(note+"; refused when sent (501): "+strings.Join(c.Refused, ", "), "; ")
		}
		if len(c.Lost) > 0 {
			note = strings.TrimPrefix(note+"; not kept: "+strings.Join(c.Lost, ", "), "; ")
		}
		if c.ReadOnly && c.Status != string(model.Stubbed) {
			note = strings.TrimPrefix(note+"; nothing creates its rows: they come from SQL, or from your code", "; ")
		}
		if len(c.Unchecked) > 0 {
			note = strings.TrimPrefix(note+"; taken as it comes: "+strings.Join(c.Unchecked, ", "), "; ")
		}
		if c.Suggestion != "" {
			note += "; try " + c.Suggestion
		}
		_, _ = fmt.Fprintf(table, "  %s %s\t%s\t%s\t%s\n", mark, c.Method, clip(cell(c.Path), 60), c.Status, clip(cell(note), 120))
	}
	_ = table.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(text.String()) {
		st.Printf("%s\n", strings.TrimRight(line, " \n"))
	}
	if n := len(r.Webhooks); n > 0 {
		st.Printf("\n%s for webhooks and callbacks, which overrides call: webhooks.gen.go\n", count(n, "typed sender"))
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// projectFile joins a project's folder with a path inside it.
func projectFile(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
