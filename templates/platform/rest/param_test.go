package rest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestParameters(t *testing.T) {
	router, api := plainAPI()
	var got string
	rest.Handle(api, rest.Operation{ID: "params", Method: "GET", Path: "/p/{n}"}, func(r *rest.Request) (in struct{}) {
		n := r.Path("n").Int64()
		limit := int64(20)
		if p := r.Query("limit"); p.Set() {
			limit = p.Int64()
			p.MinInt(limit, 1)
			p.MaxInt(limit, 100)
		}
		var tags []string
		if p := r.Query("tag"); p.Set() {
			for e := range p.Items("") {
				v := e.String()
				e.Enum(v, "a", "b")
				tags = append(tags, v)
			}
			p.ItemCount(len(tags), 0, 2)
			wire.Unique(p, tags)
		}
		var ids []int64
		if p := r.Query("ids"); p.Set() {
			for e := range p.Items(",") {
				ids = append(ids, e.Int64())
			}
			wire.Unique(p, ids)
		}
		when, ratio, flag := "", 0.0, false
		if p := r.Header("X-When"); p.Set() {
			when = p.Time().String()
		}
		if p := r.Query("filter[ratio]"); p.Set() {
			ratio = p.Float64()
		}
		if p := r.Cookie("flag"); p.Required() {
			flag = p.Bool()
		}
		got = fmt.Sprintln(n, limit, tags, ids, when, ratio, flag)
		return in
	}, func(context.Context, struct{}) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	ask := func(target, when, cookie string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, nil)
		if when != "" {
			r.Header.Set("X-When", when)
		}
		if cookie != "" {
			r.Header.Set("Cookie", "flag="+cookie)
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w
	}
	for target, want := range map[string]string{
		"/p/7":                             "7 20 [] []  0 true",
		"/p/7?limit=1e1&tag=b&tag=a":       "7 10 [b a] []  0 true",
		"/p/7?ids=3,2&filter%5Bratio%5D=1": "7 20 [] [3 2]  1 true",
		"/p/7?ids=&&":                      "7 20 [] []  0 true",
	} {
		if w := ask(target, "", "true"); w.Code != 204 || got != want+"\n" {
			t.Errorf("%s: %d %q %s", target, w.Code, got, w.Body)
		}
	}
	want(t, ask("/p/x?limit=101&tag=a&tag=c&tag=a&ids=1,,1&filter[ratio]=1e999", "yesterday", "yes"), 422,
		"path /n must be an integer",
		"query /limit must be at most 100",
		"query /tag/1 must be one of a, b",
		"query /tag must have at most 2 items",
		"query /ids/1 must be an integer",
		"header /X-When must be a date and time such as 2006-01-02T15:04:05Z",
		"query /filter[ratio] is out of range",
		"cookie /flag must be true or false")
	want(t, ask("/p/1?limit=1&limit=2&ids=1,1", "", ""), 422,
		"query /limit must be given once",
		"query /ids must not hold the same item twice: items 0 and 1 are equal",
		"cookie /flag is required")
	want(t, ask("/p/1?limit=%zz", "", "true"), 400)
	if w := ask("/p/1", "2024-01-01T01:00:00.1234567+01:00", "false"); w.Code != 204 || !strings.Contains(got, "2024-01-01 00:00:00.123456 +0000 UTC") {
		t.Errorf("got %q %s", got, w.Body)
	}
}

func TestHeaderAndCookieParameters(t *testing.T) {
	router, api := plainAPI()
	var got []string
	rest.Handle(api, rest.Operation{ID: "tags", Method: "GET", Path: "/tags"}, func(r *rest.Request) (in struct{}) {
		got = nil
		for e := range r.Header("X-Tags").Items(",") {
			got = append(got, e.String())
		}
		got = append(got, r.Cookie("c").String(), r.Header("X-One").String())
		return in
	}, func(context.Context, struct{}) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	r := httptest.NewRequest("GET", "/tags", nil)
	r.Header["X-Tags"] = []string{"a, b ,c", "d"}
	r.Header["X-One"] = []string{"a, b"}
	r.Header.Set("Cookie", "c=a%20b+c%zz")
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	if want := []string{"a", "b", "c", "d", "a%20b+c%zz", "a, b"}; w.Code != 204 || !slices.Equal(got, want) {
		t.Errorf("%d %q", w.Code, got)
	}
	r.Header.Set("Cookie", "c=a%20b+c%2C")
	r.Header["X-One"] = []string{"a", "b"}
	w = httptest.NewRecorder()
	router.ServeHTTP(w, r)
	want(t, w, 422, "header /X-One must be given once")
	if got[4] != "a b+c," {
		t.Errorf("got %q", got)
	}
}

func TestUUIDParameters(t *testing.T) {
	const id = "0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071"
	router, api := plainAPI()
	var got []string
	rest.Handle(api, rest.Operation{ID: "uuids", Method: "GET", Path: "/u/{id}"}, func(r *rest.Request) (in struct{}) {
		got = []string{r.Path("id").UUID(), r.Query("parent").UUID()}
		for e := range r.Query("any").Items(",") {
			got = append(got, e.UUID())
		}
		return in
	}, func(context.Context, struct{}) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	ask := func(target string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w
	}
	want(t, ask("/u/"+strings.ToUpper(id)+"?any="+id+","+strings.ToUpper(id)), 204)
	if !slices.Equal(got, []string{id, "", id, id}) {
		t.Errorf("got %q", got)
	}
	want(t, ask("/u/7?any="+id+",x&parent="), 422, "path /id must be a UUID", "query /parent must be a UUID", "query /any/1 must be a UUID")
	want(t, ask("/u/"+id+"?parent=x&parent=y"), 422, "query /parent must be given once")
}

func TestNarrowNumbersAndOptionalBodies(t *testing.T) {
	router, api := plainAPI()
	var got string
	rest.Handle(api, rest.Operation{ID: "narrow", Method: "POST", Path: "/narrow"}, func(r *rest.Request) (in noteInput) {
		whole, part := r.Query("n").Int32(), r.Query("f").Float32()
		r.RequireIfMatch("notes", "1")
		if r.HasBody() {
			r.Body(in.DecodeJSON)
		}
		got = fmt.Sprintln(whole, part, in.Text, r.HTTP().Method, r.Context().Err())
		return in
	}, func(context.Context, noteInput) (rest.Response, error) {
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	post := func(target, tag string, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", target, body)
		if tag != "" {
			r.Header.Set("If-Match", tag)
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w
	}
	unknownLength := struct{ io.Reader }{strings.NewReader("")}
	for _, body := range []io.Reader{nil, unknownLength} {
		if w := post("/narrow?n=-7&f=0.1", `"1"`, body); w.Code != 204 || got != "-7 0.1  POST <nil>\n" {
			t.Errorf("%d %q", w.Code, got)
		}
	}
	if w := post("/narrow", "*", strings.NewReader(`{"text":"a"}`)); w.Code != 204 || got != "0 0 a POST <nil>\n" {
		t.Errorf("%d %q", w.Code, got)
	}
	want(t, post("/narrow?n=3000000000&f=1e40", `"1"`, strings.NewReader(`{"text":7}`)), 422,
		"query /n is out of range for 32 bits", "query /f is out of range", "body /text must be a string, not a number")
	want(t, post("/narrow?n=x", "", nil), 428, "query /n must be an integer")
}

// TestTextParameters: a parameter is text that every store can hold, wherever it
// stands.
func TestTextParameters(t *testing.T) {
	router, api := plainAPI()
	ran := 0
	rest.Handle(api, rest.Operation{ID: "text", Method: "POST", Path: "/text/{id}"}, func(r *rest.Request) (in struct{}) {
		_ = r.Path("id").String()
		for e := range r.Query("each").Items("") {
			_ = e.String()
		}
		for e := range r.Query("all").Items(",") {
			_ = e.String()
		}
		_ = r.Header("X-Name").String()
		_ = r.Cookie("name").String()
		return in
	}, func(context.Context, struct{}) (rest.Response, error) {
		ran++
		return answer(func(w *rest.Writer) { w.Empty(204) }), nil
	})
	for _, test := range []struct{ target, header, want string }{
		{"/text/%C3%A9?each=a&each=%F0%9F%99%82", "plain", ""},
		{"/text/a%00b", "", `/id","message":"must not contain U+0000`},
		{"/text/%FF", "", `/id","message":"must be valid UTF-8`},
		{"/text/%ED%A0%80", "", `/id","message":"must be valid UTF-8`},
		{"/text/a?each=a&each=%00", "", `/each/1","message":"must not contain U+0000`},
		{"/text/a?all=a,%00", "", `/all","message":"must not contain U+0000`},
		{"/text/a?all=a,%C3", "", `/all","message":"must be valid UTF-8`},
		{"/text/a", "caf\xe9", `/X-Name","message":"must be valid UTF-8`},
	} {
		before := ran
		req := httptest.NewRequest("POST", test.target, nil)
		req.Header.Set("X-Name", test.header)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, req)
		if test.want == "" {
			if w.Code != 204 {
				t.Errorf("%s: %d %s", test.target, w.Code, w.Body)
			}
			continue
		}
		if w.Code != 422 || ran != before || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s, want %s", test.target, w.Code, w.Body, test.want)
		}
	}
}
