package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/e6b96b0c/backend/generator/problem"
)

// maxNodes bounds a document after its aliases are expanded: GitHub's 13 MB
// description has about a million nodes.
const maxNodes = 5_000_000

// maxDepth bounds nesting.
const maxDepth = 500

func readBounded(read ReadFile, file string) ([]byte, error) {
	one := func(code, message, hint string) error {
		return problem.List{{Code: code, File: file, Message: message, Hint: hint}}
	}
	data, err := read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, one("file-missing", "no such file", "check the path given to --spec")
	case errors.Is(err, fs.ErrPermission):
		return nil, one("file-unreadable", "permission denied", "make the file readable for your user")
	case err != nil && strings.Contains(err.Error(), "is a directory"):
		return nil, one("file-is-folder", "this is a folder, not an OpenAPI document", "name the document inside it")
	case err != nil:
		return nil, one("file-unreadable", "cannot be read: "+err.Error(), "")
	case len(data) > MaxBytes:
		return nil, one("file-too-large", fmt.Sprintf("the file has %d MiB; at most %d are read", len(data)>>20, MaxBytes>>20), "split the document")
	}
	return data, nil
}

// checkText finds what makes a text no YAML or JSON mapping at all, with the
// place of the first fault.
func checkText(file string, data []byte) problem.List {
	one := func(code, message, hint string, line, column int) problem.List {
		return problem.List{{Code: code, File: file, Line: line, Column: column, Message: message, Hint: hint}}
	}
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return one("file-empty", "the file is empty", "write an OpenAPI document, or start from `backend demo`", 0, 0)
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return one("file-binary", "the file is not text: it holds bytes that are not UTF-8", "save the document as UTF-8 YAML or JSON", 0, 0)
	}
	if looksJSON(data) && json.Valid(data) {
		return nil
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, column, message := yamlError(err)
		return one("yaml-syntax", message, "fix the YAML at this place", line, column)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return one("yaml-documents", fmt.Sprintf("the file holds %d YAML documents; exactly one is expected", len(tree.Docs)), "remove the extra `---` parts", 1, 1)
	}
	body := tree.Docs[0].Body
	if !isMapping(body) {
		p := body.GetToken().Position
		return one("not-openapi", "this is not an OpenAPI document: its top level is not a mapping", "start it with `openapi: 3.1.0`", p.Line, p.Column)
	}
	counter := &nodeCounter{anchors: map[string]int{}}
	n := counter.count(body, 0)
	if counter.deep {
		return one("yaml-deep", fmt.Sprintf("the document is nested deeper than %d levels", maxDepth), "write the inner parts as components", 1, 1)
	}
	if n > maxNodes {
		return one("yaml-bomb", "the document grows out of bounds when its aliases are expanded", "write the repeated parts as `$ref` instead of YAML aliases", 1, 1)
	}
	return nil
}

func looksJSON(data []byte) bool {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

func isMapping(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	case *ast.AnchorNode:
		return isMapping(n.Value)
	case *ast.TagNode:
		return isMapping(n.Value)
	}
	return false
}

// yamlError reads place and message out of a goccy error.
func yamlError(err error) (line, column int, message string) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
		return syntax.Token.Position.Line, syntax.Token.Position.Column, "not valid YAML: " + syntax.Message
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return 1, 1, "not valid YAML: " + first
}

// nodeCounter counts a document's nodes with aliases expanded, without
// expanding them.
type nodeCounter struct {
	anchors map[string]int
	deep    bool
}

func (c *nodeCounter) count(n ast.Node, depth int) int {
	if depth > maxDepth {
		c.deep = true
		return 1
	}
	total := 1
	add := func(child ast.Node) {
		if child != nil && total <= maxNodes {
			total += c.count(child, depth+1)
		}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			add(v)
		}
	case *ast.MappingValueNode:
		add(n.Value)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			add(v)
		}
	case *ast.TagNode:
		add(n.Value)
	case *ast.AnchorNode:
		add(n.Value)
		c.anchors[n.Name.String()] = total
	case *ast.AliasNode:
		total += c.anchors[n.Value.String()]
	}
	return total
}

// checkReferences finds every reference that cannot be followed, all at once and
// with its place. Documents over 4 MiB are left to the loader, which stops
// at the first.
func (d *Document) checkReferences(read ReadFile, data []byte) problem.List {
	if len(data) > 4<<20 {
		return nil
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) == 0 {
		return nil //nolint:nilerr // JSON that this parser does not take: the loader will say
	}
	walk := &referenceWalk{d: d, read: read, root: tree.Docs[0].Body}
	walk.swagger = entryOf(walk.root, "swagger") != nil && entryOf(walk.root, "openapi") == nil
	walk.visit(walk.root, 0)
	return walk.problems
}

type referenceWalk struct {
	d        *Document
	read     ReadFile
	root     ast.Node
	swagger  bool
	problems problem.List
}

func (w *referenceWalk) visit(n ast.Node, depth int) {
	if depth > maxDepth {
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			w.visit(v, depth+1)
		}
	case *ast.MappingValueNode:
		if s, ok := n.Value.(*ast.StringNode); ok && keyOf(n) == "$ref" {
			w.check(s)
			return
		}
		if key := keyOf(n); key == "example" || key == "examples" && !isMapping(n.Value) {
			return // a $ref inside an example is data
		}
		w.visit(n.Value, depth+1)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			w.visit(v, depth+1)
		}
	case *ast.AnchorNode:
		w.visit(n.Value, depth+1)
	case *ast.TagNode:
		w.visit(n.Value, depth+1)
	}
}

func (w *referenceWalk) check(s *ast.StringNode) {
	place := s.GetToken().Position
	report := func(code, message, hint string) {
		w.problems = append(w.problems, &problem.Problem{
			Code: code, File: w.d.File, Line: place.Line, Column: place.Column, Message: message, Hint: hint,
		})
	}
	ref := s.Value
	if fragment, local := strings.CutPrefix(ref, "#/"); local {
		if keys, ok := w.lookup(fragment); !ok {
			hint := "define it, or correct the name"
			last := ref[strings.LastIndex(ref, "/")+1:]
			if near := problem.Nearest(last, keys); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			report("ref-missing", fmt.Sprintf("reference %.200q points to nothing", ref), hint)
		}
		return
	}
	uri, err := url.Parse(ref)
	if err != nil {
		report("ref-bad", fmt.Sprintf("reference %.200q is not a URI", ref), "write `#/components/…` or a relative file name")
		return
	}
	if uri.Path == "" && uri.Host == "" {
		if ref != "#" && ref != "" {
			report("ref-anchor", fmt.Sprintf("reference %.200q names an anchor, which this build does not follow", ref), "write the path, such as `#/components/schemas/NAME`")
		}
		return
	}
	if w.swagger {
		report("ref-file", fmt.Sprintf("reference %.200q leads to another file, which is not followed from Swagger 2.0 documents", ref), "put what it names into this document, or convert the document to OpenAPI 3")
		return
	}
	rel, err := insideFolder(uri)
	if err != nil {
		report("ref-outside", err.Error(), "copy the document into the same folder and refer to it by its relative name")
		return
	}
	if _, err := w.read(filepath.Join(filepath.Dir(w.d.File), filepath.FromSlash(rel))); err != nil {
		report("ref-missing", fmt.Sprintf("reference %.200q: there is no file %s beside the document", ref, rel), "add the file, or correct the name")
	}
}

// lookup follows a JSON pointer through the document; when it ends nowhere it
// returns the keys that were there instead.
func (w *referenceWalk) lookup(pointer string) (keys []string, ok bool) {
	n := w.root
	for _, part := range strings.Split(pointer, "/") {
		if unescaped, err := url.PathUnescape(part); err == nil {
			part = unescaped
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		next, keys := child(n, part)
		if next == nil {
			return keys, false
		}
		if _, alias := next.(*ast.AliasNode); alias {
			return nil, true
		}
		n = next
	}
	return nil, true
}

func child(n ast.Node, name string) (ast.Node, []string) {
	var keys []string
	switch n := n.(type) {
	case *ast.AnchorNode:
		return child(n.Value, name)
	case *ast.TagNode:
		return child(n.Value, name)
	case *ast.MappingNode:
		for _, v := range n.Values {
			key := keyOf(v)
			if key == name {
				return v.Value, nil
			}
			keys = append(keys, key)
		}
	case *ast.MappingValueNode:
		if keyOf(n) == name {
			return n.Value, nil
		}
		keys = append(keys, keyOf(n))
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i], nil
		}
	}
	return nil, keys
}

func keyOf(n *ast.MappingValueNode) string {
	if s, ok := n.Key.(*ast.StringNode); ok {
		return s.Value
	}
	if n.Key == nil || n.Key.GetToken() == nil {
		return ""
	}
	return n.Key.GetToken().Value
}
