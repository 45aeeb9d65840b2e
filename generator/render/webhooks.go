package render

import (
	"go/format"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// sends reports whether any service has webhooks or callbacks to send.
func sends(p *model.Project) bool {
	return slices.ContainsFunc(p.Services, func(s *model.Service) bool { return len(s.Calls) > 0 })
}

// webhooksFile is webhooks.gen.go: typed senders of what the document has the service
// tell others.
func webhooksFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.Raw(`// Webhooks sends what the document has this service tell others: its webhooks and the
// callbacks of its operations. Defaults calls none of its methods, for the document does
// not say when: overrides do. An error of theirs is a *webhook.Error, which says what the
// receiver answered, and whether there is a use in sending the same again.
type Webhooks struct {
	sender *webhook.Sender
}

// NewWebhooks makes the webhooks that a sender delivers.
func NewWebhooks(sender *webhook.Sender) *Webhooks { return &Webhooks{sender: sender} }

// AfterCommit calls send in the background once the unit of work of ctx is committed, and
// never if it is rolled back. After a first write it is the only way to send.
func (w *Webhooks) AfterCommit(ctx context.Context, send func(ctx context.Context) error) {
	w.sender.AfterCommit(ctx, send)
}
`)
	for _, c := range s.Calls {
		outgoingParams(g, c)
		outgoingMethod(g, c)
		if c.Address != nil {
			addressFunc(g, c)
		}
	}
	return g
}

// kindOf is what people call the request.
func kindOf(c *model.Outgoing) string {
	if c.Of == nil {
		return "webhook"
	}
	return "callback"
}

func outgoingParams(g *goFile, c *model.Outgoing) {
	if c.Parameters == "" {
		return
	}
	g.P("%s", comment("", c.Parameters, "is what "+c.GoName+" sends beside the body."))
	g.P("type %s struct {", c.Parameters)
	for _, p := range c.Params {
		note := p.In
		if p.Description != "" {
			note += ": " + sentence(p.Description)
		}
		g.P("%s", comment("\t", "", note))
		g.P("\t%s %s", p.GoName, paramType(p))
	}
	g.P("}\n")
}

func outgoingMethod(g *goFile, c *model.Outgoing) {
	told := sentence(orElse(orElse(c.Summary, c.Description), "no summary"))
	g.P("%s", comment("", c.GoName+" sends "+kindOf(c)+" "+quoteComment(c.Label)+":", told))
	switch {
	case c.Of == nil:
	case c.Address != nil:
		g.P("// %s tells where it goes.", c.Address.Func)
	default:
		g.P("%s", comment("", "The document has it go to "+quoteComment(c.URL)+", which the caller works out:", sentence(c.Reason)))
	}
	if statuses := declared(c); statuses != "" {
		g.P("%s", comment("", "", "Answers in the document: "+statuses+". Any 2xx is a delivery."))
	}
	args := []string{"ctx context.Context", "to string"}
	if c.Parameters != "" {
		args = append(args, "params "+c.Parameters)
	}
	switch {
	case c.Body != nil:
		args = append(args, "body "+c.Body.Go())
	case c.Media != "":
		args = append(args, "body []byte")
	}
	g.P("func (w *Webhooks) %s(%s) error {", c.GoName, strings.Join(args, ", "))
	g.P("\tm := webhook.NewMessage(%s, %s, to)", strconv.Quote(c.Label), methodConstant(c.Method))
	for _, p := range c.Params {
		if p.In == "query" {
			g.P("\tm.Query(%s, %s, params.%s)", strconv.Quote(p.Name), strconv.Quote(p.Split), p.GoName)
		} else {
			g.P("\tm.Header(%s, params.%s)", strconv.Quote(p.Name), p.GoName)
		}
	}
	switch {
	case c.Body != nil && c.Checked:
		g.P("\tm.JSON(%s, body, %s)", strconv.Quote(c.Media), variant(c.Body))
	case c.Body != nil:
		g.P("\tm.JSON(%s, body, nil) // its write-only members stay here", strconv.Quote(c.Media))
	case c.Media != "":
		g.P("\tm.Bytes(%s, body)", strconv.Quote(c.Media))
	}
	g.P("\treturn w.sender.Send(ctx, m)\n}\n")
}

// declared lists the answers that the document expects.
func declared(c *model.Outgoing) string {
	var out []string
	for _, r := range c.Responses {
		if shellSafe(r.Status) && r.Status != "default" {
			out = append(out, r.Status)
		}
	}
	return strings.Join(out, ", ")
}

// addressFunc prints the function that computes where a callback goes.
func addressFunc(g *goFile, c *model.Outgoing) {
	a := c.Address
	var args, guards, parts []string
	if a.Request != "" {
		args = append(args, "in "+a.Request)
	}
	if a.Response != "" {
		args = append(args, "out "+a.Response)
	}
	if a.Whole {
		args = append(args, "requestURL string")
	}
	for _, p := range a.Parts {
		if p.Expression == "" {
			parts = append(parts, strconv.Quote(p.Text))
			continue
		}
		value, absent := addressValue(p)
		parts = append(parts, value)
		for _, guard := range absent {
			if !slices.Contains(guards, guard) {
				guards = append(guards, guard)
			}
		}
	}
	g.P("%s", comment("", a.Func+" is where callback "+quoteComment(c.Label)+" goes:", c.URL))
	g.P("func %s(%s) (string, error) {", a.Func, strings.Join(args, ", "))
	if len(guards) > 0 {
		g.P("\tif %s {\n\t\treturn \"\", webhook.ErrNoAddress\n\t}", strings.Join(guards, " || "))
	}
	g.P("\treturn %s, nil\n}\n", strings.Join(parts, " + "))
}

// addressValue prints a value as a text within a URL, and the conditions under which it
// is not there.
func addressValue(p *model.AddressPart) (value string, absent []string) {
	value = map[string]string{"url": "requestURL"}[p.Root]
	if value == "" {
		value = p.Root
	}
	pointer := false
	for _, step := range p.Steps {
		value += "." + step.GoName
		if step.Nullable {
			absent = append(absent, "!"+value+".Set", value+".Null")
			value += ".Value"
		}
		if pointer = step.Pointer; pointer {
			absent = append(absent, value+" == nil")
		}
	}
	dereferenced := value
	if pointer {
		dereferenced = "*" + value
	}
	switch p.Ref.Kind {
	case model.RefEnum:
		value = "string(" + dereferenced + ")"
	case model.RefInt:
		value = "strconv.FormatInt(" + dereferenced + ", 10)"
	case model.RefFloat:
		value = "strconv.FormatFloat(" + dereferenced + ", 'f', -1, 64)"
	case model.RefBool:
		value = "strconv.FormatBool(" + dereferenced + ")"
	case model.RefTime:
		value += ".Format(time.RFC3339Nano)"
	default:
		value = dereferenced
	}
	switch p.Escape {
	case "query":
		value = "url.QueryEscape(" + value + ")"
	case "path":
		value = "url.PathEscape(" + value + ")"
	}
	return value, absent
}

// senderFile is internal/app/webhooks.gen.go. It is a file of its own, for a service's
// package may be called webhook, too.
func senderFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "app")
	g.Raw(`// sender is how a service reaches the addresses that users gave it.
func (a *App) sender(service string) *webhook.Sender {
	sender := webhook.NewSender(webhook.Options{
		Service: service, Agent: ` + strconv.Quote(p.Name) + `, Secrets: a.webhooks.Secrets, AllowPrivate: a.webhooks.AllowPrivate,
		Timeout: a.webhooks.Timeout, Attempts: a.webhooks.Attempts, RequestID: rest.RequestID, Metrics: a.metrics, Log: a.log,
	})
	a.closers = append(a.closers, lifecycle.Closer{Name: "webhooks of " + service, Close: sender.Close})
	return sender
}`)
	return g
}

// webhooks lists what the services send, and shows an override that does.
func (v *view) webhooks(p *model.Project) {
	for _, s := range p.Services {
		for _, c := range s.Calls {
			shown := webhookView{Label: markdown(c.Label), Goes: c.Method, Service: s.Name, Method: c.GoName, State: "the caller passes the address"}
			if c.Of != nil {
				shown.Goes += " " + markdown(c.URL)
			}
			if c.Address != nil {
				shown.State = "`" + c.Address.Func + "` tells the address"
			}
			v.Webhooks = append(v.Webhooks, shown)
		}
	}
	if s, c, op := example(p); op != nil {
		v.Send = sendingOverride(s, c, op)
	}
}

// example chooses what the README shows: a callback of an operation that works, else a
// webhook and an operation that writes, else whatever there is.
func example(p *model.Project) (service *model.Service, call *model.Outgoing, by *model.Op) {
	best := 0
	for _, s := range p.Services {
		for _, c := range s.Calls {
			for _, op := range s.Operations {
				fit := 1
				switch works := op.Kind != model.OpStub; {
				case c.Address != nil && c.Address.Whole, c.Of != nil && c.Of != op.Operation:
					continue
				case works && c.Address != nil && c.Body != nil:
					fit = 5
				case works && c.Address != nil:
					fit = 4
				case works && op.Method != "GET":
					fit = 3
				case works:
					fit = 2
				}
				if fit > best {
					best, service, call, by = fit, s, c, op
				}
			}
		}
	}
	return service, call, by
}

// sendingOverride is an override of an operation that sends a message once its work is
// committed. It compiles as it is.
func sendingOverride(s *model.Service, c *model.Outgoing, op *model.Op) string {
	g := newGoFile("", s.Package)
	g.P("import \"context\"\n")
	g.P("func (s *Service) %s(ctx context.Context, in %sRequest) (%sResponse, error) {", op.GoName, op.GoName, op.GoName)
	args, end, made := "to", "", "response"
	if op.Kind == model.OpStub {
		g.P("\tvar response %s // what it answers", op.Results[0].GoName)
	} else {
		g.P("\tresponse, err := s.Defaults.%s(ctx, in)\n\tif err != nil {\n\t\treturn nil, err\n\t}", op.GoName)
		made += ".(" + op.Results[0].GoName + ")"
	}
	if a := c.Address; a != nil {
		var from []string
		if a.Request != "" {
			from = append(from, "in")
		}
		if a.Response != "" {
			from = append(from, made)
		}
		g.P("\tif to, err := %s(%s); err == nil {", a.Func, strings.Join(from, ", "))
		end = "\t}"
	} else {
		g.P("\tto := \"https://example.com/hook\" // whoever is to be told")
	}
	if c.Parameters != "" {
		args += ", " + c.Parameters + "{}"
	}
	switch {
	case c.Body != nil:
		args += ", body"
		g.P("\tvar body %s // what there is to tell", c.Body.Go())
	case c.Media != "":
		args += ", body"
		g.P("\tvar body []byte // what there is to tell")
	}
	g.P("\ts.outgoing.AfterCommit(ctx, func(ctx context.Context) error {\n\t\treturn s.outgoing.%s(ctx, %s)\n\t})", c.GoName, args)
	if end != "" {
		g.P("%s", end)
	}
	g.P("\treturn response, nil\n}")
	text, err := format.Source([]byte("package " + s.Package + "\n\n" + g.b.String()))
	if err != nil {
		return g.b.String() // as it is
	}
	return strings.TrimSpace(string(text))
}
