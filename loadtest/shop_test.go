package loadtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
)

// shop is a small server with references, nesting, ETags and paging. It is
// strict: it refuses what a careless client would send, with statuses that its
// description does not declare, so that every carelessness is an error.
type shop struct {
	mu     sync.Mutex
	serial int
	rows   map[string]map[string]any // "orders/7" -> row
	etags  map[string]int
	seen   map[string]int // operation -> requests
	keys   map[string]bool
	cursor int // pages that continued another
	broken bool
	silent bool // creates and updates answer without an ETag: only reads give it
}

func newShop() *shop {
	return &shop{rows: map[string]map[string]any{}, etags: map[string]int{}, seen: map[string]int{}, keys: map[string]bool{}}
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, h func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen[pattern]++
			if r.Header.Get("Authorization") != "Bearer secret" {
				http.Error(w, "no token", http.StatusUnauthorized)
				return
			}
			if r.Header.Get("X-Vegeta-Seq") != "" {
				http.Error(w, "the dispatcher's header leaked", http.StatusTeapot)
				return
			}
			h(w, r)
		})
	}
	for _, c := range []string{"customers", "products", "orders"} {
		on("POST /v1/"+c, func(w http.ResponseWriter, r *http.Request) { s.create(w, r, c) })
		on("GET /v1/"+c, func(w http.ResponseWriter, r *http.Request) { s.list(w, r, c) })
		on("GET /v1/"+c+"/{id}", func(w http.ResponseWriter, r *http.Request) { s.get(w, c+"/"+r.PathValue("id")) })
	}
	on("PUT /v1/orders/{id}", s.update)
	on("DELETE /v1/customers/{id}", s.remove)
	on("POST /v1/orders/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		k := "orders/" + r.PathValue("id")
		s.etags[k]++
		s.get(w, k)
	})
	on("POST /v1/products/{pid}/reviews", func(w http.ResponseWriter, r *http.Request) {
		if s.rows["products/"+r.PathValue("pid")] == nil {
			http.Error(w, "no such product", http.StatusNotFound)
			return
		}
		s.create(w, r, "products/"+r.PathValue("pid")+"/reviews")
	})
	on("GET /v1/products/{pid}/reviews/{rid}", func(w http.ResponseWriter, r *http.Request) {
		s.get(w, "products/"+r.PathValue("pid")+"/reviews/"+r.PathValue("rid"))
	})
	return mux
}

func (s *shop) create(w http.ResponseWriter, r *http.Request, collection string) {
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		s.keys[key] = true
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if why := s.refuse(collection, body); why != "" {
		http.Error(w, why, http.StatusUnprocessableEntity)
		return
	}
	s.serial++
	id := strconv.Itoa(s.serial)
	if collection == "customers" {
		id = "c-" + id
	}
	body["id"] = id
	k := collection + "/" + id
	s.rows[k] = body
	s.etags[k] = 1
	if !s.silent {
		w.Header().Set("ETag", `"1"`)
	}
	if collection != "customers" { // customers are found by the body's key
		w.Header().Set("Location", "/v1/"+k)
	}
	s.reply(w, http.StatusCreated, body)
}

// refuse says what is wrong with a body.
func (s *shop) refuse(collection string, body map[string]any) string {
	if collection != "orders" {
		if _, ok := body["id"]; ok {
			return "the server assigns ids"
		}
		return ""
	}
	if s.rows[fmt.Sprint("customers/", body["customerId"])] == nil {
		return fmt.Sprint("no such customer ", body["customerId"])
	}
	items, _ := body["items"].([]any)
	if len(items) == 0 {
		return "no items"
	}
	for _, it := range items {
		id := it.(map[string]any)["productId"]
		if s.rows[fmt.Sprint("products/", id)] == nil {
			return fmt.Sprint("no such product ", id)
		}
	}
	return ""
}

func (s *shop) list(w http.ResponseWriter, r *http.Request, collection string) {
	if c := r.URL.Query().Get("cursor"); c != "" {
		if c != "next-"+collection {
			http.Error(w, "that cursor was never given", http.StatusBadRequest)
			return
		}
		s.cursor++
	}
	items := []any{}
	for k, row := range s.rows {
		if rest, ok := strings.CutPrefix(k, collection+"/"); ok && !strings.Contains(rest, "/") && len(items) < 10 {
			items = append(items, row)
		}
	}
	s.reply(w, http.StatusOK, map[string]any{"items": items, "next_cursor": "next-" + collection})
}

func (s *shop) get(w http.ResponseWriter, k string) {
	row := s.rows[k]
	if row == nil || s.broken {
		http.Error(w, "no such row "+k, http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, s.etags[k]))
	s.reply(w, http.StatusOK, row)
}

func (s *shop) update(w http.ResponseWriter, r *http.Request) {
	k := "orders/" + r.PathValue("id")
	var body map[string]any
	switch err := json.NewDecoder(r.Body).Decode(&body); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case s.rows[k] == nil:
		http.Error(w, "no such order", http.StatusNotFound)
	case r.Header.Get("If-Match") == "":
		http.Error(w, "If-Match is missing", http.StatusPreconditionRequired)
	case r.Header.Get("If-Match") != fmt.Sprintf(`"%d"`, s.etags[k]):
		http.Error(w, "changed meanwhile", http.StatusPreconditionFailed)
	default:
		if why := s.refuse("orders", body); why != "" {
			http.Error(w, why, http.StatusUnprocessableEntity)
			return
		}
		body["id"] = r.PathValue("id")
		s.rows[k] = body
		s.etags[k]++
		if !s.silent {
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, s.etags[k]))
		}
		s.reply(w, http.StatusOK, body)
	}
}

func (s *shop) remove(w http.ResponseWriter, r *http.Request) {
	k := "customers/" + r.PathValue("id")
	if s.rows[k] == nil {
		http.Error(w, "no such customer", http.StatusNotFound)
		return
	}
	for other, row := range s.rows {
		if strings.HasPrefix(other, "orders/") && row["customerId"] == r.PathValue("id") {
			http.Error(w, "an order refers to it", http.StatusConflict)
			return
		}
	}
	delete(s.rows, k)
	w.WriteHeader(http.StatusNoContent)
}

func (s *shop) reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away is its own affair
}

func obj(props ...*model.Property) *model.Schema {
	return &model.Schema{Kind: model.KindObject, Properties: props}
}

func need(name string, s *model.Schema) *model.Property {
	return &model.Property{Name: name, Required: true, Schema: s}
}

func opt(name string, s *model.Schema) *model.Property { return &model.Property{Name: name, Schema: s} }

func str() *model.Schema { return &model.Schema{Kind: model.KindString, MinLength: 1} }

func whole(low, high float64) *model.Schema {
	return &model.Schema{Kind: model.KindInteger, Minimum: &low, Maximum: &high}
}

// shopAPI describes the shop, declaring none of its refusals.
func shopAPI() *model.API {
	const path = "path"
	id := func(name string) *model.Parameter {
		return &model.Parameter{Name: name, In: path, Required: true, Style: "simple", Schema: str()}
	}
	query := func(name string, s *model.Schema) *model.Parameter {
		return &model.Parameter{Name: name, In: "query", Style: "form", Explode: true, Schema: s}
	}
	customer := obj(opt("id", str()), need("name", str()), opt("email", &model.Schema{Kind: model.KindString, Format: "email"}))
	product := obj(opt("id", str()), need("name", str()), need("price", &model.Schema{Kind: model.KindNumber, Minimum: new(float64)}))
	review := obj(opt("id", str()), need("rating", whole(1, 5)), opt("text", str()))
	order := obj(opt("id", str()), need("customerId", str()), need("items", &model.Schema{
		Kind: model.KindArray, MinItems: 1, Items: obj(need("productId", str()), need("quantity", whole(1, 9))),
	}))
	list := func(s *model.Schema) *model.Schema {
		return obj(need("items", &model.Schema{Kind: model.KindArray, Items: s}), opt("next_cursor", str()))
	}
	scope := []model.Requirement{{{Scheme: "jwt", Scopes: []string{"shop:write"}}}}
	op := func(id, method, p string, body, result *model.Schema, status string, params ...*model.Parameter) *model.Operation {
		o := &model.Operation{ID: id, Method: method, Path: p, Parameters: params, Security: scope}
		if body != nil {
			o.Body = &model.Body{Required: true, Content: []model.Media{{Type: "application/json", Schema: body}}}
		}
		r := &model.Response{Status: status}
		if result != nil {
			r.Content = []model.Media{{Type: "application/json", Schema: result}}
		}
		o.Responses = []*model.Response{r}
		return o
	}
	ifMatch := &model.Parameter{Name: "If-Match", In: "header", Required: true, Style: "simple", Schema: str()}
	idem := &model.Parameter{Name: "Idempotency-Key", In: "header", Style: "simple", Schema: &model.Schema{Kind: model.KindString, Format: "uuid"}}
	return &model.API{
		Title: "Shop", BasePath: "/v1",
		Security: []*model.SecurityScheme{{Name: "jwt", Type: "http", Scheme: "bearer"}},
		Operations: []*model.Operation{
			op("createOrder", "POST", "/orders", order, order, "201", idem),
			op("listOrders", "GET", "/orders", nil, list(order), "200", query("cursor", str()), query("limit", whole(1, 50))),
			op("getOrder", "GET", "/orders/{orderId}", nil, order, "200", id("orderId")),
			op("updateOrder", "PUT", "/orders/{orderId}", order, order, "200", id("orderId"), ifMatch),
			op("cancelOrder", "POST", "/orders/{orderId}/cancel", nil, order, "200", id("orderId")),
			op("createCustomer", "POST", "/customers", customer, customer, "201"),
			op("listCustomers", "GET", "/customers", nil, list(customer), "200"),
			op("getCustomer", "GET", "/customers/{customerId}", nil, customer, "200", id("customerId")),
			op("deleteCustomer", "DELETE", "/customers/{customerId}", nil, nil, "204", id("customerId")),
			op("createProduct", "POST", "/products", product, product, "201"),
			op("listProducts", "GET", "/products", nil, list(product), "200"),
			op("getProduct", "GET", "/products/{productId}", nil, product, "200", id("productId")),
			op("createReview", "POST", "/products/{productId}/reviews", review, review, "201", id("productId")),
			op("getReview", "GET", "/products/{productId}/reviews/{reviewId}", nil, review, "200", id("productId"), id("reviewId")),
		},
	}
}

// explain prints what went wrong, as a user would read it.
func explain(t *testing.T, res *Result) {
	t.Helper()
	for _, s := range res.WarmUp.Samples {
		t.Errorf("warm-up: %+v", s)
	}
	for _, o := range res.Operations {
		for _, s := range o.ErrorSamples {
			t.Errorf("%s: %+v", o.Operation, s)
		}
	}
}
