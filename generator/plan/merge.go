package plan

import (
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// The marks around a conflict, as every merge tool knows them.
const (
	markOurs   = "<<<<<<< yours\n"
	markMiddle = "=======\n"
	markTheirs = ">>>>>>> backend\n"
)

// Merge joins what the user made of base with what the generator made of it. Where
// both changed the same lines, or lines that touch, both stand between marks; the
// line numbers of these come back, from 1.
func Merge(base, ours, theirs string) (merged string, conflicts []int) {
	return merge(base, ours, theirs, false)
}

// MergeMarked is Merge with a mark around every change of the generator, for a text
// that came out wrong without any.
func MergeMarked(base, ours, theirs string) (merged string, conflicts []int) {
	return merge(base, ours, theirs, true)
}

// Compare marks every difference between two texts that have no base in common.
func Compare(ours, theirs string) (merged string, conflicts []int) {
	return merge(ours, ours, theirs, true)
}

// Marks returns the line numbers at which conflicts of an earlier merge still stand.
func Marks(text string) (lines []int) {
	if !strings.Contains(text, markTheirs) {
		return nil
	}
	for i, line := range strings.SplitAfter(text, "\n") {
		if line == markOurs {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// Diff is a unified diff of two versions of a file, "" when they are alike.
func Diff(name, before, after string) string {
	return udiff.Unified(name, name, before, after)
}

// hunk replaces the lines [start, end) of a base by others.
type hunk struct {
	start, end int
	lines      []string
}

func merge(base, ours, theirs string, mark bool) (string, []int) {
	lines := split(base)
	a, b := hunks(base, ours), hunks(base, theirs)
	m := &merger{base: lines, mark: mark}
	for at := 0; len(a)+len(b) > 0; {
		// A group is a run of hunks of either side that overlap or touch.
		start := first(a, b)
		m.write(lines[at:start])
		end := start
		var mine, his []hunk
		for {
			ours, theirs := len(a) > 0 && a[0].start <= end, len(b) > 0 && b[0].start <= end
			if ours {
				end, mine, a = max(end, a[0].end), append(mine, a[0]), a[1:]
			}
			if theirs {
				end, his, b = max(end, b[0].end), append(his, b[0]), b[1:]
			}
			if !ours && !theirs {
				break
			}
		}
		m.group(start, end, mine, his)
		at = end
		if len(a)+len(b) == 0 {
			m.write(lines[at:])
			return m.text(), m.conflicts
		}
	}
	return base, nil
}

func first(a, b []hunk) int {
	switch {
	case len(a) == 0:
		return b[0].start
	case len(b) == 0:
		return a[0].start
	}
	return min(a[0].start, b[0].start)
}

// merger collects the lines of a merge.
type merger struct {
	base      []string
	mark      bool
	out       []string
	conflicts []int
}

func (m *merger) write(lines []string) { m.out = append(m.out, lines...) }

func (m *merger) text() string { return strings.Join(m.out, "") }

// group writes what becomes of base[start:end].
func (m *merger) group(start, end int, mine, his []hunk) {
	ours, theirs := m.apply(start, end, mine), m.apply(start, end, his)
	switch {
	case len(his) == 0, slices.Equal(ours, theirs):
		m.write(ours)
		return
	case len(mine) == 0 && !m.mark:
		m.write(theirs)
		return
	}
	head := 0
	for head < len(ours) && head < len(theirs) && ours[head] == theirs[head] {
		head++
	}
	tail := 0
	for tail < len(ours)-head && tail < len(theirs)-head && ours[len(ours)-1-tail] == theirs[len(theirs)-1-tail] {
		tail++
	}
	m.write(ours[:head])
	m.conflicts = append(m.conflicts, len(m.out)+1)
	m.write([]string{markOurs})
	m.write(ended(ours[head : len(ours)-tail]))
	m.write([]string{markMiddle})
	m.write(ended(theirs[head : len(theirs)-tail]))
	m.write([]string{markTheirs})
	m.write(ours[len(ours)-tail:])
}

// apply returns base[start:end] as one side has it.
func (m *merger) apply(start, end int, hunks []hunk) []string {
	var out []string
	for _, h := range hunks {
		out = append(append(out, m.base[start:h.start]...), h.lines...)
		start = h.end
	}
	return append(out, m.base[start:end]...)
}

// ended gives the last line an end, so that a mark can follow.
func ended(lines []string) []string {
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines = slices.Clone(lines)
		lines[n-1] += "\n"
	}
	return lines
}

// split cuts a text into lines that keep their ends.
func split(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// hunks are the changes from one text to another, in order.
func hunks(before, after string) []hunk {
	number := map[int]int{} // offset of a line -> its number
	offset := 0
	for i, line := range split(before) {
		number[offset] = i
		offset += len(line)
	}
	number[offset] = len(split(before))
	var out []hunk
	for _, e := range udiff.Lines(before, after) {
		out = append(out, hunk{start: number[e.Start], end: number[e.End], lines: split(e.New)})
	}
	return out
}
