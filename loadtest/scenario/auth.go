package scenario

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/e6b96b0c/backend/generator/model"
)

// credentials holds the one token of a run: it carries every scope that the
// document names.
type credentials struct {
	schemes map[string]*model.SecurityScheme
	scopes  []string
	fetch   func(ctx context.Context, scopes []string) (string, error)
	secured bool // some operation asks for a credential

	mu      sync.Mutex
	token   string
	version int // counts tokens, so that one refusal fetches one new token
}

func newCredentials(api *model.API, fetch func(context.Context, []string) (string, error)) *credentials {
	c := &credentials{schemes: map[string]*model.SecurityScheme{}, fetch: fetch}
	for _, s := range api.Security {
		c.schemes[s.Name] = s
		c.scopes = append(c.scopes, s.Scopes...)
	}
	for _, op := range api.Operations {
		c.secured = c.secured || len(op.Security) > 0
		for _, alternative := range op.Security {
			for _, use := range alternative {
				c.scopes = append(c.scopes, use.Scopes...)
			}
		}
	}
	slices.Sort(c.scopes)
	c.scopes = slices.Compact(c.scopes)
	return c
}

// use is how an operation's requests carry the credential.
type use struct{ places []place }

// place is where a credential travels.
type place struct {
	in, name, prefix string
	basic            bool
}

// use picks the first alternative that can be met; nil means anonymous.
func (c *credentials) use(op *model.Operation) (*use, error) {
	if len(op.Security) == 0 || c.fetch == nil {
		return nil, nil
	}
	var last error
	anonymous := false
	for _, alternative := range op.Security {
		if len(alternative) == 0 {
			anonymous = true
			continue
		}
		u, err := c.places(alternative)
		if err == nil {
			return u, nil
		}
		last = err
	}
	if anonymous {
		return nil, nil
	}
	return nil, last
}

func (c *credentials) places(alternative model.Requirement) (*use, error) {
	u := &use{}
	for _, s := range alternative {
		scheme := c.schemes[s.Scheme]
		if scheme == nil {
			return nil, fmt.Errorf("its security scheme %s is not defined", s.Scheme)
		}
		switch {
		case scheme.Type == "http" && model.Plain(scheme.Scheme) == "basic":
			u.places = append(u.places, place{in: "header", name: "Authorization", basic: true})
		case scheme.Type == "http" && model.Plain(scheme.Scheme) == "bearer", scheme.Type == "oauth2", scheme.Type == "openIdConnect":
			u.places = append(u.places, place{in: "header", name: "Authorization", prefix: "Bearer "})
		case scheme.Type == "apiKey":
			name := scheme.Parameter
			if scheme.In == "header" {
				name = http.CanonicalHeaderKey(name)
			}
			u.places = append(u.places, place{in: scheme.In, name: name})
		default:
			return nil, fmt.Errorf("its security scheme %s (%s) is not supported", s.Scheme, scheme.Type)
		}
	}
	return u, nil
}

// refresh fetches a new token, unless another request has since seen did.
func (c *credentials) refresh(ctx context.Context, seen int) error {
	if c.fetch == nil || !c.secured {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != seen {
		return nil
	}
	token, err := c.fetch(ctx, c.scopes)
	if err != nil {
		return fmt.Errorf("fetching a token: %w", err)
	}
	c.token, c.version = token, c.version+1
	return nil
}

func (c *credentials) current() (token string, version int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, c.version
}

// apply adds the credential to a request's headers and query.
func (u *use) apply(token string, h http.Header, query []byte) []byte {
	if u == nil {
		return query
	}
	for _, p := range u.places {
		value := p.prefix + token
		if p.basic {
			value = "Basic " + base64.StdEncoding.EncodeToString([]byte("loadtest:"+token))
		}
		switch p.in {
		case "query":
			if len(query) > 0 {
				query = append(query, '&')
			}
			query = append(append(append(query, url.QueryEscape(p.name)...), '='), url.QueryEscape(value)...)
		case "cookie":
			h["Cookie"] = []string{strings.Join(append(h["Cookie"], p.name+"="+value), "; ")}
		default:
			h[p.name] = []string{value}
		}
	}
	return query
}
