package main

import (
	"fmt"
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
		b.note("of the baseline: echo %s, append and fdatasync %s", number(share(echo.ack, p.of)), number(share(bare, p.of)))
	}
}

// trickle plays exchanges of new clients at the pace.
func (c *crowd) trickle(n int, w *waits) error {
	c.prepare(cold)
	defer c.nudge()()
	start := time.Now()
	for k := range n {
		time.Sleep(time.Until(start.Add(time.Duration(k) * pace)))
		if err := c.exchange(c.fresh, start, w); err != nil {
			return err
		}
		c.fresh++
	}
	return nil
}

// exchange plays that of client i, in a turn that began at start.
func (c *crowd) exchange(i int, start time.Time, w *waits) error {
	c.left = 1
	asked := time.Since(start)
	begun := asked
	c.ask(i, dhcp4.Discover, asked)
	for c.left > 0 {
		c.flush()
		if err := c.udp.Receive(c.in); err != nil {
			return err
		}
		now, was := time.Since(start), c.clients[i].asked
		for j := range c.in.Len() {
			if m := c.in.At(j); len(m.Data) > atType {
				c.hear(m.Data, now)
			} else {
				c.repeat(i, 1, now)
			}
		}
		switch is := c.clients[i].asked; {
		case now-begun > patience:
			return fmt.Errorf("an exchange has not ended in %v: %v was sent to %v, %d messages again",
				patience, is, c.server, c.again.Load())
		case is == was:
			continue
		case is == dhcp4.Request:
			w.offer = append(w.offer, float64(now-asked)/1000)
		default:
			w.ack = append(w.ack, float64(now-asked)/1000)
		}
		asked = now
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
