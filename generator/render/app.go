package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/generator/model"
)

// appFile is internal/app/app.gen.go: what a process starts, and how its services
// find one another.
func appFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "app")
	for _, s := range p.Services {
		g.imports[s.Package] = p.Module + "/internal/" + s.Package
	}
	g.doc = "// Package app puts the services together: it opens their databases, ties their\n// clients, and runs what the chosen target needs.\n"
	secured := isSecured(p)
	g.P("// App is the backend in one process.")
	g.P("type App struct {")
	g.P("\t// Handler serves the API.\n\tHandler http.Handler")
	if secured {
		g.P("\t// Dev issues development tokens; nil when AUTH_ISSUER names a real identity provider.\n\tDev *auth.DevIssuer")
	}
	g.P("\n\tcfg config.Config\n\tlog *slog.Logger\n\tmetrics *telemetry.Metrics\n\tchecks []lifecycle.Check\n\tclosers []lifecycle.Closer\n}\n")
	newApp(g, p, secured)
	g.P("// api is where one service registers its operations.")
	g.P("func (a *App) api(router *rest.Router, service string, db *store.DB%s) *rest.API {", authParam(secured))
	g.P("\treturn rest.NewAPI(router, rest.Options{")
	g.P("\t\tService: service, DB: db, MaxBody: a.cfg.MaxBody, Timeout: a.cfg.RequestTimeout,")
	if secured {
		g.P("\t\tAuth: authenticator,")
	}
	g.P("\t})\n}\n")
	if secured {
		authenticator(g)
	}
	g.Raw(appTail(secured))
	return g
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

func authParam(secured bool) string {
	if secured {
		return ", authenticator *auth.Authenticator"
	}
	return ""
}

func newApp(g *goFile, p *model.Project, secured bool) {
	g.P("// New opens and migrates every database and builds the handler. Close releases it all.")
	g.P("func New(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *App, err error) {")
	g.P("\ta := &App{cfg: cfg, log: log, metrics: telemetry.New()}")
	g.P("\tdefer func() {\n\t\tif err != nil {\n\t\t\terr = errors.Join(err, a.Close(context.WithoutCancel(ctx)))\n\t\t}\n\t}()")
	g.Raw(`	unlock, err := lifecycle.LockDir(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("%w: DATA_DIR: %w", ErrEnvironment, err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: "data folder", Close: func(context.Context) error { return unlock() }})`)
	if secured {
		g.Raw(`	authenticator, err := a.authenticator(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvironment, err)
	}`)
	}
	g.P("\trouter := rest.NewRouter(rest.RouterOptions{Log: log, Metrics: a.metrics})")
	cached := p.Cache.Engine == "local" && hasResources(p)
	if cached {
		g.P("\trows, err := local.New(local.Options{})")
		g.Raw("\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"cache: %w\", err)\n\t}")
		g.P("\ta.closers = append(a.closers, lifecycle.Closer{Name: \"cache\", Close: func(context.Context) error { return rows.Close() }})")
		g.P("\toptions := store.WithCache(rows, %s)", durationExpr(p.Cache.TTL))
	}
	used := usedServices(p)
	if len(used) > 0 {
		g.P("\n\t// Services may refer to one another in a circle, so clients exist before what they call.")
		for _, s := range p.Services {
			if used[s] {
				g.P("\t%sClient := new(%s.Client)", local(s), s.Package)
			}
		}
	}
	for _, s := range p.Services {
		wireService(g, s, wiring{secured: secured, cached: cached, used: used[s]})
	}
	g.P("\n\ta.Handler = router\n\treturn a, nil\n}\n")
}

type wiring struct{ secured, cached, used bool }

func wireService(g *goFile, s *model.Service, w wiring) {
	name := local(s)
	g.P("\n\t%sDB, err := a.open(ctx, %s, %s.Migrations())", name, strconv.Quote(s.Name), s.Package)
	g.P("\tif err != nil {\n\t\treturn nil, err\n\t}")
	args := name + "DB"
	if len(s.Uses) > 0 {
		args += ", " + s.Package + ".Clients{"
		for i, u := range s.Uses {
			if i > 0 {
				args += ", "
			}
			args += u.Field + ": " + local(u.Service) + "Client"
		}
		args += "}"
	}
	if w.cached && len(s.Resources) > 0 {
		args += ", options"
	}
	g.P("\t%sDefaults := %s.NewDefaults(%s)", name, s.Package, args)
	g.P("\t%sService := %s.New(%sDefaults)", name, s.Package, name)
	if w.used {
		g.P("\t*%sClient = %s.Local(%sService, %sDefaults)", name, s.Package, name, name)
	}
	authArg := ""
	if w.secured {
		authArg = ", authenticator"
	}
	g.P("\t%s.Routes(a.api(router, %s, %sDB%s), %sService)", s.Package, strconv.Quote(s.Name), name, authArg, name)
}

// local is the prefix of a service's variables in app.gen.go.
func local(s *model.Service) string { return s.Package }

func hasResources(p *model.Project) bool {
	for _, s := range p.Services {
		if len(s.Resources) > 0 {
			return true
		}
	}
	return false
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

func authenticator(g *goFile) {
	g.Raw(`// authenticator verifies the tokens of AUTH_ISSUER, or of a dev issuer of our own.
func (a *App) authenticator(ctx context.Context) (*auth.Authenticator, error) {
	settings := auth.Config{
		Issuer: a.cfg.AuthIssuer, Audience: a.cfg.AuthAudience, JWKSURL: a.cfg.AuthJWKSURL,
		APIKeyHashes: a.cfg.APIKeyHashes, Log: a.log,
	}
	if a.cfg.AuthIssuer == "" && a.cfg.AuthJWKSURL == "" {
		dev, err := auth.NewDevIssuer(a.cfg.DataDir)
		if err != nil {
			return nil, err
		}
		a.Dev, settings.Dev = dev, dev
	}
	return auth.New(ctx, settings)
}
`)
}

// appTail is the part of the app that is the same for every project.
func appTail(secured bool) string {
	dev := ""
	if secured {
		dev = `
	if a.Dev != nil {
		server.Dev = a.Dev.Handler()
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
func Run(ctx context.Context, target string, getenv func(string) string, logs io.Writer) (err error) {
	if target != "all" {
		return fmt.Errorf("%w: -target=%q: this project runs as one process, -target=all", ErrUsage, target)
	}
	cfg, err := config.Load(getenv)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	lifecycle.TuneGC()
	a, err := New(ctx, cfg, telemetry.NewLogger(logs, cfg.LogLevel))
	if err != nil {
		return err
	}
	server := lifecycle.Server{
		Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Handler: a.Handler, Log: a.log, Metrics: a.metrics.Handler(),
		Checks: a.checks, Closers: a.closers, ShutdownTimeout: cfg.ShutdownTimeout,
	}` + dev + `
	return lifecycle.Run(ctx, server)
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

// databaseFile is internal/app/database.gen.go: how a service's database is
// opened, by the scheme of its URL.
func databaseFile(p *model.Project) *goFile {
	g := newGoFile(p.Module, "app")
	text := databaseText
	if len(p.Services) > 1 {
		text = strings.Replace(text, `		db, err = sqlite.OpenURL(ctx, url)
`, `		if !a.cfg.OwnDatabase(service) {
			url = sqlite.ServiceURL(url, service) // DATABASE_URL is for all: a file for each
		}
		db, err = sqlite.OpenURL(ctx, url)
`, 1)
	}
	g.Raw(text)
	return g
}

const databaseText = `// open opens a service's database and brings it up to date. Without a URL it is a
// file of its own in DATA_DIR.
func (a *App) open(ctx context.Context, service string, migrations fs.FS) (*store.DB, error) {
	url := a.cfg.DatabaseURL(service)
	scheme, _, _ := strings.Cut(url, ":")
	var db *store.DB
	var err error
	switch scheme {
	case "":
		db, err = sqlite.Open(ctx, filepath.Join(a.cfg.DataDir, service+".db"), sqlite.Options{Name: service})
	case "sqlite":
		db, err = sqlite.OpenURL(ctx, url)
	default:
		return nil, fmt.Errorf("%w: service %s: no engine for %s:// is compiled in, only sqlite: run backend scaffold update --set database.engine=%s",
			ErrEnvironment, service, scheme, scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: database of %s: %w", ErrEnvironment, service, err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: service, Close: func(context.Context) error { return db.Close() }})
	a.checks = append(a.checks, lifecycle.Check{Name: service, Run: db.Ping})
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, fmt.Errorf("%w: migrate the database of %s: %w", ErrEnvironment, service, err)
	}
	return db, nil
}`

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
	target := flag.String("target", "all", "what to run: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := app.Run(ctx, *target, os.Getenv, os.Stdout)
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
