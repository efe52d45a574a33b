package daemon

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/pool"
)

// worlds is how many networks are simulated: go test ./internal/daemon -run
// WholeNetwork -args -worlds 500
var worlds = flag.Int("worlds", 4, "whole networks to be simulated")

// TestP4_S4_S6_S7_R3_R6_WholeNetwork: networks of clients, their servers and
// relays go through everything that may happen to them, for an hour or for weeks.
// No address is anybody's who was not promised it, no promise is broken or leaves
// before it is stored, no journal differs from its table; and once all that is
// over, everybody is served.
func TestP4_S4_S6_S7_R3_R6_WholeNetwork(t *testing.T) {
	var all tallies
	for seed := range uint64(*worlds) {
		if *again >= 0 {
			seed = uint64(*again)
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newInternet(t, seed, &all)
				defer w.close()
				w.live()
				w.calm()
			})
		})
		if *again >= 0 || t.Failed() {
			break
		}
	}
	t.Logf("%+v", all)
	if *again >= 0 {
		return
	}
	if all.crashes < 10**worlds || all.acks < 1000**worlds || all.synced < 100**worlds {
		t.Errorf("too little has happened: %+v", all)
	}
}

// live is all that happens.
func (w *internet) live() {
	end := 100 * w.unit
	for _, b := range w.boxes {
		b.start()
	}
	for _, l := range w.lans {
		w.settle(l, end)
	}
	for _, x := range w.wires {
		x.loss, x.twice, x.liars = pick(w.world, 0, 0.05, 0.3), 0.1, 0.1
		x.late = pick(w.world, 20*time.Millisecond, time.Second, 30*time.Second)
	}
	w.spine.late = min(w.spine.late, time.Second)
	for _, b := range w.boxes {
		for range 12 {
			w.after(w.upTo(end), b.suffer)
			w.after(w.upTo(end), b.operate)
		}
	}
	for range 4 {
		w.after(w.upTo(end), func() {
			w.cut = true
			w.after(w.upTo(w.most), func() { w.cut = false })
		})
	}
	if w.crowded {
		w.struggle(end)
	}
	w.watchBoxes()
	w.watch()
	w.run(end + 3*w.most)
}

// settle brings clients to a network, and squatters, and strangers.
func (w *internet) settle(l *lan, end time.Duration) {
	clients, ills := 10+w.rnd.IntN(40), 2
	kinds := []string{"", "", `option "eth0" probe;`, `option "eth0" rapid;`, `option "eth0" anonymous;`,
		`option "eth0" release;`, `option "eth0" duid;`}
	if w.crowded {
		clients, ills = l.crowd(w)
		kinds = append(kinds, kinds[5], kinds[5], kinds[5])
	}
	for range w.rnd.IntN(4) {
		w.squat(l, l.addr(w.rnd.IntN(4), byte(20+w.rnd.IntN(min(60, l.room)))))
	}
	for range clients {
		m := w.addMachine(pick(w.world, kinds...) + ` option "eth0" nodiscovery;`)
		m.wire = l.wire
		w.after(w.upTo(10*time.Minute), m.start)
		for range ills {
			w.after(w.upTo(end), func() { m.suffer(l.wire, pick(w.world, w.lans...).wire, w.most) })
		}
	}
	for range 100 {
		w.after(w.upTo(end), func() { l.stranger(w) })
	}
}

// watchBoxes looks at all boxes every so often.
func (w *internet) watchBoxes() {
	for _, b := range w.boxes {
		b.inspect()
	}
	w.after(w.unit/2, w.watchBoxes)
}

// calm mends everything, and sees that all get there.
func (w *internet) calm() {
	for _, x := range w.wires {
		x.loss, x.twice, x.liars, x.late = 0, 0, 0, 20*time.Millisecond
	}
	w.cut, w.quiet = false, true
	for _, b := range w.boxes {
		b.disk.Limit(-1)
		b.disk.Fail(nil)
		b.disk.Die(-1)
		b.awake()
		b.start()
		if w.crowded {
			w.after(time.Minute, b.enlarge)
		}
	}
	w.run(15 * time.Minute)
	for _, m := range w.machines {
		switch {
		case m.byHand:
		case m.d == nil || m.asleep || m.wire == nil:
			w.Fatalf("%v: running %v, asleep %v, on %v", m, m.d != nil, m.asleep, m.wire)
		default:
			m.settled()
		}
	}
	w.askRelays()
	for _, b := range w.boxes {
		b.inspect()
	}
	w.tally.clients += len(w.machines)
	w.tally.virtual += w.now
}

// askRelays has packets come for all clients behind relays, and sees that the
// relays know then where they are (R6, R7).
func (w *internet) askRelays() {
	var lost []*machine
	for _, l := range w.lans {
		for _, m := range w.machines {
			if m.wire == l.wire && !m.byHand && l.router.d.nets[2].relays() {
				lost = append(lost, m)
			}
		}
	}
	for range 20 {
		lost = slices.DeleteFunc(lost, func(m *machine) bool { return w.router(m).knows(m) })
		for _, m := range lost {
			w.router(m).want(m)
		}
		w.run(20 * time.Second)
	}
	for _, m := range lost {
		a := m.net().client.Lease.Net.Addr()
		r, _ := w.router(m).d.service.table.ByAddr(a)
		w.Fatalf("%v does not know where %v is, %v: %+v", w.router(m), a, m, r)
	}
}

// router returns the box between a machine and the spine.
func (w *internet) router(m *machine) *box {
	i := slices.IndexFunc(w.lans, func(l *lan) bool { return l.wire == m.wire })
	return w.lans[i].router
}

// want is that a packet for a client comes.
func (b *box) want(m *machine) {
	b.turn(func() { b.d.service.want([]link.Neighbour{{Index: 2, Addr: m.net().client.Lease.Net.Addr()}}) })
	b.pump()
}

// knows tells whether a router knows where a client is.
func (b *box) knows(m *machine) bool {
	d, c := b.d, &m.net().client
	if !c.Held {
		return false
	}
	r, _ := d.service.table.ByAddr(c.Lease.Net.Addr())
	return (r.State == pool.Relayed || r.State == pool.Bound) && ether.MAC(r.HW.Addr[:6]) == m.mac && r.Told >= pool.Time(d.clock.Now().Unix())
}

// close ends all daemons, so that nothing is left of them.
func (w *internet) close() {
	for _, b := range w.boxes {
		b.abandon()
	}
}
