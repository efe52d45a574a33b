package pool

import (
	"bytes"
	"hash/maphash"
	"iter"

	"dhcpd/internal/netip"
)

// Table is what the pool file says, in memory: the addresses of the pool and
// the last record of each address, and besides the holds, which only memory
// knows. It is not safe for use by several goroutines. Addresses are IPv4.
type Table struct {
	chunks []*[chunk]row
	rows   uint32 // rows ever made, and row 0
	spare  uint32 // the first of the rows that were given up
	used   int    // rows in use

	members, bindings int

	seed  maphash.Seed
	found uint32 // the row that was looked for last: who decides about an address asks for it again and again
	addrs index
	ids   index

	indexed bool // and also these are in use
	hws     index
	remotes index
	walks   []*Walk

	sides      [][]byte
	spareSides []uint32

	holds     []hold
	spareHold uint32
	held      index

	network func(netip.Addr) (netip.Prefix, bool)
	nets    []network
	netOf   map[netKey]uint32

	circuits circuits
	now      Time // of the last tick
	counter  uint64

	shut    bool
	loading bool // clients are not indexed yet
	scratch []byte
	kept    []byte // memory for the copies that Apply returns
}

// NewTable returns an empty table.
func NewTable() *Table {
	t := &Table{rows: 1, seed: maphash.MakeSeed()}
	t.chunks = append(t.chunks, new([chunk]row))
	t.sides = make([][]byte, 1)
	t.holds = make([]hold, 1)
	t.forgetNets()
	t.addrs = newIndex(func(i uint32) uint32 { return hashAddr(t.row(i).addr) })
	t.ids = newIndex(func(i uint32) uint32 { return t.hashID(t.id(t.row(i))) })
	t.hws = newIndex(func(i uint32) uint32 { return t.hashHW(t.hw(t.row(i))) })
	t.remotes = newIndex(func(i uint32) uint32 { return t.hashID(t.remote(t.row(i))) })
	t.held = newIndex(func(n uint32) uint32 { return t.hashID(t.holds[n].id) })
	return t
}

// Len returns the number of addresses that are members or have a binding.
func (t *Table) Len() int { return t.used }

// ByAddr returns the record of a; one in state Free for a member never used.
func (t *Table) ByAddr(a netip.Addr) (Record, bool) {
	e := t.At(a)
	if !e.Known() {
		return Record{}, false
	}
	return e.Record(), true
}

// Member tells whether a is in the pool, as opposed to only having a binding.
func (t *Table) Member(a netip.Addr) bool { return t.At(a).w.is(member) }

func (t *Table) isOn(w *row, on netKey) bool {
	if w.net == 0 {
		return on.has(w.addr)
	}
	return t.nets[w.net].on == on
}

// better tells whether w, of the same client and network, says more about
// where the client is than the other.
func (w *row) better(than *row) bool {
	switch a, b := w.state.weight(), than.state.weight(); {
	case a != b:
		return a > b
	case w.end() != than.end():
		return w.end() > than.end()
	}
	return w.addr < than.addr
}

func (s State) weight() int {
	switch s {
	case Relayed:
		return 0
	case Abandoned:
		return 1
	}
	return 2
}

// AllOf returns all records of the client, on whatever network. The table
// must not change meanwhile.
func (t *Table) AllOf(id []byte) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := t.ids.first(t.hashID(id)); i != 0; i = t.ids.next(i) {
			if w := t.row(i); bytes.Equal(t.id(w), id) && !yield(t.record(w)) {
				return
			}
		}
	}
}

// All returns all records, in the order in which their addresses were first
// heard of; those of members never used are in state Free. The table must not
// change meanwhile.
func (t *Table) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := uint32(1); i < t.rows; i++ {
			if w := t.row(i); w.is(live) && !yield(t.record(w)) {
				return
			}
		}
	}
}

// Oldest returns the free address on network on that was never used, or else
// the one whose last lease ended longest ago.
func (t *Table) Oldest(on netip.Prefix, now Time) (netip.Addr, bool) {
	ended, a, ok := t.first(free, on, now)
	return a, ok && ended <= now
}

// OldestAbandoned returns the address on network on that was abandoned
// longest ago.
func (t *Table) OldestAbandoned(on netip.Prefix) (netip.Addr, bool) {
	_, a, ok := t.first(abandoned, on, 0) // as the last tick has left it
	return a, ok
}

// first returns the first address of a queue of network on, and its time there;
// none while nothing may be given out.
func (t *Table) first(k kind, on netip.Prefix, now Time) (at Time, a netip.Addr, ok bool) {
	n, known := t.netOf[keyOf(on)]
	if !known || t.shut {
		return 0, a, false
	}
	t.tick(&t.nets[n], now)
	at, i := t.nets[n].queues[k].top()
	if i == 0 {
		return 0, a, false
	}
	return at, netip.AddrFrom(t.row(i).addr), true
}
