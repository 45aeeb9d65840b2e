package render

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

// newAppFile starts a file of package app, which may name every service and adapter.
func newAppFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "app")
	for _, s := range p.Services {
		g.imports[s.Package] = p.Module + "/internal/" + s.Package
	}
	for _, e := range p.Engines {
		g.imports[e.Name] = p.Module + "/internal/platform/store/" + e.Name
	}
	for _, b := range p.Blobs {
		g.imports[b.Name] = p.Module + "/internal/platform/blob/" + b.Name
	}
	g.imports[p.Cache.Engine] = p.Module + "/internal/platform/cache/" + p.Cache.Engine
	return g
}

// appFile is internal/app/app.gen.go: what a process is and how it starts and stops.
func appFile(p *model.Project) *goFile {
	g := newAppFile(p)
	g.doc = "// Package app puts the services together: it opens their databases, ties their\n// clients, and runs what the chosen target needs.\n"
	secured := isSecured(p)
	g.P("// App is what one process runs: the whole backend, its gateway, or one service.")
	g.P("type App struct {")
	g.P("\t// Handler serves the API, or the target's part of it.\n\tHandler http.Handler")
	if secured {
		g.P("\t// Dev issues development tokens; nil when AUTH_ISSUER names a real identity provider.\n\tDev *auth.DevIssuer")
	}
	g.P("\n\tcfg config.Config\n\ttarget string\n\tlog *slog.Logger\n\tmetrics *telemetry.Metrics\n\trouter *rest.Router")
	if secured {
		g.P("\tauthenticator *auth.Authenticator")
	}
	if isCached(p) {
		g.P("\toptions []store.Option // of every collection")
	}
	if sends(p) {
		g.P("\twebhooks config.Webhooks // how messages are sent")
	}
	if p.HasFiles() {
		g.P("\tmaxFile int64 // of uploads, in bytes")
	}
	g.P("\ttoken string // what the processes of this backend show one another; \"\" for target all")
	g.P("\tcalls *peer.Server // what other processes may call; nil for target all")
	clients, newClients := "", ""
	if len(usedServices(p)) > 0 {
		clients, newClients = "\tclients clients\n", ", clients: newClients()"
	}
	g.P("%s\tchecks []lifecycle.Check\n\tclosers []lifecycle.Closer\n}\n", clients)
	g.P("// document is the OpenAPI document that this server keeps: api/served.gen.yaml as JSON.\n//\n//go:embed served.gen.json\nvar document []byte\n")
	g.P("// The targets that are no service.")
	g.P("const (\n\ttargetAll = \"all\" // every service in one process\n\ttargetGateway = \"gateway\" // what is in front of services that run elsewhere\n)\n")
	g.P("// Targets are what -target takes.")
	g.P("func Targets() []string {\n\treturn []string{targetAll, targetGateway, %s}\n}\n", quoted(serviceNames(p)))
	newApp(g, p, secured, newClients)
	if isCached(p) {
		g.Raw(`// openCache opens what collections keep the rows in that are read by id.
func (a *App) openCache() error {
	rows, err := ` + p.Cache.Engine + `.New(` + p.Cache.Engine + `.Options{})
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: "cache", Close: func(context.Context) error { return rows.Close() }})
	a.options = append(a.options, store.WithCache(rows, ` + durationExpr(p.Cache.TTL) + `))
	return nil
}
`)
	}
	if secured {
		g.Raw(authenticatorText)
	}
	g.Raw(runText(secured))
	return g
}

func serviceNames(p *model.Project) []string {
	names := make([]string, len(p.Services))
	for i, s := range p.Services {
		names[i] = s.Name
	}
	return names
}

// isSecured reports whether any operation asks for credentials.
func isSecured(p *model.Project) bool {
	for _, s := range p.Services {
		for _, op := range s.Operations {
			if len(op.Security) > 0 {
				return true
			}
		}
	}
	return false
}

// isCached reports whether there are rows that a cache keeps.
func isCached(p *model.Project) bool {
	return p.Cache.Engine != "none" && slices.ContainsFunc(p.Services, func(s *model.Service) bool { return len(s.Resources) > 0 })
}

func newApp(g *goFile, p *model.Project, secured bool, clients string) {
	g.P("// New opens and migrates the databases of what the target runs, and builds its handler.")
	g.P("// Close releases it all.")
	g.P("func New(ctx context.Context, cfg config.Config, target string, log *slog.Logger) (_ *App, err error) {")
	g.P("\tif !slices.Contains(Targets(), target) {")
	g.Raw(`		return nil, fmt.Errorf("%w: -target=%q: this project has the targets %s", ErrUsage, target, strings.Join(Targets(), ", "))
	}`)
	g.P("\ta := &App{cfg: cfg, target: target, log: log, metrics: telemetry.New()%s}", clients)
	g.P("\tdefer func() {\n\t\tif err != nil {\n\t\t\terr = errors.Join(err, a.Close(context.WithoutCancel(ctx)))\n\t\t}\n\t}()")
	if secured {
		g.Raw(`	if err := a.authenticate(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvironment, err)
	}`)
	}
	if sends(p) {
		g.Raw(`	if a.webhooks, err = cfg.Webhooks(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}`)
	}
	g.Raw(`	if target != targetAll {
		if a.token, err = a.callToken(); err != nil {
			return nil, err
		}
	}`)
	if p.HasFiles() {
		g.Raw(`	if a.maxFile, err = cfg.Size("MAX_FILE", blob.DefaultMax); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}`)
	}
	g.P("\ta.router = rest.NewRouter(rest.RouterOptions{Log: log, Metrics: a.metrics})")
	g.P("\ta.Handler = a.router")
	g.P("\tif target == targetGateway {\n\t\treturn a, a.route()\n\t}")
	if isCached(p) {
		g.P("\tif err := a.openCache(); err != nil {\n\t\treturn nil, err\n\t}")
	}
	g.P("\treturn a, a.serve(ctx)\n}\n")
}

const authenticatorText = `// authenticate prepares to verify the tokens of AUTH_ISSUER, or of a dev issuer of our
// own, whose key all processes on one DATA_DIR share.
func (a *App) authenticate(ctx context.Context) (err error) {
	settings := auth.Config{
		Issuer: a.cfg.AuthIssuer, Audience: a.cfg.AuthAudience, JWKSURL: a.cfg.AuthJWKSURL,
		APIKeyHashes: a.cfg.APIKeyHashes, Log: a.log,
	}
	if a.cfg.AuthIssuer == "" && a.cfg.AuthJWKSURL == "" {
		if a.Dev, err = auth.NewDevIssuer(a.cfg.DataDir); err != nil {
			return err
		}
		settings.Dev = a.Dev
	}
	a.authenticator, err = auth.New(ctx, settings)
	return err
}
`

// runText is the part of the app that is the same for every project.
func runText(secured bool) string {
	dev, issuer := "", ""
	if secured {
		issuer = " Tokens: a.Dev != nil,"
		dev = `
	if a.Dev != nil {
		server.Dev, server.JWKS = a.Dev.Handler(), a.Dev.JWKS()
	}`
	}
	return `// ErrUsage marks errors of the command line, ErrEnvironment errors of what the
// process finds around it.
var (
	ErrUsage       = errors.New("wrong usage")
	ErrEnvironment = errors.New("cannot start")
)

// Run serves target until ctx ends, then stops in order: no new requests, those
// under way finish, databases close.
func Run(ctx context.Context, target string, getenv func(string) string, logs io.Writer) error {
	cfg, err := config.Load(getenv)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	lifecycle.TuneGC()
	log := telemetry.NewLogger(logs, cfg.LogLevel)
	if target != targetAll {
		log = log.With(slog.String("target", target)) // the processes of a split often share one log
	}
	a, err := New(ctx, cfg, target, log)
	if err != nil {
		return err
	}
	server := lifecycle.Server{
		Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Handler: a.Handler, Log: a.log, Metrics: a.metrics.Handler(),
		Checks: a.checks, Closers: a.closers, ShutdownTimeout: cfg.ShutdownTimeout,
	}` + dev + `
	if target == targetAll || target == targetGateway { // where the API's users come in
		server.Pages = a.pages
	}
	return lifecycle.Run(ctx, server)
}

// pages serves the API's document, and a page to read and try it, on the admin address.
func (a *App) pages(at lifecycle.Addresses) http.Handler {
	return apidocs.New(apidocs.Options{Document: document, API: a.Handler, URL: at.URL, Local: at.Local,` + issuer + `})
}

// Close closes what New opened, last first.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i].Close(ctx))
	}
	a.closers = nil
	return errors.Join(errs...)
}
`
}

// durationExpr prints a duration of the profile as Go would be written by hand.
func durationExpr(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return "0" // the profile has checked it
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d%unit.size == 0 {
			return fmt.Sprintf("%d * time.%s", d/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d * time.Nanosecond", d)
}

// mainFile is cmd/<name>/main.go.
func mainFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "main")
	g.owned = false
	g.imports["app"] = p.Module + "/internal/app"
	g.imports["signal"] = "os/signal"
	g.imports["flag"] = "flag"
	g.imports["syscall"] = "syscall"
	g.doc = "// Command " + p.Name + " is the backend: one binary for every role.\n"
	g.Raw(`func main() {
	os.Exit(run())
}

// run returns the exit code: 0 fine, 1 failed, 2 wrong usage, 3 something around
// the process is missing or taken.
func run() int {
	target := flag.String("target", "all", "what to run: "+strings.Join(app.Targets(), ", "))
	health := flag.Bool("health", false, "ask the server at ADMIN_ADDR whether it is ready, and exit 0 or 1")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *health {
		err = lifecycle.Probe(ctx, os.Getenv("ADMIN_ADDR"))
	} else {
		err = app.Run(ctx, *target, os.Getenv, os.Stdout)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	switch {
	case errors.Is(err, app.ErrUsage):
		return 2
	case errors.Is(err, app.ErrEnvironment), errors.Is(err, lifecycle.ErrListen):
		return 3
	}
	return 1
}`)
	return g
}

// quotedName is a service's name as a Go string.
func quotedName(s *model.Service) string { return strconv.Quote(s.Name) }
