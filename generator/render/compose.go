package render

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/e6b96b0c/backend/generator/model"
	"github.com/e6b96b0c/backend/templates"
	"github.com/e6b96b0c/backend/templates/platform/config"
)

// composeView is deploy/compose.yaml: the processes of the backend, and the servers
// that they need.
type composeView struct {
	Backend []composeService
	Servers []composeService
	Volumes []string
	Secrets []string // variables that deploy/.env sets to random texts
}

// composeService is one container. Its texts are made of names and of our own
// words: nothing in them needs quoting beyond what is quoted here.
type composeService struct {
	Name, Comment, Image, User, Command string
	Ports, Volumes, Tmpfs, DependsOn    []string
	Environment                         []variable
	Health, Memory, SharedMemory        string
}

type variable struct{ Name, Value string }

// environment orders variables by name.
func environment(values map[string]string) []variable {
	out := make([]variable, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, variable{name, strconv.Quote(values[name])})
	}
	return out
}

const (
	publicPort   = "8080"
	backendLimit = "512m"
)

// newComposeView decides which containers there are. server is the adapter of the
// database that has one, nil when data lives in the backend's own volume.
func newComposeView(p *model.Project, server *templates.Compose, tokens, keys bool) composeView {
	c := composeBuilder{p: p, server: server, name: "database", common: map[string]string{
		"ADDR": "0.0.0.0:" + publicPort, "ADMIN_ADDR": "0.0.0.0:9090",
	}}
	if tokens {
		c.common["AUTH_ISSUER"] = "${AUTH_ISSUER:?set it to the URL of your identity provider}"
		c.common["AUTH_AUDIENCE"], c.common["AUTH_JWKS_URL"] = "${AUTH_AUDIENCE:-}", "${AUTH_JWKS_URL:-}"
	}
	if keys {
		c.common["API_KEY_HASHES"] = "${API_KEY_HASHES:?set it to the SHA-256 of the API keys that are accepted, in hex}"
	}
	if sends(p) {
		c.common["WEBHOOK_SECRET"] = "${WEBHOOK_SECRET:-}"
	}
	for slices.ContainsFunc(p.Services, func(s *model.Service) bool { return s.Name == c.name }) {
		c.name += "-server"
	}
	if server != nil {
		c.database()
	}
	if p.Split {
		c.split()
	} else {
		c.whole()
	}
	return c.view
}

type composeBuilder struct {
	p      *model.Project
	server *templates.Compose
	name   string // of the database's container
	common map[string]string
	view   composeView
}

func (c *composeBuilder) database() {
	s := c.server
	values := maps.Clone(s.Environment)
	values[s.Secret] = "${" + s.Secret + ":?run make up, which makes deploy/.env}"
	c.view.Secrets = append(c.view.Secrets, s.Secret)
	c.view.Volumes = append(c.view.Volumes, c.name)
	c.view.Servers = append(c.view.Servers, composeService{
		Name: c.name, Image: s.Image, User: s.User, Environment: environment(values), Volumes: []string{c.name + ":" + s.Data},
		Tmpfs: s.Tmpfs, Health: strconv.Quote(s.Health), Memory: s.Memory, SharedMemory: s.SharedMemory,
	})
}

// url is where the backend finds the database.
func (c *composeBuilder) url() string { return strings.ReplaceAll(c.server.URL, "HOST", c.name) }

// backend is one process of the backend.
func (c *composeBuilder) backend(name, target string, values map[string]string) composeService {
	maps.Copy(values, c.common)
	s := composeService{Name: name, Memory: backendLimit}
	if target != "all" {
		s.Command = strconv.Quote("-target=" + target)
		values["INTERNAL_TOKEN"] = "${INTERNAL_TOKEN:?run make up, which makes deploy/.env}"
	}
	if target != "gateway" && c.server != nil {
		values["DATABASE_URL"] = c.url()
		s.DependsOn = append(s.DependsOn, c.name)
	}
	if target != "gateway" && c.server == nil || c.keepsFiles(target) {
		volume := "data"
		if target != "all" {
			volume = target // each service's files are its own
		}
		values["DATA_DIR"] = "/data"
		s.Volumes = append(s.Volumes, volume+":/data")
		c.view.Volumes = append(c.view.Volumes, volume)
	} else {
		s.Tmpfs = append(s.Tmpfs, "/data:uid=65532,gid=65532,mode=0700")
	}
	if len(c.p.Blobs) > 0 && c.keepsFiles(target) {
		names := []string{"BLOB_URL"}
		for _, b := range c.p.Blobs {
			names = append(names, b.Env...)
		}
		for _, name := range names {
			values[name] = "${" + name + ":-}"
		}
	}
	s.Environment = environment(values)
	return s
}

// keepsFiles reports whether the target keeps files that clients upload.
func (c *composeBuilder) keepsFiles(target string) bool {
	return slices.ContainsFunc(c.p.Services, func(s *model.Service) bool { return s.HasFiles() && (target == "all" || target == s.Name) })
}

// whole is the backend in one container.
func (c *composeBuilder) whole() {
	s := c.backend(c.p.Name, "all", map[string]string{})
	s.Ports = []string{"127.0.0.1:" + publicPort + ":" + publicPort}
	c.view.Backend = append(c.view.Backend, s)
}

// split is a container for each service, and the gateway in front.
func (c *composeBuilder) split() {
	c.view.Secrets = append(c.view.Secrets, "INTERNAL_TOKEN")
	urls := map[string]string{}
	for _, s := range c.p.Services {
		urls[config.ServiceVariable(s.Name, "URL")] = "http://" + s.Name + ":" + publicPort
	}
	gateway := c.backend("gateway", "gateway", maps.Clone(urls))
	gateway.Ports = []string{"127.0.0.1:" + publicPort + ":" + publicPort}
	gateway.DependsOn = serviceNames(c.p)
	c.view.Backend = append(c.view.Backend, gateway)
	for _, s := range c.p.Services {
		asked := map[string]string{}
		for _, u := range s.Uses {
			name := config.ServiceVariable(u.Service.Name, "URL")
			asked[name] = urls[name]
		}
		c.view.Backend = append(c.view.Backend, c.backend(s.Name, s.Name, asked))
	}
}
