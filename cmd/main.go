// Package cmd holds the commands: flags in, one request to a package, print what
// it returns.
package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/generator/problem"
)

// The exit codes of every command.
const (
	exitOK          = 0
	exitFindings    = 1
	exitUsage       = 2
	exitEnvironment = 3
	exitSLO         = 4
	exitInvalid     = 5
	exitInterrupted = 130
)

// codeError is an error with the exit code that it means. Without an error it
// only sets the code.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

// environment marks an error of what the command found around it.
func environment(code, message, hint string) error {
	return &codeError{exitEnvironment, problem.List{{Code: code, Message: message, Hint: hint}}}
}

// usage marks an error of flags or arguments.
func usage(code, message, hint string) error {
	return &codeError{exitUsage, problem.List{{Code: code, Message: message, Hint: hint}}}
}

// garbagePercent trades memory for time: documents are large, and commands short.
const garbagePercent = 400

// Main runs the command line and returns the exit code.
func Main(args []string) int {
	ctx, stop := state.Context()
	defer stop()
	st := state.OS()
	if st.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	root, options := newRoot(st)
	root.SetArgs(args)
	root.SetOut(st.Stdout)
	root.SetErr(st.Stderr)
	err := interrupted(ctx, root.ExecuteContext(ctx))
	return report(st, err, options.output == "json" || wantsJSON(args, st.Getenv))
}

// interrupted says that a command failed because a signal ended it: what broke on
// the way out is not worth telling. A command that stops in order at a signal
// decides for itself by a stopError, or by an exit code alone.
func interrupted(ctx context.Context, err error) error {
	var coded *codeError
	var stopped *stopError
	switch {
	case err == nil, errors.As(err, &stopped):
		return err
	case errors.As(err, &coded) && coded.err == nil:
		return err
	case errors.Is(err, state.ErrInterrupted), errors.Is(context.Cause(ctx), state.ErrInterrupted):
		return &codeError{exitInterrupted, problem.List{{Code: "interrupted", Message: "interrupted"}}}
	}
	return err
}

// stopError is a failure of the orderly stop itself.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// wantsJSON looks for --output json without trusting that the flags parse.
func wantsJSON(args []string, getenv func(string) string) bool {
	for i, a := range args {
		switch a {
		case "--output=json", "-o=json", "-ojson":
			return true
		case "--output", "-o":
			return i+1 < len(args) && args[i+1] == "json"
		}
		if strings.HasPrefix(a, "--output=") || strings.HasPrefix(a, "-o") {
			return false
		}
	}
	return getenv("BACKEND_OUTPUT") == "json"
}

// report prints an error for people on stderr, for programs on stdout, and
// returns the exit code.
func report(st *state.State, err error, asJSON bool) int {
	if err == nil {
		return exitOK
	}
	code := exitUsage
	problems := problem.Of(err)
	var coded *codeError
	if errors.As(err, &coded) {
		code = coded.code
		if coded.err == nil {
			return code
		}
	} else if slices.ContainsFunc(problems, func(p *problem.Problem) bool { return p.Code == "target-unwritable" }) {
		code = exitEnvironment
	}
	for _, p := range problems {
		shown := *p
		if shown.File != "" {
			shown.File = st.Rel(shown.File) // as people name it; programs get it as it is
		}
		if strings.Contains(shown.Message, "\n") && shown.Hint != "" {
			shown.Message, shown.Hint = shown.Message+"\ntry: "+shown.Hint, ""
		}
		st.Notef("error: %s\n", printable(shown.Error()))
	}
	if asJSON {
		text, err := json.Marshal(map[string]any{"error": map[string]any{"message": problems[0].Message, "problems": problems}})
		if err == nil {
			st.Printf("%s\n", text)
		}
	}
	return code
}

// printable takes out of a text that may come from a hostile document what could
// drive the terminal or turn what is read: control characters but line ends and
// tabs, and the marks that change the direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, text)
}

// reason is an error's last part, without the path that the message names already.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// sorted lists a set.
func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// cell is a printable text for one line of a table.
func cell(text string) string {
	return strings.Join(strings.Fields(printable(text)), " ")
}
