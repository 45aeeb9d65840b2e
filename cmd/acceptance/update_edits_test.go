package acceptance

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// shows wants a text in what a GET answers.
func shows(t *testing.T, s *server, path, want string) {
	t.Helper()
	if body := string(s.want(t, 200, http.MethodGet, "/api/v1"+path, "").Body); !strings.Contains(body, want) {
		t.Errorf("%s: no %s in %s", path, want, body)
	}
}

// edits are what the document of the shop goes through, in order.
func edits() []edit {
	return append(fieldEdits(), operationEdits()...)
}

const coupons = `  /coupons:
    get:
      operationId: listCoupons
      tags: [coupons]
      security: []
      responses:
        '200':
          description: All coupons.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Coupon'}}
    post:
      operationId: createCoupon
      tags: [coupons]
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Coupon'}
      responses:
        '201':
          description: The coupon.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Coupon'}
`

func fieldEdits() []edit {
	return []edit{
		{
			name:    "new optional field",
			replace: []string{"        deliverBy: {type: [string, 'null'], format: date-time}\n", "        deliverBy: {type: [string, 'null'], format: date-time}\n        giftMessage: {type: string, maxLength: 100}\n"},
			check: func(t *testing.T, s *server, u *updated) {
				order := s.want(t, 201, http.MethodPost, "/api/v1/orders", `{"userId":"`+u.user+`","items":[{"productId":"`+u.product+`","quantity":1}],"giftMessage":"for you"}`)
				shows(t, s, "/orders/"+order.field("id"), "for you")
			},
		},
		{
			name: "new required response field",
			replace: []string{
				"required: [id, email, name, role, createdAt]", "required: [id, email, name, role, points, createdAt]",
				"        phone: {type: [string, 'null']}\n", "        phone: {type: [string, 'null']}\n        points: {type: integer, default: 3}\n",
			},
			check: func(t *testing.T, s *server, u *updated) { shows(t, s, "/users/"+u.user, `"points":3`) },
		},
		{name: "another engine", flags: []string{"--set", "database.engine=postgres"}},
		{
			name:    "removed field",
			replace: []string{"        description: {type: [string, 'null']}\n", "", "        description: {type: [string, 'null'], maxLength: 5000}\n", ""},
			note:    "column-kept",
		},
		{
			name: "field that comes back",
			replace: []string{
				"        price: {type: integer, format: int64, description: Cents.}\n", "        description: {type: [string, 'null']}\n        price: {type: integer, format: int64, description: Cents.}\n",
			},
			check: func(t *testing.T, s *server, u *updated) { shows(t, s, "/products/"+u.product, "kept description") },
		},
		{
			name: "field renamed by the document",
			replace: []string{
				"        note: {type: [string, 'null']}\n", "        remark: {type: [string, 'null'], x-backend: {renamed-from: note}}\n",
				"        note: {type: [string, 'null'], maxLength: 500}\n", "        remark: {type: [string, 'null'], maxLength: 500}\n",
			},
			check: func(t *testing.T, s *server, u *updated) { shows(t, s, "/orders/"+u.order, `"remark":"kept note"`) },
		},
		{
			name:    "field renamed by a flag",
			replace: []string{"        text: {type: string}\n", "        body: {type: string}\n", "        text: {type: string, maxLength: 4000}\n", "        body: {type: string, maxLength: 4000}\n"},
			flags:   []string{"--rename", "reviews.text=body"},
			check: func(t *testing.T, s *server, u *updated) {
				shows(t, s, "/products/"+u.product+"/reviews/"+u.review, `"body":"kept text"`)
			},
		},
		{name: "new enum value", replace: []string{"enum: [pending, paid, shipped, delivered, cancelled]", "enum: [pending, paid, shipped, delivered, cancelled, returned]"}},
		{
			name: "wider type",
			replace: []string{
				"price: {type: integer, format: int64, description: Cents.}", "price: {type: number}",
				"price: {type: integer, format: int64, minimum: 0, maximum: 100000000, description: Cents.}", "price: {type: number, minimum: 0}",
			},
			check: func(t *testing.T, s *server, u *updated) { shows(t, s, "/products/"+u.product, `"price":1999`) },
		},
		{
			name: "narrower type",
			replace: []string{
				"        title: {type: string}\n        body", "        title: {type: integer}\n        body",
				"        title: {type: string, maxLength: 120}\n", "        title: {type: integer}\n",
			},
			note: "column-converted",
			check: func(t *testing.T, s *server, u *updated) {
				shows(t, s, "/products/"+u.product+"/reviews/"+u.review, `"title":42`)
			},
		},
		{
			name:    "optional field becomes required",
			replace: []string{"required: [id, userId, status, items, createdAt, updatedAt]", "required: [id, userId, status, items, giftMessage, createdAt, updatedAt]"},
			check:   func(t *testing.T, s *server, u *updated) { shows(t, s, "/orders/"+u.order, `"giftMessage":""`) },
		},
		{
			name: "required field removed",
			replace: []string{
				"required: [sku, name, price, category]", "required: [name, price, category]", "required: [id, sku, name, price", "required: [id, name, price",
				"        sku: {type: string, pattern: '^[A-Z0-9-]{3,20}$'}\n", "", "        sku: {type: string}\n", "",
			},
			note: "column-kept",
			check: func(t *testing.T, s *server, _ *updated) {
				s.want(t, 201, http.MethodPost, "/api/v1/products", `{"name":"No SKU","price":1.5,"category":"toys"}`)
			},
		},
		{name: "what is kept is dropped", flags: []string{"--allow-destructive"}, note: "column-dropped"},
	}
}

func operationEdits() []edit {
	return []edit{
		{
			name: "new operation", replace: []string{"  /payments:\n", "  /orders/{orderId}/refund:\n    post:\n      operationId: refundOrder\n      tags: [orders]\n      parameters:\n" +
				"        - {name: orderId, in: path, required: true, schema: {type: string, format: uuid}}\n      responses:\n        '204': {description: Done.}\n  /payments:\n"},
		},
		{
			name: "removed operation", replace: []string{"    delete:\n      operationId: deleteReview\n      tags: [products]\n      summary: Withdraw a review\n      security: [{bearerAuth: [reviews:write]}]\n" +
				"      responses:\n        '204': {description: Gone.}\n        '404': {$ref: '#/components/responses/NotFound'}\n", ""},
			check: func(t *testing.T, s *server, u *updated) {
				s.want(t, 405, http.MethodDelete, "/api/v1/products/"+u.product+"/reviews/"+u.review, "")
			},
		},
		{
			name: "renamed operationId", replace: []string{"operationId: cancelOrder", "operationId: abortOrder"}, finding: "override-renamed",
			fix: func(t *testing.T, u *updated) {
				u.change(t, u.override, ") CancelOrder(", ") AbortOrder(", "CancelOrderRe", "AbortOrderRe", "CancelOrder200", "AbortOrder200")
			},
			check: func(t *testing.T, s *server, u *updated) {
				order := s.want(t, 201, http.MethodPost, "/api/v1/orders", `{"userId":"`+u.user+`","items":[{"productId":"`+u.product+`","quantity":1}]}`)
				s.want(t, 200, http.MethodPost, "/api/v1/orders/"+order.field("id")+"/cancel", "")
			},
		},
		{name: "moved tag", replace: []string{"operationId: refundOrder\n      tags: [orders]", "operationId: refundOrder\n      tags: [support]"}},
		{
			name: "moved tag of a resource", replace: []string{"tags: [payments]", "tags: [billing]"}, note: "service-stays",
			check: func(t *testing.T, s *server, u *updated) { shows(t, s, "/payments/"+u.payment, `"amount":777`) },
		},
		{
			name: "new resource", replace: []string{"  /payments:\n", coupons + "  /payments:\n", "    NextCursor:\n", "    Coupon:\n      type: object\n      required: [code]\n      properties:\n" +
				"        id: {type: integer, readOnly: true}\n        code: {type: string}\n    NextCursor:\n"},
			check: func(t *testing.T, s *server, u *updated) {
				u.coupon = s.want(t, 201, http.MethodPost, "/api/v1/coupons", `{"code":"TEN"}`).field("id")
			},
		},
		{
			name: "new required parameter", replace: []string{"        - name: category\n          in: query\n", "        - name: category\n          in: query\n          required: true\n"},
			check: func(t *testing.T, s *server, _ *updated) { s.want(t, 422, http.MethodGet, "/api/v1/products", "") },
		},
		{
			name: "other paging", replace: []string{
				"        - {name: page, in: query, schema: {type: integer, format: int32, minimum: 1, default: 1}}\n        - {name: pageSize, in: query, schema: {type: integer, format: int32, minimum: 1, maximum: 100, default: 20}}\n",
				"        - {name: offset, in: query, schema: {type: integer, format: int32, minimum: 0, default: 0}}\n        - {name: limit, in: query, schema: {type: integer, format: int32, minimum: 1, maximum: 100, default: 20}}\n",
				"                  page: {type: integer, format: int32}\n                  pageSize: {type: integer, format: int32}\n", "",
			},
			check: func(t *testing.T, s *server, _ *updated) { shows(t, s, "/payments?offset=0&limit=1", `"amount":777`) },
		},
		{
			name: "other security", replace: []string{
				"security: [{bearerAuth: [users:read]}]", "security: [{bearerAuth: [users:read]}, {partner: []}]",
				"  securitySchemes:\n", "  securitySchemes:\n    partner: {type: apiKey, in: header, name: X-Partner}\n",
			},
		},
		{
			name: "new nested resource", replace: []string{"  /payments:\n", "  /orders/{orderId}/events:\n    parameters:\n      - {name: orderId, in: path, required: true, schema: {type: string, format: uuid}}\n" +
				"    post:\n      operationId: addEvent\n      tags: [orders]\n      requestBody:\n        required: true\n        content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string}}}}}\n" +
				"      responses:\n        '201':\n          description: The event.\n          content: {application/json: {schema: {type: object, required: [id, text], properties: {id: {type: string, format: uuid, readOnly: true}, text: {type: string}}}}}\n  /payments:\n"},
			check: func(t *testing.T, s *server, u *updated) {
				s.want(t, 201, http.MethodPost, "/api/v1/orders/"+u.order+"/events", `{"text":"packed"}`)
			},
		},
		{
			name: "removed resource", replace: []string{coupons, ""},
			check: func(t *testing.T, s *server, u *updated) {
				s.want(t, 404, http.MethodGet, "/api/v1/coupons", "")
				if _, err := os.Stat(u.path("internal/coupons/service.go")); err == nil {
					t.Error("the service of coupons, which nobody edited, is still there")
				}
				if _, err := os.Stat(u.path("internal/coupons/migrations/sqlite/0001_init.sql")); err != nil {
					t.Error(err)
				}
			},
		},
		{
			name: "resource that comes back", replace: []string{"  /payments:\n", coupons + "  /payments:\n"},
			check: func(t *testing.T, s *server, _ *updated) { shows(t, s, "/coupons", `"code":"TEN"`) },
		},
		{name: "another path", replace: []string{"/orders/{orderId}/cancel:", "/orders/{orderId}/abort:"}},
		{
			name: "removed operation that is overridden", finding: "override-removed", replace: []string{abort, ""},
			fix: func(t *testing.T, u *updated) {
				if err := os.Remove(u.path(u.override)); err != nil {
					t.Fatal(err)
				}
				delete(u.mine, u.override)
			},
		},
	}
}

const abort = `  /orders/{orderId}/abort:
    parameters:
      - {name: orderId, in: path, required: true, schema: {type: string, format: uuid}}
    post:
      operationId: abortOrder
      tags: [orders]
      summary: Cancel an order that is not shipped yet
      security: [{bearerAuth: [orders:write]}]
      responses:
        '200':
          description: The cancelled order.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409': {$ref: '#/components/responses/Conflict'}
`
