package render

import (
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
)

// databaseFile is internal/app/database.gen.go: how a service's database is
// opened, by the scheme of its URL.
func databaseFile(p *model.Project) *goFile {
	g := newAppFile(p)
	embedded := p.Engines[0].Name
	g.P("// open opens a service's database and brings it up to date. Without a URL it is a")
	g.P("// file of its own in DATA_DIR. No other process may serve the same service on it.")
	g.P("func (a *App) open(ctx context.Context, service string, migrations func(engine string) (fs.FS, error)) (*store.DB, error) {")
	g.Raw(`	unlock, err := lifecycle.LockDir(a.cfg.DataDir, service)
	if err != nil {
		return nil, fmt.Errorf("%w: DATA_DIR: %w", ErrEnvironment, err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: "data folder", Close: func(context.Context) error { return unlock() }})
	db, engine, err := a.connect(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("%w: database of %s: %w", ErrEnvironment, service, err)
	}
	a.closers = append(a.closers, lifecycle.Closer{Name: service, Close: func(context.Context) error { return db.Close() }})
	a.checks = append(a.checks, lifecycle.Check{Name: service, Run: db.Ping})
	files, err := migrations(engine)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, files); err != nil {
		return nil, fmt.Errorf("%w: migrate the database of %s: %w", ErrEnvironment, service, err)
	}
	return db, nil
}
`)
	g.P("// connect opens a service's database with the engine of its URL's scheme.")
	g.P("func (a *App) connect(ctx context.Context, service string) (db *store.DB, engine string, err error) {")
	shared := ""
	if len(p.Services) > 1 {
		shared = " Shared: !a.cfg.OwnDatabase(service),"
	}
	g.P("\turl := a.cfg.DatabaseURL(service)")
	g.P("\tplace := store.Place{Service: service,%s Scratch: a.cfg.DatabaseScratch}", shared)
	g.P("\tswitch scheme, _, _ := strings.Cut(url, \":\"); scheme {")
	g.P("\tcase \"\":\n\t\tengine = %s", strconv.Quote(embedded))
	g.P("\t\tdb, err = %s.Open(ctx, filepath.Join(a.cfg.DataDir, service+\".db\"), %s.Options{Name: service})", embedded, embedded)
	titles := make([]string, len(p.Engines))
	for i, e := range p.Engines {
		titles[i] = e.Name
		g.P("\tcase %s:\n\t\tengine = %s\n\t\tdb, err = %s.OpenService(ctx, url, place)", quoted(e.Schemes), strconv.Quote(e.Name), e.Name)
	}
	for _, e := range p.Addable {
		g.P("\tcase %s:\n\t\terr = missing(scheme, %s)", quoted(e.Schemes), strconv.Quote(e.Name))
	}
	g.P("\tdefault:\n\t\terr = missing(scheme, scheme)\n\t}")
	g.P("\treturn db, engine, err\n}\n")
	g.P("// missing is the error for a URL whose engine is not compiled in.")
	g.P("func missing(scheme, engine string) error {")
	g.P("\treturn fmt.Errorf(\"no engine for %%s:// is compiled in, only %s: run backend scaffold update --set database.engine=%%s, or generate the project with it\", scheme, engine)\n}",
		strings.Join(titles, " and "))
	return g
}
