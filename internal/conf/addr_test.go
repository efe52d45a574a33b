package conf

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestUnique(t *testing.T) {
	for n := range 300 {
		list := make([]uint32, n)
		for i := range list {
			list[i] = rand.Uint32N(uint32(n))
		}
		want := slices.Clone(list)
		slices.Sort(want)
		want = slices.Compact(want)
		if got := unique(list); !slices.Equal(got, want) {
			t.Fatalf("%d, want %d", got, want)
		}
	}
}
