// Package render turns a model.Project into files. It prints; every decision was
// made in package model.
package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/template"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/plan"
	"github.com/e6b96b0c/backend/generator/problem"
	"github.com/e6b96b0c/backend/generator/schema"
	"github.com/e6b96b0c/backend/templates"
	"github.com/e6b96b0c/backend/templates/platform/config"
)

// Inputs are the files that a project is made of beside the model.
type Inputs struct {
	Templates  fs.FS             // platform/, project/, modules/
	Spec       map[string][]byte // the document's own files, by relative path
	SpecMain   string            // which of them is the document
	Served     []byte            // the document that the server keeps, in YAML
	ServedJSON []byte            // the same
	Profile    []byte
	Compose    bool
	Server     *templates.Compose // the database's server in compose.yaml; nil: none
	CI         string             // github, none
	NoModules  bool               // leave go.mod and go.sum out
	Rate, P99  string             // the declared load, for loadtest/scenario.yaml
}

// Project renders everything: services, wiring, platform, deployment, documents.
func Project(p *model.Project, in Inputs) (*plan.Plan, error) {
	files, err := allServices(p)
	if err != nil {
		return nil, err
	}
	app := map[string]*goFile{
		"internal/app/app.gen.go":      appFile(p),
		"internal/app/services.gen.go": servicesFile(p),
		"internal/app/database.gen.go": databaseFile(p),
		"internal/app/app_gen_test.go": testFile(p),
	}
	if sends(p) {
		app["internal/app/webhooks.gen.go"] = senderFile(p)
	}
	for name, g := range app {
		f, err := goPlan(name, g, plan.Owned)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	main, err := goPlan("cmd/"+p.Name+"/main.go", mainFile(p), plan.Shared)
	if err != nil {
		return nil, err
	}
	files = append(files, main)
	if p.HasFiles() {
		f, err := goPlan("internal/app/files.gen.go", filesFile(p), plan.Owned)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	copied, err := platform(in.Templates, p.Module, platformRoots(p))
	if err != nil {
		return nil, err
	}
	files = append(files, copied...)
	around, err := projectFiles(p, in)
	if err != nil {
		return nil, err
	}
	return plan.New(append(files, around...))
}

// allServices renders the services side by side: each only reads the model.
func allServices(p *model.Project) ([]plan.File, error) {
	rendered := make([][]plan.File, len(p.Services))
	errs := make([]error, len(p.Services))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(p.Services)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(p.Services); i = int(next.Add(1)) - 1 {
				rendered[i], errs[i] = serviceFiles(p, p.Services[i])
			}
		})
	}
	group.Wait()
	return slices.Concat(rendered...), errors.Join(errs...)
}

func platformRoots(p *model.Project) []string {
	roots := []string{"wire", "rest", "problem", "store", "auth", "telemetry", "config", "lifecycle", "peer", "gateway", "apidocs"}
	for _, engine := range p.Engines {
		roots = append(roots, "store/"+engine.Name)
	}
	if slices.ContainsFunc(p.Services, func(s *model.Service) bool { return len(s.Rules) > 0 }) {
		roots = append(roots, "rules")
	}
	if backtracks(p) {
		roots = append(roots, "ecma")
	}
	if sends(p) {
		roots = append(roots, "webhook")
	}
	if p.HasFiles() {
		roots = append(roots, "blob")
		for _, b := range p.Blobs {
			roots = append(roots, "blob/"+b.Name)
		}
	}
	if p.Cache.Engine != "none" {
		roots = append(roots, "cache/"+p.Cache.Engine)
	}
	return roots
}

// backtracks reports whether some pattern needs more than Go's regexp package.
func backtracks(p *model.Project) bool {
	return slices.ContainsFunc(p.Services, func(s *model.Service) bool {
		return slices.ContainsFunc(s.Patterns, func(pattern *model.Pattern) bool { return pattern.Backtracks })
	})
}

// ModuleSet names the folder under modules/ that holds a project's go.mod and go.sum.
func ModuleSet(p *model.Project) string {
	names := make([]string, len(p.Engines))
	for i, engine := range p.Engines {
		names[i] = engine.Name
	}
	names = append(names, p.Cache.Engine)
	if backtracks(p) {
		names = append(names, "ecma")
	}
	if p.HasFiles() {
		for _, b := range p.Blobs {
			names = append(names, b.Name)
		}
	}
	return strings.Join(names, "+")
}

func goPlan(name string, g *goFile, owner plan.Owner) (plan.File, error) {
	text, err := g.bytes()
	if err != nil {
		return plan.File{}, fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return plan.File{Path: name, Data: text, Owner: owner}, nil
}

func serviceFiles(p *model.Project, s *model.Service) ([]plan.File, error) {
	dir := "internal/" + s.Package + "/"
	var files []plan.File
	for _, f := range []struct {
		name  string
		file  *goFile
		owner plan.Owner
	}{
		{"api.gen.go", apiFile(p, s), plan.Owned},
		{"http.gen.go", httpFile(p, s), plan.Owned},
		{"defaults.gen.go", defaultsFile(p, s), plan.Owned},
		{"store.gen.go", storeFile(p, s), plan.Owned},
		{"client.gen.go", clientFile(p, s), plan.Owned},
		{"webhooks.gen.go", webhooksFile(p, s), plan.Owned},
		{"service.go", serviceFile(p, s), plan.Yours},
	} {
		if f.name == "api.gen.go" && len(s.Types)+len(s.Patterns)+len(s.Forms)+len(s.Rules) == 0 ||
			f.name == "webhooks.gen.go" && len(s.Calls) == 0 {
			continue
		}
		rendered, err := goPlan(dir+f.name, f.file, f.owner)
		if err != nil {
			return nil, err
		}
		files = append(files, rendered)
	}
	if examples := exampleTables(s); len(examples) > 0 {
		code, err := goPlan(dir+"examples.gen.go", examplesFile(p, s, examples), plan.Owned)
		if err != nil {
			return nil, err
		}
		files = append(files, code, exampleFile(examples, dir+"examples.json"))
	}
	tables := schema.Of(s)
	for _, engine := range p.Engines {
		files = append(files, plan.File{Path: dir + "migrations/" + engine.Name + "/0001_init.sql", Data: schema.Init(engine, tables), Owner: plan.Append})
	}
	return files, nil
}

// projectFiles renders the files around the code.
func projectFiles(p *model.Project, in Inputs) ([]plan.File, error) {
	files := []plan.File{
		{Path: "backend.yaml", Data: in.Profile, Owner: plan.Yours},
		{Path: "api/served.gen.yaml", Data: in.Served, Owner: plan.Owned},
		{Path: "internal/app/served.gen.json", Data: in.ServedJSON, Owner: plan.Owned},
	}
	for name, data := range in.Spec {
		if name == in.SpecMain {
			name = "openapi.yaml"
		} else if name == "openapi.yaml" || name == "served.gen.yaml" {
			return nil, problem.List{{
				Code: "spec-file-name", File: name, Message: "a file that the document refers to has a name that the project needs itself",
				Hint: "rename it, or make it the main document",
			}}
		}
		files = append(files, plan.File{Path: "api/" + name, Data: data, Owner: plan.Yours})
	}
	modules, err := moduleFiles(p, in)
	if err != nil {
		return nil, err
	}
	files = append(files, modules...)
	skip := map[string]bool{}
	if !in.Compose {
		skip["deploy/Dockerfile"], skip["deploy/compose.yaml"], skip[".dockerignore"] = true, true, true
	}
	if in.CI != "github" {
		skip[".github/workflows/ci.yaml"] = true
	}
	view := newView(p, in)
	err = fs.WalkDir(in.Templates, "project", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		target := strings.TrimSuffix(strings.TrimPrefix(name, "project/"), ".tmpl")
		if skip[target] {
			return nil
		}
		data, err := execute(in.Templates, name, view)
		if err != nil {
			return err
		}
		owner := plan.Shared
		switch {
		case path.Dir(target) == "loadtest":
			owner = plan.Yours
		case strings.HasPrefix(target, "internal/"):
			owner = plan.Owned
		}
		files = append(files, plan.File{Path: target, Data: data, Owner: owner})
		return nil
	})
	return files, err
}

// moduleFiles are go.mod and go.sum, exact for the adapters that are compiled in.
func moduleFiles(p *model.Project, in Inputs) ([]plan.File, error) {
	if in.NoModules {
		return nil, nil
	}
	var files []plan.File
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := fs.ReadFile(in.Templates, "modules/"+ModuleSet(p)+"/"+name+".txt")
		if err != nil {
			return nil, fmt.Errorf("no module set %s is embedded; run make modules: %w", ModuleSet(p), err)
		}
		if name == "go.mod" {
			data = append([]byte("module "+p.Module+"\n"), data...)
		}
		files = append(files, plan.File{Path: name, Data: data, Owner: plan.Structural})
	}
	return files, nil
}

func execute(templates fs.FS, name string, view any) ([]byte, error) {
	text, err := fs.ReadFile(templates, name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, view); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// view is what the templates print. Every text from the document is escaped
// already: nothing here can open a Markdown, YAML or shell construct.
type view struct {
	Compose                         composeView
	Name, Module, Title, BasePath   string
	First, FirstHeader, Scopes      string
	ExampleOp, GoVersion, Rate, P99 string
	Implemented, Total              int
	Embedded, Engine                string // titles of the databases; Engine is "" when there is only the embedded one
	Schemes, Targets                string
	Secured, Tokens, Keys, Deploy   bool
	Examples                        bool // some tables have example rows
	Files                           bool // clients upload some
	BlobStores                      bool // they need not be in the folder
	Operations                      []operationView
	Notes                           []string
	Services                        []serviceView
	Webhooks                        []webhookView
	Send                            string // an override that sends the first of them
}

type operationView struct{ ID, Route, Service, State string }

type webhookView struct{ Label, Goes, Service, Method, State string }

type serviceView struct{ Name, Database, URL string }

func newView(p *model.Project, in Inputs) view {
	v := view{
		Name: p.Name, Module: p.Module, Title: markdown(p.API.Title), BasePath: markdownCode(p.API.BasePath), GoVersion: "1.26",
		Secured: isSecured(p), Total: len(p.Coverage), ExampleOp: "CreateOrder", Rate: in.Rate, P99: in.P99,
		Examples: slices.ContainsFunc(p.Services, func(s *model.Service) bool { return len(exampleTables(s)) > 0 }),
		Deploy:   in.Compose, Files: p.HasFiles(), BlobStores: len(p.Blobs) > 0, Embedded: p.Engines[0].Title,
	}
	for i, e := range p.Engines {
		if i > 0 {
			v.Engine = e.Title
			v.Schemes += " or "
		}
		v.Schemes += "`" + e.Schemes[0] + ":`"
	}
	v.Targets = "`all`, `gateway`"
	for _, name := range serviceNames(p) {
		v.Targets += ", `" + name + "`"
	}
	scopes := map[string]bool{}
	for _, s := range p.Services {
		v.Services = append(v.Services, serviceView{s.Name, config.ServiceVariable(s.Name, "DATABASE_URL"), config.ServiceVariable(s.Name, "URL")})
		for _, op := range s.Operations {
			if v.ExampleOp == "CreateOrder" {
				v.ExampleOp = op.GoName
			}
			v.first(p.API, op)
			for _, requirement := range op.Security {
				for _, use := range requirement {
					v.credential(p.API, use)
					for _, scope := range use.Scopes {
						scopes[scope] = true
					}
				}
			}
		}
	}
	v.Scopes = scopeList(scopes)
	v.Compose = newComposeView(p, in.Server, v.Tokens, v.Keys)
	for _, c := range p.Coverage {
		state := "works"
		if c.Status == model.Stubbed {
			state = "stub: " + c.Reason
		} else {
			v.Implemented++
		}
		if len(c.Assumed) > 0 {
			state += "; assumed: " + strings.Join(c.Assumed, ", ")
		}
		if len(c.Refused) > 0 {
			state += "; refused when sent (501): " + strings.Join(c.Refused, ", ")
		}
		if len(c.Lost) > 0 {
			state += "; not kept: " + strings.Join(c.Lost, ", ")
		}
		v.Operations = append(v.Operations, operationView{
			ID: markdown(c.Operation.ID), Route: c.Operation.Method + " " + markdown(c.Operation.Path), Service: c.Service, State: markdown(state),
		})
	}
	v.webhooks(p)
	for _, n := range p.Notes {
		v.Notes = append(v.Notes, markdown(n))
	}
	return v
}

// first takes a list that needs no parameter as the first request to try, a public
// one rather than a secured one.
func (v *view) first(api *model.API, op *model.Op) {
	public := len(op.Security) == 0
	if op.Kind != model.OpList || len(model.Placeholders(op.Path)) > 0 || hasRequiredParam(op) || v.First != "" && (v.FirstHeader == "" || !public) {
		return
	}
	v.First, v.FirstHeader = markdownCode(op.Route), ""
	if public {
		return
	}
	v.FirstHeader = ` -H "Authorization: Bearer $TOKEN"`
	for _, s := range api.Security {
		if len(op.Security[0]) == 1 && s.Name == op.Security[0][0].Scheme && s.Type == "apiKey" && s.In == "header" && shellSafe(s.Parameter) {
			v.FirstHeader = ` -H "` + s.Parameter + `: $TOKEN"`
		}
	}
}

// credential notes which kinds of credentials the API asks for.
func (v *view) credential(api *model.API, use model.SchemeUse) {
	for _, s := range api.Security {
		if s.Name != use.Scheme {
			continue
		}
		if s.Type == "apiKey" || s.Type == "http" && s.Scheme == "basic" {
			v.Keys = true
		} else {
			v.Tokens = true
		}
	}
}

func scopeList(scopes map[string]bool) string {
	names := make([]string, 0, len(scopes))
	for s := range scopes {
		if shellSafe(s) {
			names = append(names, strconv.Quote(s))
		}
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

// shellSafe reports whether a text can stand inside single quotes in a shell and
// inside a JSON string.
func shellSafe(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":._-/", r))
	})
}

// markdown escapes a text for use inside a Markdown line or table cell, on one
// line of bounded length.
func markdown(text string) string {
	words := strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !strconv.IsPrint(r):
			return -1
		}
		return r
	}, text))
	runes := []rune(strings.Join(words, " "))
	var b strings.Builder
	for i, r := range runes {
		if i > 300 {
			b.WriteString("…")
			break
		}
		opens := i == 0 && strings.ContainsRune("#+-=", r)                     // a heading, a list, a rule
		links := r == ':' && i+1 < len(runes) && runes[i+1] == '/' || r == '@' // text that becomes a link by itself
		if opens || links || strings.ContainsRune("\\`*_[]<>|&$~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// markdownCode keeps only what cannot end a code block or start a shell construct.
func markdownCode(text string) string {
	if !shellSafe(text) {
		return ""
	}
	return text
}
