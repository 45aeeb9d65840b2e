package lifecycle

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// gcPercent trades memory for time: the heap may grow to five times what is
// live, instead of twice, before it is collected.
const gcPercent = 400

// TuneGC makes the garbage collector run less often, and as often as it takes to
// stay within 90% of the memory that the process is granted. The environment
// variables GOGC and GOMEMLIMIT win.
func TuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := grantedMemory(os.ReadFile); limit > 0 {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
}

// grantedMemory returns the memory limit of the process's control group in
// bytes, 0 if there is none.
func grantedMemory(read func(string) ([]byte, error)) int64 {
	for _, path := range []string{
		"/sys/fs/cgroup/memory.max",                   // version 2
		"/sys/fs/cgroup/memory/memory.limit_in_bytes", // version 1
	} {
		text, err := read(path)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		const unlimited = 1 << 60 // version 1 says so by a huge number
		if err == nil && limit > 0 && limit < unlimited {
			return limit
		}
	}
	return 0
}
