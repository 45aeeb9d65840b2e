package rest

import (
	"regexp"
	"slices"
	"strings"
)

// template is a path of the API, cut into segments, without its parameters' names.
type template struct {
	pattern  string // as the routes know it
	segments []string
	// closer are the templates that match some of this one's paths and say more about
	// them: /pets/mine beside /pets/{id}.
	closer []*template
}

var parameter = regexp.MustCompile(`\{p[0-9]+(:\\\*)?\}`)

const anything = "{}"

// addTemplate notes a path's place among those that overlap with it.
func (rt *Router) addTemplate(pattern string) {
	if rt.templates[pattern] != nil {
		return
	}
	added := &template{pattern: pattern, segments: strings.Split(parameter.ReplaceAllString(pattern, anything), "/")}
	for _, other := range rt.templates {
		if added.within(other) {
			other.closer = append(other.closer, added)
		} else if other.within(added) {
			added.closer = append(added.closer, other)
		}
	}
	rt.templates[pattern] = added
}

// within tells whether t is the other one with plain text for some of its parameters.
func (t *template) within(other *template) bool {
	if len(t.segments) != len(other.segments) || slices.Equal(t.segments, other.segments) {
		return false
	}
	for i, s := range other.segments {
		if s != t.segments[i] && (s != anything || strings.Contains(t.segments[i], anything)) {
			return false
		}
	}
	return true
}

func (t *template) matches(path string) bool {
	segments := strings.Split(path, "/")
	if len(segments) != len(t.segments) {
		return false
	}
	for i, s := range t.segments {
		begin, end := strings.Index(s, anything), strings.LastIndex(s, anything)
		switch {
		case begin < 0:
			if s != segments[i] {
				return false
			}
		case !strings.HasPrefix(segments[i], s[:begin]), !strings.HasSuffix(segments[i], s[end+len(anything):]),
			len(segments[i]) <= len(s)-len(anything):
			return false
		}
	}
	return true
}

// belongsElsewhere tells whether a path is another one's that has no such method: the
// more concrete template is the path's own (OpenAPI, Paths Object), so DELETE /pets/mine
// is not DELETE /pets/{id}.
func (rt *Router) belongsElsewhere(method, pattern, path string) bool {
	for _, t := range rt.templates[pattern].closer {
		if rt.routes[routeKey{method, t.pattern}] == nil && t.matches(path) {
			return true
		}
	}
	return false
}
