package store

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// KeyForm is the form of keys that are no UUIDs, because a schema wants another:
// texts, and runs of random characters.
type KeyForm []KeyPart

// KeyPart is a text, or Length characters taken at random from those of From.
type KeyPart struct {
	Text   string
	From   string // ASCII
	Length int
}

// What runs of random characters are taken from.
const (
	Hex          = "0123456789abcdef"
	Alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// New returns a new key. A run of 32 hexadecimal digits or more begins with those of a
// UUIDv7 (RFC 9562), so that keys are in order of time.
func (f KeyForm) New() (string, error) {
	var key strings.Builder
	for _, part := range f {
		key.WriteString(part.Text)
		length := part.Length
		if part.From == Hex && length >= hex.EncodedLen(len(uuid.UUID{})) {
			id, err := uuid.NewV7()
			if err != nil {
				return "", fmt.Errorf("make a key: %w", err)
			}
			key.WriteString(hex.EncodeToString(id[:]))
			length -= hex.EncodedLen(len(id))
		}
		for range length {
			key.WriteByte(part.From[index(len(part.From))])
		}
	}
	return key.String(), nil
}

// index returns a random number below n, which is at most 256: all are alike likely.
func index(n int) int {
	for {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails
		if most := 256 - 256%n; int(b[0]) < most {
			return int(b[0]) % n
		}
	}
}
