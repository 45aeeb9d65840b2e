package rest

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// route is one method of one path.
type route struct {
	log     *slog.Logger
	names   []string // of the path's parameters; "" for one of the router's own
	metrics *telemetry.Operation
	op      *operation            // nil for a plain handler
	serve   func(*exchange) error // of an operation
	handler http.Handler          // a plain one
}

type routeKey struct{ method, pattern string }

// methods are those that a path can have in an API's description.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodTrace,
	}
}

// add makes a route findable. Package chi is the route tree, no more: parameters
// get plain names, for it panics on odd ones.
func (rt *Router) add(method, path string, r *route) {
	pattern, names := pattern(path)
	r.names = names
	key := routeKey{method, pattern}
	if _, ok := rt.routes[key]; !ok {
		rt.tree.Method(method, pattern, http.NotFoundHandler())
	}
	rt.routes[key] = r
	rt.addTemplate(pattern)
}

// find returns the route of a request, and its path parameters appended to values.
func (rt *Router) find(method, path string, rctx *chi.Context, values []string) (*route, []string) {
	rctx.Reset()
	pattern := rt.tree.Find(rctx, method, path)
	if pattern == "" {
		return nil, values
	}
	r := rt.routes[routeKey{method, pattern}]
	if r == nil || len(rctx.URLParams.Values) < len(r.names) || len(r.names) > 0 && rt.belongsElsewhere(method, pattern, path) {
		return nil, values
	}
	for i := range r.names {
		value := rctx.URLParams.Values[i]
		if value == "" {
			return nil, values
		}
		if strings.IndexByte(value, '%') >= 0 {
			plain, err := url.PathUnescape(value)
			if err != nil {
				return nil, values
			}
			value = plain
		}
		values = append(values, value)
	}
	return r, values
}

// allowed lists the methods that a path has, for the Allow header; none if there is no
// such path. A method that is not implemented is none to rely on.
func (rt *Router) allowed(path string) []string {
	var found []string
	known := false
	rctx := chi.NewRouteContext()
	for _, method := range methods() {
		if r, _ := rt.find(method, path, rctx, nil); r != nil {
			known = true
			if r.op == nil || !r.op.Stub {
				found = append(found, method)
			}
		}
	}
	if !known {
		return nil
	}
	if slices.Contains(found, http.MethodGet) && !slices.Contains(found, http.MethodHead) {
		found = append(found, http.MethodHead)
	}
	if !slices.Contains(found, http.MethodOptions) {
		found = append(found, http.MethodOptions)
	}
	slices.Sort(found)
	return found
}

// pattern turns a path template into chi's, with the parameters called p0, p1
// and so on.
func pattern(path string) (string, []string) {
	var b strings.Builder
	var names []string
	for path != "" {
		end := strings.IndexByte(path, '}')
		switch c := path[0]; {
		case c == '{' && end > 0:
			b.WriteString("{p" + strconv.Itoa(len(names)) + "}")
			names = append(names, path[1:end])
			path = path[end+1:]
			continue
		case c == '*': // a wildcard to chi
			b.WriteString("{p" + strconv.Itoa(len(names)) + `:\*}`)
			names = append(names, "")
		case c == '%' && len(path) > 2 && isHex(path[1]) && isHex(path[2]):
			escapeByte(&b, unhex(path[1])<<4|unhex(path[2]))
			path = path[2:]
		default:
			escapeByte(&b, c)
		}
		path = path[1:]
	}
	return b.String(), names
}

// canonical returns a URL's path with exactly those bytes escaped that the
// patterns escape. A slash inside a segment stays %2F.
func canonical(u *url.URL) string {
	if u.RawPath == "" && isPlain(u.Path) {
		return u.Path
	}
	path := u.EscapedPath()
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' || i+2 >= len(path) {
			escapeByte(&b, c)
			continue
		}
		c = unhex(path[i+1])<<4 | unhex(path[i+2])
		i += 2
		if c == '/' {
			b.WriteString("%2F")
			continue
		}
		escapeByte(&b, c)
	}
	return b.String()
}

func isPlain(path string) bool {
	for i := range len(path) {
		if !plainByte(path[i]) {
			return false
		}
	}
	return true
}

// plainByte tells whether a path may hold the byte as it is, RFC 3986 section 3.3.
func plainByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0
	}
}

func escapeByte(b *strings.Builder, c byte) {
	if plainByte(c) {
		b.WriteByte(c)
		return
	}
	const digits = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	default:
		return c - 'A' + 10
	}
}
