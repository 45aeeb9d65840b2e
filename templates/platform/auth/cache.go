package auth

import (
	"sync"
	"time"
)

// maxCached bounds the verified tokens that are remembered.
const maxCached = 4096

// entry is a verified token.
type entry struct {
	principal Principal
	expires   time.Time
	turn      uint64 // of the keys that it was verified with
}

// cache remembers verified tokens: verifying one takes a hundred times as long
// as finding it here. Only tokens that passed get in, so an attacker cannot fill it.
type cache struct {
	mu      sync.RWMutex
	entries map[string]entry
}

// get returns the caller of a token that is still good under the present keys.
func (c *cache) get(token string, turn uint64, now time.Time) (Principal, bool) {
	c.mu.RLock()
	e, ok := c.entries[token]
	c.mu.RUnlock()
	if !ok || e.turn != turn || !now.Before(e.expires) {
		return Principal{}, false
	}
	return e.principal, true
}

func (c *cache) put(token string, e entry, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]entry{}
	}
	if len(c.entries) >= maxCached {
		c.evict(e.turn, now)
	}
	c.entries[token] = e
}

// evict drops what is stale, and an eighth of the rest, at random.
func (c *cache) evict(turn uint64, now time.Time) {
	for token, e := range c.entries {
		if e.turn != turn || !now.Before(e.expires) {
			delete(c.entries, token)
		}
	}
	for token := range c.entries {
		if len(c.entries) <= maxCached*7/8 {
			return
		}
		delete(c.entries, token)
	}
}
