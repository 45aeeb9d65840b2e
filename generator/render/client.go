package render

import (
	"strconv"

	"github.com/e6b96b0c/backend/generator/model"
)

// clientFile is client.gen.go: how the other services reach this one, in the same
// process or in another.
func clientFile(p *model.Project, s *model.Service) *goFile {
	g := newGoFile(p.Module, s.Package)
	g.P("// Client is how the other services reach this one: its operations, and whether a key")
	g.P("// exists. It calls the service in this process, or the process that it is connected to;")
	g.P("// either way a call leaves the caller's unit of work, and an error that means something")
	g.P("// to a client is a *problem.Problem.")
	g.P("type Client struct {\n\tdb *store.DB\n\tserver Server\n\tdefaults Defaults\n\tremote *peer.Client // nil: in this process\n}\n")
	g.P("var _ Server = Client{}\n")
	g.P("// Local returns the client that calls the service in the same process.")
	g.P("func Local(db *store.DB, server Server, defaults Defaults) Client {\n\treturn Client{db: db, server: server, defaults: defaults}\n}\n")
	g.P("// Connect makes c call the service in another process.")
	g.P("func (c *Client) Connect(remote *peer.Client) { c.remote = remote }\n")
	g.P("// Calls registers what other processes may call.")
	calls := "s"
	if len(s.Resources)+len(s.Operations) == 0 {
		calls = "_"
	}
	g.P("func Calls(%s *peer.Server, c Client) {", calls)
	for _, r := range s.Resources {
		g.P("\tpeer.Serve(s, %s, func(ctx context.Context, key %s) (bool, error) { return c.%sExists(ctx, key) })",
			strconv.Quote(r.GoName+"Exists"), r.Key.Ref.Go(), r.GoName)
	}
	for _, op := range s.Operations {
		g.P("\trest.ServeCall(s, %s, c.%s)", strconv.Quote(op.GoName), op.GoName)
	}
	g.P("}\n")
	for _, r := range s.Resources {
		g.P("// %sExists reports whether there is %s with the key.", r.GoName, withArticle(r.Name))
		g.P("func (c Client) %sExists(ctx context.Context, key any) (bool, error) {", r.GoName)
		g.P("\tif c.remote != nil {\n\t\treturn peer.Call[any, bool](ctx, c.remote, %s, key)\n\t}", strconv.Quote(r.GoName+"Exists"))
		g.P("\treturn c.defaults.%s.Exists(store.Detach(ctx), key)\n}\n", r.Field)
	}
	for _, op := range s.Operations {
		clientOperation(g, op)
	}
	return g
}

func clientOperation(g *goFile, op *model.Op) {
	g.P("// %s calls operation %s.", op.GoName, quoteComment(op.ID))
	g.P("func (c Client) %s(ctx context.Context, in %sRequest) (%sResponse, error) {", op.GoName, op.GoName, op.GoName)
	g.P("\tif c.remote != nil {\n\t\treturn rest.Remote(ctx, c.remote, %s, in, read%s)\n\t}", strconv.Quote(op.GoName), op.GoName)
	db := "c.db"
	if op.Method == "GET" || op.Method == "HEAD" || op.Method == "OPTIONS" || op.Method == "TRACE" {
		db = "nil" // safe: no unit of work
	}
	g.P("\treturn rest.Local(ctx, %s, c.server.%s, in)\n}\n", db, op.GoName)
	header, body := "_", "_"
	for _, r := range op.Results {
		if r.Location || r.ETag || len(r.Headers) > 0 {
			header = "header"
		}
		if r.Content {
			header, body = "header", "body"
		}
		if r.Raw || r.Ref != nil {
			body = "body"
		}
	}
	g.P("func read%s(status int, %s http.Header, %s []byte) (%sResponse, error) {", op.GoName, header, body, op.GoName)
	switch len(op.Results) {
	case 0:
	case 1:
		g.P("\tif status == %s {", statusConstant(op.Results[0].Status))
		readResult(g, op.Results[0])
		g.P("\t}")
	default:
		g.P("\tswitch status {")
		for _, r := range op.Results {
			g.P("\tcase %s:", statusConstant(r.Status))
			readResult(g, r)
		}
		g.P("\t}")
	}
	g.P("\treturn nil, fmt.Errorf(\"operation %%s answered %%d, which it does not declare\", %s, status)\n}\n", strconv.Quote(op.ID))
}

func readResult(g *goFile, r *model.Result) {
	fields := ""
	add := func(name, value string) {
		if fields != "" {
			fields += ", "
		}
		fields += name + ": " + value
	}
	if r.Location {
		add("Location", `header.Get("Location")`)
	}
	if r.ETag {
		add("ETag", `header.Get("ETag")`)
	}
	for _, h := range r.Headers {
		add(h.GoName, "header.Get("+strconv.Quote(h.Name)+")")
	}
	switch {
	case r.Content:
		add("Body", "blob.FromAnswer(header, body)")
		g.P("\t\treturn %s{%s}, nil", r.GoName, fields)
	case r.Raw:
		add("Body", "body")
		g.P("\t\treturn %s{%s}, nil", r.GoName, fields)
	case r.Ref != nil:
		g.P("\t\tr := %s{%s}\n\t\terr := json.Unmarshal(body, &r.Body)\n\t\treturn r, err", r.GoName, fields)
	default:
		g.P("\t\treturn %s{%s}, nil", r.GoName, fields)
	}
}
