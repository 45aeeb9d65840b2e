// Command modules writes templates/modules: the go.mod and go.sum of generated
// projects, exact for every set of adapters that a profile can choose. It
// generates a project per set, gives it the versions that this repository pins,
// and lets `go mod tidy` decide.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/e6b96b0c/backend/generator"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/generator/render"
	"github.com/e6b96b0c/backend/generator/write"
	"github.com/e6b96b0c/backend/templates"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	engines, _ := templates.Known("store")
	caches, _ := templates.Known("cache")
	for _, engine := range engines {
		for _, cache := range append([]string{"none"}, caches...) {
			for _, d := range documents() {
				for _, files := range d.files {
					if err := set(ctx, d.spec, "database.engine="+engine, "cache.engine="+cache, "files.engine="+files); err != nil {
						return fmt.Errorf("%s, engine %s, cache %s, files %s: %w", d.spec, engine, cache, files, err)
					}
				}
			}
		}
	}
	return nil
}

// document is one that projects are made of, and the stores for files that make a
// difference to it: the folder needs no module, and without uploads there is no store.
type document struct {
	spec  string
	files []string
}

// documents are one that needs nothing beside the adapters, one whose patterns need a
// library, and the same two with uploads.
func documents() []document {
	stores, _ := templates.Known("blob")
	folder := []string{"folder"}
	return []document{
		{"testdata/specs/good/shop.yaml", folder},
		{"testdata/specs/good/patterns.yaml", folder},
		{"testdata/specs/good/files.yaml", stores},
		{both, stores},
	}
}

const both = "uploads and patterns.yaml"

// read is os.ReadFile that knows both.
func read(name string) ([]byte, error) {
	if name != both {
		return os.ReadFile(name) //nolint:gosec // one of the documents
	}
	return []byte(`openapi: 3.1.0
info: {title: both, version: "1"}
paths:
  /pictures/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string, pattern: "^(?!x)"}}]
    put: {requestBody: {required: true, content: {image/png: {}}}, responses: {"204": {description: kept}}}
    get: {responses: {"200": {description: the picture, content: {image/png: {}}}}}
`), nil
}

// set tidies a project with one set of adapters and stores the outcome.
func set(ctx context.Context, spec string, settings ...string) error {
	p, err := profile.Preset("monolith")
	if err != nil {
		return err
	}
	for _, setting := range settings {
		if err := p.Set(setting); err != nil {
			return err
		}
	}
	made, err := generator.Generate(ctx, generator.Request{
		Name: "shop", Spec: spec, Profile: p, Read: read, Generator: "modules", NoModules: true,
	})
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "backend-modules-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	dir := filepath.Join(temp, "shop")
	if err := write.New(ctx, dir, made.Plan); err != nil {
		return err
	}
	if err := seed(dir); err != nil {
		return err
	}
	tidy := exec.CommandContext(ctx, "go", "mod", "tidy")
	tidy.Dir = dir
	if text, err := tidy.CombinedOutput(); err != nil {
		return fmt.Errorf("go mod tidy: %w\n%s", err, text)
	}
	return store(dir, filepath.Join("templates", "modules", render.ModuleSet(made.Project)))
}

// seed writes a go.mod that requires what this repository requires, so that tidy
// keeps our versions and drops what is not used.
func seed(dir string) error {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	own, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	var next modfile.File
	err = errors.Join(next.AddModuleStmt("example.com/shop"), next.AddGoStmt(own.Go.Version))
	for _, r := range own.Require {
		err = errors.Join(err, next.AddRequire(r.Mod.Path, r.Mod.Version))
	}
	if err != nil {
		return err
	}
	made, err := next.Format()
	if err != nil {
		return err
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "go.mod"), made, 0o600),
		os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600)) //nolint:gosec // our own temporary folder
}

// store keeps both files, go.mod without its module line.
func store(dir, out string) error {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // our own temporary folder
	if err != nil {
		return err
	}
	_, text, ok := bytes.Cut(text, []byte("module example.com/shop\n"))
	if !ok {
		return errors.New("go.mod has no module line")
	}
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum")) //nolint:gosec // our own temporary folder
	if err != nil {
		return err
	}
	return errors.Join(
		os.MkdirAll(out, 0o755), //nolint:gosec // source files
		os.WriteFile(filepath.Join(out, "go.mod.txt"), text, 0o644), //nolint:gosec // source files
		os.WriteFile(filepath.Join(out, "go.sum.txt"), sums, 0o644)) //nolint:gosec // source files
}
