// Package blob keeps the files that clients upload. Their bytes are in a [Store], under
// keys that are never used twice; what a file is called and how large it is stands in the
// row that it belongs to, so that the database alone decides whether a file is there.
package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// Store keeps bytes under keys. What was put is never changed. Implementations are safe
// for concurrent use.
type Store interface {
	// Put stores what the file at path holds, all of it or nothing: when it returns, the
	// bytes survive a crash. It may move the file away.
	Put(ctx context.Context, key, path string, info Info) error
	// Get returns what is stored under the key, or an error that is fs.ErrNotExist. The
	// reader outlives ctx: a response is sent when the operation is over.
	Get(ctx context.Context, key string, info Info) (io.ReadSeekCloser, error)
	// Delete removes what is stored under the key, if anything is.
	Delete(ctx context.Context, key string) error
	// Ping reports whether the store can be reached.
	Ping(ctx context.Context) error
}

// Info is what a row tells of its file.
type Info struct {
	Type   string    `json:"type"`           // media type, with its parameters
	Name   string    `json:"name,omitempty"` // as the client called it: no path to trust
	Size   int64     `json:"size"`           // in bytes
	SHA256 string    `json:"sha256"`         // of the content, in hex
	Stored time.Time `json:"stored"`
}

// newKey returns a key that nothing has.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// unavailable is an error of the store or its folders: clients may try again.
func unavailable(doing string, err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%s a file: %w: %w", doing, store.ErrUnavailable, err)
}

// ETag is the entity tag of the file, as its download has it.
func (i Info) ETag() string { return `"` + i.SHA256 + `"` }

// eachPage is how many rows Each reads at a time.
const eachPage = 500

// Each calls fn for every row that meets the conditions, in the order of their keys.
func Each[T any](ctx context.Context, rows *store.Collection[T], fn func(row *T) error, where ...store.Cond) error {
	for cursor := ""; ; {
		page, err := rows.List(ctx, store.Query{Where: slices.Clone(where), Limit: eachPage, Cursor: cursor})
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := fn(&page.Items[i]); err != nil {
				return err
			}
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}
