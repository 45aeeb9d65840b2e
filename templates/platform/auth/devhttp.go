package auth

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

const (
	devTokenTTL     = time.Hour
	maxTokenRequest = 16 << 10 // bytes
	maxScopes       = 200
)

// tokenRequest is the body of POST /dev/token.
type tokenRequest struct {
	Subject string
	Scopes  []string
}

// DecodeJSON reads the request; only sub is required.
func (t *tokenRequest) DecodeJSON(d *wire.Decoder) {
	for key := range d.Object("sub") {
		switch key {
		case "sub":
			t.Subject = d.String()
			d.Length(t.Subject, 1, 200)
		case "scopes":
			if d.Null() {
				continue
			}
			t.Scopes = wire.List(d, func(d *wire.Decoder) string {
				scope := d.String()
				if strings.ContainsAny(scope, " \t\r\n\"\\") || scope == "" {
					d.Fail("must be a scope: no spaces, quotes or backslashes")
				}
				return scope
			})
			d.Items(len(t.Scopes), 0, maxScopes)
		default:
			d.Skip()
		}
	}
}

// Handler serves POST {"sub":"u1","scopes":["orders:write"]}, and answers with a
// token that is good for an hour: {"access_token":"…","token_type":"Bearer","expires_in":3600}.
// Mount it on a loopback address only: it hands out tokens to anyone.
func (d *DevIssuer) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, p := d.serveToken(r)
		if p != nil {
			writeProblem(w, p)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, "application/json", answer)
	})
}

func (d *DevIssuer) serveToken(r *http.Request) (map[string]any, *problem.Problem) {
	if r.Method != http.MethodPost {
		return nil, problem.New(http.StatusMethodNotAllowed, "use POST").With("Allow", http.MethodPost)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxTokenRequest+1))
	switch {
	case err != nil:
		return nil, problem.BadRequest("the body could not be read")
	case len(body) > maxTokenRequest:
		return nil, problem.New(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	var in tokenRequest
	faults, err := wire.Decode(body, in.DecodeJSON)
	switch {
	case err != nil:
		return nil, problem.BadRequest(err.Error())
	case len(faults) > 0:
		return nil, problem.Invalid("the request is not valid", faults...)
	}
	token, err := d.Token(in.Subject, in.Scopes, devTokenTTL)
	if err != nil {
		return nil, problem.New(http.StatusInternalServerError, "the token could not be signed")
	}
	return map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(devTokenTTL.Seconds()),
	}, nil
}

// JWKS serves the issuer's public key as a JWK set, RFC 7517.
func (d *DevIssuer) JWKS() http.Handler {
	const size = 32 // of a coordinate of P-256; the point is 4, x, y
	encode := base64.RawURLEncoding.EncodeToString
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, "application/jwk-set+json", map[string]any{"keys": []map[string]string{{
			"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": d.kid,
			"x": encode(d.point[1 : 1+size]), "y": encode(d.point[1+size:]),
		}}})
	})
}

func writeProblem(w http.ResponseWriter, p *problem.Problem) {
	for name, values := range p.Header {
		w.Header()[name] = values
	}
	writeJSON(w, p.Status, problem.MediaType, p)
}

func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // only a client that has left makes this fail
}
