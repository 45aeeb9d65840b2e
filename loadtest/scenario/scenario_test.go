package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
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
