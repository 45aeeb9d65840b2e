package rest

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/e6b96b0c/backend/templates/platform/problem"
	"github.com/e6b96b0c/backend/templates/platform/wire"
)

const (
	keyHeader    = "Idempotency-Key"
	replayHeader = "Idempotent-Replayed"
	maxKey       = 255 // bytes
)

// idempotencyKey returns the key of draft-ietf-httpapi-idempotency-key-header,
// "" if there is none. The draft puts it in quotes; most clients do not.
func idempotencyKey(r *http.Request, o *operation) (string, error) {
	values := r.Header[keyHeader]
	if len(values) == 0 {
		if o.RequireKey {
			return "", invalidKey(http.StatusBadRequest, "is required")
		}
		return "", nil
	}
	key := strings.TrimSpace(values[0])
	if len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	switch {
	case len(values) > 1:
		return "", invalidKey(o.Invalid, "must be given once")
	case key == "" || len(key) > maxKey:
		return "", invalidKey(o.Invalid, "must be 1 to 255 bytes long")
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return "", invalidKey(o.Invalid, "must be printable ASCII")
		}
	}
	return key, nil
}

func invalidKey(status int, message string) error {
	p := problem.New(status, "the idempotency key is not valid")
	p.Errors = []problem.FieldError{{In: "header", Pointer: "/" + keyHeader, Message: message}}
	return p
}

// runOnce serves a request whose key was not seen before, and answers one whose
// key was with what was answered then. The answer is kept in the same unit of
// work, so a failed request leaves its key unused.
func (o *operation) runOnce(x *exchange, key string, serve func(context.Context) error) error {
	ctx, db := x.request.ctx, o.api.DB
	scope := o.api.Service + " " + o.ID + " " + x.principal
	hash := x.request.hash()
	replay, err := db.LookupKey(ctx, scope, key, hash)
	if err != nil {
		return err
	}
	if replay != nil {
		x.writer.replay(replay)
		return nil
	}
	failure := db.Run(ctx, func(ctx context.Context) error {
		if err := o.unit(ctx, x, serve); err != nil {
			return err
		}
		return db.SaveKey(ctx, scope, key, hash, x.writer.record(), o.api.KeyTTL)
	})
	if failure == nil {
		return nil
	}
	// A request with the same key may have won: its rows are what this one ran
	// into, or its key. Then its answer is the answer.
	if replay, err := db.LookupKey(ctx, scope, key, hash); err == nil && replay != nil {
		x.writer.replay(replay)
		return nil
	}
	return unlessRefused(failure)
}

// hash identifies what a request asks for: a key must not be used for anything
// else. How JSON is laid out does not matter.
func (r *Request) hash() [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{r.http.Method, r.http.URL.EscapedPath(), r.http.URL.RawQuery} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	if body := r.text(); r.json {
		_, _ = h.Write(wire.Compact(body))
	} else {
		_, _ = h.Write(body)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
