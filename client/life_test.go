package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/netip"
)

// settled checks that every host has a lease of its own.
func (l *lab) settled() {
	l.t.Helper()
	for i, h := range l.hosts {
		if h.on == nil || h.s.Phase < Bound || !good(h.on, time.Now()) {
			l.t.Errorf("host %d: %v, %+v", i, h.s.Phase, h.on)
		}
	}
}

// TestC6_LifeOverBadWires: days of leases over wires that lose, double and
// reorder packets. Never one address on two hosts, never a flood, and with
// the wire mended everyone gets there.
func TestC6_LifeOverBadWires(t *testing.T) {
	for _, loss := range []float64{0, 0.1, 0.3, 0.5} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(loss, seed), func(t *testing.T) {
				inLab(t, seed, func(l *lab) {
					l.loss, l.twice, l.late = loss, 0.2, 3*time.Second
					const days = 2
					for range 5 {
						l.add().step(Event{Kind: Start})
					}
					l.run(days * 24 * time.Hour)
					for i, h := range l.hosts {
						// Two an hour if nothing is lost; here one of four exchanges works.
						if most := days * 24 * 12; h.sent > most {
							t.Errorf("host %d sent %d messages", i, h.sent)
						}
					}
					l.loss = 0
					l.run(3 * time.Minute)
					l.run(time.Hour)
					l.settled()
				})
			})
		}
	}
}

// TestC6_LifeQuiet: on a sound wire a lease costs one REQUEST each half, and
// nothing but the start is said in the log.
func TestC6_LifeQuiet(t *testing.T) {
	inLab(t, 1, func(l *lab) {
		l.server.lease = 86400
		h := l.add()
		h.step(Event{Kind: Start})
		l.run(30*24*time.Hour + time.Hour)
		if want := 2 + 60; h.sent != want || len(h.log) != 0 {
			t.Errorf("%d messages, not %d; log %q", h.sent, want, h.log)
		}
		l.settled()
	})
}

// TestC6_LifeServerDies: the address goes when the lease ends, to the second,
// and comes back within a DISCOVER of the server's return.
func TestC6_LifeServerDies(t *testing.T) {
	inLab(t, 2, func(l *lab) {
		h := l.add()
		h.step(Event{Kind: Start})
		l.run(40 * time.Minute) // renewed once
		l.server.down = true
		end := h.on.End
		l.run(time.Until(end) - time.Millisecond)
		if h.on == nil {
			t.Error("the address is gone too early")
		}
		l.run(2 * time.Millisecond)
		if h.on != nil || h.s.Phase != Selecting {
			t.Errorf("after the end: %v, %+v", h.s.Phase, h.on)
		}
		l.run(5 * time.Hour)
		l.server.down = false
		l.run(66 * time.Second)
		l.settled()
		want := "The lease of 10.0.0.90 has ended"
		if strings.Join(h.log, "; ") != want {
			t.Errorf("the log has %q", h.log)
		}
	})
}

// TestC4_LifeAmongSquatters: addresses in use are declined one after the
// other, at least 10 s apart, until a good one comes.
func TestC4_LifeAmongSquatters(t *testing.T) {
	inLab(t, 3, func(l *lab) {
		for i := byte(90); i < 95; i++ {
			l.squat[netip.AddrFrom4([4]byte{10, 0, 0, i})] = theirs
		}
		h := l.add()
		h.step(Event{Kind: Start})
		l.run(49 * time.Second)
		if h.on != nil {
			t.Errorf("%v after five DECLINEs in 49 s", h.on.Net)
		}
		l.run(10 * time.Second)
		l.settled()
		if h.on.Net.Addr() != netip.MustParseAddr("10.0.0.95") || len(h.log) != 5 {
			t.Errorf("%v; log %q", h.on.Net, h.log)
		}
	})
}

// TestC4_LifeDeclining: where every address is taken, the tries get rare.
func TestC4_LifeDeclining(t *testing.T) {
	inLab(t, 7, func(l *lab) {
		for i := byte(90); i < 100; i++ {
			l.squat[netip.AddrFrom4([4]byte{10, 0, 0, i})] = theirs
		}
		h := l.add()
		h.step(Event{Kind: Start})
		for hour := range 2 { // 10 DECLINEs at first; then the server forgets them
			l.run(time.Hour)
			if most := 10 + 60*hour; len(h.log) > most || len(h.log) < most-10 {
				t.Errorf("hour %d: %d conflicts", hour, len(h.log))
			}
			l.forgetful()
		}
		if h.on != nil {
			t.Errorf("configured %v", h.on.Net)
		}
	})
}

// forgetful makes the server believe no DECLINE.
func (l *lab) forgetful() {
	l.server.deaf = true
	clear(l.server.bound)
}

// TestC8_LifeWithNaks: a server that offers and then refuses, for ever, makes
// no client spin.
func TestC8_LifeWithNaks(t *testing.T) {
	inLab(t, 4, func(l *lab) {
		l.server.rude = true
		h := l.add()
		h.step(Event{Kind: Start})
		l.run(time.Hour)
		if h.sent < 100 || h.sent > 3*(7+3600/63) {
			t.Errorf("%d messages in an hour", h.sent)
		}
		l.server.rude = false
		l.run(66 * time.Second)
		l.settled()
	})
}

// TestB9_LifeAsleep: a host that slept through T1, T2 or the end wakes to
// what the time is then.
func TestB9_LifeAsleep(t *testing.T) {
	for _, c := range []struct {
		sleep time.Duration
		want  Phase
	}{
		{20 * time.Minute, Bound},
		{40 * time.Minute, Renewing},
		{55 * time.Minute, Rebinding},
		{24 * time.Hour, Selecting},
	} {
		inLab(t, 5, func(l *lab) {
			h := l.add()
			h.step(Event{Kind: Start})
			l.run(time.Minute)
			h.asleep = true
			l.run(c.sleep)
			h.asleep = false
			h.step(Event{Kind: Wake})
			if h.s.Phase != c.want || h.on == nil == (c.want != Selecting) {
				t.Errorf("after %v of sleep: %v, %+v", c.sleep, h.s.Phase, h.on)
			}
			l.run(time.Minute)
			l.settled()
		})
	}
}

// TestC9_LifeAcrossRestarts: a client that is killed and started again, with
// the same server, with none, and with one that has forgotten everything.
func TestC9_LifeAcrossRestarts(t *testing.T) {
	inLab(t, 6, func(l *lab) {
		h := l.add()
		h.step(Event{Kind: Start})
		l.run(time.Minute)
		first, rig := h.on.Net, func() { h.step(Event{Kind: Start, Lease: h.on, Held: true}) }

		rig()
		l.run(time.Second)
		if h.s.Phase != Bound || h.on.Net != first || time.Until(h.on.End) < 59*time.Minute {
			t.Errorf("server there: %v, %+v", h.s.Phase, h.on)
		}
		l.server.down = true
		end := h.on.End
		rig()
		l.run(11 * time.Second)
		if h.s.Phase != Bound || h.on.Net != first || h.on.End != end {
			t.Errorf("no server: %v, %+v", h.s.Phase, h.on)
		}
		l.server.down = false
		clear(l.server.bound) // it says no
		rig()
		l.run(time.Second)
		l.settled()
		if len(h.log) != 1 || h.log[0] != "Got a NAK from 10.0.0.1" {
			t.Errorf("log %q", h.log)
		}
	})
}
