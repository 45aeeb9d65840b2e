// Package auth tells who sends a request and whether they may: it checks the
// credentials of a request against the security requirements that the
// operation's OpenAPI description states.
package auth

import "context"

// kind is the kind of credential that a requirement asks for.
type kind uint8

const (
	bearer kind = iota
	apiKey
	basic
	anonymous
)

// Use asks for one credential.
type Use struct {
	kind   kind
	in     string // of an API key: header, query or cookie
	name   string // of an API key
	scopes []string
}

// Requirement is a list of credentials that a request must carry all of.
type Requirement []Use

// Bearer asks for a JWT that grants all of the scopes: the schemes bearer,
// oauth2 and openIdConnect of OpenAPI.
func Bearer(scopes ...string) Requirement {
	return Requirement{{kind: bearer, scopes: scopes}}
}

// APIKey asks for an API key in the header, query parameter or cookie called name.
func APIKey(in, name string) Requirement {
	return Requirement{{kind: apiKey, in: in, name: name}}
}

// Basic asks for HTTP basic authentication, RFC 7617. The password is an API
// key; the user name is not looked at.
func Basic() Requirement { return Requirement{{kind: basic}} }

// Anonymous asks for nothing: beside other requirements it makes them optional.
func Anonymous() Requirement { return Requirement{{kind: anonymous}} }

// AllOf asks for everything that the requirements ask for.
func AllOf(requirements ...Requirement) Requirement {
	var all Requirement
	for _, r := range requirements {
		all = append(all, r...)
	}
	return all
}

// AnyOf is satisfied by any one of the requirements; by every request if there
// are none.
func AnyOf(requirements ...Requirement) []Requirement { return requirements }

// Principal is the caller of an operation. The zero value is an anonymous one.
type Principal struct {
	// Subject identifies the caller: the sub claim of a token, or "key:" and
	// the first eight digits of an API key's hash.
	Subject string
	// Scopes are what the token grants.
	Scopes []string
	// Claims are all claims of the token, nil without one. They are shared
	// between requests: read only.
	Claims map[string]any
}

// Anonymous tells whether the caller is not known.
func (p Principal) Anonymous() bool { return p.Subject == "" }

// Has tells whether the scope was granted.
func (p Principal) Has(scope string) bool {
	for _, s := range p.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

type contextKey struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the caller that ctx carries, an anonymous one if there is none.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(contextKey{}).(Principal)
	return p
}
