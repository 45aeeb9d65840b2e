package rest

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// node is a place in the tree of routes: the paths that begin alike, segment by
// segment.
type node struct {
	segments []segment         // the way here
	literal  map[string]*node  // the next segment is this text
	open     []*edge           // it has parameters; those with the most text first
	routes   map[string]*route // of the path that ends here, by method
}

type edge struct {
	segment segment
	to      *node
}

// segment is a part of a path template between slashes: the texts around its
// parameters, unescaped. One text is a segment without parameters.
type segment []string

func (s segment) equal(other segment) bool { return slices.Equal(s, other) }

// whole tells whether the segment is one parameter and nothing else.
func (s segment) whole() bool { return len(s) == 2 && s[0] == "" && s[1] == "" }

// size is the length of its text.
func (s segment) size() (n int) {
	for _, text := range s {
		n += len(text)
	}
	return n
}

// match appends the values of the segment's parameters to values. None is empty, and
// where several fit, the first ones are as short as can be.
func (s segment) match(text string, values []string) ([]string, bool) {
	last := len(s) - 1
	if len(text) < s.size()+last || !strings.HasPrefix(text, s[0]) || !strings.HasSuffix(text, s[last]) {
		return values, false
	}
	had := len(values)
	text = text[len(s[0]) : len(text)-len(s[last])]
	for _, between := range s[1:last] {
		if text == "" {
			return values[:had], false
		}
		_, first := utf8.DecodeRuneInString(text) // no character is taken apart
		at := strings.Index(text[first:], between)
		if at < 0 {
			return values[:had], false
		}
		values = append(values, text[:first+at])
		text = text[first+at+len(between):]
	}
	if text == "" {
		return values[:had], false
	}
	return append(values, text), true
}

// template takes a path template apart into its segments and its parameters' names.
func template(path string) (segments []segment, names []string) {
	current, text := segment{}, ""
	end := func() {
		current, text = append(current, unescaped(text)), ""
	}
	for path = strings.TrimPrefix(path, "/"); path != ""; path = path[1:] {
		closed := strings.IndexByte(path, '}')
		switch {
		case path[0] == '{' && closed > 0:
			end()
			names = append(names, path[1:closed])
			path = path[closed:]
		case path[0] == '/':
			end()
			segments, current = append(segments, current), segment{}
		default:
			text += path[:1]
		}
	}
	end()
	return append(segments, current), names
}

// unescaped undoes percent-encoding; a percent sign that encodes nothing stays.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// add makes the place of a path.
func (n *node) add(path []segment) *node {
	at := n
	for i, s := range path {
		next := at.child(s)
		if next == nil {
			next = &node{segments: path[:i+1]}
			at.put(s, next)
		}
		at = next
	}
	return at
}

func (n *node) child(s segment) *node {
	if len(s) == 1 {
		return n.literal[s[0]]
	}
	for _, e := range n.open {
		if e.segment.equal(s) {
			return e.to
		}
	}
	return nil
}

func (n *node) put(s segment, to *node) {
	if len(s) == 1 {
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		n.literal[s[0]] = to
		return
	}
	n.open = append(n.open, &edge{s, to})
	slices.SortStableFunc(n.open, func(a, b *edge) int {
		if d := b.segment.size() - a.segment.size(); d != 0 {
			return d
		}
		return len(a.segment) - len(b.segment)
	})
}

// search looks for the route of a request's path.
type search struct {
	method  string
	escaped bool     // the path is percent-encoded
	values  []string // of the parameters on the way
	passed  []*node  // places that the path fits and that lack the method
}

// find returns the route of a method and URL, with the values of its path's parameters
// appended to values. Of the paths that fit, the one with text where others have
// parameters comes first, from left to right.
func (n *node) find(method string, u *url.URL, values []string) (*route, []string) {
	path := u.Path
	s := search{method: method, values: values, escaped: u.RawPath != ""}
	if s.escaped {
		path = u.EscapedPath()
	}
	if path == "" || path[0] != '/' {
		return nil, values
	}
	found := s.below(n, path[1:])
	return found, s.values
}

// below goes on from n with the rest of the path, which begins after a slash.
func (s *search) below(n *node, rest string) *route {
	text, rest, more := strings.Cut(rest, "/")
	if s.escaped {
		text = unescaped(text)
	}
	if next := n.literal[text]; next != nil {
		if found := s.at(next, rest, more); found != nil {
			return found
		}
	}
	for _, e := range n.open {
		values, ok := e.segment.match(text, s.values)
		if !ok {
			continue
		}
		had := len(s.values)
		s.values = values
		if found := s.at(e.to, rest, more); found != nil {
			return found
		}
		s.values = s.values[:had]
	}
	return nil
}

// at goes on from n, or ends there.
func (s *search) at(n *node, rest string, more bool) *route {
	switch {
	case more:
		return s.below(n, rest)
	case len(n.routes) == 0:
		return nil
	}
	found := n.routes[s.method]
	if found == nil {
		s.passed = append(s.passed, n)
		return nil
	}
	// The more concrete path is the request's own (OpenAPI, Paths Object): where there
	// is only GET /pets/mine, DELETE /pets/mine is not DELETE /pets/{id}.
	for _, passed := range s.passed {
		if within(passed.segments, n.segments) {
			return nil
		}
	}
	return found
}

// within tells whether a path is another one of as many segments, with plain text for
// some of its parameters.
func within(path, other []segment) bool {
	for i, s := range other {
		if !s.equal(path[i]) && (!s.whole() || len(path[i]) > 1) {
			return false
		}
	}
	return true
}
