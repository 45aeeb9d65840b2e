package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/e6b96b0c/backend/templates/platform/auth"
	"github.com/e6b96b0c/backend/templates/platform/problem"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request returns a request with headers, given as names and values in turn.
func request(headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "/?key=query-key", nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// verdict is the status and challenge of an authentication, or the subject.
func verdict(p auth.Principal, err error) string {
	if err == nil {
		if p.Anonymous() {
			return "anonymous"
		}
		return p.Subject
	}
	var refused *problem.Problem
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return http.StatusText(refused.Status) + " " + strings.Join(refused.Header["Www-Authenticate"], "; ")
}

func devAuth(t *testing.T) (*auth.DevIssuer, *auth.Authenticator) {
	t.Helper()
	dev, err := auth.NewDevIssuer(t.TempDir())
	must(t, err)
	hash := sha256.Sum256([]byte("query-key"))
	a, err := auth.New(t.Context(), auth.Config{Dev: dev, APIKeyHashes: []string{hex.EncodeToString(hash[:])}})
	must(t, err)
	return dev, a
}

func token(t testing.TB, dev *auth.DevIssuer, ttl time.Duration, scopes ...string) string {
	t.Helper()
	text, err := dev.Token("u1", scopes, ttl)
	must(t, err)
	return text
}

func TestRequirements(t *testing.T) {
	dev, a := devAuth(t)
	good := "Bearer " + token(t, dev, time.Minute, "read", "write")
	old := "Bearer " + token(t, dev, -time.Minute, "read")
	basic := func(password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+password))
	}
	both := auth.AllOf(auth.APIKey("query", "key"), auth.Bearer())
	for _, c := range []struct {
		name     string
		headers  []string
		security []auth.Requirement
		want     string
	}{
		{"public", nil, nil, "anonymous"},
		{"public ignores credentials", []string{"Authorization", "Bearer x"}, auth.AnyOf(), "anonymous"},
		{"token", []string{"Authorization", good}, auth.AnyOf(auth.Bearer("read")), "u1"},
		{"scheme in another case", []string{"Authorization", "bEARER" + good[6:]}, auth.AnyOf(auth.Bearer("read")), "u1"},
		{"all scopes", []string{"Authorization", good}, auth.AnyOf(auth.Bearer("read", "write")), "u1"},
		{"a scope is missing", []string{"Authorization", good}, auth.AnyOf(auth.Bearer("read", "admin")), `Forbidden Bearer realm="api", error="insufficient_scope", scope="read admin"`},
		{"either scope", []string{"Authorization", good}, auth.AnyOf(auth.Bearer("admin"), auth.Bearer("write")), "u1"},
		{"none", nil, auth.AnyOf(auth.Bearer("read")), `Unauthorized Bearer realm="api"`},
		{"expired", []string{"Authorization", old}, auth.AnyOf(auth.Bearer()), `Unauthorized Bearer realm="api", error="invalid_token", error_description="the token has expired"`},
		{"garbage", []string{"Authorization", "Bearer a.b.c"}, auth.AnyOf(auth.Bearer()), `Unauthorized Bearer realm="api", error="invalid_token", error_description="the token is malformed"`},
		{"too long", []string{"Authorization", "Bearer " + strings.Repeat("a", 9000)}, auth.AnyOf(auth.Bearer()), `Unauthorized Bearer realm="api", error="invalid_token", error_description="the token is malformed"`},
		{"tampered", []string{"Authorization", good[:len(good)-4] + "AAAA"}, auth.AnyOf(auth.Bearer()), `Unauthorized Bearer realm="api", error="invalid_token", error_description="the token is not valid"`},
		{"key in the query", nil, auth.AnyOf(auth.APIKey("query", "key")), "key:"},
		{"key in a header", []string{"X-Key", "query-key"}, auth.AnyOf(auth.APIKey("header", "X-Key")), "key:"},
		{"key in a cookie", []string{"Cookie", "k=query-key"}, auth.AnyOf(auth.APIKey("cookie", "k")), "key:"},
		{"token as a key", []string{"X-Key", good[7:]}, auth.AnyOf(auth.APIKey("header", "X-Key")), "u1"},
		{"wrong key", []string{"X-Key", "query-kez"}, auth.AnyOf(auth.APIKey("header", "X-Key")), `Unauthorized ApiKey realm="api", in="header", name="X-Key"`},
		{"no key", nil, auth.AnyOf(auth.APIKey("header", "X-Key"), auth.Basic()), `Unauthorized ApiKey realm="api", in="header", name="X-Key"; Basic realm="api", charset="UTF-8"`},
		{"password", []string{"Authorization", basic("query-key")}, auth.AnyOf(auth.Basic()), "key:"},
		{"token as a password", []string{"Authorization", basic(good[7:])}, auth.AnyOf(auth.Basic()), "u1"},
		{"wrong password", []string{"Authorization", basic("x")}, auth.AnyOf(auth.Basic()), `Unauthorized Basic realm="api", charset="UTF-8"`},
		{"both", []string{"Authorization", good}, auth.AnyOf(both), "u1"},
		{"one of both", nil, auth.AnyOf(both), `Unauthorized ApiKey realm="api", in="query", name="key"; Bearer realm="api"`},
		{"optional, absent", nil, auth.AnyOf(auth.Bearer("read"), auth.Anonymous()), "anonymous"},
		{"optional, present", []string{"Authorization", good}, auth.AnyOf(auth.Anonymous(), auth.Bearer("read")), "u1"},
		{"optional, lesser token", []string{"Authorization", good}, auth.AnyOf(auth.Anonymous(), auth.Bearer("admin")), "u1"},
		{"optional, wrong", []string{"Authorization", old}, auth.AnyOf(auth.Bearer("read"), auth.Anonymous()), `Unauthorized Bearer realm="api", error="invalid_token", error_description="the token has expired"`},
	} {
		got := verdict(a.Authenticate(request(c.headers...), c.security))
		if got != c.want && (c.want != "key:" || !strings.HasPrefix(got, "key:")) {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestWithoutConfigurationNothingIsAccepted(t *testing.T) {
	dev, _ := devAuth(t)
	none, err := auth.New(t.Context(), auth.Config{})
	must(t, err)
	r := request("Authorization", "Bearer "+token(t, dev, time.Minute))
	for _, a := range []*auth.Authenticator{nil, none} {
		for _, requirement := range []auth.Requirement{auth.Bearer(), auth.APIKey("query", "key"), auth.AllOf(auth.Bearer(), auth.Basic())} {
			if got := verdict(a.Authenticate(r, auth.AnyOf(requirement))); !strings.HasPrefix(got, "Unauthorized") {
				t.Errorf("got %s", got)
			}
		}
		if got := verdict(a.Authenticate(r, nil)); got != "anonymous" {
			t.Errorf("a public operation: %s", got)
		}
	}
	if _, err := auth.New(t.Context(), auth.Config{APIKeyHashes: []string{"abc"}}); err == nil {
		t.Error("a bad hash was accepted")
	}
}

// issuer is an identity provider on loopback whose keys can be changed.
type issuer struct {
	*httptest.Server
	mu   sync.Mutex
	keys map[string]*ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{keys: map[string]*ecdsa.PrivateKey{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/jwks"})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(5 * time.Millisecond) // as networks do
		i.mu.Lock()
		defer i.mu.Unlock()
		keys := []map[string]string{}
		for kid, key := range i.keys {
			point, err := key.PublicKey.Bytes()
			if err != nil {
				panic(err)
			}
			encode := base64.RawURLEncoding.EncodeToString
			keys = append(keys, map[string]string{
				"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": encode(point[1:33]), "y": encode(point[33:]),
			})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	i.rotate(t, "first")
	return i
}

// rotate replaces all keys by a new one.
func (i *issuer) rotate(t *testing.T, kid string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.keys)
	i.keys[kid] = key
}

func (i *issuer) sign(t testing.TB, kid string, change map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": i.URL, "aud": []string{"other", "shop"}, "sub": "u7", "scp": []string{"a", "b"}, "exp": time.Now().Add(time.Minute).Unix(),
	}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = kid
	i.mu.Lock()
	defer i.mu.Unlock()
	text, err := token.SignedString(i.keys[kid])
	must(t, err)
	return text
}

func TestRealIssuer(t *testing.T) {
	i := newIssuer(t)
	for name, cfg := range map[string]auth.Config{
		"discovery": {Issuer: i.URL, Audience: "shop"},
		"jwks url":  {Issuer: i.URL, Audience: "shop", JWKSURL: i.URL + "/jwks"},
	} {
		a, err := auth.New(t.Context(), cfg)
		must(t, err)
		ask := func(text string) string {
			return verdict(a.Authenticate(request("Authorization", "Bearer "+text), auth.AnyOf(auth.Bearer("b"))))
		}
		for change, want := range map[string]map[string]any{
			"u7": nil, "client": {"sub": nil, "client_id": "client"},
			"the token is for another audience": {"aud": "bookshop"},
			"the token is from another issuer":  {"iss": "https://evil.example"},
			"the token is not valid yet":        {"nbf": time.Now().Add(time.Hour).Unix()},
			"the token has expired":             {"exp": time.Now().Add(-time.Minute).Unix()},
			"the token is not valid":            {"exp": nil},
			"insufficient_scope":                {"scp": []string{"a"}},
		} {
			if got := ask(i.sign(t, "first", want)); !strings.Contains(got, change) {
				t.Errorf("%s: %s, want %s", name, got, change)
			}
		}
	}
	if _, err := auth.New(t.Context(), auth.Config{Issuer: i.URL + "/other", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err == nil {
		t.Error("an issuer without discovery was accepted")
	}
}

// TestErrorsNameTheSetting: whoever starts the server reads what to check.
func TestErrorsNameTheSetting(t *testing.T) {
	i := newIssuer(t)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	start := func(cfg auth.Config) error {
		cfg.Log = quiet
		_, err := auth.New(t.Context(), cfg)
		return err
	}
	_, dev := auth.NewDevIssuer(file)
	for want, err := range map[string]error{
		"AUTH_ISSUER=" + i.URL + "/other":    start(auth.Config{Issuer: i.URL + "/other"}),
		"AUTH_JWKS_URL=" + i.URL + "/nobody": start(auth.Config{Issuer: i.URL, JWKSURL: i.URL + "/nobody"}),
		"AUTH_JWKS_URL=:":                    start(auth.Config{Issuer: i.URL, JWKSURL: ":"}),
		"API_KEY_HASHES":                     start(auth.Config{APIKeyHashes: []string{"x"}}),
		"DATA_DIR=" + file:                   dev,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		} else if t.Log(err); strings.HasPrefix(err.Error(), "auth: ") || strings.HasPrefix(err.Error(), "dev issuer: ") {
			t.Errorf("the caller's prefix is doubled: %v", err)
		}
	}
}

func TestRotatedKeysAreNoLongerTrusted(t *testing.T) {
	i := newIssuer(t)
	a, err := auth.New(t.Context(), auth.Config{Issuer: i.URL, Audience: "shop"})
	must(t, err)
	ask := func(text string) string {
		return verdict(a.Authenticate(request("Authorization", "Bearer "+text), auth.AnyOf(auth.Bearer())))
	}
	old := i.sign(t, "first", nil)
	for range 2 { // the second from the cache
		if got := ask(old); got != "u7" {
			t.Fatal(got)
		}
	}
	i.rotate(t, "second")
	if got := ask(i.sign(t, "second", nil)); got != "u7" { // an unknown key id refreshes the keys
		t.Fatalf("the new key: %s", got)
	}
	if got := ask(old); !strings.Contains(got, "the token is not valid") {
		t.Errorf("the old key: %s", got)
	}
}

func TestForgedAlgorithms(t *testing.T) {
	dev, a := devAuth(t)
	set := fetchJWKS(t, dev)
	x, err := base64.RawURLEncoding.DecodeString(set["x"])
	must(t, err)
	y, err := base64.RawURLEncoding.DecodeString(set["y"])
	must(t, err)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	claims := jwt.MapClaims{"iss": "dev", "aud": "dev", "sub": "u1", "exp": time.Now().Add(time.Hour).Unix()}
	for name, c := range map[string]struct {
		method jwt.SigningMethod
		key    any
	}{
		"none":                          {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		"public key as an HMAC secret":  {jwt.SigningMethodHS256, der},
		"another's key":                 {jwt.SigningMethodRS256, crypto.PrivateKey(stranger)},
		"a symmetric key of the client": {jwt.SigningMethodHS512, []byte("secret")},
	} {
		text, err := jwt.NewWithClaims(c.method, claims).SignedString(c.key)
		must(t, err)
		if got := verdict(a.Authenticate(request("Authorization", "Bearer "+text), auth.AnyOf(auth.Bearer()))); !strings.HasPrefix(got, "Unauthorized") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func fetchJWKS(t *testing.T, dev *auth.DevIssuer) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	dev.JWKS().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	var set struct{ Keys []map[string]string }
	must(t, json.Unmarshal(w.Body.Bytes(), &set))
	return set.Keys[0]
}

// A split process trusts the dev issuer of another one through its key set.
func TestDevKeySetIsOneThatOthersCanUse(t *testing.T) {
	dev, _ := devAuth(t)
	server := httptest.NewServer(dev.JWKS())
	defer server.Close()
	a, err := auth.New(t.Context(), auth.Config{Issuer: "dev", Audience: "dev", JWKSURL: server.URL})
	must(t, err)
	if got := verdict(a.Authenticate(request("Authorization", "Bearer "+token(t, dev, time.Minute)), auth.AnyOf(auth.Bearer()))); got != "u1" {
		t.Error(got)
	}
}

func TestDevKeyIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	issuers := make([]*auth.DevIssuer, 6)
	var all sync.WaitGroup
	for i := range issuers {
		all.Go(func() {
			var err error
			if issuers[i], err = auth.NewDevIssuer(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a, err := auth.New(t.Context(), auth.Config{Dev: issuers[0]})
	must(t, err)
	for _, dev := range issuers {
		if got := verdict(a.Authenticate(request("Authorization", "Bearer "+token(t, dev, time.Minute)), auth.AnyOf(auth.Bearer()))); got != "u1" {
			t.Error(got)
		}
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != "dev-issuer.pem" {
		t.Errorf("the folder holds %v", entries)
	}
	info, err := os.Stat(filepath.Join(dir, "dev-issuer.pem"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v", info.Mode())
	}
	must(t, os.WriteFile(filepath.Join(dir, "dev-issuer.pem"), []byte("garbage"), 0o600))
	if _, err := auth.NewDevIssuer(dir); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("a broken key file: %v", err)
	}
}

func TestDevTokenEndpoint(t *testing.T) {
	dev, a := devAuth(t)
	post := func(method, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		dev.Handler().ServeHTTP(w, httptest.NewRequest(method, "/dev/token", strings.NewReader(body)))
		return w
	}
	w := post("POST", `{"sub":"u9","scopes":["orders:write","x"]}`)
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &answer))
	p, err := a.Authenticate(request("Authorization", "Bearer "+answer.AccessToken), auth.AnyOf(auth.Bearer("orders:write")))
	if err != nil || p.Subject != "u9" || !slices.Equal(p.Scopes, []string{"orders:write", "x"}) || p.Claims["iss"] != "dev" ||
		answer.TokenType != "Bearer" || answer.ExpiresIn != 3600 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %s %+v, %v", w.Body, p, err)
	}
	for _, c := range []struct {
		method, body string
		status       int
	}{
		{"GET", "", 405},
		{"POST", "", 400},
		{"POST", "{", 400},
		{"POST", "{}", 422},
		{"POST", `{"sub":""}`, 422},
		{"POST", `{"sub":"u","scopes":["a b"]}`, 422},
		{"POST", `{"sub":"u","scopes":"a"}`, 422},
		{"POST", `{"sub":"` + strings.Repeat("a", 20000) + `"}`, 413},
	} {
		if w := post(c.method, c.body); w.Code != c.status || w.Header().Get("Content-Type") != problem.MediaType {
			t.Errorf("%s %.40s: %d %s", c.method, c.body, w.Code, w.Body)
		}
	}
}

func TestContext(t *testing.T) {
	if p := auth.From(t.Context()); !p.Anonymous() {
		t.Errorf("got %+v", p)
	}
	ctx := auth.With(context.Background(), auth.Principal{Subject: "u1", Scopes: []string{"a"}})
	if p := auth.From(ctx); p.Subject != "u1" || !p.Has("a") || p.Has("b") {
		t.Errorf("got %+v", p)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	dev, err := auth.NewDevIssuer(b.TempDir())
	must(b, err)
	a, err := auth.New(b.Context(), auth.Config{Dev: dev})
	must(b, err)
	r := request("Authorization", "Bearer "+token(b, dev, time.Hour, "read", "write"))
	security := auth.AnyOf(auth.Bearer("write"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(r, security); err != nil {
			b.Fatal(err)
		}
	}
}
