package plan

import (
	"regexp"
	"slices"
	"strings"
)

// MergeYAML is Merge for YAML: key by key as far as all three texts are mappings, so
// that what one side adds to a mapping cannot get between what the other adds, and
// line by line below that. Lines stand as their author wrote them.
func MergeYAML(base, ours, theirs string) (merged string, conflicts []int) {
	switch {
	case ours == base:
		return theirs, nil
	case theirs == base, ours == theirs:
		return ours, nil
	}
	lines := mergeMapping(closed(base), closed(ours), closed(theirs))
	merged = strings.Join(lines, "")
	return merged, Marks(merged)
}

func closed(text string) []string { return ended(split(text)) }

// entry is one key of a mapping as it is written: the comments and blank lines before
// it, its line, and the lines of its value below.
type entry struct {
	key  string
	lead []string
	head string
	body []string
}

func (e *entry) lines() []string {
	if e == nil {
		return nil
	}
	return slices.Concat(e.lead, []string{e.head}, e.body)
}

// mapping is a run of lines that is a YAML mapping in block style.
type mapping struct {
	entries []*entry
	tail    []string // comments and blank lines after the last entry
}

func (m *mapping) find(key string) *entry {
	for _, e := range m.entries {
		if e.key == key {
			return e
		}
	}
	return nil
}

var keyLine = regexp.MustCompile(`^( *)("[^"]*"|'[^']*'|[^\s#\-?&*!|>%@"'\[\]{},` + "`" + `][^:]*|-[^\s:][^:]*):(\s|$)`)

// mappingOf reads lines as a mapping; ok is false when they are something else.
func mappingOf(lines []string) (m mapping, ok bool) {
	indent := -1
	var pending []string
	for _, line := range lines {
		text := strings.TrimLeft(line, " ")
		if strings.TrimSpace(text) == "" || text[0] == '#' || indent < 0 && strings.TrimSpace(line) == "---" {
			pending = append(pending, line)
			continue
		}
		depth := len(line) - len(text)
		if indent < 0 {
			indent = depth
		}
		match := keyLine.FindStringSubmatch(line)
		n := len(m.entries)
		switch {
		case depth == indent && match != nil:
			if m.find(match[2]) != nil {
				return m, false
			}
			m.entries = append(m.entries, &entry{key: match[2], lead: pending, head: line})
		case n > 0 && (depth > indent || depth == indent && strings.HasPrefix(text, "- ")):
			e := m.entries[n-1]
			e.body = append(append(e.body, pending...), line)
		default:
			return m, false
		}
		pending = nil
	}
	m.tail = pending
	return m, len(m.entries) > 0
}

// mergeMapping merges three runs of lines that stand for the same value.
func mergeMapping(base, ours, theirs []string) []string {
	switch {
	case slices.Equal(ours, base):
		return theirs
	case slices.Equal(theirs, base), slices.Equal(ours, theirs):
		return ours
	}
	b, okB := mappingOf(base)
	o, okO := mappingOf(ours)
	t, okT := mappingOf(theirs)
	if !okB || !okO || !okT {
		return mergeLines(base, ours, theirs)
	}
	var out []string
	done := map[string]bool{}
	// What only they have comes after what it follows there.
	follow := func(after string) {
		i := slices.IndexFunc(t.entries, func(e *entry) bool { return e.key == after }) + 1
		if after != "" && i == 0 {
			return
		}
		for ; i < len(t.entries) && o.find(t.entries[i].key) == nil; i++ {
			if e := t.entries[i]; !done[e.key] {
				done[e.key] = true
				out = append(out, mergeEntry(b.find(e.key), nil, e)...)
			}
		}
	}
	follow("")
	for _, e := range o.entries {
		out = append(out, mergeEntry(b.find(e.key), e, t.find(e.key))...)
		follow(e.key)
	}
	return append(out, mergeLines(b.tail, o.tail, t.tail)...)
}

// mergeEntry merges one key; nil is a side that does not have it.
func mergeEntry(base, ours, theirs *entry) []string {
	if base == nil || ours == nil || theirs == nil {
		return mergeLines(base.lines(), ours.lines(), theirs.lines())
	}
	head := ours.head
	switch {
	case ours.head == base.head:
		head = theirs.head
	case theirs.head != base.head && theirs.head != ours.head:
		return mergeLines(base.lines(), ours.lines(), theirs.lines())
	}
	return slices.Concat(mergeLines(base.lead, ours.lead, theirs.lead), []string{head}, mergeMapping(base.body, ours.body, theirs.body))
}

func mergeLines(base, ours, theirs []string) []string {
	text, _ := Merge(strings.Join(base, ""), strings.Join(ours, ""), strings.Join(theirs, ""))
	return split(text)
}
