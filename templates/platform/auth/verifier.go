package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	leeway         = 5 * time.Second  // of clocks that disagree
	refreshEvery   = 10 * time.Minute // of an issuer's keys
	refreshUnknown = 30 * time.Second // at most this often for an unknown key
	fetchTimeout   = 10 * time.Second
	unknownTimeout = 2 * time.Second
	maxToken       = 8 << 10 // bytes
)

// algorithms are asymmetric only: with a symmetric one a public key would do as
// the secret.
func algorithms() []string {
	return []string{"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"}
}

// verifier checks tokens, and remembers those that passed.
type verifier struct {
	parser *jwt.Parser
	keys   func(context.Context) jwt.Keyfunc
	turns  *atomic.Uint64 // how often the keys were replaced
	cache  cache
	now    func() time.Time
}

func newVerifier(issuer, audience string, keys func(context.Context) jwt.Keyfunc, turns *atomic.Uint64) *verifier {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms()),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
	}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	return &verifier{parser: jwt.NewParser(options...), keys: keys, turns: turns, now: time.Now}
}

// verify returns the caller that a token names.
func (v *verifier) verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > maxToken {
		return Principal{}, jwt.ErrTokenMalformed
	}
	turn := v.turns.Load()
	if p, ok := v.cache.get(token, turn, v.now()); ok {
		return p, nil
	}
	claims := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(token, claims, v.keys(ctx)); err != nil {
		return Principal{}, err
	}
	p := Principal{Subject: subject(claims), Scopes: scopes(claims), Claims: claims}
	if p.Subject == "" {
		return Principal{}, jwt.ErrTokenInvalidSubject
	}
	if exp, err := claims.GetExpirationTime(); err == nil && exp != nil {
		v.cache.put(token, entry{principal: p, expires: exp.Time, turn: turn}, v.now())
	}
	return p, nil
}

// subject falls back to the client's id: some issuers leave sub out of tokens
// that a client asked for on its own behalf.
func subject(claims jwt.MapClaims) string {
	for _, name := range []string{"sub", "client_id", "azp"} {
		if s, _ := claims[name].(string); s != "" {
			return s
		}
	}
	return ""
}

// scopes reads scope (RFC 8693: separated by spaces), scp or scopes (a list).
func scopes(claims jwt.MapClaims) []string {
	var all []string
	for _, name := range []string{"scope", "scp", "scopes"} {
		switch v := claims[name].(type) {
		case string:
			all = append(all, strings.Fields(v)...)
		case []any:
			for _, item := range v {
				if s, ok := item.(string); ok {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// reason says why a token was refused, in words that are safe inside a
// WWW-Authenticate header and tell an attacker nothing new.
func reason(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return "the token is not valid yet"
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "the token is for another audience"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return "the token is from another issuer"
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "the token is malformed"
	default:
		return "the token is not valid"
	}
}

// keySet is a key store that counts how often its keys were replaced, so that
// tokens verified with older ones are verified again.
type keySet struct {
	*jwkset.MemoryJWKSet
	turns atomic.Uint64
}

// KeyReplaceAll is called at each refresh.
func (k *keySet) KeyReplaceAll(ctx context.Context, keys []jwkset.JWK) error {
	err := k.MemoryJWKSet.KeyReplaceAll(ctx, keys)
	k.turns.Add(1)
	return err
}

// newRemoteVerifier fetches an issuer's keys and keeps them fresh until ctx ends.
func newRemoteVerifier(ctx context.Context, cfg Config) (*verifier, error) {
	address := cfg.JWKSURL
	unusable := func(err error) error {
		if cfg.JWKSURL == "" {
			return fmt.Errorf("fetch the token issuer's keys from %s: %w; check AUTH_ISSUER=%s, which names that address", address, err, cfg.Issuer)
		}
		return fmt.Errorf("fetch the token issuer's keys: %w; check AUTH_JWKS_URL=%s", err, address)
	}
	if address == "" {
		var err error
		if address, err = discover(ctx, cfg.Issuer); err != nil {
			return nil, fmt.Errorf("ask the token issuer for its keys: %w; check AUTH_ISSUER=%s, or set AUTH_JWKS_URL", err, cfg.Issuer)
		}
	}
	set := &keySet{MemoryJWKSet: jwkset.NewMemoryStorage()}
	remote, err := jwkset.NewStorageFromHTTP(address, jwkset.HTTPClientStorageOptions{
		Ctx: ctx, Storage: set, HTTPTimeout: fetchTimeout, RefreshInterval: refreshEvery,
		RefreshErrorHandler: func(ctx context.Context, err error) {
			cfg.Log.WarnContext(ctx, "the token issuer's keys could not be refreshed", slog.Any("error", err))
		},
	})
	if err != nil {
		return nil, unusable(err)
	}
	client, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs: map[string]jwkset.Storage{address: remote},
		// It bounds the wait for the limiter and the fetch together: unknown key ids must
		// not make requests wait for long.
		RateLimitWaitMax:  unknownTimeout,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(refreshUnknown), 1),
	})
	if err != nil {
		return nil, unusable(err)
	}
	keys, err := keyfunc.New(keyfunc.Options{Ctx: ctx, Storage: client})
	if err != nil {
		return nil, unusable(err)
	}
	return newVerifier(cfg.Issuer, cfg.Audience, keys.KeyfuncCtx, &set.turns), nil
}

// discover asks the issuer where its keys are, by OpenID Connect Discovery 1.0.
func discover(ctx context.Context, issuer string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s answered %d", address, response.StatusCode)
	}
	var found struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&found); err != nil {
		return "", fmt.Errorf("GET %s: %w", address, err)
	}
	if found.Issuer != issuer || found.JWKSURI == "" {
		return "", fmt.Errorf("%s describes another issuer: %q", address, found.Issuer)
	}
	return found.JWKSURI, nil
}
