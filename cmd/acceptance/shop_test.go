package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

const shopSpec = repository + "/testdata/specs/good/shop.yaml"

// TestShop runs the generated shop and holds it to what a client may expect of a
// real backend.
func TestShop(t *testing.T) {
	project := scaffold(t, "shop", shopSpec)
	data := t.TempDir()
	s := run(t, project.Dir, data)
	for name, test := range shopTests() {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
	// What was acknowledged is there after a restart.
	product := newProduct(t, s, "RESTART-1")
	s.stop()
	again := run(t, project.Dir, data)
	again.want(t, 200, http.MethodGet, "/api/v1/products/"+product, "")
}

// shopTests are what a client may expect of the shop.
func shopTests() map[string]func(*testing.T, *server) {
	return map[string]func(*testing.T, *server){
		"persistence": testPersistence, "paging": testPaging, "bounded": testPages, "concurrency": testETag,
		"idempotency": testIdempotency, "validation": testValidation, "references": testReferences, "auth": testAuth,
		"nested": testNested, "protocol": testProtocol, "admin": testAdmin, "stub": testStub, "defaults": testDefaults,
	}
}

var serial = struct {
	sync.Mutex
	n int
}{}

func next() int {
	serial.Lock()
	defer serial.Unlock()
	serial.n++
	return serial.n
}

func newUser(t *testing.T, s *server) string {
	t.Helper()
	return s.want(t, 201, http.MethodPost, "/api/v1/users",
		fmt.Sprintf(`{"email":"u%d@example.com","name":"U","password":"correct horse"}`, next())).field("id")
}

func newProduct(t *testing.T, s *server, sku string) string {
	t.Helper()
	return s.want(t, 201, http.MethodPost, "/api/v1/products", `{"sku":"`+sku+`","name":"P","price":5,"category":"toys"}`).field("id")
}

func testPersistence(t *testing.T, s *server) {
	created := s.want(t, 201, http.MethodPost, "/api/v1/products",
		`{"sku":"ABC-1","name":"Tëst <b>&</b>","price":1999,"category":"books","tags":["a","b"],"dimensions":{"width":1.5,"height":2,"depth":3}}`)
	location := created.Header.Get("Location")
	if location != "/api/v1/products/"+created.field("id") {
		t.Errorf("Location %q", location)
	}
	read := s.want(t, 200, http.MethodGet, location, "")
	if string(read.Body) != string(created.Body) {
		t.Errorf("read %s\nwrote %s", read.Body, created.Body)
	}
	if read.field("name") != "Tëst <b>&</b>" || read.field("currency") != "EUR" || read.field("createdAt") == "" {
		t.Errorf("read %s", read.Body)
	}
	s.want(t, 404, http.MethodGet, "/api/v1/products/00000000-0000-7000-8000-000000000000", "")
	s.want(t, 204, http.MethodDelete, location, "")
	s.want(t, 404, http.MethodGet, location, "")
	s.want(t, 404, http.MethodDelete, location, "")
}

// list is a page of orders.
type list struct {
	Items []struct {
		ID        string
		DeliverBy *string
	}
	NextCursor *string
}

func testPaging(t *testing.T, s *server) {
	user := newUser(t, s)
	want := map[string]bool{}
	for i := range 23 {
		deliver := "null"
		if i%3 != 0 { // ties and nulls
			deliver = fmt.Sprintf(`"2030-01-0%dT00:00:00Z"`, 1+i%4)
		}
		body := fmt.Sprintf(`{"userId":%q,"items":[{"productId":"00000000-0000-7000-8000-000000000001","quantity":1}],"deliverBy":%s}`, user, deliver)
		want[s.want(t, 201, http.MethodPost, "/api/v1/orders", body).field("id")] = true
	}
	for _, sort := range []string{"deliverBy", "-deliverBy", "createdAt", "-createdAt"} {
		var got []string
		var times []string
		path := "/api/v1/orders?limit=4&sort=" + sort + "&userId=" + user
		for cursor := ""; ; {
			var page list
			if err := json.Unmarshal(s.want(t, 200, http.MethodGet, path+cursor, "").Body, &page); err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				got = append(got, item.ID)
				if item.DeliverBy != nil {
					times = append(times, *item.DeliverBy)
				}
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		unique := map[string]bool{}
		for _, id := range got {
			unique[id] = true
		}
		if len(got) != len(want) || len(unique) != len(want) {
			t.Errorf("sort=%s: %d items, %d different, want %d", sort, len(got), len(unique), len(want))
		}
		if sort == "deliverBy" && !slices.IsSorted(times) {
			t.Errorf("sort=%s: %v", sort, times)
		}
	}
	s.want(t, 422, http.MethodGet, "/api/v1/orders?cursor=garbage", "")
	first := s.want(t, 200, http.MethodGet, "/api/v1/orders?limit=2&sort=createdAt&userId="+user, "").field("nextCursor")
	s.want(t, 422, http.MethodGet, "/api/v1/orders?limit=2&sort=-createdAt&userId="+user+"&cursor="+first, "")
}

func testPages(t *testing.T, s *server) {
	order := newOrder(t, s)
	for range 7 {
		s.want(t, 201, http.MethodPost, "/api/v1/payments", `{"orderId":"`+order+`","amount":5,"currency":"EUR","method":"card"}`)
	}
	seen := map[int64]bool{}
	for page := 1; page <= 3; page++ {
		var body struct {
			Data  []struct{ ID int64 }
			Total int
			Page  int
		}
		path := fmt.Sprintf("/api/v1/payments?orderId=%s&pageSize=3&page=%d", order, page)
		if err := json.Unmarshal(s.want(t, 200, http.MethodGet, path, "").Body, &body); err != nil {
			t.Fatal(err)
		}
		if body.Total != 7 || body.Page != page {
			t.Errorf("total %d page %d", body.Total, body.Page)
		}
		for _, p := range body.Data {
			seen[p.ID] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d different payments on three pages, want 7", len(seen))
	}
	s.want(t, 200, http.MethodGet, "/api/v1/payments?page=2147483647&pageSize=100", "")
	s.want(t, 422, http.MethodGet, "/api/v1/payments?pageSize=101", "")
}

func newOrder(t *testing.T, s *server) string {
	t.Helper()
	return s.want(t, 201, http.MethodPost, "/api/v1/orders",
		`{"userId":"`+newUser(t, s)+`","items":[{"productId":"00000000-0000-7000-8000-000000000001","quantity":1}]}`).field("id")
}

func testETag(t *testing.T, s *server) {
	product := "/api/v1/products/" + newProduct(t, s, fmt.Sprintf("ETAG-%d", next()))
	tag := s.want(t, 200, http.MethodGet, product, "").Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	statuses := make(chan int, 8)
	for i := range 8 {
		go func() {
			statuses <- s.send(t, http.MethodPut, product, fmt.Sprintf(`{"sku":"ET-%d","name":"N","price":%d,"category":"toys"}`, i, i), "If-Match: "+tag).Status
		}()
	}
	count := map[int]int{}
	for range 8 {
		count[<-statuses]++
	}
	if count[200] != 1 || count[412] != 7 {
		t.Errorf("statuses %v, want one 200 and seven 412", count)
	}
	s.want(t, 412, http.MethodDelete, product, "", "If-Match: "+tag)
	s.want(t, 304, http.MethodGet, product, "", "If-None-Match: "+s.want(t, 200, http.MethodGet, product, "").Header.Get("ETag"))
	s.want(t, 204, http.MethodDelete, product, "", "If-Match: *")
}

func testIdempotency(t *testing.T, s *server) {
	user := newUser(t, s)
	body := `{"userId":"` + user + `","items":[{"productId":"00000000-0000-7000-8000-000000000001","quantity":1}]}`
	key := fmt.Sprintf("Idempotency-Key: key-%d", next())
	answers := make(chan answer, 6)
	for range 6 {
		go func() { answers <- s.send(t, http.MethodPost, "/api/v1/orders", body, key) }()
	}
	first := <-answers
	for range 5 {
		if a := <-answers; a.Status != 201 || string(a.Body) != string(first.Body) || a.Header.Get("Location") != first.Header.Get("Location") {
			t.Errorf("status %d %s\nfirst %d %s", a.Status, a.Body, first.Status, first.Body)
		}
	}
	var page list
	if err := json.Unmarshal(s.want(t, 200, http.MethodGet, "/api/v1/orders?userId="+user, "").Body, &page); err != nil || len(page.Items) != 1 {
		t.Errorf("%d orders, want 1 (%v)", len(page.Items), err)
	}
	s.want(t, 422, http.MethodPost, "/api/v1/orders", strings.Replace(body, `"quantity":1`, `"quantity":2`, 1), key)
}

func testValidation(t *testing.T, s *server) {
	a := s.want(t, 422, http.MethodPost, "/api/v1/orders",
		`{"userId":"nope","items":[{"productId":"x","quantity":0},{"quantity":"many"}],"shippingAddress":{"street":""},"deliverBy":"soon","note":5,"extra":1}`)
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var p struct {
		Errors []struct{ In, Pointer, Message string }
	}
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatal(err)
	}
	var pointers []string
	for _, e := range p.Errors {
		pointers = append(pointers, e.Pointer)
	}
	slices.Sort(pointers)
	want := []string{
		"/deliverBy", "/extra", "/items/0/productId", "/items/0/quantity", "/items/1/productId", "/items/1/quantity", "/note",
		"/shippingAddress/city", "/shippingAddress/country", "/shippingAddress/street", "/userId",
	}
	if !slices.Equal(pointers, want) {
		t.Errorf("pointers %v\nwant     %v", pointers, want)
	}
	q := s.want(t, 422, http.MethodGet, "/api/v1/products?limit=0&category=cars&minPrice=x", "")
	if n := strings.Count(string(q.Body), `"in":"query"`); n != 3 {
		t.Errorf("%d query errors, want 3: %s", n, q.Body)
	}
	s.want(t, 400, http.MethodPost, "/api/v1/products", `{"sku":`)
	s.want(t, 413, http.MethodPost, "/api/v1/products", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`)
	s.want(t, 415, http.MethodPost, "/api/v1/products", `<a/>`, "Content-Type: application/xml")
	s.want(t, 406, http.MethodGet, "/api/v1/products", "", "Accept: application/xml")
}

func testReferences(t *testing.T, s *server) {
	missing := "00000000-0000-7000-8000-00000000dead"
	a := s.want(t, 422, http.MethodPost, "/api/v1/orders", `{"userId":"`+missing+`","items":[{"productId":"`+missing+`","quantity":1}]}`)
	if !strings.Contains(string(a.Body), `"pointer":"/userId"`) {
		t.Errorf("the problem does not name /userId: %s", a.Body)
	}
	s.want(t, 422, http.MethodPost, "/api/v1/payments", `{"orderId":"`+missing+`","amount":5,"currency":"EUR","method":"card"}`)
}

func testAuth(t *testing.T, s *server) {
	user := "/api/v1/users/" + newUser(t, s)
	a := s.want(t, 401, http.MethodGet, user, "", "Authorization: ")
	if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("WWW-Authenticate %q", a.Header.Get("WWW-Authenticate"))
	}
	s.want(t, 401, http.MethodGet, user, "", "Authorization: Bearer nonsense")
	s.want(t, 403, http.MethodGet, user, "", "Authorization: Bearer "+s.token(t, "orders:read"))
	s.want(t, 200, http.MethodGet, user, "", "Authorization: Bearer "+s.token(t, "users:read"))
	s.want(t, 200, http.MethodGet, "/api/v1/products", "", "Authorization: ")
}

func testNested(t *testing.T, s *server) {
	one, two := newProduct(t, s, fmt.Sprintf("NEST-%d", next())), newProduct(t, s, fmt.Sprintf("NEST-%d", next()))
	review := s.want(t, 201, http.MethodPost, "/api/v1/products/"+one+"/reviews", `{"rating":5}`).field("id")
	s.want(t, 200, http.MethodGet, "/api/v1/products/"+one+"/reviews/"+review, "")
	s.want(t, 404, http.MethodGet, "/api/v1/products/"+two+"/reviews/"+review, "")
	s.want(t, 404, http.MethodDelete, "/api/v1/products/"+two+"/reviews/"+review, "")
	missing := "/api/v1/products/00000000-0000-7000-8000-00000000dead/reviews"
	s.want(t, 404, http.MethodGet, missing, "")
	s.want(t, 404, http.MethodPost, missing, `{"rating":5}`)
	s.want(t, 204, http.MethodDelete, "/api/v1/products/"+one, "")
	s.want(t, 404, http.MethodGet, "/api/v1/products/"+one+"/reviews/"+review, "")
}

func testProtocol(t *testing.T, s *server) {
	s.want(t, 404, http.MethodGet, "/api/v1/nothing", "")
	if allow := s.want(t, 405, http.MethodPut, "/api/v1/users", "{}").Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow %q", allow)
	}
	if s.want(t, 200, http.MethodHead, "/api/v1/products", "").Header.Get("X-Request-Id") == "" {
		t.Error("no request id")
	}
	s.want(t, 422, http.MethodGet, "/api/v1/products/not-a-uuid", "")
	id := newProduct(t, s, fmt.Sprintf("CASE-%d", next()))
	s.want(t, 200, http.MethodGet, "/api/v1/products/"+strings.ToUpper(id), "") // RFC 9562: input in either case
}

func testAdmin(t *testing.T, s *server) {
	admin := &server{URL: s.Admin, Admin: s.Admin, tokens: s.tokens}
	admin.want(t, 200, http.MethodGet, "/livez", "")
	admin.want(t, 200, http.MethodGet, "/readyz", "")
	s.want(t, 200, http.MethodGet, "/api/v1/products", "")
	metrics := string(admin.want(t, 200, http.MethodGet, "/metrics", "").Body)
	if !strings.Contains(metrics, `operation="listProducts",service="products",status="200"`) {
		t.Error("no metric of listProducts")
	}
	if strings.Contains(metrics, "/api/v1/products/") {
		t.Error("a metric carries a URL")
	}
}

func testStub(t *testing.T, s *server) {
	a := s.want(t, 501, http.MethodPost, "/api/v1/orders/"+newOrder(t, s)+"/cancel", "")
	if !strings.Contains(string(a.Body), "cancelOrder") {
		t.Errorf("the problem does not name the operation: %s", a.Body)
	}
}

// testDefaults: readOnly is ignored, writeOnly never comes back, PATCH leaves what
// it does not name and clears what is null.
func testDefaults(t *testing.T, s *server) {
	created := s.want(t, 201, http.MethodPost, "/api/v1/users",
		fmt.Sprintf(`{"email":"d%d@example.com","name":"D","password":"correct horse","phone":"+491234567"}`, next()))
	if strings.Contains(string(created.Body), "password") || created.field("role") != "customer" {
		t.Errorf("created %s", created.Body)
	}
	path := "/api/v1/users/" + created.field("id")
	patched := s.want(t, 200, http.MethodPatch, path, `{"name":"E"}`)
	if patched.field("phone") != "+491234567" || patched.field("role") != "customer" || patched.field("name") != "E" {
		t.Errorf("patched %s", patched.Body)
	}
	if cleared := s.want(t, 200, http.MethodPatch, path, `{"phone":null}`); cleared.field("phone") != "" || !strings.Contains(string(cleared.Body), `"phone":null`) {
		t.Errorf("cleared %s", cleared.Body)
	}
	s.want(t, 422, http.MethodPatch, path, `{}`)
}
