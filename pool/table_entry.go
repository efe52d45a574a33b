package pool

import (
	"bytes"

	"dhcpd/internal/netip"
)

// Entry is one address of a Table, seen where it stands: nothing is copied but
// what is asked for. It is good until the table's next change, and so is all
// that it hands out.
type Entry struct {
	t *Table
	w *row // row 0 for an address that is not known
}

// At returns the entry of a.
func (t *Table) At(a netip.Addr) Entry { return Entry{t, t.row(t.find(a))} }

// Nth returns the entry of the nth row, from 0, for walks that take their time:
// whoever stays in the table stays in its row. It may be of an address that is
// not known. More is false when there are no more.
func (t *Table) Nth(n uint32) (e Entry, more bool) {
	if n+1 >= t.rows {
		return e, false
	}
	return Entry{t, t.row(n + 1)}, true
}

// Of returns the entry of the client on network on. Of several it is the one
// whose lease ends or ended last; one that it declined or that a relay gleaned
// only if there is no other.
func (t *Table) Of(id []byte, on netip.Prefix) Entry {
	net, best := keyOf(on), t.row(0)
	for i := t.ids.first(t.hashID(id)); i != 0; i = t.ids.next(i) {
		w := t.row(i)
		if t.isOn(w, net) && bytes.Equal(t.id(w), id) && (!best.is(live) || w.better(best)) {
			best, t.found = w, i
		}
	}
	return Entry{t, best}
}

// Known tells whether the address is a member or has a binding.
func (e Entry) Known() bool { return e.w.is(live) }

// Member tells whether the address is in the pool.
func (e Entry) Member() bool { return e.w.is(member) }

// Last returns when the client was last heard.
func (e Entry) Last() Time { return e.w.last }

// Addr returns the address.
func (e Entry) Addr() netip.Addr { return netip.AddrFrom(e.w.addr) }

// State returns the state; Free also for an address that is not known.
func (e Entry) State() State { return e.w.state }

// ID returns the client ID of the last record.
func (e Entry) ID() []byte { return e.t.id(e.w) }

// Is tells whether the last record is that of the client.
func (e Entry) Is(id []byte) bool { return e.w.state != Free && bytes.Equal(e.t.id(e.w), id) }

// Runs tells whether there is a lease that has not ended.
func (e Entry) Runs(now Time) bool {
	return (e.w.state == Bound || e.w.state == Fixed) && e.w.told > now
}

// On tells whether the address is on a network, and of the same group if
// networks are known.
func (e Entry) On(net netip.Prefix) bool { return e.Known() && e.t.isOn(e.w, keyOf(net)) }

// Network returns the network that the address is on as Regroup has it, the
// zero Prefix if that does not know one.
func (e Entry) Network() netip.Prefix {
	if e.w.net == 0 {
		return netip.Prefix{}
	}
	return e.t.nets[e.w.net].on.prefix()
}

// Lendable tells whether the address is the pool's to give, now or once its
// lease has ended: it is a member, and the config has nothing against it.
func (e Entry) Lendable() bool { return e.w.queue != none && e.w.queue != gleaned && !e.t.shut }

// Free tells whether the address may be given out from the pool: it is
// lendable, no lease runs, and it is neither abandoned nor held.
func (e Entry) Free(now Time) bool {
	return e.Lendable() && e.w.state != Abandoned && e.w.end() <= now && !e.t.isHeld(e.w, now)
}

// HeldBy returns the client that the address is held for.
func (e Entry) HeldBy(now Time) (Client, bool) {
	if !e.t.isHeld(e.w, now) {
		return Client{}, false
	}
	h := &e.t.holds[e.w.hold]
	return Client{ID: h.id, HW: h.hw}, true
}

// Check tells whether the address must be checked on the wire before another
// client gets it: see Extra.
func (e Entry) Check() bool { return e.w.is(check) }

// Wakeful tells whether the client is to be woken: see Table.Wake.
func (e Entry) Wakeful() bool { return e.w.is(wakeful) }

// Rousable tells whether a client of this record might be woken: it has a nonce,
// or has used a key.
func (e Entry) Rousable() bool {
	b := e.t.sides[e.w.side]
	return field(b, sideNonce) != nil || field(b, sideCounter) != nil
}

// Agent returns option 82 as the client's last message had it.
func (e Entry) Agent() []byte { return field(e.t.sides[e.w.side], sideAgent) }

// Record returns the whole record.
func (e Entry) Record() Record { return e.t.record(e.w) }

// Read makes r the whole record.
func (e Entry) Read(r *Record) { e.t.read(e.w, r) }
