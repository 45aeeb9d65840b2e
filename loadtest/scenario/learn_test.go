package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
)

func TestExtraction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ location, base, key, want string }{
		{"/v1/orders/7", "/v1", "/orders", "7"},
		{"http://h/v1/orders/a%2Fb", "/v1", "/orders", `"a/b"`},
		{"/prefix/v1/products/1/reviews/9", "/v1", "/products/{}/reviews", "9"},
		{"/v1/orders/007", "/v1", "/orders", `"007"`},
		{"/v1/elsewhere/7", "/v1", "/orders", ""},
		{"", "", "/orders", ""},
		{"%zz", "", "/orders", ""},
	} {
		if got := string(fromLocation(c.location, c.base, c.key)); got != c.want {
			t.Errorf("Location %q: %s, want %s", c.location, got, c.want)
		}
	}
	names := keyNames("orderId", "/orders")
	for body, want := range map[string]string{
		`{"id":1,"order_id":2}`: "2", `{"data":{"id":"x"}}`: `"x"`, `{"uuid":"u"}`: `"u"`, `{"other":1}`: "", `[1]`: "", `{"id":{}}`: "",
	} {
		if got := string(keyIn([]byte(body), names)); got != want {
			t.Errorf("key in %s: %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"next_cursor":"abc"}`: `"abc"`, `{"meta":{"next":"x"}}`: `"x"`, `{"next":"https://h/x?cursor=q"}`: `"q"`, `{"next":null}`: "", `[]`: "",
	} {
		if got := string(cursorIn([]byte(body), 2)); got != want {
			t.Errorf("cursor in %s: %s, want %s", body, got, want)
		}
	}
	h := http.Header{"Link": {`</a?page=1>; rel="prev", <http://h/a?cursor=z>; rel="next"`}}
	if got := linkNext(h); got != "cursor=z" {
		t.Errorf("Link: %q", got)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	text := &model.Schema{Kind: model.KindString}
	api := &model.API{Operations: []*model.Operation{
		{
			ID: "begin", Method: "POST", Path: "/sessions:begin",
			Responses: []*model.Response{{Status: "200", Links: []model.Link{{Operation: "get", Parameters: map[string]string{"token": "$response.body#/it/token"}}}}},
		},
		{
			ID: "get", Method: "GET", Path: "/tickets/{token}", Responses: []*model.Response{{Status: "200"}},
			Parameters: []*model.Parameter{{Name: "token", In: "path", Required: true, Style: "simple", Schema: text}},
		},
	}}
	s, err := New(Options{Base: &url.URL{Scheme: "http", Host: "h"}, API: api, Requests: 100})
	if err != nil {
		t.Fatal(err)
	}
	st := s.Next(context.Background(), 0)
	if st.Model.ID != "begin" {
		t.Fatalf("%s goes first", st.Model.ID)
	}
	s.Done(st, 200, http.Header{}, []byte(`{"it":{"token":"t-1"}}`))
	for n := range uint64(20) {
		if st := s.Next(context.Background(), n); st.Model.ID == "get" && st.Request.URL.Path != "/tickets/t-1" {
			t.Errorf("requested %s", st.Request.URL.Path)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	api := &model.API{
		Security: []*model.SecurityScheme{
			{Name: "jwt", Type: "oauth2"},
			{Name: "basic", Type: "http", Scheme: "basic"},
			{Name: "key", Type: "apiKey", In: "query", Parameter: "api key"},
			{Name: "header", Type: "apiKey", In: "header", Parameter: "x-key"},
			{Name: "mtls", Type: "mutualTLS"},
		},
	}
	c := newCredentials(api, func(context.Context, []string) (string, error) { return "t", nil })
	req := func(names ...string) []model.Requirement {
		var out []model.Requirement
		for _, n := range names {
			if n == "" {
				out = append(out, model.Requirement{})
			} else {
				out = append(out, model.Requirement{{Scheme: n}})
			}
		}
		return out
	}
	for _, x := range []struct {
		security []model.Requirement
		header   string
		query    string
	}{
		{nil, "", "q=1"},
		{req("jwt"), "Authorization: Bearer t", "q=1"},
		{req("basic"), "Authorization: Basic bG9hZHRlc3Q6dA==", "q=1"},
		{req("key"), "", "q=1&api+key=t"},
		{req("header"), "X-Key: t", "q=1"},
		{req("mtls", "jwt"), "Authorization: Bearer t", "q=1"},
		{req("", "jwt"), "Authorization: Bearer t", "q=1"},
		{req("mtls", ""), "", "q=1"},
	} {
		u, err := c.use(&model.Operation{Security: x.security})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		query := u.apply("t", h, []byte("q=1"))
		got := ""
		for k, v := range h {
			got = k + ": " + v[0]
		}
		if got != x.header || string(query) != x.query {
			t.Errorf("%v: header %q, query %q", x.security, got, query)
		}
	}
	if _, err := c.use(&model.Operation{Security: req("mtls")}); err == nil {
		t.Error("mutual TLS was promised")
	}
}

// TestReplayIsTheSameRequest: a key says that a request is the one it was before, so
// path, query and body are, though rows, filters and a credential in the query
// vary. No other request and no other run has the key.
func TestReplayIsTheSameRequest(t *testing.T) {
	t.Parallel()
	word := &model.Schema{Kind: model.KindString}
	kinds := &model.Schema{Kind: model.KindArray, Items: &model.Schema{Kind: model.KindString, Enum: []model.Literal{[]byte(`"a"`), []byte(`"b"`)}}}
	accounts := &model.Operation{ID: "open", Method: "POST", Path: "/accounts", Responses: []*model.Response{{Status: "201"}}}
	pay := &model.Operation{
		ID: "pay", Method: "POST", Path: "/accounts/{accountId}/payments", Responses: []*model.Response{{Status: "201"}},
		Parameters: []*model.Parameter{
			{Name: "accountId", In: "path", Required: true, Style: "simple", Schema: word},
			{Name: "kind", In: "query", Style: "form", Explode: true, Schema: kinds},
			{Name: "Idempotency-Key", In: "header", Style: "simple", Schema: &model.Schema{Kind: model.KindString, Pattern: "^[a-z0-9]{20}$"}},
		},
		Security: []model.Requirement{{{Scheme: "key"}}},
		Body: &model.Body{Required: true, Content: []model.Media{{Type: "application/json", Schema: &model.Schema{
			Kind: model.KindObject, Properties: []*model.Property{{Name: "reference", Required: true, Schema: word}},
		}}}},
	}
	seen := map[string]string{}
	again, filtered := 0, 0
	for run := range 2 { // with the same seed
		token := 0
		s, err := New(Options{
			Base: &url.URL{Scheme: "http", Host: "h"}, Requests: 400,
			API: &model.API{
				Operations: []*model.Operation{accounts, pay},
				Security:   []*model.SecurityScheme{{Name: "key", Type: "apiKey", In: "query", Parameter: "api_key"}},
			},
			Token: func(context.Context, []string) (string, error) { token++; return strconv.Itoa(token), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(800) {
			st := s.Next(context.Background(), n)
			if n%50 == 0 {
				_ = s.Refresh(context.Background(), st)
			}
			query := st.Request.URL.RawQuery
			if slices.Contains(strings.Split(query, "&"), "kind=") {
				t.Errorf("an empty array was sent: %s", query)
			}
			if key := st.Request.Header.Get("Idempotency-Key"); key != "" {
				request := fmt.Sprint(run, st.Request.URL, string(st.raw))
				if first, ok := seen[key]; ok {
					again++
					if request != first {
						t.Errorf("the key %s was sent with %s and %s", key, first, request)
					}
				}
				seen[key] = request
				filtered += strings.Count(query, "kind=")
			}
			s.Done(st, 201, http.Header{"Location": {st.Request.URL.Path + "/" + strconv.FormatUint(n, 10)}}, nil)
		}
	}
	if again < 10 || filtered < 20 || len(seen) < 300 {
		t.Errorf("%d sent again, %d filters, %d keys", again, filtered, len(seen))
	}
}

// TestReplay: now and then a request with an Idempotency-Key is sent again as it
// was; otherwise every key is new.
func TestReplay(t *testing.T) {
	t.Parallel()
	text := &model.Schema{Kind: model.KindString}
	api := &model.API{Operations: []*model.Operation{{
		ID: "pay", Method: "POST", Path: "/payments", Responses: []*model.Response{{Status: "201"}},
		Parameters: []*model.Parameter{{Name: "Idempotency-Key", In: "header", Required: true, Style: "simple", Schema: text}},
		Body: &model.Body{Required: true, Content: []model.Media{{Type: "application/json", Schema: &model.Schema{
			Kind: model.KindObject, Properties: []*model.Property{{Name: "reference", Required: true, Schema: text}},
		}}}},
	}}}
	s, err := New(Options{Base: &url.URL{Scheme: "http", Host: "h"}, API: api, Requests: 400})
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	again := 0
	for n := range uint64(400) {
		st := s.Next(context.Background(), n)
		key := st.Request.Header.Get("Idempotency-Key")
		if body, ok := bodies[key]; ok {
			again++
			if body != string(st.raw) {
				t.Errorf("key %s was sent with %s and %s", key, body, st.raw)
			}
		}
		bodies[key] = string(st.raw)
		s.Done(st, 201, http.Header{}, []byte(`{"id":"1"}`))
	}
	if again < 5 || again > 50 {
		t.Errorf("%d of 400 were sent again, want about 20", again)
	}
}
