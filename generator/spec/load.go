// Package spec reads OpenAPI documents: it checks the text, loads it with
// kin-openapi, and converts what it says into model.API. It is the only
// importer of kin-openapi.
package spec

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
)

// MaxBytes bounds one file of a document.
const MaxBytes = 64 << 20

// ReadFile reads a whole file; the command line passes its file system's.
type ReadFile func(name string) ([]byte, error)

// Document is a loaded OpenAPI document.
type Document struct {
	// File is the path as the user gave it.
	File string
	// Version is the document's openapi field, such as "3.1.0"; that of the converted
	// document where the text is Swagger 2.0.
	Version string
	// Files are the document's own texts by path relative to its folder, slashes
	// forward; the document itself is under its base name.
	Files map[string][]byte
	// API is what the document says.
	API *model.API
	// Warnings are oddities that did not stop the load.
	Warnings problem.List

	doc *openapi3.T
}

// Load reads, checks and converts the document in file. References may reach
// files inside the document's folder; remote references and files outside are
// refused. The error is a problem.List.
func Load(read ReadFile, file string) (*Document, error) {
	data, err := readBounded(read, file)
	if err != nil {
		return nil, err
	}
	if problems := checkText(file, data); len(problems) > 0 {
		return nil, problems
	}
	d := &Document{File: file, Files: map[string][]byte{filepath.Base(file): data}}
	if err := d.load(read, data); err != nil {
		return nil, err
	}
	c := newConverter(d)
	d.API = c.api()
	if err := c.schemas.problems.Err(); err != nil {
		return nil, err
	}
	if len(d.API.Operations) == 0 {
		return nil, d.fail("no-operations", "the document declares no operations, so there is nothing to serve", "add an operation such as `get:` to a path")
	}
	d.Warnings = append(d.Warnings, c.warnings...)
	return d, nil
}

func (d *Document) load(read ReadFile, data []byte) error {
	if two := d.readSwagger(data); two != nil {
		if problems := d.checkReferences(read, data); len(problems) > 0 {
			return problems
		}
		doc, err := two.convert(data)
		if err != nil {
			return err
		}
		return d.take(doc)
	}
	// kin-openapi records positions only for what it parses as YAML; a comment
	// after JSON makes it do so. Very large JSON stays on the fast path.
	text := data
	if len(data) < 4<<20 {
		text = append(append([]byte(nil), data...), "\n#yaml"...)
	}
	location := &url.URL{Path: filepath.Base(d.File)}
	doc, err := d.loader(read).LoadFromDataWithPath(text, location)
	if err != nil && looksJSON(data) && strings.Contains(err.Error(), "yaml: ") {
		doc, err = d.loader(read).LoadFromDataWithPath(data, location) // JSON that YAML does not take, such as DEL
	}
	if err != nil {
		if problems := d.checkReferences(read, data); len(problems) > 0 {
			return problems // all of them at once, where the loader stops at the first
		}
		var inner problem.List
		if errors.As(err, &inner) {
			return inner
		}
		if problems := misshapen(d.File, data); len(problems) > 0 {
			return problems
		}
		return d.fail("spec-load", tidy(err.Error()), "check the document with a YAML or OpenAPI editor")
	}
	return d.take(doc)
}

func (d *Document) take(doc *openapi3.T) error {
	if err := d.checkVersion(doc); err != nil {
		return err
	}
	d.doc, d.Version = doc, doc.OpenAPI
	return nil
}

// loader is a kin-openapi loader that reads files of the document's folder only.
func (d *Document) loader(read ReadFile) *openapi3.Loader {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	loader.IsExternalRefsAllowed = true
	root := filepath.Dir(d.File)
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, uri *url.URL) ([]byte, error) {
		rel, err := insideFolder(uri)
		if err != nil {
			return nil, err
		}
		content, err := readBounded(read, filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return nil, err
		}
		if problems := checkText(filepath.Join(root, filepath.FromSlash(rel)), content); len(problems) > 0 {
			return nil, problems
		}
		d.Files[rel] = content
		return content, nil
	}
	return loader
}

func (d *Document) checkVersion(doc *openapi3.T) error {
	switch {
	case doc.OpenAPI == "":
		return d.fail("not-openapi", "this is not an OpenAPI document: it has no `openapi` field",
			"start it with `openapi: 3.1.0`; `swagger: \"2.0\"` is read, too")
	case !strings.HasPrefix(doc.OpenAPI, "3."):
		return d.fail("openapi-version", fmt.Sprintf("OpenAPI %.20q is not supported", doc.OpenAPI), "use 3.0 or 3.1")
	case doc.Paths.Len() == 0 && len(doc.Webhooks) > 0:
		return d.fail("no-paths", webhooksOnly(doc), "add at least one path with an operation; the webhooks then get senders beside it")
	case doc.Paths.Len() == 0:
		return d.fail("no-paths", "the document declares no paths, so there is nothing to serve", "add at least one path with an operation")
	}
	return nil
}

func (d *Document) fail(code, message, hint string) error {
	return problem.List{{Code: code, File: d.File, Line: 1, Column: 1, Message: message, Hint: hint}}
}

// insideFolder returns the path of a reference relative to the document's
// folder, or an error for one that leaves it.
func insideFolder(uri *url.URL) (string, error) {
	if uri.Scheme != "" && uri.Scheme != "file" || uri.Host != "" {
		return "", fmt.Errorf("remote reference %q is not fetched", uri)
	}
	rel := path.Clean(uri.Path)
	if path.IsAbs(rel) || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", fmt.Errorf("reference %q leaves the document's folder", uri)
	}
	switch strings.ToLower(path.Ext(rel)) {
	case ".yaml", ".yml", ".json":
		return rel, nil
	}
	return "", fmt.Errorf("reference %q is to a file that is neither .yaml, .yml nor .json", uri)
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
