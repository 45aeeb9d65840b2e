package store

import (
	"context"
	"errors"
	"strconv"
)

var errPanicked = errors.New("a nested unit of work panicked")

// mark is where a nested unit began.
type mark struct {
	savepoint string // "" when the transaction had not begun
	hooks     int
}

// nest runs fn inside u, as a part that can be undone by itself.
func (u *unit) nest(ctx context.Context, fn func(context.Context) error) error {
	m, err := u.mark(ctx)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned {
			// Whoever recovers from the panic above us must not commit the half
			// of it that was written.
			u.spoil(errPanicked)
		}
	}()
	err = fn(ctx)
	returned = true
	if err != nil {
		u.undo(ctx, m)
		return err
	}
	return u.keep(ctx, m)
}

func (u *unit) mark(ctx context.Context) (mark, error) {
	tx, err := u.begun()
	if err != nil {
		return mark{}, err
	}
	u.mu.Lock()
	m := mark{hooks: len(u.hooks)}
	if tx != nil {
		u.marks++
		m.savepoint = "nested_" + strconv.Itoa(u.marks)
	}
	u.mu.Unlock()
	if tx == nil {
		return m, nil
	}
	if _, err := tx.exec(ctx, "SAVEPOINT "+m.savepoint); err != nil {
		return mark{}, u.db.failed(ctx, "nest a unit of work", err)
	}
	return m, nil
}

// keep makes what was written since m a part of the unit.
func (u *unit) keep(ctx context.Context, m mark) error {
	tx, err := u.begun()
	if err != nil || m.savepoint == "" {
		return err
	}
	if _, err := tx.exec(ctx, "RELEASE SAVEPOINT "+m.savepoint); err != nil {
		return u.db.failed(ctx, "end a nested unit of work", err)
	}
	return nil
}

// attempt runs one write that may break a rule, so that the transaction outlives it
// on every engine: who asked for the write may well go on without it.
func (u *unit) attempt(ctx context.Context, write func() error) error {
	if !u.db.dialect.AbortsOnError || u.single {
		return write()
	}
	m, err := u.mark(ctx)
	if err != nil {
		return err
	}
	if err := write(); err != nil {
		u.undo(ctx, m)
		return err
	}
	return u.keep(ctx, m)
}

// undo takes back what was written since m. If that fails the unit is spoilt,
// which takes back everything.
func (u *unit) undo(ctx context.Context, m mark) {
	u.mu.Lock()
	tx, lost := u.tx, u.ended || u.broken != nil && !u.mendable
	u.mu.Unlock()
	if lost {
		return
	}
	switch {
	case tx == nil:
	case m.savepoint == "": // everything written so far is the nested part's
		u.mu.Lock()
		u.tx = nil
		u.mu.Unlock()
		u.discard(tx)
	default:
		// The undoing must happen even if the nested part's own ctx has ended.
		ctx := context.WithoutCancel(ctx)
		_, err := tx.exec(ctx, "ROLLBACK TO SAVEPOINT "+m.savepoint)
		if err == nil {
			_, err = tx.exec(ctx, "RELEASE SAVEPOINT "+m.savepoint)
		}
		if err != nil {
			u.spoil(err)
			return
		}
	}
	u.mu.Lock()
	u.hooks = u.hooks[:m.hooks]
	u.broken, u.mendable = nil, false
	u.mu.Unlock()
}
