package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"customerId": "customer", "customer_id": "customer", "customerID": "customer", "productIds": "product",
		"paid": "", "valid": "", "id": "parent", "grid": "", "order-uuid": "order", "name": "",
	} {
		if got := stem(name, "parents"); got != want {
			t.Errorf("stem(%q) is %q, want %q", name, got, want)
		}
	}
	for plural, want := range map[string]string{
		"orders": "order", "categories": "category", "boxes": "box", "addresses": "address", "status": "status", "pet": "pet", "buses": "buse",
	} {
		if got := singular(plural); got != want {
			t.Errorf("singular(%q) is %q, want %q", plural, got, want)
		}
	}
	for path, want := range map[string]string{
		"/a/{id}":                  "[/a]",
		"/a/{id}/b/{bid}":          "[/a /a/{}/b]",
		"/a/{id}.json/b/{bid}":     "[ ]",
		"/a/{x}-{y}":               "[ ]",
		"/store/order/{orderId}/x": "[/store/order]",
		"/plain":                   "[]",
	} {
		if got := fmt.Sprint(poolKeys(path)); got != want {
			t.Errorf("poolKeys(%q) is %s, want %s", path, got, want)
		}
	}
}

func TestDeck(t *testing.T) {
	t.Parallel()
	weights := []float64{50, 25, 10, 1, 0.01}
	order := deck(weights, 1000, rand.New(rand.NewPCG(1, 2)))
	count := map[int32]int{}
	for _, op := range order {
		count[op]++
	}
	if count[4] < 5 || count[0] < 500 || count[0] > 650 || len(order) > 1010 {
		t.Errorf("counts %v of %d", count, len(order))
	}
	half := map[int32]int{}
	for _, op := range order[:len(order)/2] {
		half[op]++
	}
	for op, n := range count {
		if d := half[op]*2 - n; d < -2 || d > 2 {
			t.Errorf("operation %d is not spread evenly: %d of %d in the first half", op, half[op], n)
		}
	}
	if tiny := deck(weights, 5, rand.New(rand.NewPCG(1, 2))); len(tiny) != 5 {
		t.Errorf("five requests of five operations: %v", tiny)
	}
}

func ids(s ...string) [][]byte {
	var out [][]byte
	for _, v := range s {
		out = append(out, []byte(v))
	}
	return out
}

func TestPoolLeases(t *testing.T) {
	t.Parallel()
	p := newPool("/orders")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range floor {
		p.add(ids(fmt.Sprint(i)))
	}
	if p.take(leaseDelete, false, r) != nil {
		t.Error("a delete goes below the floor")
	}
	p.add(ids("a"))
	if p.add(ids("a")) == nil || p.size() != floor+1 {
		t.Error("a known row is added again")
	}
	gone := p.take(leaseDelete, false, r)
	if gone == nil {
		t.Fatal("no row to delete")
	}
	for range 50 {
		if x := p.take(leaseRead, false, r); x == gone {
			t.Fatal("a row being deleted is read")
		}
	}
	p.release(gone, leaseDelete, true)
	if p.add(gone.ids) != nil {
		t.Error("a late answer brings a deleted row back")
	}
	p.add(ids("b"))
	if p.take(leaseDelete, false, r) != nil && p.size() >= floor+1 {
		t.Error("a row that is being read is deleted")
	}
}

func TestPoolWritesAreExclusive(t *testing.T) {
	t.Parallel()
	p := newPool("/orders")
	r := rand.New(rand.NewPCG(1, 2))
	row := p.add(ids("1"))
	p.learn(row, `"v1"`, 0)
	if p.take(leaseWrite, true, r) == nil {
		t.Fatal("the row is not free")
	}
	if p.take(leaseWrite, false, r) != nil {
		t.Error("two write one row")
	}
	_, generation := p.state(row)
	p.written(row, `"v2"`)
	p.release(row, leaseWrite, true)
	p.learn(row, `"v1"`, generation)
	if etag, _ := p.state(row); etag != `"v2"` {
		t.Errorf("an overtaken answer set the ETag to %s", etag)
	}
}

func TestPoolDropsChildren(t *testing.T) {
	t.Parallel()
	p := newPool("/products/{}/reviews")
	p.add(ids("1", "10"))
	p.add(ids("2", "20"))
	p.add(ids("1", "11"))
	p.drop(ids("1"))
	if p.size() != 1 || string(p.rows[0].ids[0]) != "2" {
		t.Errorf("%d rows are left", p.size())
	}
}

// petstore is the shape of the well-known document, with its irregular paths: a
// key in the body of PUT, collections in the singular, a natural key.
func petstore() *model.API {
	integer := &model.Schema{Kind: model.KindInteger, Format: "int64"}
	text := &model.Schema{Kind: model.KindString}
	prop := func(name string, required bool, s *model.Schema) *model.Property {
		return &model.Property{Name: name, Required: required, Schema: s}
	}
	pet := &model.Schema{Name: "Pet", Kind: model.KindObject, Properties: []*model.Property{prop("id", false, integer), prop("name", true, text)}}
	order := &model.Schema{Name: "Order", Kind: model.KindObject, Properties: []*model.Property{prop("id", false, integer), prop("petId", true, integer)}}
	user := &model.Schema{Name: "User", Kind: model.KindObject, Properties: []*model.Property{prop("id", false, integer), prop("username", true, text)}}
	op := func(id, method, path string, body, result *model.Schema) *model.Operation {
		o := &model.Operation{ID: id, Method: method, Path: path}
		r := &model.Response{Status: "200"}
		if result != nil {
			r.Content = []model.Media{{Type: "application/json", Schema: result}}
		}
		o.Responses = []*model.Response{r}
		if body != nil {
			o.Body = &model.Body{Required: true, Content: []model.Media{{Type: "application/json", Schema: body}}}
		}
		if i := strings.IndexByte(path, '{'); i >= 0 {
			name := path[i+1 : strings.IndexByte(path, '}')]
			s := integer
			if name == "username" {
				s = text
			}
			o.Parameters = []*model.Parameter{{Name: name, In: "path", Required: true, Style: "simple", Schema: s}}
		}
		return o
	}
	return &model.API{Title: "Petstore", BasePath: "/api/v3", Operations: []*model.Operation{
		op("addPet", "POST", "/pet", pet, pet), op("updatePet", "PUT", "/pet", pet, pet),
		op("getPetById", "GET", "/pet/{petId}", nil, pet), op("deletePet", "DELETE", "/pet/{petId}", nil, nil),
		op("placeOrder", "POST", "/store/order", order, order), op("getOrderById", "GET", "/store/order/{orderId}", nil, order),
		op("createUser", "POST", "/user", user, user), op("getUserByName", "GET", "/user/{username}", nil, user),
		op("updateUser", "PUT", "/user/{username}", user, nil),
	}}
}

// pets answers petstore requests from memory, and notes what does not fit.
type pets struct {
	t      *testing.T
	serial int
	rows   map[string]map[string]any
	seen   map[string]int
}

func (p *pets) do(_ context.Context, st *Step) Answer {
	p.seen[st.Model.ID]++
	path := strings.TrimPrefix(st.Request.URL.Path, "/api/v3")
	var body map[string]any
	if st.Request.Body != nil {
		raw, err := io.ReadAll(st.Request.Body)
		if err != nil || json.Unmarshal(raw, &body) != nil {
			p.t.Fatalf("%s: body %q", st.Model.ID, raw)
		}
	}
	answer := func(status int, v any) Answer {
		raw, err := json.Marshal(v)
		if err != nil {
			p.t.Fatal(err)
		}
		return Answer{Status: status, Header: http.Header{}, Body: raw}
	}
	switch st.Request.Method + " " + st.Model.Path {
	case "POST /pet", "POST /store/order", "POST /user":
		if id, ok := body["petId"]; ok && p.rows[fmt.Sprintf("/pet/%.0f", id)] == nil {
			p.t.Errorf("an order of pet %v, which does not exist", id)
		}
		p.serial++
		body["id"] = p.serial
		key := fmt.Sprint(path, "/", p.serial)
		if name, ok := body["username"]; ok {
			key = fmt.Sprint(path, "/", name)
		}
		p.rows[key] = body
		return answer(200, body)
	case "PUT /pet":
		if id, ok := body["id"]; ok && p.rows[fmt.Sprintf("/pet/%.0f", id)] == nil {
			p.t.Errorf("an update of pet %v, which does not exist", id)
		}
		return answer(200, body)
	default:
		if p.rows[path] == nil {
			p.t.Errorf("%s %s: no such row", st.Request.Method, path)
		}
		if name, ok := body["username"]; ok && !strings.HasSuffix(path, "/"+fmt.Sprint(name)) {
			p.t.Errorf("%s would rename to %v", path, name)
		}
		if st.Request.Method == http.MethodDelete {
			delete(p.rows, path)
			return Answer{Status: 200, Header: http.Header{}}
		}
		return answer(200, p.rows[path])
	}
}

func TestPetstore(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Base: base, API: petstore(), Seed: 1, Requests: 500})
	if err != nil {
		t.Fatal(err)
	}
	p := &pets{t: t, rows: map[string]map[string]any{}, seen: map[string]int{}}
	if err := s.WarmUp(context.Background(), p.do, func(*Step, Answer) {}); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(500) {
		st := s.Next(context.Background(), n)
		a := p.do(context.Background(), st)
		s.Done(st, a.Status, a.Header, a.Body)
	}
	for _, op := range s.Operations() {
		if p.seen[op.ID] < 5 {
			t.Errorf("%s was requested %d times", op.ID, p.seen[op.ID])
		}
	}
	if why := s.Skipped(); len(why) != 0 {
		t.Errorf("skipped: %v", why)
	}
}

// TestDeterministic: with the same answers, the same seed makes the same requests.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	record := func(seed uint64) string {
		base := &url.URL{Scheme: "http", Host: "h"}
		s, err := New(Options{Base: base, API: petstore(), Seed: seed, Requests: 100})
		if err != nil {
			t.Fatal(err)
		}
		p := &pets{t: t, rows: map[string]map[string]any{}, seen: map[string]int{}}
		var b bytes.Buffer
		do := func(ctx context.Context, st *Step) Answer {
			fmt.Fprintf(&b, "%s %s %s\n", st.Request.Method, st.Request.URL, st.raw)
			return p.do(ctx, st)
		}
		if err := s.WarmUp(context.Background(), do, func(*Step, Answer) {}); err != nil {
			t.Fatal(err)
		}
		for n := range uint64(100) {
			st := s.Next(context.Background(), n)
			a := do(context.Background(), st)
			s.Done(st, a.Status, a.Header, a.Body)
		}
		return b.String()
	}
	if first, second := record(1), record(1); first != second {
		t.Error("one seed makes two runs")
	}
	if record(1) == record(2) {
		t.Error("two seeds make one run")
	}
}

func TestNotExercised(t *testing.T) {
	t.Parallel()
	api := petstore()
	api.Operations = api.Operations[2:4] // pets are read and deleted, but nobody adds any
	api.Operations = append(api.Operations, &model.Operation{ID: "ping", Method: "GET", Path: "/ping"})
	s, err := New(Options{Base: &url.URL{Scheme: "http", Host: "h"}, API: api, Requests: 50})
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(50) {
		if st := s.Next(context.Background(), n); st.Model.ID != "ping" {
			t.Fatalf("%s was requested with an id that nobody gave", st.Model.ID)
		}
	}
	if why := s.Skipped(); !strings.Contains(why["getPetById"], "404 is not declared") || len(why) != 2 {
		t.Errorf("reasons: %v", why)
	}
	// With a 404 declared, a made-up id is a fair question.
	api.Operations[0].Responses = append(api.Operations[0].Responses, &model.Response{Status: "404"})
	s, err = New(Options{Base: &url.URL{Scheme: "http", Host: "h"}, API: api, Requests: 50})
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	for n := range uint64(50) {
		asked = asked || s.Next(context.Background(), n).Model.ID == "getPetById"
	}
	if !asked {
		t.Error("getPetById was not requested though it declares 404")
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	op := func(statuses ...string) *model.Operation {
		o := &model.Operation{ID: "x"}
		for _, s := range statuses {
			o.Responses = append(o.Responses, &model.Response{Status: s})
		}
		return o
	}
	for _, c := range []struct {
		op     *model.Operation
		status int
		fine   bool
	}{
		{op("200"), 200, true},
		{op("200"), 201, false},
		{op("2XX"), 201, true},
		{op("200", "default"), 404, true},
		{op("200", "default"), 500, false},
		{op("200", "503"), 503, false},
		{op("404"), 200, true},
		{op("404"), 500, false},
		{op(), 302, true},
		{op("200", "4xx"), 409, true},
		{op("200"), 404, false},
	} {
		if got := Failure(c.op, c.status); (got == "") != c.fine {
			t.Errorf("%d: %q", c.status, got)
		}
	}
}

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
