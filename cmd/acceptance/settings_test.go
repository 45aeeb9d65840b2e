package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/templates/testenv"
)

// setting is a shape and a database.
type setting struct {
	name     string
	target   string // all, split
	database string // DATABASE_URL; "": embedded
}

// settings are the four that a project must answer alike in. Each gets a database
// of its own.
func settings(t testing.TB) []setting {
	return []setting{
		{"one process, SQLite", "all", ""},
		{"split, SQLite", "split", ""},
		{"one process, Postgres", "all", testenv.Postgres(t)},
		{"split, Postgres", "split", testenv.Postgres(t)},
	}
}

// step is one request of a script. {name} stands for what an earlier step saved.
type step struct {
	method, path, body string
	headers            []string
	save, field        string // the response's header ("Location") or member that {save} stands for from here on
}

// play sends a script and returns what came back, as far as the document and the
// requests decide it: ids, times and cursors are numbered in their order.
func play(t *testing.T, s *server, script []step) []string {
	t.Helper()
	saved := map[string]string{}
	names := map[string]string{}
	var out []string
	for i, q := range script {
		fill := func(text string) string {
			for name, value := range saved {
				text = strings.ReplaceAll(text, "{"+name+"}", value)
			}
			return text
		}
		var headers []string
		for _, h := range q.headers {
			headers = append(headers, fill(h))
		}
		a := s.send(t, q.method, fill(q.path), fill(q.body), headers...)
		if q.save != "" {
			if value := a.Header.Get(q.field); value != "" {
				saved[q.save] = value
			} else if value := a.field(q.field); value != "" {
				saved[q.save] = value
			} else {
				t.Fatalf("step %d: %s %s answered %d without %s: %s", i, q.method, fill(q.path), a.Status, q.field, a.Body)
			}
		}
		out = append(out, neutral(fmt.Sprintf("%s %s\n%d\n%s%s", q.method, q.path, a.Status, headerText(a.Header), a.Body), names))
	}
	return out
}

// headerText prints the headers that a client may rely on.
func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		if name != "Date" && name != "X-Request-Id" {
			lines = append(lines, name+": "+strings.Join(values, " | ")+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

var (
	variable = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}` + // UUIDv7
		`|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z` +
		`|"nextCursor":"[^"]*"|"id":\d+|/payments/\d+`)
	length = regexp.MustCompile(`(?m)^Content-Length: \d+$`) // of a body whose times have more or fewer digits
)

// neutral numbers what a server chooses by itself in the order of its appearance.
func neutral(text string, names map[string]string) string {
	text = length.ReplaceAllString(text, "Content-Length: N")
	return variable.ReplaceAllStringFunc(text, func(value string) string {
		if len(value) > 10 && value[10] == 'T' && value[4] == '-' {
			return "<time>"
		}
		if names[value] == "" {
			names[value] = fmt.Sprintf("<%d>", len(names)+1)
		}
		return names[value]
	})
}

// TestSettings: one black-box suite in four settings. What TestShop asks holds in
// each of them, and a script of requests, most of them awkward, is answered alike.
func TestSettings(t *testing.T) {
	project := scaffold(t, "shop", shopSpec, "--profile", "microservices")
	for name, text := range map[string]string{"orders/cancel.go": "testdata/demo/cancel.go.txt", "products/swallow.go": ""} {
		source := []byte(swallowingOverride)
		if text != "" {
			var err error
			if source, err = os.ReadFile(filepath.Join(repository, text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(project.Dir, "internal", name), source, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var first []string
	script := shopScript()
	for i, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) {
			data := t.TempDir()
			s := run(t, project.Dir, data, setting)
			got := play(t, s, script)
			if i == 0 {
				first = got
			}
			for j := range got {
				if got[j] != first[j] {
					t.Errorf("step %d differs:\n%s\n--- one process, SQLite:\n%s", j, got[j], first[j])
				}
			}
			if dir := os.Getenv("BACKEND_TRANSCRIPTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(setting.name, ", ", "-")+".txt"), []byte(strings.Join(got, "\n\n")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for name, test := range shopTests() {
				if name != "stub" { // cancelOrder is overridden here
					t.Run(name, func(t *testing.T) { test(t, s) })
				}
			}
			product := newProduct(t, s, "RESTART-1")
			s.stop()
			again := run(t, project.Dir, data, setting)
			again.want(t, 200, http.MethodGet, "/api/v1/products/"+product, "")
		})
	}
}

// shopScript is what every setting is asked.
func shopScript() []step {
	const v1, json = "/api/v1", "Content-Type: application/json"
	missing := "/00000000-0000-7000-8000-000000000000"
	product := func(sku, name string, price int, save string) step {
		return step{
			method: "POST", path: v1 + "/products", save: save, field: "id",
			body: fmt.Sprintf(`{"sku":%q,"name":%s,"price":%d,"category":"toys","tags":["b","a"],"dimensions":{"width":1.50,"height":1e2,"depth":3}}`, sku, quote(name), price),
		}
	}
	order := func(user string) string {
		return `{"userId":"` + user + `","items":[{"productId":"00000000-0000-7000-8000-000000000001","quantity":1}],"deliverBy":null}`
	}
	script := []step{
		{method: "POST", path: v1 + "/users", body: `{"email":"a@example.com","name":"Zoë 🦊","password":"correct horse"}`, save: "user", field: "id"},
		{method: "GET", path: v1 + "/users/{user}"},
		{method: "HEAD", path: v1 + "/users/{user}"},
		{method: "PATCH", path: v1 + "/users/{user}", body: `{"phone":null,"name":"É"}`},
		{method: "POST", path: v1 + "/users", body: `{"email":"a@example.com","name":1,"password":"x","role":"king","extra":true}`},
		{method: "POST", path: v1 + "/users", body: `{"email":`},
		{method: "POST", path: v1 + "/users", body: `{"email":"b@example.com","name":"nul \u0000 inside","password":"correct horse"}`},
		{method: "POST", path: v1 + "/users", body: `{"email":"b@example.com","name":"lone \ud800 half","password":"correct horse"}`},
		{method: "POST", path: v1 + "/users", body: `{"email":"c@example.com","name":"` + strings.Repeat("x", 2<<20) + `"}`},
		{method: "POST", path: v1 + "/users", body: `<xml/>`, headers: []string{"Content-Type: text/xml"}},
		{method: "GET", path: v1 + "/users/{user}", headers: []string{"Accept: text/csv"}},
		{method: "GET", path: v1 + "/users/{user}", headers: []string{"Authorization: "}},
		{method: "GET", path: v1 + "/users/{user}", headers: []string{"Authorization: Bearer nonsense"}},
		{method: "GET", path: v1 + "/users" + missing},
		{method: "GET", path: v1 + "/users/not-a-uuid"},
		{method: "GET", path: v1 + "/users/%00"},
		{method: "GET", path: v1 + "/users/a%2Fb"},
		{method: "GET", path: v1 + "/nothing"},
		{method: "GET", path: "/"},
		{method: "PUT", path: v1 + "/users/{user}", body: `{}`},
		{method: "OPTIONS", path: v1 + "/users/{user}"},
		{method: "POST", path: "/-/calls/UserExists", body: `"{user}"`},
		{method: "POST", path: "/-/calls/UserExists", body: `"{user}"`, headers: []string{"Service-Authorization: Bearer x"}},
	}
	for i, name := range []string{"b", "a", "B", "A", "ä", "z", "Z", "é", "e", "ß", "🦊", " ", "a b", "a-b", "aa"} { // byte order, not a language's
		script = append(script, product(fmt.Sprintf("SKU-%d", i), name, i%4, fmt.Sprintf("p%d", i)))
	}
	script = append(script,
		step{method: "GET", path: v1 + "/products?sort=name&limit=50"},
		step{method: "GET", path: v1 + "/products?sort=-name&limit=4", save: "cursor", field: "nextCursor"},
		step{method: "GET", path: v1 + "/products?sort=-name&limit=4&cursor={cursor}", save: "cursor2", field: "nextCursor"},
		step{method: "GET", path: v1 + "/products?sort=-name&limit=40&cursor={cursor2}"},
		step{method: "GET", path: v1 + "/products?sort=price&limit=7&minPrice=1&maxPrice=2", save: "cursor", field: "nextCursor"},
		step{method: "GET", path: v1 + "/products?sort=price&limit=7&minPrice=1&maxPrice=2&cursor={cursor}"},
		step{method: "GET", path: v1 + "/products?sort=price&cursor={cursor}"},
		step{method: "GET", path: v1 + "/products?cursor=garbage"},
		step{method: "GET", path: v1 + "/products?limit=0&minPrice=x&category=none"},
		step{method: "GET", path: v1 + "/products?category=books"},
		step{method: "GET", path: v1 + "/products/{p0}", save: "tag", field: "Etag"},
		step{method: "GET", path: v1 + "/products/{p0}", headers: []string{"If-None-Match: {tag}"}},
		step{method: "PUT", path: v1 + "/products/{p0}", body: `{"sku":"SKU-0","name":"new","price":1,"category":"toys"}`, headers: []string{"If-Match: {tag}"}},
		step{method: "PUT", path: v1 + "/products/{p0}", body: `{"sku":"SKU-0","name":"newer","price":1,"category":"toys"}`, headers: []string{"If-Match: {tag}"}},
		step{method: "PUT", path: v1 + "/products/{p0}", body: `{}`},
		step{method: "POST", path: v1 + "/products/{p0}/reviews", body: `{"rating":5,"title":"t"}`, save: "review", field: "id"},
		step{method: "POST", path: v1 + "/products" + missing + "/reviews", body: `{"rating":5}`},
		step{method: "GET", path: v1 + "/products/{p0}/reviews/{review}"},
		step{method: "GET", path: v1 + "/products/{p1}/reviews/{review}"},
		step{method: "GET", path: v1 + "/products/{p0}/reviews?rating=5"},
		step{method: "DELETE", path: v1 + "/products/{p0}", headers: []string{"If-Match: {tag}"}},
		step{method: "DELETE", path: v1 + "/products/{p0}"},
		step{method: "GET", path: v1 + "/products/{p0}/reviews/{review}"},
		step{method: "DELETE", path: v1 + "/products/{p0}"},
		step{method: "POST", path: v1 + "/orders", body: order("{user}"), headers: []string{"Idempotency-Key: k1"}, save: "order", field: "id"},
		step{method: "POST", path: v1 + "/orders", body: order("{user}"), headers: []string{"Idempotency-Key: k1"}},
		step{method: "POST", path: v1 + "/orders", body: `{"userId":"{user}","items":[]}`, headers: []string{"Idempotency-Key: k1"}},
		step{method: "POST", path: v1 + "/orders", body: order("{p1}")}, // no such user: asked of another service
		step{method: "POST", path: v1 + "/orders", body: order("x")},
		step{method: "GET", path: v1 + "/orders?userId={user}&status=pending&status=paid"},
		step{method: "GET", path: v1 + "/orders?sort=deliverBy&createdAfter=2020-01-01T00:00:00Z"},
		step{method: "POST", path: v1 + "/orders/{order}/cancel", save: "cancelled", field: "status"},
		step{method: "POST", path: v1 + "/orders/{order}/cancel"},
		step{method: "POST", path: v1 + "/orders" + missing + "/cancel"},
		step{method: "POST", path: v1 + "/payments", body: `{"orderId":"{order}","amount":5,"currency":"EUR","method":"card"}`, save: "payment", field: "id"},
		step{method: "GET", path: v1 + "/payments/{payment}"},
		step{method: "GET", path: v1 + "/payments/9007199254740993"},
		step{method: "GET", path: v1 + "/payments/9223372036854775808"},
		step{method: "GET", path: v1 + "/payments?orderId={order}&pageSize=1"},
		step{method: "POST", path: v1 + "/payments", body: `{"orderId":"{user}","amount":5,"currency":"EUR","method":"card"}`},
		step{method: "DELETE", path: v1 + "/users/{user}"},
		step{method: "POST", path: v1 + "/orders", body: order("{user}")},
		// An override that swallows a conflict and goes on in the same unit of work.
		step{method: "POST", path: v1 + "/products", body: `{"sku":"SWALLOW","name":"s","price":1,"category":"toys"}`, headers: []string{json}, save: "swallowed", field: "id"},
		step{method: "GET", path: v1 + "/products/{swallowed}/reviews"},
	)
	return script
}

// quote is a Go string as JSON.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(b)
}

const swallowingOverride = `package products

import (
	"context"
	"errors"

	"example.com/shop/internal/platform/store"
)

// CreateProduct writes a review twice under one key when the sku says so, and goes on
// after the conflict.
func (s *Service) CreateProduct(ctx context.Context, in CreateProductRequest) (CreateProductResponse, error) {
	response, err := s.Defaults.CreateProduct(ctx, in)
	if err != nil || in.Body.SKU != "SWALLOW" {
		return response, err
	}
	created, ok := response.(CreateProduct201)
	if !ok {
		return response, nil
	}
	review := ReviewRow{ProductID: created.Body.ID, Rating: 5}
	if err := s.reviews.Create(ctx, &review); err != nil {
		return nil, err
	}
	again := ReviewRow{ID: review.ID, ProductID: created.Body.ID, Rating: 1}
	var conflict *store.Conflict
	if err := s.reviews.Create(ctx, &again); !errors.As(err, &conflict) {
		return nil, errors.New("no conflict")
	}
	another := ReviewRow{ProductID: created.Body.ID, Rating: 4}
	return response, s.reviews.Create(ctx, &another)
}
`
