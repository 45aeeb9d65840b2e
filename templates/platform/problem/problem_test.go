package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

func TestProblemsInJSON(t *testing.T) {
	for want, p := range map[string]*problem.Problem{
		`{"type":"about:blank","title":"Bad Request","status":400,"detail":"d"}`:       problem.BadRequest("d"),
		`{"type":"about:blank","title":"Unauthorized","status":401,"detail":"d"}`:      problem.Unauthorized("d"),
		`{"type":"about:blank","title":"Forbidden","status":403,"detail":"d"}`:         problem.Forbidden("d"),
		`{"type":"about:blank","title":"Not Found","status":404,"detail":"Not Found"}`: problem.NotFound(""),
		`{"type":"about:blank","title":"Conflict","status":409,"detail":"d"}`:          problem.Conflict("d"),
		`{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"d","errors":[{"in":"body","pointer":"/a","message":"is required"},{"pointer":"","message":"m"}]}`: problem.Invalid("d",
			problem.FieldError{In: "body", Pointer: "/a", Message: "is required"}, problem.FieldError{Message: "m"}),
		`{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"too many requests"}`:                                  problem.TooManyRequests(0),
		`{"type":"about:blank","title":"Not Implemented","status":501,"detail":"operation cancel is not implemented: it is an action"}`: problem.Unimplemented("cancel", "it is an action"),
		`{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"d"}`:                                                problem.Unavailable("d", time.Second),
		`{"type":"about:blank","title":"Status 499","status":499,"detail":"Status 499"}`:                                                problem.New(499, ""),
	} {
		got, err := json.Marshal(p)
		if err != nil || string(got) != want {
			t.Errorf("got  %s\nwant %s, %v", got, want, err)
		}
	}
}

func TestRetryAfterIsWholeSecondsRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2"} {
		for _, p := range []*problem.Problem{problem.TooManyRequests(d), problem.Unavailable("", d)} {
			if got := p.Header.Get("Retry-After"); got != want {
				t.Errorf("%s: %q", d, got)
			}
		}
	}
}

func TestAProblemIsAnError(t *testing.T) {
	err := fmt.Errorf("create: %w", problem.Conflict("the name is taken"))
	var p *problem.Problem
	if !errors.As(err, &p) || err.Error() != "create: Conflict: the name is taken" || problem.NotFound("").Error() != "Not Found" {
		t.Errorf("got %v", err)
	}
}
