package rest_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// shape is a path template as a reader of OpenAPI sees it: its segments, unescaped,
// each with the expression of what fits it.
type shape struct {
	path     string
	segments []string // a parameter is "{}"
	fits     []*regexp.Regexp
	names    []string
}

var (
	placeholder = regexp.MustCompile(`\{[^{}/]+\}`)
	plainPath   = regexp.MustCompile(`^(/([^{}/]|\{[^{}/]+\})*)+$`)
)

func shapeOf(path string) (s shape, ok bool) {
	if !plainPath.MatchString(path) || len(path) > 80 || !utf8.ValidString(path) {
		return s, false
	}
	s.path = path
	for _, name := range placeholder.FindAllString(path, -1) {
		if slices.Contains(s.names, name[1:len(name)-1]) {
			return s, false
		}
		s.names = append(s.names, name[1:len(name)-1])
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		expression, plain := "", ""
		for i, text := range placeholder.Split(segment, -1) {
			if i > 0 {
				expression, plain = expression+"(.+)", plain+"{}"
			}
			literal, err := url.PathUnescape(text)
			if err != nil {
				literal = text // a percent sign that escapes nothing
			}
			if strings.Contains(literal, "{}") {
				return s, false // would look like a parameter below
			}
			expression, plain = expression+regexp.QuoteMeta(literal), plain+literal
		}
		if !utf8.ValidString(plain) {
			return s, false // unescaped, it is no text
		}
		s.segments, s.fits = append(s.segments, plain), append(s.fits, regexp.MustCompile("(?s)^"+expression+"$"))
	}
	return s, true
}

// covers tells whether the template fits a path's segments.
func (s shape) covers(segments []string) bool {
	if len(segments) != len(s.fits) {
		return false
	}
	for i, fits := range s.fits {
		if !fits.MatchString(segments[i]) {
			return false
		}
	}
	return true
}

// FuzzRoutes serves any set of paths: what is found fits, filled with its parameters
// it is the path that was asked for, nothing that says more about the path was passed
// over, and nothing is missed.
func FuzzRoutes(f *testing.F) {
	f.Add("/a\n/a/{id}\n/a/me\n/a/{id}/b\n/{x}/c", "/a/me/b")
	f.Add("/a/{x}.json\n/a/{x}\n/a/{x}:do\n/a/v{x}", "/a/b.c.json")
	f.Add("/a/{x}-{y}/\n/a/{x}{y}/b\n/{z}/{w}/{v}", "/a/1-2-3/b")
	f.Add("/{1}{0}", "/\u0365")
	f.Add("/{1}{0}", "/\u0365a")
	f.Add("/%7Ba%2Fb/{x}\n/ü/{x}%20", "/%7Ba%2Fb/%C3%BC%20%2F")
	f.Fuzz(func(t *testing.T, paths, target string) {
		if !strings.HasPrefix(target, "/") || len(target) > 200 {
			return
		}
		asked, err := url.ParseRequestURI(target)
		if err != nil || asked.Host != "" || asked.RawQuery != "" || strings.ContainsAny(target, "?#") {
			return
		}
		router, api := plainAPI()
		var shapes []shape
		for path := range strings.SplitSeq(paths, "\n") {
			s, ok := shapeOf(path)
			if !ok || len(shapes) == 8 || slices.ContainsFunc(shapes, func(other shape) bool { return slices.Equal(other.segments, s.segments) }) {
				continue
			}
			shapes = append(shapes, s)
			echo(api, "GET", path, s.names...)
		}
		var segments []string
		for part := range strings.SplitSeq(asked.EscapedPath()[1:], "/") {
			text, err := url.PathUnescape(part)
			if err != nil {
				t.Fatal(err) // an escaped path is one that can be unescaped
			}
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				return // no parameter takes it
			}
			segments = append(segments, text)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = asked
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		expected := slices.IndexFunc(shapes, func(s shape) bool { return s.covers(segments) })
		if w.Code != 200 {
			if expected >= 0 || w.Code != 404 {
				t.Fatalf("%q of %q: %d", target, paths, w.Code)
			}
			return
		}
		var got []string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(shapes, func(s shape) bool { return "GET "+s.path == got[0] })
		found := shapes[i]
		for _, value := range got[1:] {
			if value == "" {
				t.Fatalf("%q of %q: an empty parameter in %q", target, paths, got)
			}
		}
		filled := strings.Join(found.segments, "\x00")
		for _, value := range got[1:] {
			filled = strings.Replace(filled, "{}", value, 1)
		}
		if !strings.Contains(strings.Join(got[1:], ""), "{}") && filled != strings.Join(segments, "\x00") {
			t.Fatalf("%q of %q was served as %q", target, paths, got)
		}
		for _, other := range shapes {
			if other.covers(segments) && closer(other, found) {
				t.Fatalf("%q of %q was served as %q, not as %s", target, paths, got[0], other.path)
			}
		}
	})
}

// closer tells whether a says at least as much about each segment as b, and more about one.
func closer(a, b shape) bool {
	more := false
	for i, s := range a.segments {
		switch {
		case s == b.segments[i]:
		case !strings.Contains(s, "{}"), b.segments[i] == "{}" && strings.ReplaceAll(s, "{}", "") != "":
			more = true
		default:
			return false
		}
	}
	return more
}
