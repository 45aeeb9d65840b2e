package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/e6b96b0c/backend/generator/problem"
)

func TestNearest(t *testing.T) {
	words := []string{"database.engine", "cache.engine", "deploy.ci", "orders", "monolith"}
	for word, want := range map[string]string{
		"databse.engine": "database.engine", "Cache.Engine": "cache.engine", "ordres": "orders", "order": "orders",
		"monolit": "monolith", "kafka": "", "": "", "x": "",
	} {
		if got := problem.Nearest(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := problem.Nearest("ab", []string{"abc", "ba"}); got != "abc" {
		t.Errorf("of equals the first: %q", got)
	}
}

func TestErrorText(t *testing.T) {
	for want, p := range map[string]problem.Problem{
		"a.yaml:3:5: wrong · try: right": {File: "a.yaml", Line: 3, Column: 5, Message: "wrong", Hint: "right"},
		"a.yaml:3: wrong":                {File: "a.yaml", Line: 3, Message: "wrong"},
		"a.yaml: wrong":                  {File: "a.yaml", Column: 5, Message: "wrong"},
		"wrong":                          {Line: 3, Message: "wrong"},
	} {
		if got := p.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestOf(t *testing.T) {
	one := &problem.Problem{Message: "one"}
	if got := problem.Of(fmt.Errorf("behind: %w", problem.List{one, one})); len(got) != 2 {
		t.Errorf("a wrapped list has %d problems", len(got))
	}
	if got := problem.Of(fmt.Errorf("behind: %w", one)); len(got) != 1 || got[0] != one {
		t.Errorf("a wrapped problem: %v", got)
	}
	if got := problem.Of(errors.New("plain")); len(got) != 1 || got[0].Message != "plain" || got[0].Code != "error" {
		t.Errorf("a plain error: %v", got)
	}
	if problem.Of(nil) != nil || problem.List(nil).Err() != nil || (problem.List{one}).Err() == nil {
		t.Error("no error became one, or one became none")
	}
}
