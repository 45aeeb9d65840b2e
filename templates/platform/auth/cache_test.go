package auth

import (
	"strconv"
	"testing"
	"time"
)

func TestCacheIsBoundedAndHonoursExpiryAndRotation(t *testing.T) {
	var c cache
	now := time.Unix(1000, 0)
	c.put("t", entry{principal: Principal{Subject: "u"}, expires: now.Add(time.Minute), turn: 1}, now)
	for _, probe := range []struct {
		turn uint64
		at   time.Duration
		want bool
	}{{1, 0, true}, {1, time.Minute - 1, true}, {1, time.Minute, false}, {2, 0, false}} {
		if _, ok := c.get("t", probe.turn, now.Add(probe.at)); ok != probe.want {
			t.Errorf("%+v: %v", probe, ok)
		}
	}
	for i := range 3 * maxCached {
		c.put(strconv.Itoa(i), entry{expires: now.Add(time.Hour), turn: 1}, now)
	}
	if len(c.entries) > maxCached {
		t.Errorf("%d entries", len(c.entries))
	}
	if _, ok := c.get(strconv.Itoa(3*maxCached-1), 1, now); !ok {
		t.Error("the entry just put in is gone")
	}
	later := now.Add(2 * time.Hour)
	for i := range maxCached {
		c.put("late"+strconv.Itoa(i), entry{expires: later.Add(time.Hour), turn: 1}, later)
	}
	for token := range c.entries {
		if token[0] != 'l' {
			t.Fatalf("%s outlived its expiry in a full cache", token)
		}
	}
}
