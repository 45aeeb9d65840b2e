package acceptance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const signingKey = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestWebhooks: an override sends a webhook and a callback of the document, by senders
// that know their types; a receiver gets them, signed, after the commit and not without one.
func TestWebhooks(t *testing.T) {
	project := scaffold(t, "hooked", repository+"/testdata/specs/good/webhooks.yaml")
	if n := len(project.Webhooks); n != 14 {
		t.Errorf("%d webhooks and callbacks", n)
	}
	last := project.Webhooks[len(project.Webhooks)-1]
	if last.Webhook != "onShipped" || last.Sender != "CreateOrderOnShipped" || last.Service != "orders" || last.Operation != "createOrder" ||
		last.Method != "POST" || !strings.HasPrefix(last.URL, "{$request.body#/callbackUrl}") || last.Reason != "" {
		t.Errorf("got %+v", last)
	}
	readme, err := os.ReadFile(filepath.Join(project.Dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(readme), "## Webhooks and callbacks")
	_, example, _ = strings.Cut(example, "```go\n")
	example, _, _ = strings.Cut(example, "```")
	override := filepath.Join(project.Dir, "internal/orders/override.go")
	for _, text := range []string{example, sendingOverride} { // the README's own compiles, too
		if err := os.WriteFile(override, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, project.Dir, "go", "vet", "./internal/orders")
	}
	checkProject(t, project.Dir)

	got := make(chan *http.Request, 10)
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		got <- r
		w.WriteHeader(http.StatusNoContent)
	}))
	defer to.Close()
	t.Setenv("WEBHOOK_SECRET", "whsec_"+signingKey)
	t.Setenv("WEBHOOK_ALLOW_PRIVATE", "true")
	for _, target := range []string{"all", "split"} {
		t.Run(target, func(t *testing.T) {
			testWebhooks(t, run(t, project.Dir, t.TempDir(), setting{target: target}), to.URL, got)
		})
	}
	t.Setenv("WEBHOOK_ALLOW_PRIVATE", "")
	guarded := run(t, project.Dir, t.TempDir())
	create(t, guarded, 201, "t", order(to.URL, "book"))
	waitFor(t, func() bool { return strings.Count(guarded.stderr.String(), "the address is not allowed") == 1 })
	if len(got) > 0 {
		t.Error("a loopback address was reached")
	}
}

func order(to, item string) string {
	return `{"item":"` + item + `","callbackUrl":"` + to + `/hook","notify":{}}`
}

// create posts an order; the document asks for no credentials.
func create(t *testing.T, s *server, status int, trace, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/orders?trace="+trace, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "id-1")
	a := receive(t, r)
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

func testWebhooks(t *testing.T, s *server, to string, got chan *http.Request) {
	made := create(t, s, 201, "a%26b", order(to, "book"))
	webhook, callback := <-got, <-got
	if webhook.Method != http.MethodPost || webhook.URL.RequestURI() != "/paid?a%22b%60c=true" || webhook.Header.Get("X-Event") != "paid" {
		t.Errorf("webhook %s %s %v", webhook.Method, webhook.URL, webhook.Header)
	}
	if want := "/hook?id=" + made.field("id") + "&trace=a%26b&part=1&part=2"; callback.URL.RequestURI() != want || callback.Header.Get("X-Carrier") != "DHL" {
		t.Errorf("callback %s, want %s, %v", callback.URL, want, callback.Header)
	}
	bodies := map[*http.Request]string{
		webhook:  `{"order":` + string(made.Body) + `,"at":"2026-01-02T03:04:05Z","amount":7,"currency":null}`,
		callback: `{"number":"123"}`,
	}
	for r, want := range bodies {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(body, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || !reflect.DeepEqual(a, b) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s, want %s", r.URL, body, want)
		}
		key, err := base64.StdEncoding.DecodeString(signingKey)
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = io.WriteString(mac, r.Header.Get("webhook-id")+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
		if signed := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != signed {
			t.Errorf("%s: signed %q, want %q", r.URL, r.Header.Get("webhook-signature"), signed)
		}
		if r.Header.Get("X-Request-Id") != "id-1" {
			t.Errorf("%s: request %q", r.URL, r.Header.Get("X-Request-Id"))
		}
	}
	// What is rolled back is not told; a body that its schema refuses is not sent; and a
	// unit of work that has written cannot send.
	create(t, s, 403, "t", order(to, "fail"))
	create(t, s, 201, "t", order(to, "invalid"))
	create(t, s, 409, "t", order(to, "early"))
	if len(got) > 0 {
		t.Errorf("sent: %s", (<-got).URL)
	}
	waitFor(t, func() bool { return strings.Contains(s.stderr.String(), "body/amount: must be") })
	var metrics string
	for _, p := range append(s.Processes, process{Admin: s.Admin}) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Admin+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		metrics += string(receive(t, r).Body)
	}
	for _, line := range []string{
		`webhook_messages_total{message="orderPaid",outcome="delivered",service="orders"} 1`,
		`webhook_messages_total{message="createOrder/onShipped",outcome="delivered",service="orders"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no line %s", line)
		}
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
	}
}

const sendingOverride = `package orders

import (
	"context"
	"errors"
	"time"

	"example.com/hooked/internal/platform/problem"
	"example.com/hooked/internal/platform/webhook"
	"example.com/hooked/internal/platform/wire"
)

// CreateOrder creates an order, and tells of it by a webhook and a callback.
func (s *Service) CreateOrder(ctx context.Context, in CreateOrderRequest) (CreateOrderResponse, error) {
	response, err := s.Defaults.CreateOrder(ctx, in)
	if err != nil {
		return nil, err
	}
	made := response.(CreateOrder201)
	to, err := CreateOrderOnShippedURL(in, made)
	if errors.Is(err, webhook.ErrNoAddress) {
		return response, nil
	}
	amount := int64(7)
	switch in.Body.Item {
	case "invalid":
		amount = 0
	case "early":
		if err := s.outgoing.OrderPaid(ctx, to); errors.Is(err, webhook.ErrUncommitted) {
			return nil, problem.Conflict(err.Error())
		}
	}
	event := OrderPaid2Body{
		Order: made.Body, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Amount: amount, Currency: wire.NullOf[string](),
	}
	s.outgoing.AfterCommit(ctx, func(ctx context.Context) error {
		params := OrderPaid2Params{XEvent: OrderPaid2XEventPaid, ABC: new(true)}
		if err := s.outgoing.OrderPaid2(ctx, (*in.Body.CallbackURL)[:len(*in.Body.CallbackURL)-len("hook")]+"paid", params, event); err != nil {
			return err
		}
		return s.outgoing.CreateOrderOnShipped(ctx, to, CreateOrderOnShippedParams{XCarrier: "DHL", Part: []int64{1, 2}}, Shipment{Number: "123"})
	})
	if in.Body.Item == "fail" {
		return nil, problem.Forbidden("no")
	}
	return response, nil
}
`
