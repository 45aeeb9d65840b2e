package model

import (
	"fmt"
	"slices"
	"strings"
)

// Address is how the URL of a callback is computed from the request and the response of
// its operation.
type Address struct {
	Func  string // "CreateOrderOnShippedURL"
	Parts []*AddressPart
	// Request and Response are the Go types that parts are taken from, "" for none.
	Request, Response string
	// Whole says that a part is the URL of the request itself, which no type holds.
	Whole bool
}

// AddressPart is a text of the document, or a value in its place.
type AddressPart struct {
	Text string
	// Expression is what the value stands for, as written; "" for a text.
	Expression string
	// Root is what the value is taken from: in, out, or url, the request's own.
	Root string
	// Steps lead from there to the value; each may be absent.
	Steps []AddressStep
	Ref   *Ref // the value's type
	// Escape is "query" or "path" for a value within a URL, "" for what begins one.
	Escape string
}

// AddressStep is a field on the way to a value.
type AddressStep struct {
	GoName string
	// Pointer and Nullable say how the field can be absent.
	Pointer, Nullable bool
}

// addressOf reads a callback's URL. The reason says why it cannot be computed.
func addressOf(url string, op *Op) (a *Address, reason string) {
	a = &Address{}
	if strings.HasPrefix(url, "$") { // an expression may stand alone
		url = "{" + url + "}"
	}
	before := "" // all texts so far
	for url != "" {
		text, rest, found := strings.Cut(url, "{")
		if text != "" {
			a.text(text)
			before += text
		}
		if !found {
			break
		}
		expression, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, "a brace is not closed"
		}
		part := &AddressPart{Expression: expression}
		switch {
		case strings.ContainsAny(before, "?#"):
			part.Escape = "query"
		case len(a.Parts) > 0:
			part.Escape = "path"
		}
		if reason := a.value(part, op); reason != "" {
			return nil, fmt.Sprintf("{%.60s} %s", expression, reason)
		}
		url = after
	}
	if len(a.Parts) == 0 {
		return nil, "it is empty"
	}
	return a, ""
}

// text adds a text, to that before it if there is one.
func (a *Address) text(text string) {
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Expression == "" {
		a.Parts[n-1].Text += text
		return
	}
	a.Parts = append(a.Parts, &AddressPart{Text: text})
}

// value adds the value of a runtime expression.
func (a *Address) value(p *AddressPart, op *Op) (reason string) {
	source, rest, _ := strings.Cut(strings.TrimPrefix(p.Expression, "$"), ".")
	switch {
	case p.Expression == "$method":
		a.text(op.Method)
		return ""
	case p.Expression == "$statusCode" && len(op.Results) > 0:
		a.text(fmt.Sprint(op.Results[0].Status))
		return ""
	case p.Expression == "$url":
		p.Root, p.Ref, a.Whole = "url", &Ref{Kind: RefString}, true
	case source == "request":
		p.Root, a.Request = "in", op.GoName+"Request"
		reason = p.request(rest, op)
	case source == "response" && len(op.Results) > 0:
		p.Root, a.Response = "out", op.Results[0].GoName
		reason = p.response(rest, op.Results[0])
	default:
		return "is no runtime expression"
	}
	if reason == "" && !p.plain() {
		reason = "is no plain value"
	}
	a.Parts = append(a.Parts, p)
	return reason
}

// plain reports whether the value has a text.
func (p *AddressPart) plain() bool {
	switch p.Ref.Kind {
	case RefString, RefEnum, RefInt, RefFloat, RefBool, RefTime:
		return true
	}
	return false
}

func (p *AddressPart) request(rest string, op *Op) (reason string) {
	if pointer, ok := strings.CutPrefix(rest, "body#"); ok {
		if op.Body == nil || op.Body.Ref == nil || op.Body.Text {
			return "is in a body that has no fields"
		}
		body := AddressStep{GoName: op.Body.GoName, Pointer: !op.Body.Required && !op.Body.Ref.Nilable()}
		return p.follow(pointer, body, op.Body.Ref)
	}
	in, name, _ := strings.Cut(rest, ".")
	i := slices.IndexFunc(op.Params, func(q *OpParam) bool {
		return q.In == in && (q.Name == name || in == "header" && strings.EqualFold(q.Name, name))
	})
	if i < 0 {
		return "names nothing that the request has"
	}
	param := op.Params[i]
	p.Ref = param.Ref
	p.Steps = []AddressStep{{GoName: param.GoName, Pointer: param.Optional && !param.Ref.Nilable()}}
	return ""
}

func (p *AddressPart) response(rest string, r *Result) (reason string) {
	if pointer, ok := strings.CutPrefix(rest, "body#"); ok {
		if r.Ref == nil {
			return "is in a body that has no fields"
		}
		return p.follow(pointer, AddressStep{GoName: "Body"}, r.Ref)
	}
	p.Ref = &Ref{Kind: RefString}
	in, name, _ := strings.Cut(rest, ".")
	i := slices.IndexFunc(r.Headers, func(h *ResultHeader) bool { return strings.EqualFold(h.Name, name) })
	switch {
	case in != "header":
	case r.Location && strings.EqualFold(name, "Location"):
		p.Steps = []AddressStep{{GoName: "Location"}}
	case r.ETag && strings.EqualFold(name, "ETag"):
		p.Steps = []AddressStep{{GoName: "ETag"}}
	case i >= 0:
		p.Steps = []AddressStep{{GoName: r.Headers[i].GoName}}
	}
	if p.Steps == nil {
		return "names nothing that the response has"
	}
	return ""
}

// follow walks a JSON pointer through fields.
func (p *AddressPart) follow(pointer string, first AddressStep, r *Ref) (reason string) {
	p.Steps, p.Ref = []AddressStep{first}, r
	for i, name := range strings.Split(pointer, "/") {
		if i == 0 {
			if name != "" {
				return "is no JSON pointer"
			}
			continue
		}
		if p.Ref.Kind != RefStruct {
			return "leads into a value that has no fields"
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		j := slices.IndexFunc(p.Ref.Named.Fields, func(f *Field) bool { return f.JSON == name })
		if j < 0 {
			return "leads to nothing"
		}
		f := p.Ref.Named.Fields[j]
		p.Steps = append(p.Steps, AddressStep{GoName: f.Name, Pointer: f.Pointer(), Nullable: f.Presence == OptionalNullable})
		p.Ref = f.Ref
	}
	return ""
}

// addresses reports whether the URL of a callback of the operation names a parameter:
// then the user's code needs it, although nothing is stored of it.
func (b *builder) addresses(op *Operation, p *Parameter) bool {
	expression := "$request." + p.In + "." + p.Name
	return slices.ContainsFunc(b.api.Calls, func(c *Call) bool {
		url := strings.ToLower(c.URL)
		return c.Of == op && (strings.Contains(url, "{"+strings.ToLower(expression)+"}") || url == strings.ToLower(expression))
	})
}
