package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/plan"
)

func TestMerge(t *testing.T) {
	lines := func(s string) string { return strings.ReplaceAll(s, " ", "\n") + "\n" }
	for name, test := range map[string]struct {
		base, ours, theirs, want string
		conflicts                []int
	}{
		"nothing":            {"a b c", "a b c", "a b c", "a b c", nil},
		"ours":               {"a b c", "a x c", "a b c", "a x c", nil},
		"theirs":             {"a b c", "a b c", "a b x", "a b x", nil},
		"apart":              {"a b c d", "x b c d", "a b c y", "x b c y", nil},
		"alike":              {"a b c", "a x c", "a x c", "a x c", nil},
		"insert and delete":  {"a b c d e", "a n b c d e", "a b c e", "a n b c e", nil},
		"all gone":           {"a b", "a b", "", "", nil},
		"same line":          {"a b c", "a x c", "a y c", "a <<<<<<<_yours x ======= y >>>>>>>_backend c", []int{2}},
		"same place":         {"a b", "a x b", "a y b", "a <<<<<<<_yours x ======= y >>>>>>>_backend b", []int{2}},
		"touching":           {"a b c", "a x c", "a b y", "a <<<<<<<_yours x c ======= b y >>>>>>>_backend", []int{2}},
		"common rim":         {"a b c", "a m x n c", "a m y n c", "a m <<<<<<<_yours x ======= y >>>>>>>_backend n c", []int{3}},
		"deleted and edited": {"a b c d", "a d", "a b x d", "a <<<<<<<_yours ======= b x >>>>>>>_backend d", []int{2}},
	} {
		got, conflicts := plan.Merge(lines(test.base), lines(test.ours), lines(test.theirs))
		want := strings.ReplaceAll(lines(test.want), "_", " ")
		if got != want || !slices.Equal(conflicts, test.conflicts) {
			t.Errorf("%s: %v\n%s", name, conflicts, got)
		}
		if !slices.Equal(plan.Marks(got), test.conflicts) {
			t.Errorf("%s: marks %v", name, plan.Marks(got))
		}
	}
	got, conflicts := plan.Compare("a\nb", "a\nc")
	if got != "a\n<<<<<<< yours\nb\n=======\nc\n>>>>>>> backend\n" || len(conflicts) != 1 {
		t.Errorf("without a base: %q", got)
	}
	got, conflicts = plan.MergeMarked("a\nb\nc\nd\n", "x\nb\nc\nd\n", "a\nb\nc\ny\n")
	if got != "x\nb\nc\n<<<<<<< yours\nd\n=======\ny\n>>>>>>> backend\n" || len(conflicts) != 1 {
		t.Errorf("marked: %q", got)
	}
}

func TestMergeYAML(t *testing.T) {
	base := "services:\n  shop:\n    ports: [1]\n    volumes:\n      - data:/data\n    mem: 1\n\nvolumes:\n  data: {}\n"
	ours := "services:\n  shop:\n    ports: [1]\n    volumes:\n      - data:/data\n    mem: 1\n    cpus: 2 # mine\n\n  # also mine\n  mailer:\n    image: m\n\nvolumes:\n  data: {}\n"
	theirs := "services:\n  shop:\n    ports: [1]\n    tmpfs:\n      - /data\n    mem: 2\n  database:\n    image: p\n    volumes:\n      - data:/data\n    mem: 1\n\nvolumes:\n  database: {}\n"
	want := "services:\n  shop:\n    ports: [1]\n    tmpfs:\n      - /data\n    mem: 2\n    cpus: 2 # mine\n  database:\n    image: p\n    volumes:\n      - data:/data\n    mem: 1\n\n  # also mine\n  mailer:\n    image: m\n\nvolumes:\n  database: {}\n"
	got, conflicts := plan.MergeYAML(base, ours, theirs)
	if got != want || len(conflicts) > 0 {
		t.Errorf("%v\n%s", conflicts, got)
	}
	got, conflicts = plan.MergeYAML("a: 1\nb: 2\n", "a: 2\nb: 2\n", "a: 3\nb: 4\n")
	if got != "<<<<<<< yours\na: 2\n=======\na: 3\n>>>>>>> backend\nb: 4\n" || !slices.Equal(conflicts, []int{1}) {
		t.Errorf("%v\n%s", conflicts, got)
	}
	got, conflicts = plan.MergeYAML("a: 1\nb: 2\n", "a: 1\n", "a: 1\nb: 3\n")
	if len(conflicts) != 1 {
		t.Errorf("what one side took out and the other changed is no conflict: %s", got)
	}
}

// FuzzMerge: a merge with itself or with an unchanged side is that side, and every
// line of a merge comes from one of the three.
func FuzzMerge(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nx\nc\n", "a\nb\ny\n")
	f.Add("", "a", "b\n")
	f.Add("a: 1\nb:\n  c: 2\n", "a: 1\n# x\nb:\n  c: 2\n  d: 3\n", "b:\n  e: 1\n  c: 3\n")
	f.Add("a\n\n\nb", "a\n\nb\n", "\n\nb")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		for _, side := range []string{ours, theirs} {
			for _, got := range []string{
				first(plan.Merge(base, side, base)), first(plan.Merge(base, base, side)), first(plan.Merge(base, side, side)),
				first(plan.MergeYAML(base, side, base)), first(plan.MergeYAML(base, base, side)), first(plan.MergeYAML(base, side, side)),
			} {
				if got != side {
					t.Fatalf("%q of %q became %q", side, base, got)
				}
			}
		}
		merged, conflicts := plan.Merge(base, ours, theirs)
		known := map[string]bool{"<<<<<<< yours": true, "=======": true, ">>>>>>> backend": true}
		for _, text := range []string{base, ours, theirs} {
			for _, line := range strings.Split(text, "\n") {
				known[line] = true
			}
		}
		for _, line := range strings.Split(merged, "\n") {
			if !known[line] && len(conflicts) == 0 {
				t.Fatalf("%q comes from nowhere: %q", line, merged)
			}
		}
		keyed, marks := plan.MergeYAML(base, ours, theirs)
		for _, line := range strings.Split(keyed, "\n") {
			if line != "" && !known[line] && len(marks) == 0 {
				t.Fatalf("%q comes from nowhere: %q", line, keyed)
			}
		}
		old, now := strings.Split(base, "\n"), strings.Split(keyed, "\n")
		for _, line := range slices.Concat(strings.Split(ours, "\n"), strings.Split(theirs, "\n")) {
			if !slices.Contains(old, line) && !slices.Contains(now, line) {
				t.Fatalf("%q is lost: %q", line, keyed)
			}
		}
		swapped, others := plan.Merge(base, theirs, ours)
		if len(conflicts) == 0 && (len(others) > 0 || swapped != merged) {
			t.Fatalf("it matters who is who: %q, %q", merged, swapped)
		}
	})
}

func first(text string, _ []int) string { return text }
