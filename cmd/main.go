// Package cmd holds the commands: flags in, one request to a package, print what
// it returns.
package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// Main runs the command line and returns the exit code.
func Main(args []string) int {
	ctx, stop := state.Context()
	defer stop()
	st := state.OS()
	root := newRoot(st)
	root.SetArgs(args)
	root.SetOut(st.Stdout)
	root.SetErr(st.Stderr)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, state.ErrInterrupted) || ctx.Err() != nil && err != nil && !isCoded(err) {
		err = &codeError{exitInterrupted, problem.List{{Code: "interrupted", Message: "interrupted; nothing was left behind"}}}
	}
	return report(st, err, wantsJSON(args, st.Getenv))
}

func isCoded(err error) bool {
	var coded *codeError
	return errors.As(err, &coded)
}

// wantsJSON looks for --output json without trusting that the flags parse.
func wantsJSON(args []string, getenv func(string) string) bool {
	for i, a := range args {
		if a == "--output=json" || a == "-o=json" || a == "-ojson" {
			return true
		}
		if (a == "--output" || a == "-o") && i+1 < len(args) {
			return args[i+1] == "json"
		}
	}
	return getenv("BACKEND_OUTPUT") == "json" && !slices.Contains(args, "--output=text")
}

// report prints an error for people on stderr, for programs on stdout, and
// returns the exit code.
func report(st *state.State, err error, asJSON bool) int {
	if err == nil {
		return exitOK
	}
	code := exitUsage
	var coded *codeError
	if errors.As(err, &coded) {
		code = coded.code
		if coded.err == nil {
			return code
		}
	}
	problems := problem.Of(err)
	if !isCoded(err) && slices.ContainsFunc(problems, func(p *problem.Problem) bool { return p.Code == "target-unwritable" }) {
		code = exitEnvironment
	}
	for _, p := range problems {
		fmt.Fprintln(st.Stderr, "error: "+printable(p.Error()))
	}
	if asJSON {
		text, err := json.Marshal(map[string]any{"error": map[string]any{"message": printable(problems[0].Message), "problems": problems}})
		if err == nil {
			fmt.Fprintln(st.Stdout, string(text))
		}
	}
	return code
}

// printable takes control characters out of a text that may come from a hostile
// document, so that it cannot drive the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
