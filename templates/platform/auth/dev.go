package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/e6b96b0c/backend/templates/platform/keyfile"
)

const (
	devName = "dev" // issuer and audience of development tokens
	keyFile = "dev-issuer.pem"
)

// DevIssuer issues tokens to whoever asks: it stands in for an identity
// provider on a developer's machine.
type DevIssuer struct {
	key   *ecdsa.PrivateKey
	point []byte // of the public key, uncompressed
	kid   string
}

// NewDevIssuer returns an issuer whose ES256 key lives in dir/dev-issuer.pem. The
// file is made if it is not there, readable by its owner only; all processes
// that start at once end up with the same key.
func NewDevIssuer(dir string) (*DevIssuer, error) {
	path := filepath.Join(dir, keyFile)
	text, err := keyfile.Load(dir, keyFile, createKey)
	if err != nil {
		return nil, fmt.Errorf("the development issuer's key: %w; check DATA_DIR=%s", err, dir)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("the development issuer's key: %s: %w; check DATA_DIR=%s, or remove the file to have a new key made", path, err, dir)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("the development issuer's key: %s: %w; check DATA_DIR=%s", path, err, dir)
	}
	sum := sha256.Sum256(point)
	return &DevIssuer{key: key, point: point, kid: base64.RawURLEncoding.EncodeToString(sum[:8])}, nil
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not a P-256 key")
	}
	return key, nil
}

func createKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Token issues a token for a subject.
func (d *DevIssuer) Token(subject string, scopes []string, ttl time.Duration) (string, error) {
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": devName, "aud": devName, "sub": subject, "scope": strings.Join(scopes, " "),
		"iat": now.Unix(), "exp": now.Add(ttl).Unix(),
	})
	token.Header["kid"] = d.kid
	return token.SignedString(d.key)
}

// verifier accepts this issuer's own tokens.
func (d *DevIssuer) verifier() *verifier {
	keys := func(context.Context) jwt.Keyfunc {
		return func(*jwt.Token) (any, error) { return &d.key.PublicKey, nil }
	}
	return newVerifier(devName, devName, keys, new(atomic.Uint64))
}
