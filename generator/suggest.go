package generator

import (
	"context"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/spec"
)

// Suggestion is a line of the profile about an operation that is a stub so far.
type Suggestion struct {
	*model.Coverage
	// Says is what the line says, Implements whether the operation then has a default
	// implementation.
	Says       *model.Extension
	Implements bool
}

// Suggestions are what could be said of a document's stubs.
type Suggestions struct {
	Lines []*Suggestion
	// Total and Implemented count the operations as they are, With those that would be
	// implemented with all of the lines.
	Total, Implemented, With int
}

// Suggest proposes a line of the profile for every stub: the first of what could be said
// of it that holds when the project is built with it, and takes nothing from the others.
func Suggest(ctx context.Context, r Request) (*Suggestions, error) {
	options, _, err := r.options()
	if err != nil {
		return nil, err
	}
	build := func() ([]*model.Coverage, error) {
		doc, err := spec.Load(r.Read, r.Spec) // anew: a build marks what it reads
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return model.Build(doc.API, options).Coverage, nil
	}
	before, err := build()
	if err != nil {
		return nil, err
	}
	out := &Suggestions{Total: len(before)}
	choices := map[string][]*model.Extension{}
	for _, c := range before {
		switch {
		case c.Status != model.Stubbed:
			out.Implemented++
		case c.Service != "" && options.Said(c.Operation) == nil: // served, and nothing was said of it
			choices[c.Operation.ID] = c.Suggest()
			out.Lines = append(out.Lines, &Suggestion{Coverage: c})
		}
	}
	out.With = out.Implemented
	for again := len(out.Lines) > 0; again; {
		for _, line := range out.Lines {
			line.Says = choices[line.Operation.ID][0]
			if line.Says.Does != "stub" {
				options.Operations[line.Operation.ID] = line.Says
			} else {
				delete(options.Operations, line.Operation.ID)
			}
		}
		after, err := build()
		if err != nil {
			return nil, err
		}
		status := map[string]model.Status{}
		out.With, again = 0, false
		for i, c := range after {
			status[c.Operation.ID] = c.Status
			if c.Status != model.Stubbed {
				out.With++
			} else if before[i].Status != model.Stubbed && retract(choices, out.Lines, c.Operation.Path) {
				again = true
			}
		}
		for _, line := range out.Lines {
			line.Implements = status[line.Operation.ID] != model.Stubbed
			if rest := choices[line.Operation.ID]; !line.Implements && len(rest) > 1 {
				choices[line.Operation.ID], again = rest[1:], true
			}
		}
	}
	return out, nil
}

// retract leaves nothing but a stub to say of the operations at a path, at the one above
// it and right below it: what was said of them took another operation its rows.
func retract(choices map[string][]*model.Extension, lines []*Suggestion, path string) (changed bool) {
	above := path[:strings.LastIndex(path, "/")+1]
	for _, line := range lines {
		p := line.Operation.Path
		near := p == path || p+"/" == above || strings.HasPrefix(p, path+"/") && !strings.Contains(p[len(path)+1:], "/")
		if rest := choices[line.Operation.ID]; near && len(rest) > 1 {
			choices[line.Operation.ID], changed = rest[len(rest)-1:], true
		}
	}
	return changed
}
