package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/e6b96b0c/backend/templates/platform/cache/local"
	"github.com/e6b96b0c/backend/templates/platform/store"
)

// leaf belongs to an item, and twig to a leaf; both go with their owner.
type leaf struct{ ID, Owner string }

func leaves(table, owner string) *store.Table[leaf] {
	return &store.Table[leaf]{
		Name: table, Resource: "leaf", Key: "id",
		Columns:    []store.Column{{Name: "id", Kind: store.Text}, {Name: "owner", Kind: store.Text}},
		Fields:     func(l *leaf) []any { return []any{&l.ID, &l.Owner} },
		References: []store.Reference{{Column: "owner", Table: owner, Key: "id", Resource: "owner"}},
	}
}

// testCascade: rows that the database removes with their owner are not served from
// the cache, two levels down, and those of a deletion that rolled back still are
// what they were.
func testCascade(t *testing.T, e Engine) {
	ctx, db := t.Context(), e.open(t)
	kept, err := local.New(local.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, kept.Close()) })
	cached := store.WithCache(kept, time.Hour)
	owners := store.NewCollection(db, items(), cached)
	near := store.NewCollection(db, leaves("leaves", "items"), cached)
	far := store.NewCollection(db, leaves("twigs", "leaves"), cached)

	owner := sample("owner")
	ok(t, owners.Create(ctx, &owner))
	l := leaf{Owner: owner.ID}
	ok(t, near.Create(ctx, &l))
	twig := leaf{Owner: l.ID}
	ok(t, far.Create(ctx, &twig))
	read := func() (error, error) {
		_, a := near.Get(ctx, l.ID)
		_, b := far.Get(ctx, twig.ID)
		return a, b
	}
	a, b := read()
	ok(t, errors.Join(a, b))

	undone := errors.New("undone")
	err = db.Run(ctx, func(ctx context.Context) error {
		ok(t, owners.Delete(ctx, owner.ID))
		_, err := near.Get(ctx, l.ID)
		fails[*store.NotFound](t, err)
		return undone
	})
	equal(t, "error", errors.Is(err, undone), true)
	a, b = read()
	ok(t, errors.Join(a, b))

	ok(t, owners.Delete(ctx, owner.ID))
	a, b = read()
	fails[*store.NotFound](t, a)
	fails[*store.NotFound](t, b)
}
