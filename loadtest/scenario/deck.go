package scenario

import (
	"math"
	"math/rand/v2"
	"slices"
)

// maxDeck bounds the length of the order of operations; a longer run repeats it.
const maxDeck = 20_000

// deck is the order in which operations are requested: each as often as its
// weight says, evenly spread, and each at least a few times in a run of n
// requests however small its weight.
func deck(weights []float64, n uint64, r *rand.Rand) []int32 {
	size := int(min(max(n, 1), maxDeck))
	k := len(weights)
	if k == 0 {
		return nil
	}
	least := 1
	if size >= 10*k {
		least = 5
	}
	total := 0.0
	for _, w := range weights {
		total += w
	}
	type card struct {
		at float64
		op int32
	}
	var cards []card
	rest := float64(max(0, size-least*k))
	for i, w := range weights {
		quota := least + int(math.Round(rest*w/total))
		for j := range quota {
			cards = append(cards, card{(float64(j) + r.Float64()) / float64(quota), int32(i)})
		}
	}
	slices.SortFunc(cards, func(a, b card) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		default:
			return int(a.op - b.op)
		}
	})
	order := make([]int32, len(cards))
	for i, c := range cards {
		order[i] = c.op
	}
	return order
}
