package pool

import (
	"bytes"

	"dhcpd/internal/netip"
)

// row is one address in memory: 80 octets without a pointer, so that the
// garbage collector has nothing to look at in a million of them. Rows are
// known by number; 0 is none. What is rare or long is on the side.
type row struct {
	since, told, kept, last Time

	addr uint32
	pos  uint32 // its place in its queue; while loading: its segment of the timeline; of an unused row: the next unused
	net  uint32 // its network, by number in Table.nets
	side uint32 // by number in Table.sides
	hold uint32 // by number in Table.holds

	circuit uint32 // by number in Table.circuits, if it is in use on one

	state         State
	queue         kind
	flags         flag
	hwType, hwLen uint8
	idLen         uint8
	buf           [inline]byte // hardware address, then client ID
}

// inline is the room for hardware address and client ID within a row: enough
// for Ethernet, and for client IDs that are made of it.
const inline = 18

type flag uint8

const (
	live     flag = 1 << iota // the row is in use
	member                    // in the pool
	lendable                  // the config has nothing against giving it out
	check                     // Extra.Check
	wakeful                   // the client is to be woken
	long                      // hardware address and client ID are on the side
	reset                     // a command has made it free, and nobody has used it since
	asleep                    // Extra.Asleep
)

func (w *row) is(f flag) bool { return w.flags&f != 0 }

func (w *row) set(f flag, on bool) {
	w.flags &^= f
	if on {
		w.flags |= f
	}
}

// end returns when the last lease ended or will end; 0 for never used.
func (w *row) end() Time {
	switch w.state {
	case Free:
		return 0
	case Released:
		return w.since
	}
	return w.told
}

// Rows come in chunks: a growing table never copies what it has.
const chunk = 256

func (t *Table) row(i uint32) *row { return &t.chunks[i/chunk][i%chunk] }

// newRow makes a row for address a and returns its number.
func (t *Table) newRow(a uint32) uint32 {
	i := t.spare
	if i != 0 {
		t.spare = t.row(i).pos
	} else {
		if t.rows%chunk == 0 {
			t.chunks = append(t.chunks, new([chunk]row))
		}
		i = t.rows
		t.rows++
	}
	*t.row(i) = row{addr: a, flags: live}
	t.addrs.insert(i)
	t.group(i)
	t.used++
	return i
}

// freeRow gives up a row that is neither a member nor has a binding.
func (t *Table) freeRow(i uint32) {
	t.forget(i)
	t.letGo(i)
	t.dequeue(i)
	t.addrs.remove(i)
	*t.row(i) = row{pos: t.spare}
	t.spare = i
	t.used--
}

// find returns the number of a's row, 0 for none.
func (t *Table) find(a netip.Addr) uint32 {
	if !a.Is4() {
		return 0
	}
	n := a.Number()
	if w := t.row(t.found); w.addr == n && w.is(live) {
		return t.found
	}
	for i := t.addrs.first(hashAddr(n)); i != 0; i = t.addrs.next(i) {
		if t.row(i).addr == n {
			t.found = i
			return i
		}
	}
	return 0
}

// record returns what row w says. Its slices are the table's own memory.
func (t *Table) record(w *row) (r Record) {
	t.read(w, &r)
	return r
}

// read makes r what row w says: a Record is large.
func (t *Table) read(w *row, r *Record) {
	*r = Record{}
	r.Addr, r.State = netip.AddrFrom(w.addr), w.state
	r.Since, r.Told, r.Kept, r.Last = w.since, w.told, w.kept, w.last
	r.Check, r.Asleep = w.is(check), w.is(asleep)
	r.HW.Type, r.HW.Len = w.hwType, w.hwLen
	if !w.is(long) {
		copy(r.HW.Addr[:], w.buf[:w.hwLen])
		r.ID = w.buf[w.hwLen:][:w.idLen:w.idLen]
	}
	if w.side != 0 {
		unfold(t.sides[w.side], r)
	}
}

// id returns the client ID of w, without the cost of a whole record.
func (t *Table) id(w *row) []byte {
	if w.is(long) {
		return field(t.sides[w.side], sideID)
	}
	return w.buf[w.hwLen:][:w.idLen:w.idLen]
}

// hw returns the type and the octets of the hardware address of w.
func (t *Table) hw(w *row) (kind uint8, addr []byte) {
	if w.is(long) {
		return w.hwType, field(t.sides[w.side], sideHW)[:w.hwLen]
	}
	return w.hwType, w.buf[:w.hwLen]
}

func (w *row) hasHW() bool { return w.hwType != 0 || w.hwLen != 0 }

// octets returns the octets of hw that count.
func (hw *HW) octets() []byte { return hw.Addr[:min(int(hw.Len), len(hw.Addr))] }

func (t *Table) sameHW(w *row, hw *HW) bool {
	kind, addr := t.hw(w)
	return kind == hw.Type && bytes.Equal(addr, hw.octets())
}

// store puts r into row i, which is in no index but those of addresses and of
// remote IDs, which a renewal may change.
// r may hold slices of the row's own memory.
func (t *Table) store(i uint32, r *Record) {
	w := t.row(i)
	n := len(r.HW.octets())
	isLong := n+len(r.ID) > inline
	t.scratch = fold(t.scratch[:0], r, isLong)

	var buf [inline]byte
	if !isLong {
		copy(buf[:n], r.HW.Addr[:])
		copy(buf[n:], r.ID)
		w.idLen = uint8(len(r.ID))
	}
	moved := t.indexed && !bytes.Equal(t.remote(w), sub(r.Agent, remoteID))
	if moved && t.remote(w) != nil {
		t.remotes.remove(i)
	}
	w.buf = buf
	w.since, w.told, w.kept, w.last = r.Since, r.Told, r.Kept, r.Last
	w.state, w.hwType, w.hwLen = r.State, r.HW.Type, uint8(n)
	w.set(check, r.Check)
	w.set(asleep, r.Asleep)
	w.set(long, isLong)
	t.setSide(w, t.scratch)
	if moved && t.remote(w) != nil {
		t.remotes.insert(i)
	}
}
