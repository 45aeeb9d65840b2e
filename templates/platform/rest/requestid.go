package rest

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// requestID returns the id that the client sent in X-Request-Id, if it is one
// that can go into a log and a header as it is; else a UUIDv7.
func requestID(r *http.Request) string {
	if sent := r.Header["X-Request-Id"]; len(sent) == 1 && isRequestID(sent[0]) {
		return sent[0]
	}
	return newRequestID(time.Now())
}

func isRequestID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}

// newRequestID makes a UUIDv7 (RFC 9562 section 5.7) from the fast random
// source: a request id needs to be unique, not secret.
func newRequestID(now time.Time) string {
	var id uuid.UUID
	millis := uint64(now.UnixMilli())
	high, low := rand.Uint64(), rand.Uint64()
	binary.BigEndian.PutUint64(id[:8], millis<<16|7<<12|high&0xfff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|low>>2)
	return id.String()
}
