package main

import (
	"fmt"
	"math"
	"os"
	"strings"

	"dhcpd/internal/netlab"
)

// sum is what the turns of one contender came to.
type sum struct {
	rates     []float64 // exchanges a second
	exchanges float64
	user, sys float64 // seconds of processor time
	again     int64   // messages sent again, because an answer was lost
}

// play has a crowd play one turn.
func (s *sum) play(c *contender, w *crowd, k kind, n, window int) error {
	first := w.take(k, n)
	user, sys, err := times(c.proc.PID())
	if err != nil {
		return err
	}
	again := w.again.Load()
	took, err := w.run(k, first, n, window)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	s.again += w.again.Load() - again
	u, v, err := times(c.proc.PID())
	s.user, s.sys = s.user+u-user, s.sys+v-sys
	s.rates = append(s.rates, float64(n)/took.Seconds())
	s.exchanges += float64(n)
	return err
}

// times returns the seconds of processor time that a process has had. The
// kernel counts in hundredths.
func times(pid int) (user, sys float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The second field is a name in parentheses; utime and stime are the 14th
	// and 15th: proc(5).
	var u, s float64
	rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	_, err = fmt.Sscan(strings.Join(rest[11:13], " "), &u, &s)
	return u / 100, s / 100, err
}

// turns has all contenders play n exchanges, one after the other, again and
// again.
func (b *bench) turns(ring []*contender, k kind, n, window int, crowd func(*contender) *crowd) []sum {
	sums := make([]sum, len(ring))
	for round := range b.rounds {
		for i := range ring {
			at := (i + round) % len(ring)
			b.check(sums[at].play(ring[at], crowd(ring[at]), k, n, window))
		}
	}
	return sums
}

// loops measures what all contenders do, in turns.
func (b *bench) loops(path string, crowd func(*contender) *crowd) {
	ring := b.contenders()
	for _, window := range []int{64, 512} {
		b.section(fmt.Sprintf("whole loop over %s, %d in flight", path, window), "an echo, and one that appends and syncs")
		for _, k := range []kind{cold, warm, renew} {
			before := sizeOf(ring[0].pool)
			sums := b.turns(ring, k, b.exchanges, window, crowd)
			records, syncs, err := count(ring[0].pool, before)
			b.check(err)
			ours, echo, sync := &sums[0], &sums[1], &sums[2]
			b.row(fmt.Sprintf("%v: exchanges/s", k), median(ours.rates), median(echo.rates), none)
			b.row("  against the one that syncs", median(ours.rates), median(sync.rates), none)
			b.row("  CPU µs an exchange: user", ours.user*1e6/ours.exchanges, echo.user*1e6/echo.exchanges, none)
			b.row("  CPU µs an exchange: system", ours.sys*1e6/ours.exchanges, echo.sys*1e6/echo.exchanges, none)
			if math.IsNaN(records) {
				b.note("the pool file was compacted meanwhile")
			} else {
				b.note("records: %s, syncs: %s", number(records), number(syncs))
			}
			if ours.again+echo.again > 0 { // such a rate is that of the crowd's patience
				b.note("messages sent again after %v: ours %d, echo %d", lost, ours.again, echo.again)
			}
		}
	}
}

func (b *bench) overLoopback() {
	b.loops("a socket pair (loopback)", func(c *contender) *crowd { return c.lo })
}

func (b *bench) overVeth() {
	b.loops("veth", func(c *contender) *crowd { return c.wire })
}

// leaseQueries measures queries by address for what known clients have.
func (b *bench) leaseQueries() {
	ring := b.contenders()[:2]
	wire := func(c *contender) *crowd { return c.wire }
	b.turns(ring, cold, b.exchanges, 64, wire)
	for _, window := range []int{64, 512} {
		b.section(fmt.Sprintf("leasequeries by address over veth, %d in flight", window), "an echo")
		sums := b.turns(ring, query, b.exchanges, window, wire)
		b.row("queries/s", median(sums[0].rates), median(sums[1].rates), none)
		b.row("  CPU µs a query: user", sums[0].user*1e6/sums[0].exchanges, sums[1].user*1e6/sums[1].exchanges, none)
		b.row("  CPU µs a query: system", sums[0].sys*1e6/sums[0].exchanges, sums[1].sys*1e6/sums[1].exchanges, none)
	}
}

// manyLeases measures clients all over a large pool and a small one.
func (b *bench) manyLeases() {
	b.section(fmt.Sprintf("whole loop over veth, 64 in flight, at %s leases", number(float64(b.leases))),
		"the same at "+number(float64(b.few)))
	ring := []*contender{b.leased("large", b.leases), b.leased("small", b.few)}
	var starts [2]float64
	for i, c := range ring {
		user, sys, err := times(c.proc.PID())
		b.check(err)
		starts[i] = user + sys
	}
	b.row("start, until the first ACK: CPU seconds", starts[0], starts[1], none)
	for _, k := range []kind{warm, renew} {
		sums := b.turns(ring, k, b.few, 64, func(c *contender) *crowd { return c.wire })
		b.row(fmt.Sprintf("%v: exchanges/s", k), median(sums[0].rates), median(sums[1].rates), none)
	}
	for _, c := range ring {
		c.proc.Kill()
	}
}

// leased is a dhcpd that starts with so many leases, and their clients, who
// take turns all over the pool.
func (b *bench) leased(name string, n int) *contender {
	c := b.contend(name, false, func(h *netlab.Host) *netlab.Proc {
		b.pool(h.Dir, n)
		return b.daemon(h)
	})
	c.wire.stride, c.wire.fresh = n/b.few, n
	for i := range n {
		c.wire.clients[i].addr = member(i).As4()
	}
	return c
}
