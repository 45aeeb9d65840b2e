package store

import (
	"strconv"
	"sync"
	"sync/atomic"
)

// epoch makes every cached row of one table unreachable at once. The database
// itself removes the rows that belong to a deleted one (ON DELETE CASCADE), so
// nobody knows their keys.
type epoch struct {
	number atomic.Uint64
	ending atomic.Int64 // units that have deleted an owner and are not over
}

// prefix returns what the keys of the table's cached rows start with now.
func (e *epoch) prefix() string { return strconv.FormatUint(e.number.Load(), 36) + "/" }

// dependents knows which tables refer to which in one database.
type dependents struct {
	mu sync.Mutex
	of map[string][]dependent
}

type dependent struct {
	table string
	epoch *epoch
}

// add notes that rows of table refer to rows of owner.
func (d *dependents) add(owner, table string, e *epoch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = make(map[string][]dependent)
	}
	d.of[owner] = append(d.of[owner], dependent{table, e})
}

// refer reports whether rows of some table refer to rows of owner.
func (d *dependents) refer(owner string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.of[owner]) > 0
}

// below returns the epochs of all tables that refer to owner, directly or
// through one another.
func (d *dependents) below(owner string) []*epoch {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*epoch
	seen := map[string]bool{owner: true}
	for queue := []string{owner}; len(queue) > 0; queue = queue[1:] {
		for _, next := range d.of[queue[0]] {
			out = append(out, next.epoch)
			if !seen[next.table] {
				seen[next.table] = true
				queue = append(queue, next.table)
			}
		}
	}
	return out
}

// deleted keeps the cache away from rows that may go with a deleted one until u is
// over, and then forgets them.
func (d *dependents) deleted(u *unit, owner string) {
	epochs := d.below(owner)
	if len(epochs) == 0 || u == nil {
		return
	}
	for _, e := range epochs {
		e.ending.Add(1)
	}
	u.atEnd(func() {
		for _, e := range epochs {
			e.number.Add(1)
			e.ending.Add(-1)
		}
	})
}
