package problem_test

import (
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

func TestShapeForSmallBodies(t *testing.T) {
	many := make([]problem.FieldError, 5)
	for i := range many {
		many[i] = problem.FieldError{Pointer: "/a", Message: "is required"}
	}
	for want, p := range map[string]*problem.Problem{
		"no such order": problem.NotFound("no such order"),
		"Not Found":     problem.NotFound(""),
		"bad input: /a is required; /a is required; /a is required; and more": problem.Invalid("bad input", many...),
	} {
		if got := p.Message(); got != want {
			t.Errorf("Message = %q, want %q", got, want)
		}
	}
	if got := problem.Invalid("x").Code(); got != "unprocessable_entity" {
		t.Errorf("Code = %q", got)
	}
}
