package lifecycle

import (
	"errors"
	"testing"
)

func TestGrantedMemory(t *testing.T) {
	const v2, v1 = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for _, c := range []struct {
		files map[string]string
		want  int64
	}{
		{nil, 0},
		{map[string]string{v2: "max\n"}, 0},
		{map[string]string{v2: "536870912\n"}, 512 << 20},
		{map[string]string{v1: "9223372036854771712\n"}, 0},
		{map[string]string{v1: "1073741824\n"}, 1 << 30},
	} {
		got := grantedMemory(func(path string) ([]byte, error) {
			if text, ok := c.files[path]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		})
		if got != c.want {
			t.Errorf("%v: got %d, want %d", c.files, got, c.want)
		}
	}
}
