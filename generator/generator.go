// Package generator turns an OpenAPI document and an architecture profile into
// the files of a backend. Generate is the whole line on one page.
package generator

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	xmodule "golang.org/x/mod/module"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/render"
	"github.com/e6b96b0c/backend/generator/schema"
	"github.com/e6b96b0c/backend/generator/spec"
	"github.com/e6b96b0c/backend/templates"
)

// Request says what to generate.
type Request struct {
	Name      string // of the project: folder, binary, image
	Module    string // Go module path; "" is example.com/NAME
	Spec      string // path of the document
	Profile   *profile.Profile
	Read      spec.ReadFile
	Generator string // version of this program, for the lock
	// Homes are those of model.Options.
	Homes map[string]string
	// NoModules leaves go.mod and go.sum out, for the tool that makes them.
	NoModules bool
}

// Output is what a generation makes.
type Output struct {
	Plan    *plan.Plan
	Project *model.Project
	// Warnings are oddities of the document that did not stop the generation.
	Warnings problem.List
}

var (
	validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	// reservedName are folders that the go command skips, and devices of Windows.
	reservedName = regexp.MustCompile(`^(vendor|testdata|internal|con|prn|aux|nul|com[0-9]|lpt[0-9])$`)
	validModule  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._~-]*(/[a-zA-Z0-9._~-]+)*$`)
)

// CheckName reports what is wrong with a project's name or module path.
func CheckName(name, module string) error {
	switch {
	case name == "":
		return problem.List{{Code: "name-empty", Message: "the project has no name", Hint: "backend scaffold new NAME --spec FILE"}}
	case !validName.MatchString(name):
		return problem.List{{
			Code: "name-bad", Message: fmt.Sprintf("%.60q cannot be a project name", name),
			Hint: "use a-z, 0-9 and -, starting with a letter, at most 40 characters; --dir names another folder",
		}}
	case reservedName.MatchString(name):
		return problem.List{{
			Code: "name-reserved", Message: fmt.Sprintf("%q cannot be a project name: Go or the file system keeps it for itself", name),
			Hint: fmt.Sprintf("use %s-api", name),
		}}
	case module != "" && (!validModule.MatchString(module) || len(module) > 200 || strings.Contains(module, "..") || xmodule.CheckImportPath(module) != nil):
		return problem.List{{Code: "module-bad", Message: fmt.Sprintf("%.60q cannot be a Go module path", module), Hint: "write one such as example.com/team/shop"}}
	}
	return nil
}

// Generate runs spec -> model -> files. It writes nothing. Errors about the
// user's input are a problem.List.
func Generate(ctx context.Context, r Request) (*Output, error) {
	out, fresh, err := generate(ctx, r)
	if err != nil {
		return nil, err
	}
	if out.Plan, err = out.Plan.WithLock(fresh); err != nil {
		return nil, err
	}
	return out, nil
}

// generate is Generate without the lock file; the lock comes back by itself, still
// without files.
func generate(ctx context.Context, r Request) (*Output, plan.Lock, error) {
	var none plan.Lock
	if r.Module == "" {
		// A first element without a dot is reserved for the standard library
		// (go.dev/ref/mod#module-path).
		r.Module = "example.com/" + r.Name
	}
	if err := CheckName(r.Name, r.Module); err != nil {
		return nil, none, err
	}
	doc, err := spec.Load(r.Read, r.Spec)
	if err != nil {
		return nil, none, err
	}
	if ctx.Err() != nil {
		return nil, none, context.Cause(ctx)
	}
	options, server, err := r.options()
	if err != nil {
		return nil, none, err
	}
	project := model.Build(doc.API, options)
	served, err := doc.Served(project)
	if err != nil {
		return nil, none, err
	}
	files, err := render.Project(project, render.Inputs{
		Templates: templates.Files, Spec: doc.Files, SpecMain: filepath.Base(r.Spec), Served: served.YAML, ServedJSON: served.JSON, Profile: r.Profile.YAML(),
		Compose: r.Profile.Bool("deploy.compose"), CI: r.Profile.Get("deploy.ci"),
		NoModules: r.NoModules, Server: server,
		Rate: r.Profile.Get("load.requests_per_second"), P99: r.Profile.Get("load.p99"),
	})
	if err != nil {
		return nil, none, err
	}
	return &Output{Plan: files, Project: project, Warnings: slices.Concat(doc.Warnings, notes(doc, project), misnamed(r.Profile, doc.API))}, lock(project, doc, r), ctx.Err()
}

// options are the profile's decisions, and the server that its database needs.
func (r *Request) options() (o model.Options, server *templates.Compose, err error) {
	engines, addable, server, err := engines(r.Profile.Get("database.engine"))
	if err != nil {
		return o, nil, err
	}
	blobs, addableBlobs, err := blobs(r.Profile.Get("files.engine"))
	if err != nil {
		return o, nil, err
	}
	o = model.Options{
		Blobs: blobs, AddableBlobs: addableBlobs,
		Name: r.Name, Module: r.Module, Engines: engines, Addable: addable,
		Cache: model.Cache{Engine: r.Profile.Get("cache.engine"), TTL: r.Profile.Get("cache.ttl")}, Split: r.Profile.Get("shape") == "microservices",
		Adapters: adapterNames(), Groups: r.Profile.Services, Homes: r.Homes, NoAuth: r.Profile.Get("auth.mode") == "none",
		Operations: map[string]*model.Extension{},
	}
	for name, said := range r.Profile.Operations {
		o.Operations[name] = said.Extension
	}
	return o, server, nil
}

func lock(p *model.Project, doc *spec.Document, r Request) plan.Lock {
	l := plan.Lock{
		Version: plan.LockVersion, Generator: r.Generator, Name: p.Name, Module: p.Module, Spec: plan.Hash(doc.Files[filepath.Base(r.Spec)]),
		Services: map[string]plan.LockService{}, Operations: map[string]plan.LockOperation{},
	}
	for _, s := range p.Services {
		l.Services[s.Name] = plan.LockService{Package: s.Package, Tables: schema.Of(s)}
		for _, op := range s.Operations {
			status := "implemented"
			if op.Kind == model.OpStub {
				status = "stub"
			}
			l.Operations[op.ID] = plan.LockOperation{Service: s.Name, Package: s.Package, Method: op.Method, Path: op.Path, GoName: op.GoName, Status: status}
		}
	}
	return l
}

// notes turns the model's decisions into warnings with a place.
func notes(doc *spec.Document, p *model.Project) problem.List {
	var out problem.List
	for _, note := range p.Notes {
		out = append(out, &problem.Problem{Code: "schema-note", File: doc.File, Message: note})
	}
	return out
}

// misnamed warns of lines of the profile about operations and tags that the document does
// not have: it may have changed since.
func misnamed(p *profile.Profile, api *model.API) problem.List {
	known, tags := map[string]bool{}, map[string]bool{"": true}
	var ids []string
	for _, op := range api.Operations {
		for _, tag := range op.Tags {
			tags[tag] = true
		}
		known[op.ID], known[op.Method+" "+op.Path] = true, true
		ids = append(ids, op.ID)
	}
	var out problem.List
	for _, name := range slices.Sorted(maps.Keys(p.Operations)) {
		if known[name] {
			continue
		}
		hint := "take the line out"
		if near := problem.Nearest(name, ids); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		at := p.Operations[name]
		out = append(out, &problem.Problem{
			Code: "profile-operation", File: at.File, Line: at.Line, Column: at.Column, Message: fmt.Sprintf("the document has no operation %.60q", name), Hint: hint,
		})
	}
	for _, service := range slices.Sorted(maps.Keys(p.Services)) {
		for _, tag := range p.Services[service] {
			if !tags[tag] {
				out = append(out, &problem.Problem{
					Code: "profile-tag", Message: fmt.Sprintf("services.%s: no operation has the tag %.60q", service, tag), Hint: "correct it, or take it out",
				})
			}
		}
	}
	return out
}

// embeddedEngine is the database that every project can run on without a server.
const embeddedEngine = "sqlite"

// engines reads what the generator needs to know of the database engines: those that
// are compiled in, the embedded one and then the profile's, those that could be, and the
// server that the profile's needs.
func engines(chosen string) (compiled, addable []model.Engine, server *templates.Compose, err error) {
	adapters, err := templates.Adapters("store")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("engines: %w", err)
	}
	for _, a := range adapters {
		engine := model.Engine{
			Name: a.Name, Title: a.Title, Schemes: a.Schemes, Types: a.Types, Identity: a.Identity,
			MaxIndexBytes: a.MaxIndexBytes, LongIndex: a.LongIndex, Alter: model.Alter(a.Alter),
		}
		switch a.Name {
		case embeddedEngine:
			compiled = append([]model.Engine{engine}, compiled...)
		case chosen:
			compiled = append(compiled, engine)
		default:
			addable = append(addable, engine)
		}
		if a.Name == chosen {
			server = a.Compose
		}
	}
	return compiled, addable, server, nil
}

// blobs are the stores for files beside the folder: the chosen one, and the others.
func blobs(chosen string) (compiled, addable []model.Blob, err error) {
	adapters, err := templates.Adapters("blob")
	if err != nil {
		return nil, nil, fmt.Errorf("stores for files: %w", err)
	}
	for _, a := range adapters {
		blob := model.Blob{Name: a.Name, Schemes: a.Schemes, Env: a.Env}
		if a.Name == chosen {
			compiled = append(compiled, blob)
		} else {
			addable = append(addable, blob)
		}
	}
	return compiled, addable, nil
}

// adapterNames are all adapters that a profile can name, built or not: a service's
// package must not change its name when one is added.
func adapterNames() []string {
	var names []string
	for _, kind := range []string{"store", "cache", "blob"} {
		built, planned := templates.Known(kind)
		names = append(names, append(built, planned...)...)
	}
	return names
}
