package daemon

import (
	"time"

	"dhcpd/internal/netip"
)

// Most worlds are crowded: small networks, with about as many addresses as there
// are clients, so that what was freed wrongly is soon somebody else's; and their
// boxes die most when that is worst, soon after the disk has failed, and soon
// after a start.

// crowd makes a world crowded, and returns what networks it has.
func (w *internet) crowd() (kinds []string) {
	w.unit = pick(w.world, time.Minute, 2*time.Minute, 5*time.Minute)
	w.most = w.unit / 2
	return []string{pick(w.world, "server", "pair"), pick(w.world, "relay", "both")}
}

// crowd returns how many clients come to a network, and how often they go.
func (l *lan) crowd(w *internet) (clients, ills int) {
	pools := 2
	if l.kind == "server" {
		pools = 1
	}
	return pools*l.room - 2 + w.rnd.IntN(4), 6
}

// struggle is what befalls the boxes besides.
func (w *internet) struggle(end time.Duration) {
	for _, b := range w.boxes {
		b.latency = w.upTo(pick(w.world, 20*time.Millisecond, 2*time.Second))
		for range 15 {
			w.after(w.upTo(end), b.struggle)
		}
	}
}

// struggle is that a disk fails, or the end, or both.
func (b *box) struggle() {
	w := b.w
	if !b.mayDie() {
		return
	}
	w.ills++
	if w.oneOf(2) {
		b.spoilDisk()
	}
	switch w.rnd.IntN(3) {
	case 0:
		b.dieSoon()
	case 1:
		b.disk.Die(1 + w.rnd.IntN(12))
	}
}

// mayDie tells whether it is alive, and what operators took away is back.
func (b *box) mayDie() bool {
	return !b.w.quiet && b.d != nil && !b.asleep && !b.mourning && !b.disk.Dead()
}

// dieSoon lets it die in the next seconds, or in the middle of the next writing.
func (b *box) dieSoon() {
	b.w.after(b.w.upTo(5*time.Second), func() {
		if b.w.oneOf(2) {
			b.dieNow()
		} else if b.mayDie() {
			b.disk.Die(1 + b.w.rnd.IntN(8))
		}
	})
}

func (b *box) dieNow() {
	if b.mayDie() {
		b.crash()
	}
}

// enlarge is that operators mend the want of addresses.
func (b *box) enlarge() {
	if b.slow.busy() || b.mourning {
		b.w.after(time.Second, b.enlarge)
		return
	}
	for _, a := range b.some(len(b.members)) {
		if a.As4()[3] == 20 { // the first of a pool
			b.fill(netip.AddrFrom(a.Number()+50), 100)
		}
	}
	b.edited = true
	b.hearEdit()
}
