package acceptance

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOverride: an override that calls the default, writes a second collection and
// fails leaves nothing: no row, no idempotency key, no cache entry.
func TestOverride(t *testing.T) {
	text, err := os.ReadFile(shopSpec)
	if err != nil {
		t.Fatal(err)
	}
	// createProduct gets an Idempotency-Key for this test.
	changed := strings.Replace(string(text), "      operationId: createProduct\n",
		"      operationId: createProduct\n      parameters:\n        - $ref: '#/components/parameters/IdempotencyKey'\n", 1)
	spec := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(spec, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	project := scaffold(t, "shop", spec, "--set", "database.engine=postgres")
	if err := os.WriteFile(filepath.Join(project.Dir, "internal/products/override.go"), []byte(failingOverride), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, setting := range settings(t) {
		t.Run(setting.name, func(t *testing.T) { testOverride(t, run(t, project.Dir, t.TempDir(), setting)) })
	}
}

func testOverride(t *testing.T, s *server) {
	body, key := `{"sku":"FAIL-1","name":"P","price":5,"category":"toys"}`, "Idempotency-Key: over-1"
	failed := s.want(t, 403, http.MethodPost, "/api/v1/products", body, key)
	id := failed.field("detail")
	s.want(t, 404, http.MethodGet, "/api/v1/products/"+id, "")
	s.want(t, 404, http.MethodGet, "/api/v1/products/"+id+"/reviews", "")
	if n := strings.Count(string(s.want(t, 200, http.MethodGet, "/api/v1/products", "").Body), `"id"`); n != 0 {
		t.Errorf("%d products were left behind", n)
	}
	second := s.want(t, 201, http.MethodPost, "/api/v1/products", body, key)
	if second.Header.Get("Idempotent-Replayed") != "" {
		t.Error("the failed request's key was kept")
	}
	reviews := s.want(t, 200, http.MethodGet, "/api/v1/products/"+second.field("id")+"/reviews", "")
	if n := strings.Count(string(reviews.Body), `"rating"`); n != 1 {
		t.Errorf("%d reviews, want 1: %s", n, reviews.Body)
	}
	replayed := s.want(t, 201, http.MethodPost, "/api/v1/products", body, key)
	if replayed.Header.Get("Idempotent-Replayed") == "" || string(replayed.Body) != string(second.Body) {
		t.Errorf("not replayed: %s", replayed.Body)
	}
}

const failingOverride = `package products

import (
	"context"
	"sync/atomic"

	"example.com/shop/internal/platform/problem"
)

var calls atomic.Int64

// CreateProduct creates a product with a first review; the first call fails after
// both writes.
func (s *Service) CreateProduct(ctx context.Context, in CreateProductRequest) (CreateProductResponse, error) {
	response, err := s.Defaults.CreateProduct(ctx, in)
	if err != nil {
		return nil, err
	}
	id := response.(CreateProduct201).Body.ID
	review := ReviewRow{ProductID: id, Rating: 5}
	if err := s.reviews.Create(ctx, &review); err != nil {
		return nil, err
	}
	if _, err := s.products.Get(ctx, id); err != nil { // its own writes are visible
		return nil, err
	}
	if calls.Add(1) == 1 { // the first of each process
		return nil, problem.Forbidden(id)
	}
	return response, nil
}
`
