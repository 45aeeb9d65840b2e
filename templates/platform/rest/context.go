package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

type aboutKey struct{}

// about is the context of an operation, which knows of its request.
type about struct {
	context.Context
	id      string
	request *http.Request // nil for a call of another service
}

// called is the context of a call of another service, on behalf of the request with the
// id. The request itself was for the caller: its address means nothing to the callee.
func called(ctx context.Context, id string) context.Context {
	return &about{Context: ctx, id: id}
}

// Value answers for the package's own key, and leaves others to the request.
func (a *about) Value(key any) any {
	if _, ok := key.(aboutKey); ok {
		return a
	}
	return a.Context.Value(key)
}

func aboutOf(ctx context.Context) *about {
	a, _ := ctx.Value(aboutKey{}).(*about)
	return a
}

// requestOf returns the request that an operation answers, nil for a call.
func requestOf(ctx context.Context) *http.Request {
	if a := aboutOf(ctx); a != nil {
		return a.request
	}
	return nil
}

// RequestID returns the id of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	if a := aboutOf(ctx); a != nil {
		return a.id
	}
	return ""
}

// PathOf returns the path of the request that ctx belongs to, escaped, without
// the query: what a self link holds. It is "" outside of a request, and where another
// service calls.
func PathOf(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.URL.EscapedPath()
	}
	return ""
}

// URL returns the whole address that the client asked, without the query. It
// trusts the Host header: use it in responses to that client only.
func URL(ctx context.Context) string {
	r := requestOf(ctx)
	if r == nil {
		return ""
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + r.URL.EscapedPath()
}

// Location returns the path of something below the request's own: the elements
// are escaped and appended.
func Location(ctx context.Context, elements ...string) string {
	var path strings.Builder
	path.WriteString(strings.TrimSuffix(PathOf(ctx), "/"))
	for _, element := range elements {
		path.WriteByte('/')
		path.WriteString(url.PathEscape(element))
	}
	return path.String()
}

// Again returns the request's own path and query with some query parameters
// replaced, given as names and values in turn: a link to another page. A
// parameter whose value is empty is removed.
func Again(ctx context.Context, replace ...string) string {
	r := requestOf(ctx)
	if r == nil {
		return ""
	}
	query := r.URL.Query()
	for i := 0; i+1 < len(replace); i += 2 {
		if replace[i+1] == "" {
			query.Del(replace[i])
			continue
		}
		query.Set(replace[i], replace[i+1])
	}
	if len(query) == 0 {
		return PathOf(ctx)
	}
	return PathOf(ctx) + "?" + query.Encode()
}
