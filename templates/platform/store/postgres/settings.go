package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

const (
	defaultConnections = 10
	connectTimeout     = 5 * time.Second
	// cancelWait is how long a statement whose ctx has ended may take to be
	// cancelled before its connection is given up.
	cancelWait = 2 * time.Second
	maxName    = 63 // bytes of an identifier
)

// settings are what a URL and a place say.
type settings struct {
	config      *pgx.ConnConfig
	connections int
	schema      string // "" where the URL has a search_path of its own
	path        string // the search_path
	scratch     bool
}

// parse reads a URL. Its errors never show the password.
func parse(rawURL string, p store.Place) (*settings, error) {
	if scheme, _, _ := strings.Cut(rawURL, "://"); scheme != "postgres" && scheme != "postgresql" {
		return nil, errors.New("not a postgres:// URL")
	}
	config, err := pgx.ParseConfig(rawURL)
	if err != nil {
		return nil, unreadable(rawURL, err)
	}
	s := &settings{config: config, connections: defaultConnections, scratch: p.Scratch != ""}
	if text, ok := config.RuntimeParams["pool_max_conns"]; ok {
		delete(config.RuntimeParams, "pool_max_conns")
		if s.connections, err = strconv.Atoi(text); err != nil || s.connections < 2 {
			return nil, fmt.Errorf("pool_max_conns is %q; it must be at least 2: a unit of work holds one connection, and reads need another", text)
		}
	}
	if err := s.place(p); err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    p.Service,
		"timezone":                            "UTC",
		"default_transaction_isolation":       "read committed",
		"lock_timeout":                        "5s",
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	// A statement whose ctx ends is cancelled on the server, so that the connection
	// can go on to the next.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelWait}
	}
	return s, nil
}

// place decides the schema. A search_path in the URL is the operator's own choice,
// but nobody's when it is that of several services or of a throwaway.
func (s *settings) place(p store.Place) error {
	path, own := s.config.RuntimeParams["search_path"]
	switch {
	case s.scratch:
		s.schema = schemaName(p.Scratch + "_" + p.Service)
	case own && p.Shared:
		return errors.New("the URL is that of all services and has a search_path; leave it out, and each keeps to a schema of its own, or give each service its own URL")
	case own:
		s.path = path
		return nil
	default:
		s.schema = schemaName(p.Service)
	}
	s.path = pgx.Identifier{s.schema}.Sanitize()
	s.config.RuntimeParams["search_path"] = s.path
	return nil
}

// schemaName returns name, or, if that is too long for one, its beginning and a hash.
func schemaName(name string) string {
	if len(name) <= maxName {
		return name
	}
	sum := fmt.Sprintf("_%x", sha256.Sum256([]byte(name)))[:9]
	return strings.ToValidUTF8(name[:maxName-len(sum)], "") + sum
}

// unreadable is the error for a URL that cannot be read. The text around a mistake
// may be a part of the password, so it is shown only where the URL comes apart well.
func unreadable(rawURL string, err error) error {
	const hint = "it must look like postgres://user:password@host:5432/database, with special characters in the password percent-encoded"
	text := err.Error()
	if _, malformed := url.Parse(rawURL); malformed != nil {
		return errors.New("the URL of the database cannot be read; " + hint)
	}
	return fmt.Errorf("the URL of the database cannot be read: %s; %s", text[strings.LastIndex(text, "`: ")+3:], hint)
}

// address is where the server should be.
func (s *settings) address() string {
	if strings.HasPrefix(s.config.Host, "/") { // a socket's folder
		return s.config.Host
	}
	return net.JoinHostPort(s.config.Host, strconv.Itoa(int(s.config.Port)))
}

// explain says what an operator can do about a failure to connect.
func (s *settings) explain(err error) error {
	var refusal *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.As(err, &refusal) && classify(refusal).Kind != store.ViolationUnavailable:
		return fmt.Errorf("PostgreSQL at %s says: %s; check the user, the password and the database of the URL", s.address(), refusal.Message)
	case errors.As(err, &refusal):
		err = errors.New(refusal.Message)
	case errors.As(err, &network):
		err = network.Err
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %s", s.config.ConnectTimeout)
	}
	return fmt.Errorf("%w: PostgreSQL at %s: %w; start it there, or correct the URL", store.ErrUnavailable, s.address(), err)
}
