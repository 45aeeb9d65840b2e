package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Webhooks is how messages are sent to addresses that users of the API gave.
type Webhooks struct {
	// Secrets sign every message, each by itself. WEBHOOK_SECRET, in the form of Standard
	// Webhooks: whsec_ and 24 to 64 bytes in base64; two separated by a comma while one
	// replaces the other. Empty means that messages are not signed.
	Secrets [][]byte
	// AllowPrivate lets messages go to loopback and private addresses, too.
	// WEBHOOK_ALLOW_PRIVATE, default false.
	AllowPrivate bool
	// Timeout bounds one attempt. WEBHOOK_TIMEOUT, default 10s.
	Timeout time.Duration
	// Attempts is how often a message is tried at most. WEBHOOK_ATTEMPTS, 1 to 20,
	// default 5.
	Attempts int
}

// Webhooks reads how messages are sent. The error names every variable that is wrong.
func (c Config) Webhooks() (Webhooks, error) {
	l := loader{getenv: c.getenv}
	if l.getenv == nil {
		l.getenv = func(string) string { return "" }
	}
	w := Webhooks{
		Secrets:      l.signing("WEBHOOK_SECRET"),
		AllowPrivate: l.flag("WEBHOOK_ALLOW_PRIVATE"),
		Timeout:      l.duration("WEBHOOK_TIMEOUT", 10*time.Second),
		Attempts:     l.number("WEBHOOK_ATTEMPTS", 5, 20),
	}
	return w, errors.Join(l.errs...)
}

// signing reads secrets, whose values no error repeats.
func (l *loader) signing(name string) [][]byte {
	v := l.getenv(name)
	if v == "" {
		return nil
	}
	var secrets [][]byte
	for part := range strings.SplitSeq(v, ",") {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(part), "whsec_"))
		if err != nil || len(secret) < 24 || len(secret) > 64 {
			l.errs = append(l.errs, fmt.Errorf("%s: must be whsec_ and 24 to 64 bytes in base64, or two of these separated by a comma", name))
			return nil
		}
		secrets = append(secrets, secret)
	}
	return secrets
}

func (l *loader) flag(name string) bool {
	v := l.text(name, "false")
	if v != "true" && v != "false" {
		l.fail(name, v, "true or false")
	}
	return v == "true"
}

func (l *loader) number(name string, fallback, most int) int {
	v := l.getenv(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		l.fail(name, v, fmt.Sprintf("a number from 1 to %d", most))
	}
	return n
}
