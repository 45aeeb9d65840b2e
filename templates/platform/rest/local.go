package rest

import (
	"context"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

// Local calls another service's operation in the same process the way a remote
// call would: outside the caller's unit of work. After the unit's first write it
// refuses with store.ErrCallAfterWrite, for the other service could not see the
// write, and on a single-writer engine it would wait for it forever.
func Local[In any, Out Response](ctx context.Context, serve func(context.Context, In) (Out, error), in In) (Out, error) {
	if store.Writing(ctx) {
		var none Out
		return none, store.ErrCallAfterWrite
	}
	return serve(store.Detach(ctx), in)
}
