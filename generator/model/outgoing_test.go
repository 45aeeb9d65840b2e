package model_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/spec"
)

// outgoing lists the calls of a project: "service GoName(body) METHOD url → function or
// reason".
func outgoing(p *model.Project) string {
	var b strings.Builder
	for _, s := range p.Services {
		for _, c := range s.Calls {
			body := c.Media
			if c.Body != nil {
				body = c.Body.Go()
			}
			fmt.Fprintf(&b, "%s %s(%s) %s", s.Name, c.GoName, body, c.Method)
			if c.Of != nil {
				b.WriteString(" " + c.URL)
			}
			if c.Address != nil {
				fmt.Fprintf(&b, " → %s(%s)", c.Address.Func, strings.Trim(c.Address.Request+" "+c.Address.Response, " "))
			}
			if c.Reason != "" {
				b.WriteString(" ✗ " + c.Reason)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestOutgoing(t *testing.T) {
	d, err := spec.Load(os.ReadFile, "../../testdata/specs/good/webhooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := model.Build(d.API, model.Options{Name: "x", Module: "x"})
	want := `exports AfterCommit2(json.RawMessage) POST
exports UserMade(User) POST
exports Xcf2abf(json.RawMessage) POST
exports ExportDoneGoEmbedX(application/xml) POST {$request.query.done} → ExportDoneGoEmbedXURL(ExportRequest)
orders Webhooks([]Order) POST
orders OrderPaid() POST
orders OrderPaid2(OrderPaid2Body) POST
orders CreateOrderElsewhereGet() GET $response.header.location → CreateOrderElsewhereGetURL(CreateOrder201)
orders CreateOrderElsewherePost() POST https://{$url}/ → CreateOrderElsewherePostURL()
orders CreateOrderElsewherePost2() POST {$request.body#/tags/0} ✗ {$request.body#/tags/0} leads into a value that has no fields
orders CreateOrderHooksPut(text/plain) PUT {$request.body#/notify/url}/orders/{$response.body#/status}/{$request.header.x-tenant}#{$statusCode}{$method} → CreateOrderHooksPutURL(CreateOrderRequest CreateOrder201)
orders CreateOrderHooksDelete() DELETE {$request.body#/notify/url}/orders/{$response.body#/status}/{$request.header.x-tenant}#{$statusCode}{$method} → CreateOrderHooksDeleteURL(CreateOrderRequest CreateOrder201)
orders CreateOrderOnLost(Shipment) POST {$request.body#/callbackUrl} → CreateOrderOnLostURL(CreateOrderRequest)
orders CreateOrderOnShipped(Shipment) POST {$request.body#/callbackUrl}?id={$response.body#/id}&trace={$request.query.trace} → CreateOrderOnShippedURL(CreateOrderRequest CreateOrder201)
`
	if got := outgoing(p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, c := range p.Coverage {
		if c.Operation.ID == "createOrder" && len(c.Refused) > 0 {
			t.Errorf("refused although a callback's address needs it: %v", c.Refused)
		}
	}
	var text []string
	for _, w := range d.Warnings {
		text = append(text, fmt.Sprintf("%d:%d %s", w.Line, w.Column, w.Code))
	}
	if got := strings.Join(text, ", "); got != "84:12 parameter-name, 85:12 parameter-in" {
		t.Errorf("warnings %s", got)
	}
}

// TestAddresses: an address that cannot be computed says why.
func TestAddresses(t *testing.T) {
	for url, want := range map[string]string{
		"{$request.body#/a~1b/deep}":       "",
		"{$request.path.id}":               "",
		"{$request.query.n}/{$url}":        "",
		"{$statusCode}{$method}":           "",
		"$request.body#/flag":              "",
		"https://example.com/{id}":         "{id} is no runtime expression",
		"{$request.body#/a~1b}":            "{$request.body#/a~1b} is no plain value",
		"{$request.body}":                  "{$request.body} names nothing that the request has",
		"{$request.body#flag}":             "{$request.body#flag} is no JSON pointer",
		"{$request.body#/none}":            "{$request.body#/none} leads to nothing",
		"{$request.body#/flag/x}":          "{$request.body#/flag/x} leads into a value that has no fields",
		"{$request.header.x}":              "{$request.header.x} names nothing that the request has",
		"{$response.body#/x}":              "{$response.body#/x} is in a body that has no fields",
		"{$response.header.x}":             "{$response.header.x} names nothing that the response has",
		"{$request.query.n":                "a brace is not closed",
		"{$message.body#/x}":               "{$message.body#/x} is no runtime expression",
		"{$request.body#/flag}{$nonsense}": "{$nonsense} is no runtime expression",
	} {
		p := build(t, "/x/{id}:\n  post:\n    operationId: x\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: n, in: query, schema: {type: integer}}]\n"+
			"    requestBody: {content: {application/json: {schema: {type: object, properties: {flag: {type: boolean}, a/b: {type: object, properties: {deep: {type: string, format: date-time}}}}}}}}\n"+
			"    callbacks: {c: {'"+url+"': {post: {responses: {}}}}}\n    responses: {'204': {description: x}}\n", "")
		c := p.Services[0].Calls[0]
		if c.Reason != want || (c.Address == nil) != (want != "") {
			t.Errorf("%s: %q, %+v", url, c.Reason, c.Address)
		}
	}
}

// TestWebhookServices: a webhook is its tag's, else the first service's.
func TestWebhookServices(t *testing.T) {
	const text = `openapi: 3.1.0
info: {title: x, version: '1'}
paths:
  /b: {get: {tags: [b], responses: {}}}
  /c: {get: {tags: [c], responses: {}}}
webhooks:
  one: {post: {tags: [c], responses: {}}}
  two: {post: {tags: [none, c], responses: {}}}
  three: {post: {callbacks: {x: {y: {post: {responses: {}}}}}, responses: {}}}
`
	d, err := spec.Load(func(string) ([]byte, error) { return []byte(text), nil }, "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) != 1 || d.Warnings[0].Code != "callback-nested" || d.Warnings[0].Line != 9 {
		t.Errorf("warnings %v", d.Warnings)
	}
	for group, want := range map[string]string{"": "b Three() POST\nb Two() POST\nc One() POST\n", "z": "b Three() POST\nb Two() POST\nz One() POST\n"} {
		o := model.Options{Name: "x", Module: "x"}
		if group != "" {
			o.Groups = map[string][]string{group: {"c"}}
		}
		if got := outgoing(model.Build(d.API, o)); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestNamesBesideWebhooks: what the senders need does not meet what the document names.
func TestNamesBesideWebhooks(t *testing.T) {
	const text = `openapi: 3.1.0
info: {title: x, version: '1'}
webhooks: {Webhooks: {post: {tags: [webhook], responses: {}}}}
paths:
  /webhooks:
    get: {tags: [webhook], operationId: Webhooks, responses: {'200': {description: x, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Webhooks'}}}}}}}
    post: {tags: [webhook], operationId: NewWebhooks, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Webhooks'}}}}, responses: {'201': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Webhooks'}}}}}}
  /webhooks/{id}:
    get: {tags: [webhook], parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Webhooks'}}}}}}
components: {schemas: {Webhooks: {type: object, required: [id], properties: {id: {type: string, readOnly: true}, sender: {type: string}}}}}
`
	d, err := spec.Load(func(string) ([]byte, error) { return []byte(text), nil }, "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := model.Build(d.API, model.Options{Name: "x", Module: "x"}).Services[0]
	if s.Package != "webhook" || len(s.Resources) != 1 || s.Resources[0].Field != "webhooks" { // as without the calls
		t.Errorf("package %s, %d resources", s.Package, len(s.Resources))
	}
	for _, typ := range s.Types {
		if typ.Name == "Webhooks" || typ.Name == "NewWebhooks" {
			t.Errorf("a message has the name %s", typ.Name)
		}
	}
}
