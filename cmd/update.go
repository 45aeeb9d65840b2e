package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/schema"
	"github.com/e6b96b0c/backend/generator/update"
	"github.com/e6b96b0c/backend/generator/write"
)

type updateOptions struct {
	dir, spec                 string
	set, rename               []string
	check, prune, destructive bool
}

func newUpdate(st *state.State, root *rootOptions) *cobra.Command {
	o := &updateOptions{}
	c := &cobra.Command{
		Use:   "update [DIR]",
		Short: "Regenerate a project after its document, its profile or backend changed",
		Long: "Regenerates a project and leaves what you wrote: your files are not touched, shared files are merged,\n" +
			"and a change of a table becomes a migration that keeps its rows.",
		Example: "  backend scaffold update\n  backend scaffold update shop --set database.engine=postgres\n" +
			"  backend scaffold update --rename orders.total=amount\n  backend scaffold update --check",
		Args: oneOf(&o.dir, "scaffold update takes one folder", "backend scaffold update [DIR]"),
		RunE: func(c *cobra.Command, _ []string) error { return runUpdate(c.Context(), st, root, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.check, "check", false, "write nothing; exit 1 when something would change")
	f.BoolVar(&o.prune, "prune", false, "remove files of yours that nothing needs any more, if you never edited them")
	f.BoolVar(&o.destructive, "allow-destructive", false, "write migrations that drop columns and tables that nothing uses any more")
	f.StringVar(&o.spec, "spec", "", "replace api/openapi.yaml by this document first, `FILE`")
	f.StringArrayVar(&o.set, "set", nil, "change one key of backend.yaml first, `KEY=VALUE` (repeatable)")
	f.StringArrayVar(&o.rename, "rename", nil, "a column or table that goes on under another name, `TABLE.OLD=NEW` or OLD=NEW (repeatable)")
	return c
}

func runUpdate(ctx context.Context, st *state.State, root *rootOptions, o *updateOptions) error {
	began := st.Now()
	p, err := findProject(st, o.dir)
	if err != nil {
		return err
	}
	if cut := write.CutOff(p.dir); cut && o.check {
		return &codeError{exitFindings, problem.List{{Code: "update-cut-off", File: p.dir, Message: "an update was cut off before all of it was in place", Hint: "backend scaffold update finishes it"}}}
	} else if cut {
		if err := write.Recover(p.dir); err != nil {
			return err
		}
	}
	request, err := p.updateRequest(st, o)
	if err != nil {
		return err
	}
	out, result, err := generator.Update(ctx, request)
	if err != nil {
		return inside(p.dir, err)
	}
	if len(result.Blocked) > 0 && !o.check {
		return &codeError{exitFindings, inside(p.dir, result.Blocked)}
	}
	if !o.check && len(result.Actions) > 0 {
		if err := write.Update(ctx, p.dir, result.Actions); err != nil {
			return inside(p.dir, err)
		}
	}
	shown := newUpdateResult(summarize(out, p.dir), result, o.check)
	shown.Seconds = st.Now().Sub(began).Seconds()
	if root.output == "json" {
		err = printJSON(st, shown)
	} else {
		printUpdate(st, shown, result)
	}
	if err != nil {
		return err
	}
	if o.check && !shown.UpToDate || len(result.Conflicts) > 0 || !o.check && len(result.Overrides) > 0 {
		return &codeError{code: exitFindings}
	}
	return nil
}

// inside puts the project's folder before the names of files in it.
func inside(dir string, err error) error {
	problems := problem.Of(err)
	for i, p := range problems {
		if p.File != "" && !strings.HasPrefix(p.File, "/") {
			moved := *p
			moved.File = projectFile(dir, p.File)
			problems[i] = &moved
		}
	}
	return problems
}

// updateRequest reads what a generation of the project is made from.
func (p *project) updateRequest(st *state.State, o *updateOptions) (generator.UpdateRequest, error) {
	var r generator.UpdateRequest
	lock, err := p.lock(st)
	if err != nil {
		return r, err
	}
	renames, err := parseRenames(o.rename)
	if err != nil {
		return r, err
	}
	r = generator.UpdateRequest{
		Request: generator.Request{Name: p.name, Module: p.module(st, lock), Read: st.ReadFile, Generator: version()},
		Dir:     st.FS(p.dir), Lock: lock, Replace: map[string][]byte{}, NewSpec: o.spec != "", Prune: o.prune,
		Schema: schema.Options{Drop: o.destructive, Renames: renames},
	}
	r.Spec = st.Abs(o.spec)
	if o.spec == "" {
		r.Spec = projectFile(p.dir, "api/openapi.yaml")
	}
	file := projectFile(p.dir, "backend.yaml")
	text, err := st.ReadFile(file)
	if err != nil {
		return r, problem.List{{Code: "profile-missing", File: file, Message: "the project's profile cannot be read: " + reason(err), Hint: "restore it from version control, or write one with `version: 1`"}}
	}
	if r.Profile, err = profile.Parse(file, text); err != nil {
		return r, err
	}
	for _, assignment := range o.set {
		if text, r.Profile, err = profile.Edit(file, text, assignment); err != nil {
			return r, err
		}
		r.Replace["backend.yaml"] = text
	}
	return r, nil
}

// module is the project's Go module path: the user may have changed it.
func (p *project) module(st *state.State, lock plan.Lock) string {
	if text, err := st.ReadFile(projectFile(p.dir, "go.mod")); err == nil {
		if path := modfile.ModulePath(text); path != "" {
			return path
		}
	}
	return lock.Module
}

func parseRenames(assignments []string) (map[string]string, error) {
	renames := map[string]string{}
	for _, assignment := range assignments {
		from, to, ok := strings.Cut(assignment, "=")
		if !ok || from == "" || to == "" || strings.Count(from, ".") > 1 || strings.Contains(to, ".") {
			return nil, usage("rename", fmt.Sprintf("--rename %.80q is neither TABLE.OLD=NEW nor OLD=NEW", assignment), "write --rename orders.total=amount")
		}
		renames[from] = to
	}
	return renames, nil
}

// updateResult is the JSON of scaffold update: that of scaffold new, and what changed.
type updateResult struct {
	*scaffoldResult
	Check      bool               `json:"check"`
	UpToDate   bool               `json:"up_to_date"`
	Created    []string           `json:"created"`
	Changed    []string           `json:"changed"`
	Removed    []string           `json:"removed"`
	Migrations []string           `json:"migrations"`
	Changes    operationChanges   `json:"operation_changes"`
	Overrides  []*problem.Problem `json:"overrides"`
	Merges     []*problem.Problem `json:"merges"`
	Blocked    []*problem.Problem `json:"blocked"`
	Notes      []*problem.Problem `json:"notes"`
}

type operationChanges struct {
	Added   []string      `json:"added"`
	Removed []string      `json:"removed"`
	Renamed []renamedLine `json:"renamed"`
	Moved   []movedLine   `json:"moved"`
}

type renamedLine struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Method string `json:"method"`
	Path   string `json:"path"`
}

type movedLine struct {
	Operation string `json:"operation"`
	From      string `json:"from"`
	To        string `json:"to"`
}

func newUpdateResult(scaffold *scaffoldResult, r *update.Result, check bool) *updateResult {
	out := &updateResult{
		scaffoldResult: scaffold, Check: check, UpToDate: len(r.Actions)+len(r.Blocked)+len(r.Conflicts) == 0,
		Created: []string{}, Changed: []string{}, Removed: []string{}, Migrations: listed(r.Migrations),
		Overrides: listed(r.Overrides), Merges: listed(r.Conflicts), Blocked: listed(r.Blocked), Notes: listed(r.Notes),
		Changes: operationChanges{Added: listed(r.Operations.Added), Removed: listed(r.Operations.Removed), Renamed: []renamedLine{}, Moved: []movedLine{}},
	}
	for _, a := range r.Actions {
		switch {
		case strings.HasPrefix(a.Path, ".backend/"):
		case a.Before == nil:
			out.Created = append(out.Created, a.Path)
		case a.After == nil:
			out.Removed = append(out.Removed, a.Path)
		default:
			out.Changed = append(out.Changed, a.Path)
		}
	}
	for _, c := range r.Operations.Renamed {
		out.Changes.Renamed = append(out.Changes.Renamed, renamedLine{c.From, c.To, c.Method, c.Path})
	}
	for _, c := range r.Operations.Moved {
		out.Changes.Moved = append(out.Changes.Moved, movedLine{c.Operation, c.From, c.To})
	}
	files := map[string]bool{}
	for _, c := range r.Conflicts {
		files[c.File] = true
	}
	out.Conflicts = append(out.Conflicts, slices.Sorted(maps.Keys(files))...)
	return out
}

// listed is a list that JSON prints as one, even when it is empty.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func printUpdate(st *state.State, shown *updateResult, r *update.Result) {
	dir := st.Rel(shown.Dir)
	for _, c := range r.Operations.Renamed {
		st.Printf("renamed: %s %s: %s is %s now\n", c.Method, cell(c.Path), cell(c.From), cell(c.To))
	}
	for _, c := range r.Operations.Moved {
		st.Printf("moved: %s from service %s to %s\n", cell(c.Operation), c.From, c.To)
	}
	for _, id := range r.Operations.Removed {
		st.Printf("removed: %s\n", cell(id))
	}
	for _, id := range r.Operations.Added {
		st.Printf("new: %s\n", cell(id))
	}
	printFindings(st, dir, "note", r.Notes)
	for _, w := range shown.Warnings {
		if w.Rule == "profile-operation" || w.Rule == "profile-tag" { // what the document says by itself is known
			printWarning(st, w)
		}
	}
	if shown.Check {
		printDrift(st, r)
	}
	printFindings(st, dir, "blocked", r.Blocked)
	printFindings(st, dir, "conflict", r.Conflicts)
	printFindings(st, dir, "override", r.Overrides)
	name := printable(dir)
	counts := fmt.Sprintf("%d created, %d changed, %d removed", len(shown.Created), len(shown.Changed), len(shown.Removed))
	if len(shown.Created)+len(shown.Changed)+len(shown.Removed) == 0 {
		counts = "what .backend keeps of it changes"
	}
	switch {
	case shown.UpToDate:
		st.Printf("%s is up to date.\n", name)
	case len(r.Actions)+len(r.Blocked) == 0:
		st.Printf("%s has conflicts that are not decided.\n", name)
	case shown.Check && len(r.Blocked) > 0:
		st.Printf("%s is not up to date, and an update is blocked: see above.\n", name)
	case shown.Check:
		st.Printf("%s is not up to date: %s. Run: backend scaffold update %s\n", name, counts, shellPath(name))
	default:
		for _, m := range r.Migrations {
			st.Printf("migration: %s\n", cell(projectFile(dir, m)))
		}
		st.Printf("Updated %s: %s, in %.1f s.\n", name, counts, shown.Seconds)
	}
}

func printFindings(st *state.State, dir, kind string, problems problem.List) {
	for _, p := range problems {
		place := *p
		if place.File != "" {
			place.File = projectFile(dir, place.File)
		}
		st.Printf("%s: %s\n", kind, cell(place.Error()))
	}
}

// maxDiffLines bounds what check shows of one file.
const maxDiffLines = 40

// printDrift shows what an update would change.
func printDrift(st *state.State, r *update.Result) {
	for _, a := range r.Actions {
		switch {
		case strings.HasPrefix(a.Path, ".backend/"):
		case a.After == nil:
			st.Printf("would remove %s\n", cell(a.Path))
		case a.Before == nil:
			st.Printf("would create %s\n", cell(a.Path))
		default:
			lines := strings.SplitAfter(plan.Diff(a.Path, string(a.Before), string(a.After)), "\n")
			more := ""
			if len(lines) > maxDiffLines {
				more = fmt.Sprintf("… %d more lines of %s\n", len(lines)-maxDiffLines, a.Path)
				lines = lines[:maxDiffLines]
			}
			st.Printf("%s%s", printable(strings.Join(lines, "")), printable(more))
		}
	}
}
