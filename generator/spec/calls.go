package spec

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/generator/problem"
)

// webhooks are the calls that the document announces by themselves.
func (c *converter) webhooks() (out []*model.Call) {
	for _, name := range sortedKeys(c.d.doc.Webhooks) {
		item := c.d.doc.Webhooks[name]
		if item == nil {
			continue
		}
		for _, call := range c.calls(item) {
			call.Name = name
			out = append(out, call)
		}
	}
	return out
}

// callbacks are the calls that an operation announces.
func (c *converter) callbacks(of *model.Operation, op *openapi3.Operation) (out []*model.Call) {
	for _, name := range sortedKeys(op.Callbacks) {
		ref := op.Callbacks[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		for _, url := range sortedKeys(ref.Value.Map()) {
			item := ref.Value.Value(url)
			if item == nil {
				continue
			}
			for _, call := range c.calls(item) {
				call.Name, call.URL, call.Of = name, url, of
				out = append(out, call)
			}
		}
	}
	return out
}

// calls converts the operations of a path item that the server is to ask others for.
func (c *converter) calls(item *openapi3.PathItem) (out []*model.Call) {
	for _, method := range methods {
		op := item.GetOperation(method)
		if op == nil {
			continue
		}
		if len(op.Callbacks) > 0 {
			c.warn(op.Origin, "callback-nested", "callbacks of what the server itself sends are left out", "declare them as webhooks")
		}
		shared, own := c.carried(item.Parameters), c.carried(op.Parameters)
		bare := *op
		bare.Parameters = own
		call := &model.Call{Operation: c.describe("", method, shared, &bare)}
		call.Security = nil // what a receiver asks for is between it and the user's code
		out = append(out, call)
	}
	return out
}

// carried are the parameters that a call can have: its address is given as a whole, so
// it has no path of its own, and no cookies were agreed on.
func (c *converter) carried(list openapi3.Parameters) (out openapi3.Parameters) {
	for _, ref := range list {
		if ref == nil || ref.Value == nil {
			continue
		}
		switch p := ref.Value; {
		case p.In == "query", p.In == "header" && model.IsToken(p.Name):
			out = append(out, ref)
		case p.In == "header":
			c.warn(p.Origin, "parameter-name", fmt.Sprintf("%.60q cannot be the name of a header; it is left out", p.Name), "")
		default:
			c.warn(p.Origin, "parameter-in", fmt.Sprintf("parameter %.60q of a webhook or callback is in %.60q; it is left out", p.Name, p.In), "write query or header")
		}
	}
	return out
}

func (c *converter) warn(origin *openapi3.Origin, code, message, hint string) {
	at := place(c.d.File, origin)
	c.warnings = append(c.warnings, &problem.Problem{
		Code: code, File: at.File, Line: at.Line, Column: at.Column, Message: message, Hint: hint,
	})
}

// webhooksOnly says, of a document without paths, what it has instead.
func webhooksOnly(doc *openapi3.T) string {
	names := sortedKeys(doc.Webhooks)
	if len(names) > 3 {
		names = append(names[:3], "…")
	}
	return fmt.Sprintf("the document declares webhooks only (%.100s): calls that a server makes, and none that it answers", strings.Join(names, ", "))
}
