package pool

import (
	"math/bits"

	"dhcpd/internal/netip"
)

// kind is one of the queues of a network. An address is in one at most, and
// in none when it can't be given out, or in that of what relays saw.
type kind uint8

const (
	none      kind = iota
	free           // by the end of the last lease; first of all what was never used
	leased         // by the end of the lease, which is to come
	abandoned      // by the time of the DECLINE
	held           // by the end of the hold
	gleaned        // by the end of the lease that another server gave
	kinds
)

// netKey is a network: its first address in the upper half, its netmask in the
// lower one.
type netKey uint64

// nowhere has no address.
const nowhere netKey = 1 << 32

func keyOf(on netip.Prefix) netKey {
	if !on.Addr().Is4() || !on.IsValid() {
		return nowhere
	}
	mask := ^uint32(0) << (32 - on.Bits())
	return netKey(on.Addr().Number()&mask)<<32 | netKey(mask)
}

func (k netKey) prefix() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom(uint32(k>>32)), bits.OnesCount32(uint32(k)))
}

// has tells whether address a lies on the network.
func (k netKey) has(a uint32) bool { return a&uint32(k) == uint32(k>>32) }

// network is a group of addresses that can stand for each other.
type network struct {
	on     netKey
	queues [kinds]queue
	sizes  [kinds]int // of the queues when Regroup makes them
}

// queue is a heap with four branches to a node. An entry is a time in the
// upper 34 bits, good until the year 2514, and a row in the lower 30. In the
// queue of leases that time may be an end before the last renewal.
type queue []uint64

const (
	rowBits = 30
	rowMask = 1<<rowBits - 1
	timeMax = 1<<(64-rowBits) - 1
)

func pack(at Time, i uint32) uint64 {
	return uint64(min(max(at, 0), timeMax))<<rowBits | uint64(i)
}

// top returns the row with the earliest time, 0 for none.
func (q queue) top() (at Time, i uint32) {
	if len(q) == 0 {
		return 0, 0
	}
	return Time(q[0] >> rowBits), uint32(q[0] & rowMask)
}

// wanted returns the queue that w belongs in, and its time there.
func (t *Table) wanted(w *row) (kind, Time) {
	switch {
	case w.state == Relayed && t.network != nil:
		return gleaned, w.end()
	case !w.is(member) || !w.is(lendable) || w.net == 0 || w.state == Relayed:
		return none, 0
	case w.state != Abandoned && w.end() > t.now:
		return leased, w.end() // held or not: an OFFER may be cut short, a lease never
	case w.hold != 0:
		return held, t.holds[w.hold].until
	case w.state == Abandoned:
		return abandoned, w.since
	}
	return free, w.end()
}

// place puts row i where it belongs after a change.
func (t *Table) place(i uint32) {
	w := t.row(i)
	k, at := t.wanted(w)
	if k != w.queue {
		t.dequeue(i)
	}
	if k == none {
		return
	}
	t.count(w, k)
	q := &t.nets[w.net].queues[k]
	if w.queue == none {
		w.queue = k
		*q = append(*q, 0)
		t.up(*q, len(*q)-1, pack(at, i))
		return
	}
	if e := pack(at, i); e < (*q)[w.pos] {
		t.up(*q, int(w.pos), e)
	} else {
		t.down(*q, int(w.pos), e)
	}
}

// dequeue takes row i out of its queue.
func (t *Table) dequeue(i uint32) {
	w := t.row(i)
	if w.queue == none {
		return
	}
	q := &t.nets[w.net].queues[w.queue]
	last := len(*q) - 1
	moved, at := (*q)[last], int(w.pos)
	*q = (*q)[:last]
	if at < last {
		if moved < (*q)[at] {
			t.up(*q, at, moved)
		} else {
			t.down(*q, at, moved)
		}
	}
	w.queue = none
	t.circuits.leave(w.circuit)
	w.circuit = 0
}

// up puts entry e into the hole at place i or above it.
func (t *Table) up(q queue, i int, e uint64) {
	for i > 0 {
		parent := (i - 1) / 4
		if q[parent] <= e {
			break
		}
		t.put(q, i, q[parent])
		i = parent
	}
	t.put(q, i, e)
}

// down puts entry e into the hole at place i or below it.
func (t *Table) down(q queue, i int, e uint64) {
	for {
		least := 4*i + 1
		if least >= len(q) {
			break
		}
		for c := least + 1; c < min(4*i+5, len(q)); c++ {
			if q[c] < q[least] {
				least = c
			}
		}
		if q[least] >= e {
			break
		}
		t.put(q, i, q[least])
		i = least
	}
	t.put(q, i, e)
}

func (t *Table) put(q queue, i int, e uint64) {
	q[i] = e
	t.row(uint32(e & rowMask)).pos = uint32(i)
}
