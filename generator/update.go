package generator

import (
	"context"
	"io/fs"
	"strings"

	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/schema"
	"github.com/e6b96b0c/backend/generator/update"
)

// UpdateRequest says how to bring a project up to date.
type UpdateRequest struct {
	Request
	Dir  fs.FS     // the project's folder
	Lock plan.Lock // the project's
	// Replace are files of the user's with the text that they get; NewSpec says that
	// the document is one of them.
	Replace map[string][]byte
	NewSpec bool
	Prune   bool
	Schema  schema.Options
}

// Update generates anew and compares the outcome with the project. It writes nothing.
func Update(ctx context.Context, r UpdateRequest) (*Output, *update.Result, error) {
	r.Homes = homes(r.Lock)
	out, fresh, err := generate(ctx, r.Request)
	if err != nil {
		return nil, nil, err
	}
	if r.NewSpec {
		for _, f := range out.Plan.Files {
			if f.Owner == plan.Yours && strings.HasPrefix(f.Path, "api/") {
				r.Replace[f.Path] = f.Data
			}
		}
	}
	was, err := upgrade(r.Lock, fresh, out.Plan, r.Dir)
	if err != nil {
		return nil, nil, err
	}
	result, err := update.Compute(update.Input{
		Dir: r.Dir, Lock: was, Fresh: fresh, Plan: out.Plan, Project: out.Project, Replace: r.Replace, Prune: r.Prune, Schema: r.Schema,
	})
	if err != nil {
		return nil, nil, err
	}
	return out, result, ctx.Err()
}

// homes are the services of the operations that have rows: each service has a database
// of its own, so a resource that followed its tag to another would leave them behind.
func homes(lock plan.Lock) map[string]string {
	out := map[string]string{}
	for _, op := range lock.Operations {
		if op.Status == "implemented" {
			out[op.Method+" "+op.Path] = op.Service
		}
	}
	return out
}

// upgrade reads a lock of an older form. The first one knew no tables: they are those
// of now, if the migrations say so.
func upgrade(was, fresh plan.Lock, files *plan.Plan, dir fs.FS) (plan.Lock, error) {
	switch {
	case was.Version == plan.LockVersion:
		return was, nil
	case was.Version > plan.LockVersion:
		return was, problem.List{{Code: "lock-newer", File: plan.LockPath, Message: "the project was written by a newer backend, " + was.Generator, Hint: "use that one"}}
	}
	for _, f := range files.Files {
		if f.Owner != plan.Append {
			continue
		}
		if text, err := fs.ReadFile(dir, f.Path); err != nil || string(text) != string(f.Data) {
			return was, problem.List{{
				Code: "lock-older", File: plan.LockPath, Message: "the project was written by a backend whose lock does not say what its tables are, and the document has changed its tables since",
				Hint: "put api/openapi.yaml back as it was then, update, and make your change after that",
			}}
		}
	}
	// The version stays, so that the lock differs and is written in its new form.
	was.Name, was.Module, was.Services = fresh.Name, fresh.Module, fresh.Services
	return was, nil
}
