package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the prepared statements of one DB. The shapes of lists
// depend on the filters in use, so their number has no natural bound.
const maxStatements = 256

// statements keeps the prepared statements of one pool by their text. Parsing
// costs SQLite about as much as running a small statement does.
type statements struct {
	pool *sql.DB

	mu     sync.RWMutex
	kept   map[string]*sql.Stmt // nil once closed
	wanted map[string]bool      // used in transactions, not prepared yet
}

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, kept: make(map[string]*sql.Stmt), wanted: make(map[string]bool)}
}

// query runs text on the pool, prepared if there is room to keep it so.
func (s *statements) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, full := s.find(text)
	if stmt == nil && !full {
		var err error
		if stmt, err = s.prepare(ctx, text); err != nil {
			return nil, err
		}
	}
	if stmt == nil {
		return s.pool.QueryContext(ctx, text, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// queryIn runs text in a transaction of the pool.
func (s *statements) queryIn(ctx context.Context, tx *sql.Tx, text string, args ...any) (*sql.Rows, error) {
	if stmt := s.within(ctx, tx, text); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return tx.QueryContext(ctx, text, args...)
}

// execIn is queryIn for a statement without rows.
func (s *statements) execIn(ctx context.Context, tx *sql.Tx, text string, args ...any) (sql.Result, error) {
	if stmt := s.within(ctx, tx, text); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, text, args...)
}

// within returns the statement for a transaction, or nil if it is not prepared.
// It cannot be prepared now, because the transaction may hold the pool's only
// connection; prepareWanted does it before the next one begins.
func (s *statements) within(ctx context.Context, tx *sql.Tx, text string) *sql.Stmt {
	stmt, full := s.find(text)
	if stmt != nil {
		return tx.StmtContext(ctx, stmt)
	}
	if !full {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.wanted) < maxStatements {
			s.wanted[text] = true
		}
	}
	return nil
}

// prepareWanted prepares what transactions have used so far. It is called
// between transactions.
func (s *statements) prepareWanted(ctx context.Context) {
	s.mu.RLock()
	none := len(s.wanted) == 0
	s.mu.RUnlock()
	if none {
		return
	}
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = make(map[string]bool)
	s.mu.Unlock()
	for text := range wanted {
		_, _ = s.prepare(ctx, text) // what cannot be prepared will say so when it runs
	}
}

func (s *statements) find(text string) (stmt *sql.Stmt, full bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept[text], s.kept == nil || len(s.kept) >= maxStatements
}

func (s *statements) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	stmt, err := s.pool.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.kept[text]; other != nil || s.kept == nil {
		_ = stmt.Close() // somebody else was faster, or the DB is closed
		return other, nil
	}
	s.kept[text] = stmt
	return stmt, nil
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.kept {
		_ = stmt.Close() // the pool is about to close what is left
	}
	s.kept = nil
}
