package store_test

import (
	"math"
	"slices"
	"testing"

	"github.com/e6b96b0c/backend/templates/platform/store"
)

func TestPageLimit(t *testing.T) {
	for _, c := range []struct {
		n               int64
		otherwise, most int
		want            int
	}{
		{0, 20, 100, 20},
		{-5, 20, 100, 20},
		{5, 20, 100, 5},
		{101, 20, 100, 100},
		{math.MaxInt64, 20, 100, 100},
		{0, 200, 100, 100},
	} {
		if got := store.PageLimit(c.n, c.otherwise, c.most); got != c.want {
			t.Errorf("PageLimit(%d, %d, %d) = %d, want %d", c.n, c.otherwise, c.most, got, c.want)
		}
	}
}

func TestPageOffset(t *testing.T) {
	for _, c := range []struct {
		page  int64
		limit int
		want  int
	}{{1, 20, 0}, {0, 20, 0}, {-3, 20, 0}, {2, 20, 20}, {7, 3, 18}, {math.MaxInt64, 100, math.MaxInt32}, {2, 0, 0}} {
		if got := store.PageOffset(c.page, c.limit); got != c.want {
			t.Errorf("PageOffset(%d, %d) = %d, want %d", c.page, c.limit, got, c.want)
		}
	}
	if store.Offset(-1) != 0 || store.Offset(5) != 5 || store.Offset(math.MaxInt64) != math.MaxInt32 {
		t.Error("Offset leaves its bounds")
	}
}

func TestPages(t *testing.T) {
	for total, want := range map[int64]int64{0: 0, 1: 1, 10: 1, 11: 2, 20: 2} {
		if got := store.Pages(total, 10); got != want {
			t.Errorf("Pages(%d, 10) = %d, want %d", total, got, want)
		}
	}
	if store.Pages(5, 0) != 0 {
		t.Error("Pages divides by zero")
	}
}

func TestProject(t *testing.T) {
	double := func(n int) int { return 2 * n }
	if got := store.Project([]int{1, 2}, double); !slices.Equal(got, []int{2, 4}) {
		t.Errorf("Project = %v", got)
	}
	if store.Project(nil, double) == nil {
		t.Error("Project(nil) is nil, which JSON calls null")
	}
}
