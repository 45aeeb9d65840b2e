package render

import (
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// servicesFile is internal/app/services.gen.go: how each service starts, and how it
// finds the others, in one process or in several.
func servicesFile(p *model.Project) *goFile {
	g := newAppFile(p)
	secured, used := isSecured(p), usedServices(p)
	g.P("// serve starts the services that the target runs, and serves what they answer.")
	g.P("func (a *App) serve(ctx context.Context) error {")
	g.P("\tif a.target != targetAll {")
	g.Raw(`		a.calls = rest.NewCalls(peer.ServerOptions{Service: a.target, Token: a.token, Log: a.log})
		a.Handler = a.calls.Handler(a.router)
	}`)
	g.P("\tfor _, s := range []struct {\n\t\tname string\n\t\tstart func(context.Context) error\n\t}{")
	for _, s := range p.Services {
		g.P("\t\t{%s, a.%s},", quotedName(s), starter(s))
	}
	g.Raw(`	} {
		if a.target != targetAll && a.target != s.name {
			continue
		}
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	return nil
}
`)
	for _, s := range p.Services {
		startService(g, p, s, used[s])
	}
	clientsOf(g, p, used)
	if len(used) > 0 {
		g.Raw(reachText)
	}
	g.P("// api is where one service registers its operations.")
	g.P("func (a *App) api(service string, db *store.DB) *rest.API {\n\treturn rest.NewAPI(a.router, rest.Options{")
	g.P("\t\tService: service, DB: db, MaxBody: a.cfg.MaxBody, Timeout: a.cfg.RequestTimeout,%s\n\t})\n}\n", authField(secured))
	routeServices(g, p, secured)
	g.Raw(callText)
	return g
}

// starter is the name of the method that starts a service.
func starter(s *model.Service) string {
	return "start" + strings.ToUpper(s.Package[:1]) + s.Package[1:]
}

func authField(secured bool) string {
	if secured {
		return " Auth: a.authenticator,"
	}
	return ""
}

func usedServices(p *model.Project) map[*model.Service]bool {
	used := map[*model.Service]bool{}
	for _, s := range p.Services {
		for _, u := range s.Uses {
			used[u.Service] = true
		}
	}
	return used
}

func startService(g *goFile, p *model.Project, s *model.Service, used bool) {
	g.P("func (a *App) %s(ctx context.Context) error {", starter(s))
	g.P("\tdb, err := a.open(ctx, %s, %s.Migrations)\n\tif err != nil {\n\t\treturn err\n\t}", quotedName(s), s.Package)
	args := "db"
	if len(s.Uses) > 0 {
		var clients []string
		asked := map[*model.Service]bool{}
		for _, u := range s.Uses {
			clients = append(clients, u.Field+": a.clients."+u.Service.Package)
			if !asked[u.Service] {
				g.P("\tif err := a.reach(%s, a.clients.%s.Connect); err != nil {\n\t\treturn err\n\t}", quotedName(u.Service), u.Service.Package)
			}
			asked[u.Service] = true
		}
		args += ", " + s.Package + ".Clients{" + strings.Join(clients, ", ") + "}"
	}
	if len(s.Calls) > 0 {
		args += ", " + s.Package + ".NewWebhooks(a.sender(" + quotedName(s) + "))"
	}
	if s.HasFiles() {
		g.P("\tfiles, err := a.openFiles(%s)\n\tif err != nil {\n\t\treturn err\n\t}", quotedName(s))
		args = "db, files" + strings.TrimPrefix(args, "db")
	}
	if isCached(p) && len(s.Resources) > 0 {
		args += ", a.options..."
	}
	g.P("\tdefaults := %s.NewDefaults(%s)", s.Package, args)
	if len(exampleTables(s)) > 0 {
		g.P("\tif a.cfg.ExampleRows {\n\t\tif err := defaults.LoadExamples(ctx); err != nil {")
		g.P("\t\t\ta.log.Error(\"example rows\", slog.String(\"service\", %s), slog.Any(\"error\", err)) // the service does without\n\t\t}\n\t}", quotedName(s))
	}
	g.P("\tservice := %s.New(defaults)", s.Package)
	if s.HasFiles() {
		g.P("\tif err := a.startFiles(ctx, files, defaults.HasFile); err != nil {\n\t\treturn err\n\t}")
		g.P("\t%s.Routes(a.api(%s, db).Receiving(files.Receive, a.maxFile), service)", s.Package, quotedName(s))
	} else {
		g.P("\t%s.Routes(a.api(%s, db), service)", s.Package, quotedName(s))
	}
	client := s.Package + ".Local(db, service, defaults)"
	if used {
		g.P("\t*a.clients.%s = %s", s.Package, client)
		client = "*a.clients." + s.Package
	}
	g.P("\tif a.calls != nil {\n\t\t%s.Calls(a.calls, %s)\n\t}", s.Package, client)
	g.P("\treturn nil\n}\n")
}

// clientsOf prints the clients of the services that others ask.
func clientsOf(g *goFile, p *model.Project, used map[*model.Service]bool) {
	if len(used) == 0 {
		return
	}
	g.P("// clients are how the services that others ask are reached. They may ask one another")
	g.P("// in a circle, so clients exist before what they call.")
	g.P("type clients struct {")
	var made []string
	for _, s := range p.Services {
		if used[s] {
			g.P("\t%s *%s.Client", s.Package, s.Package)
			made = append(made, s.Package+": new("+s.Package+".Client)")
		}
	}
	g.P("}\n\nfunc newClients() clients {\n\treturn clients{%s}\n}\n", strings.Join(made, ", "))
}

// routeServices prints the gateway: every service's routes, forwarded.
func routeServices(g *goFile, p *model.Project, secured bool) {
	g.P("// route makes this process the gateway: it knows every route, checks who calls, and")
	g.P("// hands the request to the service's process.")
	g.P("func (a *App) route() error {")
	g.Raw(`	proxy := gateway.New(a.token)
	a.closers = append(a.closers, lifecycle.Closer{Name: "gateway", Close: func(context.Context) error { return proxy.Close() }})`)
	g.P("\tfor _, s := range []struct {\n\t\tname string\n\t\troutes func(*rest.API)\n\t}{")
	for _, s := range p.Services {
		to := "to"
		if s.HasFiles() {
			to = "to.Receiving(nil, a.maxFile)"
		}
		g.P("\t\t{%s, func(to *rest.API) { %s.Routes(%s, %s.Defaults{}) }},", quotedName(s), s.Package, to, s.Package)
	}
	g.Raw(`	} {
		urls, err := a.cfg.ServiceURLs(s.name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUsage, err)
		}`)
	g.P("\t\tupstream := proxy.Service(s.name, urls)")
	g.P("\t\ta.checks = append(a.checks, lifecycle.Check{Name: s.name, Run: upstream.Ready})")
	g.P("\t\ts.routes(rest.NewAPI(a.router, rest.Options{\n\t\t\tService: s.name, MaxBody: a.cfg.MaxBody, Timeout: a.cfg.RequestTimeout, Forward: upstream,%s\n\t\t}))", authField(secured))
	g.P("\t}\n\treturn nil\n}\n")
}

const reachText = `// reach ties a client to the process of another service, at SERVICE_<NAME>_URL. In one
// process there is nothing to do: the client is bound when that service starts.
func (a *App) reach(service string, connect func(*peer.Client)) error {
	if a.target == targetAll {
		return nil
	}
	urls, err := a.cfg.ServiceURLs(service)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	client := peer.NewClient(peer.Options{Service: service, URLs: urls, Token: a.token, Timeout: a.cfg.CallTimeout, RequestID: rest.RequestID})
	a.closers = append(a.closers, lifecycle.Closer{Name: "client of " + service, Close: func(context.Context) error { return client.Close() }})
	connect(client)
	return nil
}

`

const callText = `// callToken is the secret that the processes of this backend show one another:
// INTERNAL_TOKEN, else one that those on the same DATA_DIR share.
func (a *App) callToken() (string, error) {
	if a.cfg.InternalToken != "" {
		return a.cfg.InternalToken, nil
	}
	token, err := peer.TokenFile(a.cfg.DataDir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrEnvironment, err)
	}
	return token, nil
}`
