package cmd

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/problem"
)

// settingsFile is a file of settings, read.
type settingsFile struct {
	path   string
	values *viper.Viper
	places map[string]ast.Node // by key
}

// applySettings fills flags that were not given from BACKEND_* variables, then
// .backend.yaml of the project, then the user's own settings. What it fills counts
// as given: it beats the defaults that a project's scenario sets. Every wrong
// setting is reported.
func applySettings(st *state.State, c *cobra.Command, args []string) error {
	if c.DisableFlagParsing {
		return nil // the command only says that it is not there yet
	}
	environment := viper.New()
	environment.SetEnvPrefix("BACKEND")
	environment.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	environment.AutomaticEnv()
	files, problems := settingsFiles(st, c, args)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" {
			return
		}
		if environment.IsSet(f.Name) {
			text := environment.GetString(f.Name)
			source := "BACKEND_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			values := []string{text}
			if f.Value.Type() == "stringArray" {
				values = strings.Split(text, ",")
			}
			if bad := setFlag(c, f, values); bad != "" {
				problems = append(problems, &problem.Problem{Code: "settings", Message: source + " " + bad, Hint: "correct or unset the variable"})
			}
			return
		}
		for _, file := range files {
			if !file.values.IsSet(f.Name) {
				continue
			}
			values := file.values.GetStringSlice(f.Name)
			if _, list := file.values.Get(f.Name).([]any); !list {
				values = []string{file.values.GetString(f.Name)}
			} else if f.Value.Type() != "stringArray" {
				values = []string{fmt.Sprint(file.values.Get(f.Name))}
			}
			if bad := setFlag(c, f, values); bad != "" {
				problems = append(problems, file.problem(f.Name, f.Name+" "+bad, "correct the file"))
			}
			return
		}
	})
	if len(problems) > 0 {
		return &codeError{exitUsage, problems}
	}
	return nil
}

// setFlag sets a flag as the command line would, and says what is wrong with the
// value, "" for nothing.
func setFlag(c *cobra.Command, f *pflag.Flag, values []string) string {
	for _, v := range values {
		if err := c.Flags().Set(f.Name, strings.TrimSpace(v)); err != nil {
			return fmt.Sprintf("%.60q is not %s", v, kindOf(f))
		}
	}
	return ""
}

// settingsFiles reads the files of settings, the strongest first, and reports
// every key that no command takes.
func settingsFiles(st *state.State, c *cobra.Command, args []string) ([]*settingsFile, problem.List) {
	var paths []string
	if len(args) == 1 && st.IsDir(args[0]) { // run and loadtest name the project
		paths = append(paths, filepath.Join(args[0], ".backend.yaml"))
	}
	if own := ".backend.yaml"; len(paths) == 0 || st.Abs(paths[0]) != st.Abs(own) {
		paths = append(paths, own)
	}
	if dir := st.UserConfigDir(); dir != "" {
		paths = append(paths, filepath.Join(dir, "backend", "config.yaml"))
	}
	known := map[string]bool{}
	allFlags(c.Root(), known)
	var files []*settingsFile
	var problems problem.List
	for _, path := range paths {
		if !st.Exists(path) {
			continue
		}
		file, bad := readSettings(st, path, known)
		problems = append(problems, bad...)
		if file != nil {
			files = append(files, file)
		}
	}
	return files, problems
}

// allFlags collects the flags of a command and of those below it.
func allFlags(c *cobra.Command, names map[string]bool) {
	add := func(f *pflag.Flag) {
		if f.Name != "help" {
			names[f.Name] = true
		}
	}
	c.Flags().VisitAll(add)
	c.PersistentFlags().VisitAll(add)
	for _, sub := range c.Commands() {
		if sub.Name() != "completion" && sub.Name() != "help" {
			allFlags(sub, names)
		}
	}
}

func readSettings(st *state.State, path string, known map[string]bool) (*settingsFile, problem.List) {
	fail := func(line, column int, message string) (*settingsFile, problem.List) {
		return nil, problem.List{{Code: "settings", File: path, Line: line, Column: column, Message: message, Hint: "correct or remove the file"}}
	}
	data, err := st.ReadFile(path)
	if err != nil {
		return fail(0, 0, "the settings cannot be read: "+reason(err))
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			return fail(syntax.Token.Position.Line, syntax.Token.Position.Column, "not valid YAML: "+syntax.Message)
		}
		return fail(1, 1, "not valid YAML")
	}
	file := &settingsFile{path: path, values: viper.New(), places: map[string]ast.Node{}}
	var problems problem.List
	for _, doc := range tree.Docs {
		entries, ok := mappingOf(doc.Body)
		if !ok {
			return fail(1, 1, "settings are a mapping of flags, such as  rate: 500")
		}
		for _, e := range entries {
			name := e.Key.GetToken().Value
			file.places[name] = e.Key
			if !known[name] {
				problems = append(problems, file.problem(name, fmt.Sprintf("unknown setting %.60q", name), didYouMean(name, sorted(known), "settings are named like the flags: "+strings.Join(sorted(known), ", "))))
			}
		}
	}
	file.values.SetConfigType("yaml")
	if err := file.values.ReadConfig(strings.NewReader(string(data))); err != nil {
		return fail(1, 1, "not valid YAML") // the parser above has let through what this one does not
	}
	return file, problems
}

func mappingOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil, true
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func (f *settingsFile) problem(key, message, hint string) *problem.Problem {
	p := &problem.Problem{Code: "settings", File: f.path, Message: message, Hint: hint}
	if n := f.places[key]; n != nil {
		p.Line, p.Column = n.GetToken().Position.Line, n.GetToken().Position.Column
	}
	return p
}
