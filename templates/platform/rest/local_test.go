package rest_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/rest"
	"github.com/e6b96b0c/backend/templates/platform/store"
	"github.com/e6b96b0c/backend/templates/platform/store/sqlite"
)

type localResponse struct{ unit bool }

func (localResponse) Respond(*rest.Writer) {}

// TestLocal: a call to another service leaves the unit of work, and is refused once
// the unit has written.
func TestLocal(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	serve := func(ctx context.Context, _ struct{}) (localResponse, error) {
		return localResponse{unit: store.Writing(ctx)}, nil
	}
	err = db.Run(t.Context(), func(ctx context.Context) error {
		if _, err := rest.Local(ctx, nil, serve, struct{}{}); err != nil {
			t.Errorf("before the first write: %v", err)
		}
		if _, err := db.Tx(ctx); err != nil {
			return err
		}
		if _, err := rest.Local(ctx, nil, serve, struct{}{}); !errors.Is(err, store.ErrCallAfterWrite) {
			t.Errorf("after the first write: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
