package model

import (
	"fmt"
	"slices"
	"strings"
)

// Outgoing is a request that a service makes, with all names that its code needs.
type Outgoing struct {
	*Call
	Label  string // for people, logs and metrics: "orderPaid", "createOrder/onShipped"
	GoName string // method of Webhooks: "OrderPaid"
	// Parameters is the Go type of Params, "" without any.
	Parameters string
	Params     []*OpParam
	Media      string // of the body, "" without one
	Body       *Ref   // nil: none, or bytes
	// Checked says that the body is held to its schema before it is sent.
	Checked bool
	// Address is how a callback's URL is computed; nil: the caller passes it, for a
	// webhook has none, or for a callback's Reason.
	Address *Address
	Reason  string
}

// outgoingNames are those that the code of outgoing calls needs in a service's package.
var outgoingNames = []string{"Webhooks", "NewWebhooks", "webhook"}

// placeCalls gives every call a service: a callback that of its operation, a webhook that
// of its first tag, if there is one, else the first by name. It comes before everything
// that takes names in the services' packages.
func (b *builder) placeCalls() {
	b.calls = map[*Service][]*Call{}
	if len(b.project.Services) == 0 {
		return
	}
	for _, c := range b.api.Calls {
		service := b.project.Services[0]
		if c.Of != nil {
			if service = b.serviceOf[c.Of]; service == nil {
				b.note(fmt.Sprintf("callback %.60q of %.60s is left out, for its operation is not served by itself", c.Name, c.Of.ID))
				continue
			}
		} else if tagged := b.services[b.serviceName(c.Operation)]; tagged != nil {
			service = tagged
		}
		if b.calls[service] == nil {
			b.scopes[service].locals.reserve(outgoingNames...)
			b.scopes[service].collections.reserve("outgoing")
		}
		b.calls[service] = append(b.calls[service], c)
	}
}

// buildCalls names and types the calls of all services, after the operations, so that
// none of those changes its names.
func (b *builder) buildCalls() {
	for _, s := range b.project.Services {
		sc := b.scopes[s]
		methods := newAllocator("AfterCommit")
		count := map[string]int{} // calls of one name
		for _, c := range b.calls[s] {
			count[b.callName(c)]++
		}
		for _, c := range b.calls[s] {
			name := b.callName(c)
			out := &Outgoing{Call: c, Label: c.Name}
			if c.Of != nil {
				out.Label = c.Of.ID + "/" + c.Name
			}
			if count[name] > 1 { // several methods, or several addresses
				name += " " + strings.ToLower(c.Method)
				out.Label += " " + c.Method
			}
			for n, base := 2, GoName(name); out.GoName == ""; n++ {
				if !methods.taken[base] && sc.locals.reserve(base+"Params", base+"URL") {
					methods.taken[base] = true
					out.GoName = base
				}
				base = fmt.Sprintf("%s%d", GoName(name), n)
			}
			ob := &opBuilder{b: b, s: s, sc: sc, t: sc.typer, op: &Op{Operation: c.Operation, GoName: out.GoName}}
			ob.op.ID = out.Label
			out.plan(ob)
			s.Calls = append(s.Calls, out)
		}
	}
}

// callName is what a call's method is named after; that of a callback begins with its
// operation's.
func (b *builder) callName(c *Call) string {
	if c.Of == nil {
		return c.Name
	}
	return b.goNames[c.Of] + " " + c.Name
}

// plan decides what the call carries and where it goes.
func (o *Outgoing) plan(ob *opBuilder) {
	names := newAllocator()
	for _, p := range o.Operation.Parameters {
		if senderHeader(p) {
			continue
		}
		param := &OpParam{Parameter: p, GoName: names.take(GoName(p.Name))}
		ob.planParam(param, o.GoName+GoName(p.Name))
		if param.Object != nil && param.Ref.Kind != RefRaw && param.Media == "" {
			ob.b.note(fmt.Sprintf("%.80s: %s parameter %.40q is sent as JSON", o.Label, p.In, p.Name))
		}
		param.Optional = !p.Required && param.Ref.Kind != RefList // a default is the receiver's
		o.Params = append(o.Params, param)
	}
	if len(o.Params) > 0 {
		o.Parameters = o.GoName + "Params"
	}
	if body := o.Operation.Body; body != nil && len(body.Content) > 0 {
		media := JSON(body.Content)
		if media != nil {
			o.Media, o.Body = jsonType(media.Type), ob.t.ref(media.Schema, o.GoName+"Body")
			o.Checked = !keepsBack(o.Body, map[*Type]bool{})
		} else {
			o.Media = bare(body.Content[0].Type)
			if strings.Contains(o.Media, "*") {
				o.Media = "application/octet-stream"
			}
		}
	}
	if o.Of == nil {
		return
	}
	i := slices.IndexFunc(ob.s.Operations, func(op *Op) bool { return op.Operation == o.Of })
	o.Address, o.Reason = addressOf(o.URL, ob.s.Operations[i])
	if o.Address != nil {
		o.Address.Func = o.GoName + "URL"
	}
}

// senderHeader reports whether the sender sets a header by itself.
func senderHeader(p *Parameter) bool {
	if p.In != "header" {
		return false
	}
	switch strings.ToLower(p.Name) {
	case "content-type", "content-length", "transfer-encoding", "connection", "host", "trailer", "upgrade", "te", "user-agent",
		"x-request-id", "webhook-id", "webhook-timestamp", "webhook-signature":
		return true
	}
	return false
}

// keepsBack reports whether JSON of a value lacks a member that its own schema requires:
// one that is write-only.
func keepsBack(r *Ref, seen map[*Type]bool) bool {
	switch {
	case r == nil:
		return false
	case r.Kind == RefList, r.Kind == RefMap:
		return keepsBack(r.Elem, seen)
	case r.Kind == RefRaw:
		return slices.ContainsFunc(r.Variants, func(v *Ref) bool { return keepsBack(v, seen) })
	case r.Kind != RefStruct || seen[r.Named]:
		return false
	}
	seen[r.Named] = true
	return slices.ContainsFunc(r.Named.Fields, func(f *Field) bool {
		return f.Property.Schema.WriteOnly && f.Property.Required || keepsBack(f.Ref, seen)
	})
}
