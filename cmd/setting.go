package cmd

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/e6b96b0c/backend/cmd/state"
	"github.com/e6b96b0c/backend/cmd/supervisor"
	"github.com/e6b96b0c/backend/generator/profile"
	"github.com/e6b96b0c/backend/templates"
	"github.com/e6b96b0c/backend/templates/platform/config"
)

// setting is where a project runs for a load test.
type setting struct {
	// env keeps the run to fresh data.
	env []string
	// databases are for people, "PostgreSQL at 127.0.0.1:5432", and servers the
	// addresses of those that run already, without credentials.
	databases, servers []string
	// scratch begins the names of the schemas that the run makes in servers.
	scratch string
}

// embedded is the environment of a project on its embedded parts only, on fresh
// data; it clears what the user's own environment would swap in.
func embedded(st *state.State, data string) []string {
	env := []string{"DATA_DIR=" + data, "EXAMPLE_ROWS=true", "DATABASE_URL=", "BLOB_URL=", "AUTH_ISSUER=", "AUTH_JWKS_URL="}
	for _, name := range st.EnvNames() {
		if strings.HasPrefix(name, "SERVICE_") && strings.HasSuffix(name, "_DATABASE_URL") {
			env = append(env, name+"=")
		}
	}
	return env
}

// fresh is the setting of a load test, which must never write into a database that
// somebody uses: the embedded parts on the folder data, but for the database servers
// that the environment names, where the services keep to throwaway schemas.
func (o *loadtestOptions) fresh(st *state.State, p *project, data string) (*setting, error) {
	engines, err := templates.Adapters("store")
	if err != nil {
		return nil, fmt.Errorf("adapters: %w", err)
	}
	services, err := p.services(st)
	if err != nil {
		return nil, err
	}
	getenv := st.Getenv
	if o.embedded {
		getenv = func(string) string { return "" }
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // it never fails
	s := &setting{scratch: "loadtest_" + hex.EncodeToString(random)}
	s.env = append(embedded(st, data), "DATABASE_SCRATCH="+s.scratch)
	s.choose(engines, services, getenv, data)
	return s, nil
}

// choose gives every service the server that the environment names for it, if any.
func (s *setting) choose(engines []templates.Adapter, services []string, getenv func(string) string, data string) {
	common := getenv("DATABASE_URL")
	if isServer(engines, common) {
		s.env = append(s.env, "DATABASE_URL="+common)
	}
	for _, service := range services {
		name := config.ServiceVariable(service, "DATABASE_URL")
		own := getenv(name)
		switch {
		case isServer(engines, own):
			s.env = append(s.env, name+"="+own)
		case own != "" && isServer(engines, common):
			file := url.URL{Scheme: scheme(own), Path: filepath.ToSlash(filepath.Join(data, service+".db"))}
			s.env = append(s.env, name+"="+file.String())
		}
		s.add(engines, cmp.Or(own, common))
	}
}

// add notes the database of a service.
func (s *setting) add(engines []templates.Adapter, rawURL string) {
	if !isServer(engines, rawURL) {
		// The embedded engine is the one that needs no server.
		if i := slices.IndexFunc(engines, func(a templates.Adapter) bool { return a.Compose == nil }); i >= 0 {
			s.databases = appendNew(s.databases, engines[i].Title)
		}
		return
	}
	title := cmp.Or(scheme(rawURL), "unknown database")
	if a := engineOf(engines, rawURL); a != nil {
		title = a.Title
	}
	host, database := placeOf(rawURL)
	s.servers = appendNew(s.servers, cmp.Or(scheme(rawURL), "unknown")+"://"+host+database)
	if host != "" {
		title += " at " + host
	}
	s.databases = appendNew(s.databases, title)
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// scheme is what a URL begins with, "" for a text that is none.
func scheme(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err == nil {
		return u.Scheme
	}
	scheme, _, _ := strings.Cut(rawURL, "://")
	if strings.ContainsFunc(scheme, func(r rune) bool { return !('a' <= r && r <= 'z') }) {
		return ""
	}
	return scheme
}

func engineOf(engines []templates.Adapter, rawURL string) *templates.Adapter {
	i := slices.IndexFunc(engines, func(a templates.Adapter) bool { return slices.Contains(a.Schemes, scheme(rawURL)) })
	if i < 0 {
		return nil
	}
	return &engines[i]
}

// isServer reports whether a URL names a database that runs already. Of an unknown
// engine it does: the project says what is wrong with it.
func isServer(engines []templates.Adapter, rawURL string) bool {
	a := engineOf(engines, rawURL)
	return rawURL != "" && (a == nil || a.Compose != nil)
}

// placeOf is host:port and /database of the first server of a URL, "" for what
// cannot be told from a password.
func placeOf(rawURL string) (host, database string) {
	if i := strings.Index(rawURL, "://"); i >= 0 {
		if next := strings.Index(rawURL[i+3:], "://"); next >= 0 { // shards: a list of URLs
			rawURL = rawURL[:i+3+next]
			rawURL = rawURL[:max(strings.LastIndexByte(rawURL, ','), 0)]
		}
	}
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Path, "@:") {
		return "", ""
	}
	return u.Host, u.Path
}

// describe says what ran, for the report: "split (gateway and 4 services),
// PostgreSQL at 127.0.0.1:5432, in-process cache".
func (s *setting) describe(st *state.State, p *project, services int) string {
	shape := "one process"
	if services > 0 {
		shape = fmt.Sprintf("split (gateway and %s)", count(services, "service"))
	}
	parts := []string{shape, strings.Join(s.databases, " and "), p.cache(st)}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

// left says what a run that did not stop in order may have left behind.
func (s *setting) left(err error) string {
	if len(s.servers) == 0 {
		return err.Error()
	}
	return fmt.Sprintf("%v; schemas %s_… may be left in %s", err, s.scratch, strings.Join(s.servers, ", "))
}

// cache names the cache of the project's profile, "" when it cannot be told.
func (p *project) cache(st *state.State) string {
	file := projectFile(p.dir, "backend.yaml")
	data, err := st.ReadFile(file)
	if err != nil {
		return ""
	}
	chosen, err := profile.Parse(file, data)
	if err != nil {
		return ""
	}
	a, err := templates.FindAdapter("cache", chosen.Get("cache.engine"))
	switch {
	case err != nil:
		return "no cache"
	case len(a.Schemes) == 0: // it is not a name but a description
		return strings.ToLower(a.Title)
	}
	return a.Title + " cache"
}

// bootFresh boots a built project for a load test, on free ports.
func (p *project) bootFresh(ctx context.Context, out *progress, o supervisor.Options, where *setting) (*supervisor.Supervisor, error) {
	o.Env, o.Addr, o.AdminAddr = where.env, "127.0.0.1:0", "127.0.0.1:0"
	if len(where.servers) > 0 {
		out.Say("Database: %s, in schemas %s_… that are dropped at the end", strings.Join(where.servers, ", "), where.scratch)
	}
	if n := len(o.Services); n > 0 {
		out.Say("Starting %s, then the gateway …", count(n, "service"))
	}
	return p.boot(ctx, o)
}
