// Package config reads the server's settings from its environment, once, at
// start. An empty environment is a good one: every part is then embedded.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config is all settings. The variable that sets a field, and its default, stand
// beside it.
type Config struct {
	// Addr is where the API is served, host:port. Port 0 picks a free one.
	// ADDR, default 127.0.0.1:8080.
	Addr string
	// AdminAddr is where health, metrics and development tokens are served.
	// ADMIN_ADDR, default 127.0.0.1:9090.
	AdminAddr string
	// DataDir is the folder of the embedded stores. DATA_DIR, default .data.
	DataDir string
	// AuthIssuer is the iss of the tokens of a real identity provider; empty
	// means the dev issuer. AUTH_ISSUER.
	AuthIssuer string
	// AuthAudience is the aud that its tokens must carry. AUTH_AUDIENCE.
	AuthAudience string
	// AuthJWKSURL is where it publishes its keys; empty means that OpenID
	// Connect discovery finds it. AUTH_JWKS_URL.
	AuthJWKSURL string
	// APIKeyHashes are the SHA-256 hashes, in hex, of the API keys that are
	// accepted. API_KEY_HASHES, separated by commas.
	APIKeyHashes []string
	// LogLevel is the least level that is logged: debug, info, warn, error.
	// LOG_LEVEL, default info.
	LogLevel slog.Level
	// ShutdownTimeout bounds how long requests may finish after a signal to stop.
	// SHUTDOWN_TIMEOUT, default 15s.
	ShutdownTimeout time.Duration
	// RequestTimeout bounds one operation. REQUEST_TIMEOUT, default 5s.
	RequestTimeout time.Duration
	// MaxBody bounds the body of a request, in bytes. MAX_BODY, a number with
	// an optional unit KiB or MiB, default 1MiB.
	MaxBody int64
	// CallTimeout bounds one call between services that run in processes of their
	// own. CALL_TIMEOUT, default 1s.
	CallTimeout time.Duration
	// InternalToken is the secret that these processes show one another; empty means
	// one in DataDir. INTERNAL_TOKEN.
	InternalToken string
	// DatabaseScratch names throwaway data: services keep apart from what is in the
	// database under it, and remove what they wrote when they stop. DATABASE_SCRATCH,
	// a-z, 0-9 and _, at most 30.
	DatabaseScratch string
	// ExampleRows asks for rows in the tables that nothing in the API writes, where they
	// are empty. EXAMPLE_ROWS, true or false, default false.
	ExampleRows bool

	databaseURL string // DATABASE_URL
	getenv      func(string) string
}

// DatabaseURL returns where a service keeps its data: SERVICE_<NAME>_DATABASE_URL,
// else DATABASE_URL, else "": embedded, in DataDir.
func (c Config) DatabaseURL(service string) string {
	if c.OwnDatabase(service) {
		return c.getenv(ServiceVariable(service, "DATABASE_URL"))
	}
	return c.databaseURL
}

// ServiceURLs returns where a service that runs in a process of its own is reached:
// SERVICE_<NAME>_URL, the base addresses of its replicas separated by commas.
func (c Config) ServiceURLs(service string) ([]*url.URL, error) {
	name, text := ServiceVariable(service, "URL"), ""
	if c.getenv != nil {
		text = c.getenv(name)
	}
	if text == "" {
		return nil, fmt.Errorf("%s is not set: it says where the process of service %s is, such as http://127.0.0.1:8081", name, service)
	}
	var urls []*url.URL
	for part := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
			strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("%s=%q: must be a base address, such as http://127.0.0.1:8081, or several separated by commas", name, text)
		}
		urls = append(urls, &url.URL{Scheme: u.Scheme, Host: u.Host})
	}
	return urls, nil
}

// OwnDatabase reports whether SERVICE_<NAME>_DATABASE_URL is set: the service has a
// database of its own rather than a part of the common one.
func (c Config) OwnDatabase(service string) bool {
	return c.getenv != nil && c.getenv(ServiceVariable(service, "DATABASE_URL")) != ""
}

// ServiceVariable names a variable of one service: SERVICE_ORDER_ITEMS_URL for the
// service order-items and the suffix URL.
func ServiceVariable(service, suffix string) string {
	return "SERVICE_" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		default:
			return '_'
		}
	}, service) + "_" + suffix
}

// Load reads the settings. The error names every variable that is wrong, with
// its value.
func Load(getenv func(string) string) (Config, error) {
	l := loader{getenv: getenv}
	c := Config{
		Addr:            l.address("ADDR", "127.0.0.1:8080"),
		AdminAddr:       l.address("ADMIN_ADDR", "127.0.0.1:9090"),
		DataDir:         l.text("DATA_DIR", ".data"),
		AuthIssuer:      l.text("AUTH_ISSUER", ""),
		AuthAudience:    l.text("AUTH_AUDIENCE", ""),
		AuthJWKSURL:     l.text("AUTH_JWKS_URL", ""),
		APIKeyHashes:    l.hashes("API_KEY_HASHES"),
		LogLevel:        l.level("LOG_LEVEL", slog.LevelInfo),
		ShutdownTimeout: l.duration("SHUTDOWN_TIMEOUT", 15*time.Second),
		RequestTimeout:  l.duration("REQUEST_TIMEOUT", 5*time.Second),
		MaxBody:         l.size("MAX_BODY", 1<<20),
		CallTimeout:     l.duration("CALL_TIMEOUT", time.Second),
		InternalToken:   l.secret("INTERNAL_TOKEN"),
		DatabaseScratch: l.name("DATABASE_SCRATCH"),
		ExampleRows:     l.boolean("EXAMPLE_ROWS"),
		databaseURL:     l.text("DATABASE_URL", ""),
		getenv:          getenv,
	}
	return c, errors.Join(l.errs...)
}

// Setting returns a variable of a part that only some projects have, else fallback.
func (c Config) Setting(name, fallback string) string {
	l := loader{getenv: c.getenv}
	return l.text(name, fallback)
}

// Size is Setting for a number of bytes.
func (c Config) Size(name string, fallback int64) (int64, error) {
	l := loader{getenv: c.getenv}
	n := l.size(name, fallback)
	return n, errors.Join(l.errs...)
}

// loader reads variables and collects what is wrong with them.
type loader struct {
	getenv func(string) string
	errs   []error
}

func (l *loader) fail(name, value, want string) {
	l.errs = append(l.errs, fmt.Errorf("%s=%q: must be %s", name, value, want))
}

func (l *loader) text(name, fallback string) string {
	if v := l.getenv(name); v != "" {
		return v
	}
	return fallback
}

// secret is a text whose value no error repeats.
func (l *loader) secret(name string) string {
	v := l.getenv(name)
	if v != "" && (len(v) < 16 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' })) {
		l.errs = append(l.errs, fmt.Errorf("%s: must be at least 16 visible ASCII characters", name))
	}
	return v
}

func (l *loader) name(name string) string {
	v := l.getenv(name)
	if len(v) > 30 || strings.Trim(v, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		l.fail(name, v, "a-z, 0-9 and _, at most 30 of them")
	}
	return v
}

func (l *loader) address(name, fallback string) string {
	v := l.text(name, fallback)
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		l.fail(name, v, "host:port, such as "+fallback)
	}
	return v
}

func (l *loader) boolean(name string) bool {
	switch value := l.getenv(name); value {
	case "true":
		return true
	case "", "false":
	default:
		l.fail(name, value, "true or false")
	}
	return false
}

func (l *loader) duration(name string, fallback time.Duration) time.Duration {
	v := l.getenv(name)
	if v == "" {
		return fallback
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		l.fail(name, v, "a duration above zero, such as "+fallback.String())
	}
	return d
}

func (l *loader) level(name string, fallback slog.Level) slog.Level {
	v := l.getenv(name)
	if v == "" {
		return fallback
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(v)); err != nil {
		l.fail(name, v, "debug, info, warn or error")
	}
	return level
}

func (l *loader) size(name string, fallback int64) int64 {
	v := l.getenv(name)
	if v == "" {
		return fallback
	}
	digits, unit := v, int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20} {
		if d, ok := strings.CutSuffix(v, suffix); ok {
			digits, unit = d, factor
		}
	}
	const most = 1 << 40
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n <= 0 || n > most/unit {
		l.fail(name, v, "a number of bytes above zero, such as 65536, 64KiB or 1MiB")
		return fallback
	}
	return n * unit
}

func (l *loader) hashes(name string) []string {
	v := l.getenv(name)
	if v == "" {
		return nil
	}
	var hashes []string
	for h := range strings.SplitSeq(v, ",") {
		h = strings.TrimSpace(h)
		if len(h) != 64 || strings.Trim(strings.ToLower(h), "0123456789abcdef") != "" {
			l.fail(name, h, "SHA-256 hashes of 64 hexadecimal digits, separated by commas")
			continue
		}
		hashes = append(hashes, h)
	}
	return hashes
}
