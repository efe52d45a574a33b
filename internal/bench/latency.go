package main

import (
	"time"

	"dhcpd/internal/dhcp4"
)

// pace is the time between two exchanges at 200 a second.
const pace = 5 * time.Millisecond

// waits are how long answers took, in microseconds.
type waits struct{ offer, ack []float64 }

// latency measures a quiet server: 200 exchanges a second, one after the
// other, by clients never heard of.
func (b *bench) latency() {
	b.section("latency over veth at 200/s, µs", "an echo; of the ACK and 1.3 times a bare append of 128 octets and fdatasync")
	ring := b.contenders()[:2]
	k, done := b.scratch()
	defer done()
	var sums [2]waits
	var bare []float64
	for round := range b.rounds {
		for i := range ring {
			at := (i + round) % 2
			b.check(ring[at].wire.trickle(b.paced, &sums[at]))
		}
		bare = append(bare, b.appends(k, b.paced)...)
	}
	ours, echo := &sums[0], &sums[1]
	for _, p := range []struct {
		name string
		of   float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		b.row("OFFER "+p.name, share(ours.offer, p.of), share(echo.offer, p.of), none)
		b.row("ACK "+p.name, share(ours.ack, p.of), share(echo.ack, p.of)+1.3*share(bare, p.of), none)
		b.row("  of the baseline: echo, append and fdatasync "+p.name, share(echo.ack, p.of), share(bare, p.of), none)
	}
}

// trickle plays exchanges of new clients at the pace.
func (c *crowd) trickle(n int, w *waits) error {
	c.prepare(cold)
	defer c.nudge()()
	start := time.Now()
	for k := range n {
		due := start.Add(time.Duration(k) * pace)
		time.Sleep(time.Until(due))
		i := c.fresh
		c.fresh++
		c.left = 1
		t := time.Now()
		c.ask(i, dhcp4.Discover, time.Since(start))
		c.flush()
		for c.left > 0 {
			if err := c.udp.Receive(c.in); err != nil {
				return err
			}
			now := time.Now()
			was := c.clients[i].asked
			for j := range c.in.Len() {
				if m := c.in.At(j); len(m.Data) > atType {
					c.hear(m.Data, now.Sub(start))
				} else {
					c.repeat(i, 1, now.Sub(start))
				}
			}
			if is := c.clients[i].asked; is == was {
				continue
			} else if took := float64(now.Sub(t)) / 1000; is == dhcp4.Request {
				w.offer = append(w.offer, took)
			} else {
				w.ack = append(w.ack, took)
			}
			t = now
			c.flush()
		}
	}
	return nil
}

// appends does the same with nothing but the disk.
func (b *bench) appends(k *book, n int) (took []float64) {
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * pace)))
		took = append(took, timed(func(int) { b.check(k.append(make([]byte, 128), true)) }, 1)/1000)
	}
	return took
}
