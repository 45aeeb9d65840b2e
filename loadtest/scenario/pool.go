package scenario

import (
	"bytes"
	"math/rand/v2"
	"sync"
)

// row is one thing that exists on the server, by the values of the path
// parameters that lead to it (JSON text, outermost first).
type row struct {
	ids  [][]byte
	etag string
	// generation changes with every write, so that the ETag of an answer that a
	// write overtook is not kept.
	generation int

	readers int  // requests under way that need it to exist
	writing bool // one that changes it
	used    bool // something refers to it: deleting it may be refused
	spare   bool // kept free of references, for DELETE
	gone    bool
}

// pool holds the rows of one collection, such as "/products/{}/reviews".
type pool struct {
	key string
	// creator makes rows and reader reads one; nil when the document has none.
	creator, reader *Op

	mu    sync.Mutex
	rows  []*row
	index map[string]*row
	// deleted remembers ids that were deleted, so that a late answer cannot bring
	// them back.
	deleted map[string]struct{}
	added   int
}

const (
	// maxRows bounds a pool; ids beyond it are not remembered.
	maxRows = 20_000
	// floor is how many rows a DELETE leaves, so that reads keep finding some.
	floor = 5
	// spareEvery makes every fourth row one that nothing refers to.
	spareEvery = 4
	// tries bounds the search for a free row.
	tries = 16
)

func newPool(key string) *pool {
	return &pool{key: key, index: map[string]*row{}, deleted: map[string]struct{}{}}
}

func rowKey(ids [][]byte) string { return string(bytes.Join(ids, []byte{0})) }

// add publishes a row, or returns the one that is known already; nil when it is
// not taken.
func (p *pool) add(ids [][]byte) *row {
	k := rowKey(ids)
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.index[k]; r != nil {
		return r
	}
	if _, gone := p.deleted[k]; gone || len(p.rows) >= maxRows {
		return nil
	}
	kept := make([][]byte, len(ids))
	for i, id := range ids {
		kept[i] = bytes.Clone(id)
	}
	p.added++
	r := &row{ids: kept, spare: p.added%spareEvery == 0}
	p.rows = append(p.rows, r)
	p.index[k] = r
	return r
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rows)
}

// empty reports whether the pool never held a row.
func (p *pool) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.added == 0
}

// lease is what a request needs of a row.
type lease int

const (
	leaseNone   lease = iota
	leaseRead         // it must exist
	leaseRefer        // it must exist, and will be referred to
	leaseWrite        // no other request may change it meanwhile
	leaseDelete       // nobody else may use it any more
)

// take leases a random row; nil when none is free.
func (p *pool) take(kind lease, needETag bool, r *rand.Rand) *row {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.rows)
	if n == 0 || (kind == leaseDelete && n <= floor) {
		return nil
	}
	start := r.IntN(n)
	for i := range min(n, tries) {
		at := (start + i) % n
		c := p.rows[at]
		if !c.free(kind) || (needETag && c.etag == "") {
			continue
		}
		c.lease(kind)
		if kind == leaseDelete {
			p.rows[at] = p.rows[n-1]
			p.rows[n-1] = nil
			p.rows = p.rows[:n-1]
		}
		return c
	}
	return nil
}

func (r *row) free(kind lease) bool {
	switch kind {
	case leaseRefer:
		return !r.spare
	case leaseWrite:
		return !r.writing
	case leaseDelete:
		return !r.writing && r.readers == 0 && !r.used
	default:
		return true
	}
}

func (r *row) lease(kind lease) {
	switch kind {
	case leaseWrite:
		r.writing = true
		r.readers++
	case leaseDelete:
		r.writing = true
	case leaseRefer:
		r.used = true
		r.readers++
	default:
		r.readers++
	}
}

// release ends a lease. A deleted row is forgotten; one whose deletion failed
// comes back.
func (p *pool) release(r *row, kind lease, succeeded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kind == leaseDelete {
		r.writing = false
		if succeeded {
			r.gone = true
			p.forget(r)
		} else {
			// Likely refused for the sake of what refers to it: do not try again.
			r.used = true
			p.rows = append(p.rows, r)
		}
		return
	}
	r.readers--
	if kind == leaseWrite {
		r.writing = false
	}
}

// forget drops a row for good; p.mu is held.
func (p *pool) forget(r *row) {
	k := rowKey(r.ids)
	delete(p.index, k)
	if len(p.deleted) < maxRows {
		p.deleted[k] = struct{}{}
	}
}

// drop removes the rows below a deleted one.
func (p *pool) drop(prefix [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.rows[:0]
	for _, r := range p.rows {
		if len(r.ids) > len(prefix) && rowKey(r.ids[:len(prefix)]) == rowKey(prefix) {
			r.gone = true
			p.forget(r)
			continue
		}
		kept = append(kept, r)
	}
	clear(p.rows[len(kept):])
	p.rows = kept
}

// state returns a row's ETag and generation.
func (p *pool) state(r *row) (etag string, generation int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.etag, r.generation
}

// learn keeps an ETag, unless a write came between.
func (p *pool) learn(r *row, etag string, generation int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.generation == generation && !r.writing {
		r.etag = etag
	}
}

// written notes a change; etag is the new one, "" when unknown. The writer's
// lease is held still.
func (p *pool) written(r *row, etag string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.generation++
	r.etag = etag
}

// lacking returns rows without an ETag, at most n.
func (p *pool) lacking(n int) []*row {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rows []*row
	for _, r := range p.rows {
		if r.etag == "" && len(rows) < n {
			rows = append(rows, r)
		}
	}
	return rows
}
