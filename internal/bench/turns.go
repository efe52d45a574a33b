package main

import (
	"runtime"
	"time"
)

// A work does something n times.
type work func(n int)

// result is what one time of ours and of the baseline takes, in nanoseconds,
// and how often ours allocates memory.
type result struct{ ours, base, allocs float64 }

// compare measures two works in turns. Who begins changes, since the second
// finds another machine than the first.
func (b *bench) compare(ours, base work) result {
	nOurs, nBase := b.times(ours), b.times(base)
	var a, z []float64
	for i := range b.rounds {
		if i%2 == 0 {
			a = append(a, timed(ours, nOurs))
			z = append(z, timed(base, nBase))
		} else {
			z = append(z, timed(base, nBase))
			a = append(a, timed(ours, nOurs))
		}
	}
	return result{median(a), median(z), allocations(ours, nOurs)}
}

// times finds how often a work is done in one turn.
func (b *bench) times(w work) int {
	n := 1
	for {
		start := time.Now()
		w(n)
		took := time.Since(start)
		if took >= b.turn {
			return n
		}
		n = max(2*n, int(float64(n)*float64(b.turn)/float64(took+1)*0.8))
	}
}

// timed returns the nanoseconds of one time.
func timed(w work, n int) float64 {
	start := time.Now()
	w(n)
	return float64(time.Since(start)) / float64(n)
}

func allocations(w work, n int) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w(n)
	runtime.ReadMemStats(&after)
	each := float64(after.Mallocs-before.Mallocs) / float64(n)
	if each < 0.001 { // the runtime's own
		return 0
	}
	return each
}

func (b *bench) compareRow(what string, ours, base work) {
	r := b.compare(ours, base)
	b.row(what+", ns", r.ours, r.base, r.allocs)
}
