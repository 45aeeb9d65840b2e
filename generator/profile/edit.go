package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Edit changes one key in the text of a profile, as --set key=value does, and leaves
// the rest of the text as its author wrote it. It returns the profile that the text
// then holds.
func Edit(file string, text []byte, assignment string) ([]byte, *Profile, error) {
	want, err := Parse(file, text)
	if err != nil {
		return nil, nil, err
	}
	if err := want.Set(assignment); err != nil {
		return nil, nil, err
	}
	path, value, _ := strings.Cut(assignment, "=")
	if old, err := Parse(file, text); err == nil && old.Get(path) == value {
		return text, old, nil
	}
	edited := splice(text, strings.Split(path, "."), value)
	got, err := Parse(file, edited)
	if err != nil || !maps.Equal(got.values, want.values) || !maps.EqualFunc(got.Services, want.Services, slices.Equal) ||
		!maps.EqualFunc(got.Operations, want.Operations, func(a, b Operation) bool { return a.String() == b.String() }) {
		return nil, nil, fail("set-edit", file, 0, 0, fmt.Sprintf("--set %s: the key cannot be changed in the text of the profile as it is written", path), "write "+path+": "+value+" into it by hand")
	}
	return edited, got, nil
}

// splice puts a value at a path of a YAML text: in the place of the one that stands
// there, or behind the innermost group of the path that is there.
func splice(text []byte, path []string, value string) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return text
	}
	var nodes []*ast.MappingValueNode
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			nodes = append(nodes, entries(doc.Body)...)
		}
	}
	var group *ast.MappingValueNode
	for depth, name := range path {
		i := slices.IndexFunc(nodes, func(n *ast.MappingValueNode) bool { return n.Key.GetToken().Value == name })
		if i < 0 {
			return []byte(insert(lines, group, path[depth:], value))
		}
		if depth == len(path)-1 {
			return []byte(replace(lines, nodes[i].Value, value))
		}
		group = nodes[i]
		nodes = entries(group.Value)
	}
	return text
}

// replace exchanges a scalar for another.
func replace(lines []string, n ast.Node, value string) string {
	token := n.GetToken()
	line := lines[token.Position.Line-1]
	runes := []rune(line)
	at := token.Position.Column - 1
	if at < 0 || at > len(runes) {
		return strings.Join(lines, "")
	}
	rest := string(runes[at:])
	for _, old := range []string{`"` + token.Value + `"`, "'" + token.Value + "'", token.Value} {
		if strings.HasPrefix(rest, old) {
			lines[token.Position.Line-1] = string(runes[:at]) + value + rest[len(old):]
			break
		}
	}
	return strings.Join(lines, "")
}

// insert writes the rest of a path with its value as the first entry of a group, or
// at the end of the text.
func insert(lines []string, group *ast.MappingValueNode, rest []string, value string) string {
	if group == nil {
		return ended(lines) + block(rest, value, 0)
	}
	inner := entries(group.Value)
	key := group.Key.GetToken().Position
	line := lines[key.Line-1]
	if open := strings.Index(line, "{"); open >= 0 && flow(group.Value) {
		entry := strings.Join(rest, ": {") + ": " + value + strings.Repeat("}", len(rest)-1)
		if len(inner) > 0 {
			entry += ", "
		}
		lines[key.Line-1] = line[:open+1] + entry + line[open+1:]
		return strings.Join(lines, "")
	}
	indent := key.Column + 1
	if len(inner) > 0 {
		indent = inner[0].Key.GetToken().Position.Column - 1
	}
	before := ended(lines[:key.Line])
	return before + block(rest, value, indent) + strings.Join(lines[key.Line:], "")
}

func flow(n ast.Node) bool {
	m, ok := n.(*ast.MappingNode)
	return ok && m.IsFlowStyle
}

// ended joins lines and ends the last one.
func ended(lines []string) string {
	text := strings.Join(lines, "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// block is a path with its value, a line for each of its parts.
func block(path []string, value string, indent int) string {
	var b strings.Builder
	for i, name := range path {
		b.WriteString(strings.Repeat(" ", indent+2*i) + name + ":")
		if i == len(path)-1 {
			b.WriteString(" " + value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
