package pool

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// circuits counts the addresses in use, leased, held or abandoned, by network
// and by the line of a relay that their clients are on, or that of the client
// which declined. A line that has none is forgotten.
type circuits struct {
	number map[string]uint32
	list   []circuit // circuit 0 is none
	spare  []uint32
	key    []byte // scratch
}

type circuit struct {
	key string
	n   int
}

// Sub-options of option 82 that say where a client is: RFC 3046 section 2.0.
const (
	circuitID = 1
	remoteID  = 2
)

// spell appends to key what names the line on network net by which a client
// came with option 82 agent; nothing if that says no such thing.
func spell(key []byte, net uint32, agent []byte) []byte {
	key = binary.BigEndian.AppendUint32(key, net)
	for _, code := range [...]byte{circuitID, remoteID} {
		if v := sub(agent, code); v != nil {
			key = append(append(key, code, byte(len(v))), v...)
		}
	}
	if len(key) == 4 {
		return key[:0]
	}
	return key
}

// find returns the number of a circuit, 0 for none or one that has nothing in
// use.
func (c *circuits) find(net uint32, agent []byte) uint32 {
	if len(agent) == 0 {
		return 0
	}
	c.key = spell(c.key[:0], net, agent)
	return c.number[string(c.key)]
}

// enter counts one more for a circuit and returns its number.
func (c *circuits) enter(net uint32, agent []byte) uint32 {
	n := c.find(net, agent)
	if n == 0 {
		if len(agent) == 0 || len(c.key) == 0 {
			return 0
		}
		n = c.add(string(c.key))
	}
	c.list[n].n++
	return n
}

func (c *circuits) add(key string) (n uint32) {
	if last := len(c.spare) - 1; last >= 0 {
		n, c.spare = c.spare[last], c.spare[:last]
	} else {
		n = uint32(len(c.list))
		c.list = append(c.list, circuit{})
	}
	c.list[n].key = key
	c.number[key] = n
	return n
}

func (c *circuits) leave(n uint32) {
	if n == 0 {
		return
	}
	x := &c.list[n]
	if x.n--; x.n == 0 {
		delete(c.number, x.key)
		x.key = ""
		c.spare = append(c.spare, n)
	}
}

// count counts row w, which is in queue k, where its client is.
func (t *Table) count(w *row, k kind) {
	var agent []byte
	switch {
	case k == held && w.state != Abandoned:
		agent = t.holds[w.hold].agent
	case k != free && k != gleaned && w.side != 0:
		var r Record
		unfold(t.sides[w.side], &r)
		agent = r.Agent
	}
	if w.circuit == 0 && len(agent) == 0 {
		return
	}
	n := t.circuits.enter(w.net, agent)
	t.circuits.leave(w.circuit)
	w.circuit = n
}

// InUse returns how many addresses of the pool on network on are in use, by a
// lease or a hold, and how many by clients that came the same way as one with
// option 82 agent: with its circuit ID and remote ID. What was abandoned counts
// for the circuit, or those who are on it could have the whole pool abandoned
// one by one. Leases that have ended in great numbers may count for a few calls
// yet.
func (t *Table) InUse(on netip.Prefix, agent []byte, now Time) (network, circuit int) {
	n, ok := t.netOf[keyOf(on)]
	if !ok {
		return 0, 0
	}
	t.tick(&t.nets[n], now)
	q := &t.nets[n].queues
	return len(q[leased]) + len(q[held]), t.circuits.list[t.circuits.find(n, agent)].n
}

// OldestHold returns the address on network on whose hold ends first, and when
// that is.
func (t *Table) OldestHold(on netip.Prefix, now Time) (a netip.Addr, until Time, ok bool) {
	until, a, ok = t.first(held, on, now)
	return a, until, ok
}

// Next writes into list the addresses on network on that Oldest would return
// one after the other, as many as there is room for, and returns how many.
func (t *Table) Next(list []netip.Addr, on netip.Prefix, now Time) int {
	n, ok := t.netOf[keyOf(on)]
	if !ok || t.shut {
		return 0
	}
	t.tick(&t.nets[n], now)
	q := t.nets[n].queues[free]
	var edge [64]int // places in q whose parents are in the list, and theirs not
	size := min(len(q), 1)
	count := 0
	for ; count < len(list) && size > 0; count++ {
		least := 0
		for e := 1; e < size; e++ {
			if q[edge[e]] < q[edge[least]] {
				least = e
			}
		}
		at := edge[least]
		list[count] = netip.AddrFrom(t.row(uint32(q[at] & rowMask)).addr)
		size--
		edge[least] = edge[size]
		for c := 4*at + 1; c < min(4*at+5, len(q)) && size < len(edge); c++ {
			edge[size] = c
			size++
		}
	}
	return count
}

// Abandoned returns the addresses that were declined and may be given out
// again once nobody uses them, and since when. The table must not change
// meanwhile.
func (t *Table) Abandoned(yield func(a netip.Addr, since Time) bool) {
	for n := range t.nets {
		for _, k := range [...]kind{abandoned, held} {
			for _, e := range t.nets[n].queues[k] {
				w := t.row(uint32(e & rowMask))
				if w.state == Abandoned && !yield(netip.AddrFrom(w.addr), w.since) {
					return
				}
			}
		}
	}
}

// Gleaned returns a record that a relay gleaned and whose lease is over; if
// there is none, when the next one will be, 0 for never.
func (t *Table) Gleaned(now Time) (r Record, next Time, ok bool) {
	for n := range t.nets {
		end, i := t.nets[n].queues[gleaned].top()
		switch {
		case i == 0:
		case end <= now:
			return t.record(t.row(i)), 0, true
		case next == 0 || end < next:
			next = end
		}
	}
	return Record{}, next, false
}
