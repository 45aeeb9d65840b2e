package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
)

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
