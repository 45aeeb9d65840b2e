package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
)

// Config says which credentials are accepted. Without an issuer, a JWKS URL and
// a dev issuer no token is.
type Config struct {
	// Issuer is the iss claim that tokens must carry. Without JWKSURL it is
	// also where OpenID Connect discovery finds the keys.
	Issuer string
	// Audience is the aud claim that tokens must carry; empty accepts any.
	Audience string
	// JWKSURL is where the issuer publishes its keys.
	JWKSURL string
	// APIKeyHashes are the SHA-256 hashes of the accepted API keys, in hex.
	APIKeyHashes []string
	// Dev issues tokens for development. Where it stands in for a real issuer,
	// its tokens are also accepted as API keys and as the password of basic
	// authentication: one credential opens everything.
	Dev *DevIssuer
	// Log hears about keys that cannot be refreshed; nil means slog.Default().
	Log *slog.Logger
}

// Authenticator checks credentials. A nil one accepts none.
type Authenticator struct {
	tokens *verifier // nil: no token is accepted
	keys   [][sha256.Size]byte
	dev    bool
}

// New returns an authenticator. It fetches the issuer's keys, which it then
// keeps fresh until ctx ends.
func New(ctx context.Context, cfg Config) (*Authenticator, error) {
	a := &Authenticator{}
	for _, text := range cfg.APIKeyHashes {
		var hash [sha256.Size]byte
		n, err := hex.Decode(hash[:], []byte(strings.TrimSpace(text)))
		if err != nil || n != len(hash) {
			return nil, errors.New("API_KEY_HASHES: a hash is not a SHA-256 in hex")
		}
		a.keys = append(a.keys, hash)
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	var err error
	switch {
	case cfg.Issuer != "" || cfg.JWKSURL != "":
		a.tokens, err = newRemoteVerifier(ctx, cfg)
	case cfg.Dev != nil:
		a.dev = true
		a.tokens = cfg.Dev.verifier()
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// outcome is what checking a requirement came to, from worst to best.
type outcome uint8

const (
	missing      outcome = iota // a credential is not there
	invalid                     // a credential is there, and not accepted
	insufficient                // a token does not grant a scope
	granted
)

// Authenticate checks a request against the requirements, of which one must be
// satisfied, and returns the caller. The error is a *[problem.Problem]: 401 with
// WWW-Authenticate (RFC 9110, RFC 6750), or 403 if a scope is missing.
//
// A credential that is present and wrong is refused, even where none is needed.
func (a *Authenticator) Authenticate(r *http.Request, requirements []Requirement) (Principal, error) {
	if len(requirements) == 0 {
		return Principal{}, nil
	}
	attempt := attempt{auth: a, request: r}
	var worst failure
	optional := false
	for _, requirement := range requirements {
		if requirement.optional() {
			optional = true
			continue
		}
		p, failed := attempt.requirement(requirement)
		if failed.outcome == granted {
			return p, nil
		}
		if failed.outcome >= worst.outcome {
			worst = failed
		}
	}
	if optional && worst.outcome != invalid {
		return attempt.known(), nil
	}
	return Principal{}, worst.problem(requirements)
}

// optional tells whether the requirement asks for nothing.
func (r Requirement) optional() bool {
	for _, use := range r {
		if use.kind != anonymous {
			return false
		}
	}
	return true
}

// failure is why a requirement was not satisfied.
type failure struct {
	outcome outcome
	scopes  []string // those that the operation needs
	reason  string   // of an invalid credential
}

// attempt checks one request; its token is verified once.
type attempt struct {
	auth     *Authenticator
	request  *http.Request
	verified bool
	token    Principal
	tokenErr error
}

// known is the caller as far as the attempt found out.
func (t *attempt) known() Principal {
	if t.verified && t.tokenErr == nil {
		return t.token
	}
	return Principal{}
}

func (t *attempt) requirement(requirement Requirement) (Principal, failure) {
	var caller Principal
	for _, use := range requirement {
		p, failed := t.use(use)
		if failed.outcome != granted {
			return Principal{}, failed
		}
		if caller.Anonymous() || use.kind == bearer {
			caller = p
		}
	}
	return caller, failure{outcome: granted}
}

func (t *attempt) use(use Use) (Principal, failure) {
	switch use.kind {
	case bearer:
		return t.bearer(use)
	case apiKey:
		return t.key(t.apiKey(use))
	case basic:
		_, password, _ := t.request.BasicAuth()
		return t.key(password)
	default:
		return Principal{}, failure{outcome: granted}
	}
}

func (t *attempt) bearer(use Use) (Principal, failure) {
	if !t.verified {
		t.verified = true
		t.token, t.tokenErr = t.auth.bearer(t.request)
	}
	switch {
	case errors.Is(t.tokenErr, errNoToken):
		return Principal{}, failure{}
	case t.tokenErr != nil:
		return Principal{}, failure{outcome: invalid, reason: reason(t.tokenErr)}
	}
	for _, scope := range use.scopes {
		if !t.token.Has(scope) {
			return Principal{}, failure{outcome: insufficient, scopes: use.scopes}
		}
	}
	return t.token, failure{outcome: granted}
}

// errNoToken says that a request carries no bearer token.
var errNoToken = errors.New("no token")

func (a *Authenticator) bearer(r *http.Request) (Principal, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, errNoToken
	}
	if a == nil || a.tokens == nil {
		return Principal{}, errors.New("tokens are not accepted here")
	}
	return a.tokens.verify(r.Context(), strings.TrimSpace(token))
}

func (t *attempt) apiKey(use Use) string {
	switch use.in {
	case "header":
		return t.request.Header.Get(use.name)
	case "query":
		return t.request.URL.Query().Get(use.name)
	case "cookie":
		if c, err := t.request.Cookie(use.name); err == nil {
			return c.Value
		}
	}
	return ""
}

// key checks an API key. All hashes are compared, each in constant time.
func (t *attempt) key(key string) (Principal, failure) {
	if key == "" {
		return Principal{}, failure{}
	}
	if t.auth == nil {
		return Principal{}, failure{outcome: invalid}
	}
	hash, match := sha256.Sum256([]byte(key)), 0
	for i := range t.auth.keys {
		match |= subtle.ConstantTimeCompare(hash[:], t.auth.keys[i][:])
	}
	if match == 1 {
		return Principal{Subject: "key:" + hex.EncodeToString(hash[:4])}, failure{outcome: granted}
	}
	if t.auth.dev {
		if p, err := t.auth.tokens.verify(t.request.Context(), key); err == nil {
			return p, failure{outcome: granted}
		}
	}
	return Principal{}, failure{outcome: invalid}
}

// problem renders a failure for the client, with a challenge for each scheme
// that could satisfy the operation.
func (f failure) problem(requirements []Requirement) *problem.Problem {
	if f.outcome == insufficient {
		scopes := strings.Join(f.scopes, " ")
		return problem.Forbidden("the token does not grant "+scopes).
			With("WWW-Authenticate", `Bearer realm="api", error="insufficient_scope", scope="`+scopes+`"`)
	}
	detail := "credentials are required"
	if f.outcome == invalid {
		detail = "the credentials are not accepted"
	}
	if f.reason != "" {
		detail = f.reason
	}
	p := problem.Unauthorized(detail)
	seen := map[string]bool{}
	for _, requirement := range requirements {
		for _, use := range requirement {
			challenge := use.challenge(f)
			if challenge != "" && !seen[challenge] {
				seen[challenge] = true
				p = p.With("WWW-Authenticate", challenge)
			}
		}
	}
	return p
}

func (u Use) challenge(f failure) string {
	switch u.kind {
	case bearer:
		if f.reason != "" {
			return `Bearer realm="api", error="invalid_token", error_description="` + f.reason + `"`
		}
		return `Bearer realm="api"`
	case apiKey:
		return `ApiKey realm="api", in="` + u.in + `", name="` + u.name + `"`
	case basic:
		return `Basic realm="api", charset="UTF-8"`
	default:
		return ""
	}
}
