package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
)

// maxBytes bounds a profile file.
const maxBytes = 1 << 20

// serviceName is what a service may be called.
var serviceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Parse reads a profile file on top of the defaults. The error is a problem.List
// with every fault and its place.
func Parse(file string, data []byte) (*Profile, error) {
	p, err := Preset("monolith")
	if err != nil {
		return nil, err
	}
	p.Preset = ""
	if len(data) > maxBytes {
		return nil, fail("profile-large", file, 0, 0, "the profile is larger than 1 MiB", "")
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, column, message := 1, 1, strings.SplitN(err.Error(), "\n", 2)[0]
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			line, column, message = syntax.Token.Position.Line, syntax.Token.Position.Column, syntax.Message
		}
		return nil, fail("profile-yaml", file, line, column, "not valid YAML: "+message, "fix the YAML at this place")
	}
	r := &reader{p: p, file: file}
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			r.mapping("", doc.Body)
		}
	}
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

type reader struct {
	p        *Profile
	file     string
	problems problem.List
}

func (r *reader) report(n ast.Node, code, message, hint string) {
	place := n.GetToken().Position
	r.problems = append(r.problems, &problem.Problem{Code: code, File: r.file, Line: place.Line, Column: place.Column, Message: message, Hint: hint})
}

// mapping reads the keys below prefix.
func (r *reader) mapping(prefix string, n ast.Node) {
	for _, v := range entries(n) {
		name := v.Key.GetToken().Value
		path := strings.TrimPrefix(prefix+"."+name, ".")
		if k := find(path); k != nil {
			r.value(k, v)
			continue
		}
		if isGroup(path) && entries(v.Value) != nil {
			r.mapping(path, v.Value)
			continue
		}
		if isGroup(path) {
			r.report(v.Value, "profile-value", path+" holds keys of its own", "write them below it")
			continue
		}
		place := v.Key.GetToken().Position
		r.problems = append(r.problems, unknown(r.file, place.Line, place.Column, path)...)
	}
	if prefix == "" && entries(n) == nil {
		if _, null := n.(*ast.NullNode); !null {
			r.report(n, "profile-value", "a profile is a mapping", "start it with `version: 1`")
		}
	}
}

func entries(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func isGroup(path string) bool {
	for _, k := range table {
		if strings.HasPrefix(k.path, path+".") {
			return true
		}
	}
	return false
}

func (r *reader) value(k *key, v *ast.MappingValueNode) {
	switch {
	case k.path == "services":
		r.services(v.Value)
		return
	case k.path == "operations":
		r.operations(v.Value)
		return
	case k.kind == object:
		if len(entries(v.Value)) > 0 {
			r.report(v.Value, "profile-planned", k.path+" is not in this build yet", "leave it empty")
		}
		return
	}
	scalar, ok := v.Value.(ast.ScalarNode)
	if !ok {
		r.report(v.Value, "profile-value", k.path+" takes one value", "write "+k.path+": "+k.def)
		return
	}
	text := scalar.GetToken().Value
	if message, hint := k.check(text); message != "" {
		r.report(v.Value, "profile-value", k.path+": "+message, hint)
		return
	}
	r.p.values[k.path] = text
}

// operations reads  cancelOrder: {does: record}.
func (r *reader) operations(n ast.Node) {
	for _, v := range entries(n) {
		var value any
		text, err := []byte(nil), yaml.NodeToValue(v.Value, &value)
		if err == nil {
			text, err = json.Marshal(value)
		}
		e, reason := (*model.Extension)(nil), "cannot be read"
		if err == nil {
			e, reason = model.ParseExtension(text)
		}
		name := v.Key.GetToken().Value
		if reason != "" {
			r.report(v.Value, "profile-operation", fmt.Sprintf("operation %.60q: %s", name, reason), "`backend profile suggest` has lines that hold")
			continue
		}
		place := v.Key.GetToken().Position
		r.p.Operations[name] = Operation{e, r.file, place.Line, place.Column}
	}
}

// services reads  orders: {tags: [orders, payments]}.
func (r *reader) services(n ast.Node) {
	for _, v := range entries(n) {
		name := v.Key.GetToken().Value
		if !serviceName.MatchString(name) {
			r.report(v.Key, "profile-service", fmt.Sprintf("%.60q cannot be a service name", name), "use a-z, 0-9 and -, starting with a letter")
			continue
		}
		for _, field := range entries(v.Value) {
			if field.Key.GetToken().Value != "tags" {
				r.report(field.Key, "profile-key", fmt.Sprintf("unknown key %.60q of a service", field.Key.GetToken().Value), `did you mean "tags"?`)
				continue
			}
			list, ok := field.Value.(*ast.SequenceNode)
			if !ok {
				r.report(field.Value, "profile-value", "tags is a list", "write tags: [a, b]")
				continue
			}
			for _, item := range list.Values {
				r.p.Services[name] = append(r.p.Services[name], item.GetToken().Value)
			}
		}
	}
}
