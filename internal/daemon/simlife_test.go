package daemon

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
)

// again is a run to be seen alone: go test ./internal/daemon -run Sim -args -seed 7
var (
	again = flag.Int64("seed", -1, "of the one simulation to run; -1 for all")
	more  = flag.Int64("more", 1, "times as many simulations")
)

// eachSeed runs so many simulations, or the one that is asked for.
func eachSeed(t *testing.T, runs int, test func(w *world)) {
	for seed := range int64(runs) * *more {
		if *again >= 0 {
			seed = *again
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { test(newWorld(t, uint64(seed))) })
		if *again >= 0 || t.Failed() {
			return
		}
	}
}

// TestC1_C3_C6_C9_C10_B7_B9_SimLife: machines, their networks and their servers go through
// everything that may happen to them. Afterwards everybody is bound, and no
// moment before that was anybody's address another's.
func TestC1_C3_C6_C9_C10_B7_B9_SimLife(t *testing.T) {
	ills, acks := 0, 0
	eachSeed(t, 100, func(w *world) {
		lease := pick(w, 2*time.Minute, 10*time.Minute, time.Hour, 24*time.Hour, 7*24*time.Hour, 30*24*time.Hour)
		most := min(2*lease, pick(w, time.Hour, time.Hour, 4*time.Hour, 2*24*time.Hour)) // that anything is gone
		home, away := w.addWire("10.0.0.0/24"), w.addWire("10.9.0.0/24")
		for _, x := range w.wires {
			for low := range byte(1 + w.rnd.IntN(2)) {
				x.addServer(10+100*low, fmt.Sprintf("DHCPlease %d;", lease/time.Second), func(s *conf.Settings) {
					s.Rapid, s.Authoritative = w.oneOf(3), w.oneOf(2)
				})
			}
			x.loss, x.twice, x.late, x.liars = pick(w, 0, 0.1, 0.3, 0.5), 0.2, pick(w, 20*time.Millisecond, 5*time.Second, 100*time.Second), 0.5
		}
		for range 1 + w.rnd.IntN(4) {
			m := w.addMachine(pick(w, "", "", `option "eth0" probe;`, `option "eth0" rapid;`, `option "eth0" linklocal;`,
				`option "eth0" possessive;`, `option "eth0" anonymous;`, `option "eth0" release;`))
			m.wire = home
			w.after(w.upTo(time.Minute), m.start)
			for range 6 {
				w.after(w.upTo(6*lease), func() { m.suffer(home, away, most) })
			}
		}
		for _, x := range w.wires {
			for _, s := range x.servers {
				for range 3 {
					w.after(w.upTo(6*lease), func() { s.suffer(most) })
				}
			}
		}
		w.watch()
		w.run(6*lease + 2*most + time.Hour)
		w.calm()
		ills, acks = ills+w.ills, acks+w.acks
	})
	if *again < 0 && (ills < 1000 || acks < 10_000) {
		t.Errorf("only %d disturbances and %d ACKs", ills, acks)
	}
}

// TestC8_C4_SimQuarrel: one server takes the wire for another network, and says no
// to what the good one gives; a third says no to everything, even to what it was
// the first to offer. They never stop; the clients are bound all the same, and
// don't drive the servers mad.
func TestC8_C4_SimQuarrel(t *testing.T) {
	eachSeed(t, 25, func(w *world) {
		lease := pick(w, 2*time.Minute, time.Hour, 24*time.Hour)
		x, y := w.addWire("10.0.0.0/24"), netip.MustParsePrefix("10.9.0.0/24")
		terms := fmt.Sprintf("DHCPlease %d;", lease/time.Second)
		sure := func(s *conf.Settings) { s.Authoritative = true }
		x.addServer(10, terms, sure)
		if w.oneOf(2) {
			x.addServerOf(y, 10, terms, sure)
		} else {
			x.addServer(110, terms, sure)
		}
		bad := x.addServer(210, "", sure)
		bad.rude, bad.bait = w.oneOf(2), w.oneOf(2)
		x.loss, x.twice, x.late, x.liars = pick(w, 0, 0.3), 0.2, pick(w, 20*time.Millisecond, 5*time.Second), 0.5
		for range 3 {
			m := w.addMachine(pick(w, "", `option "eth0" probe;`))
			m.wire = x
			w.after(w.upTo(time.Minute), m.start)
			for range 10 {
				w.after(w.upTo(4*lease), func() { m.plug(x) })
			}
		}
		w.watch()
		w.run(5 * lease)
		w.calm()
	})
}

// TestC2_C4_C5_SimConflicts: two servers give out the same addresses, some of which
// are somebody else's already. Each client ends up with one that nobody else
// has, and never had one that somebody had.
func TestC2_C4_C5_SimConflicts(t *testing.T) {
	eachSeed(t, 50, func(w *world) {
		w.rivals = true
		x := w.addWire("10.0.0.0/24")
		any := func(s *conf.Settings) { s.Rapid, s.Authoritative = w.oneOf(3), w.oneOf(2) }
		x.addTwin(x.addServer(10, "DHCPlease 600;", any), any)
		x.loss, x.twice, x.late, x.liars = pick(w, 0, 0.1, 0.3, 0.5), 0.2, pick(w, 20*time.Millisecond, 5*time.Second), 0.5
		for _, n := range w.rnd.Perm(10)[:w.rnd.IntN(4)] {
			x.squat(10 + byte(n))
		}
		for range 2 + w.rnd.IntN(4) {
			m := w.addMachine(pick(w, "", "", `option "eth0" probe;`, `option "eth0" rapid;`, `option "eth0" linklocal;`))
			m.wire = x
			w.after(w.upTo(pick(w, time.Millisecond, 10*time.Second)), m.start)
			for range 4 {
				w.after(time.Minute+w.upTo(3*time.Hour), func() {
					m.kill(w.oneOf(2))
					m.disturbed()
					m.start()
				})
			}
		}
		w.watch()
		w.run(4 * time.Hour)
		x.loss, x.late = 0, 20*time.Millisecond
		w.run(30 * time.Minute)
		for _, m := range w.machines {
			if !m.byHand {
				m.settled()
			}
		}
	})
}

// suffer is what may happen to a machine.
func (m *machine) suffer(home, away *wire, most time.Duration) {
	w := m.w
	if m.d == nil || m.asleep {
		return
	}
	switch w.rnd.IntN(9) {
	case 0, 1: // the cable, or the building
		back := pick(w, home, home, away)
		m.plug(nil)
		w.after(w.upTo(pick(w, time.Second, min(time.Hour, most), most)), func() { m.plug(back) })
	case 2:
		m.plug(pick(w, home, away)) // too quick to be seen
	case 3:
		m.sleep(w.upTo(most))
	case 4:
		m.wrong += pick[time.Duration](w, -1, 1) * w.upTo(10*365*24*time.Hour)
		m.turn(func() { m.d.save() })
	case 5:
		if clean := w.oneOf(2); clean {
			m.kill(clean)
		} else {
			m.kill(clean)
			m.spoilCache()
		}
		m.disturbed()
		w.after(w.upTo(pick(w, time.Second, most)), func() { m.start() })
	case 6: // asleep without a daemon
		m.kill(w.oneOf(2))
		m.sleep(w.upTo(most))
		w.after(most+w.upTo(time.Minute), func() { m.start() })
	case 7:
		if w.oneOf(3) {
			m.wrong = -60 * 365 * 24 * time.Hour // there is no battery
		}
		m.spoilCache()
		m.reboot()
	case 8: // each moment of it
		for range 5 {
			w.after(w.upTo(10*time.Second), func() {
				if m.d != nil && !m.asleep {
					m.kill(false)
					m.disturbed()
					m.start()
				}
			})
		}
	}
}

// spoilCache does to it what a kill or a bad disk may do. An address without
// lifetime is ours by the cache alone (B3).
func (m *machine) spoilCache() {
	n := len(m.disk)
	if n == 0 || m.possessive {
		return
	}
	switch last := m.disk[n-1]; m.w.rnd.IntN(4) {
	case 0: // the last write did not get there
		m.disk = m.disk[:n-1]
	case 1:
		m.disk = append(m.disk, last[:m.w.rnd.IntN(len(last)+1)])
	}
}

// suffer is what may happen to a server.
func (s *simServer) suffer(most time.Duration) {
	w := s.x.w
	if s.down {
		return
	}
	s.restart()
	if w.oneOf(2) {
		s.down = true
		w.after(w.upTo(most), func() { s.restart(); s.down = false })
	}
}

// calm mends everything, and sees that all get there.
func (w *world) calm() {
	for _, x := range w.wires {
		x.loss, x.late = 0, 20*time.Millisecond
		for _, s := range x.servers {
			s.down = false
		}
	}
	for _, m := range w.machines {
		if m.d == nil || m.asleep || m.wire == nil {
			w.Fatalf("%v: running %v, asleep %v, on %v", m, m.d != nil, m.asleep, m.wire)
		}
	}
	w.run(4 * time.Minute)
	for _, m := range w.machines {
		m.settled()
	}
}

// TestB9_C6_StepAndSleep: a lease renews and ends to the second, whatever is done
// to the wall clock, and after a sleep at once if its time was then.
func TestB9_C6_StepAndSleep(t *testing.T) {
	const year = 365 * 24 * time.Hour
	w := newWorld(t, 1)
	x := w.addWire("10.0.0.0/24")
	s := x.addServer(10, "DHCPlease 3600;", func(*conf.Settings) {})
	m := w.addMachine(`option "eth0" nodiscovery;`)
	m.wire = x
	m.start()
	w.run(time.Minute)
	until := func(at time.Time) time.Duration { return m.d.clock.boottime(at) - m.up() }
	for _, step := range []time.Duration{10 * year, -20 * year, -60 * year, 50 * year} {
		m.wrong += step
		m.turn(m.d.save)
		sent := m.total
		w.run(until(m.net().client.Lease.T1) - time.Millisecond)
		if m.total != sent {
			t.Errorf("clock stepped by %v: a message before T1", step)
		}
		if w.run(time.Second); m.total != sent+1 || m.net().client.Phase != client.Bound {
			t.Errorf("clock stepped by %v: %d messages at T1, then %v", step, m.total-sent, m.net().client.Phase)
		}
	}
	sent := m.total
	m.sleep(40 * time.Minute)
	if w.run(40*time.Minute + time.Second); m.total != sent+1 {
		t.Errorf("%d messages on waking after T1", m.total-sent)
	}
	s.down = true
	m.sleep(61 * time.Minute)
	if w.run(61*time.Minute + time.Millisecond/2); len(m.addrs) > 0 || m.net().client.Phase != client.Selecting {
		t.Errorf("on waking after the end: %v with %v", m.net().client.Phase, m.addrs)
	}
}
