package pool

import (
	"bytes"

	"dhcpd/internal/netip"
)

// hold is an address that was OFFERed, kept for the client until it asks.
type hold struct {
	id    []byte // its memory is used again by the next hold
	agent []byte // likewise
	hw    HW
	until Time
	row   uint32
	spare uint32 // of an unused one: the next unused
}

// Hold keeps an address of the pool for a client to which it was OFFERed, and
// which came with option 82 agent if that is not nil. It ends at until, with
// Unhold, or when a record of a is applied; it is not written to the file.
// Addresses that are not to be given out are not held, nor one that the client's
// own lease keeps for it until then.
func (t *Table) Hold(a netip.Addr, c Client, agent []byte, until Time) {
	i := t.find(a)
	if q := t.row(i).queue; i == 0 || q == none || q == gleaned {
		return
	}
	t.letGo(i)
	if w := t.row(i); w.queue == leased && w.end() >= until && bytes.Equal(t.id(w), c.ID) {
		return
	}
	n := t.spareHold
	if n != 0 {
		t.spareHold = t.holds[n].spare
	} else {
		n = uint32(len(t.holds))
		t.holds = append(t.holds, hold{})
	}
	h := &t.holds[n]
	h.id, h.hw, h.until, h.row = append(h.id[:0], c.ID...), c.HW, until, i
	h.agent = append(h.agent[:0], agent...)
	t.held.insert(n)
	t.row(i).hold = n
	t.place(i)
}

// Unhold ends the hold of a, if there is one.
func (t *Table) Unhold(a netip.Addr) {
	if i := t.find(a); i != 0 && t.row(i).hold != 0 {
		t.letGo(i)
		t.place(i)
	}
}

// letGo ends the hold of row i, if there is one. The row is to be placed.
func (t *Table) letGo(i uint32) {
	w := t.row(i)
	n := w.hold
	if n == 0 {
		return
	}
	t.held.remove(n)
	t.holds[n].spare = t.spareHold
	t.spareHold = n
	w.hold = 0
}

func (t *Table) isHeld(w *row, now Time) bool {
	return w.hold != 0 && t.holds[w.hold].until > now
}

// HeldFor returns the address on network on that is held for the client; of
// several the one that is held longest.
func (t *Table) HeldFor(id []byte, on netip.Prefix, now Time) (a netip.Addr, ok bool) {
	net := keyOf(on)
	for n := t.held.first(t.hashID(id)); n != 0; n = t.held.next(n) {
		h := &t.holds[n]
		w := t.row(h.row)
		if h.until > now && t.nets[w.net].on == net && bytes.Equal(h.id, id) {
			a, ok, now = netip.AddrFrom(w.addr), true, h.until
		}
	}
	return a, ok
}

// Tick lets go of holds that are over. It costs next to nothing when there
// are none. Leases need no tick: who asks for an address ends them.
func (t *Table) Tick(now Time) {
	t.now = max(t.now, now)
	if t.held.n == 0 {
		return
	}
	for n := range t.nets {
		t.tick(&t.nets[n], now)
	}
}

// tick ends the leases and holds of a network that are over.
func (t *Table) tick(n *network, now Time) {
	t.now = max(t.now, now)
	for range tickMost {
		q := n.queues[leased]
		end, i := q.top()
		if i == 0 || end > now {
			break
		}
		if later := t.row(i).end(); later > end {
			t.down(q, 0, pack(later, i)) // it was renewed
		} else {
			t.place(i)
		}
	}
	for {
		until, i := n.queues[held].top()
		if i == 0 || until > now {
			break
		}
		t.letGo(i)
		t.place(i)
	}
}

// tickMost is how many leases one tick looks at. If more have ended since the
// last one, the others wait for their turn: they ended later than these.
const tickMost = 64
