package pool

import (
	"bytes"

	"dhcpd/internal/netip"
)

// Apply takes in a record, which ends a hold of its address, and returns what
// there was before, as Undo wants it: had is false if the address was not
// known. One in state Free takes the binding away. Membership does not change.
// r is copied, and old is a copy.
func (t *Table) Apply(r *Record) (old Record, had bool) {
	i := t.find(r.Addr)
	if i == 0 {
		old.Addr = r.Addr
	} else {
		had = true
		t.read(t.row(i), &old)
		t.keep(&old)
	}
	t.change(i, r)
	return old, had
}

// Set is Apply for what need not be undone.
func (t *Table) Set(r *Record) { t.change(t.find(r.Addr), r) }

// Undo takes back an Apply, given what that returned. Several are undone in
// reverse order.
func (t *Table) Undo(old *Record, had bool) {
	r := *old
	if !had {
		r = Record{Addr: old.Addr}
	}
	t.change(t.find(r.Addr), &r)
}

// change makes r the record of its address, which has row i, or 0 for none.
// It returns the row that the address has then.
func (t *Table) change(i uint32, r *Record) uint32 {
	switch {
	case r.State == Free && i == 0 || !r.Addr.Is4():
		return 0
	case i == 0:
		i = t.newRow(r.Addr.Number())
	case r.State == Free && !t.row(i).is(member):
		t.unbind(i)
		t.freeRow(i)
		return 0
	}
	t.letGo(i)
	w := t.row(i)
	end := w.end()
	if r.State == Free {
		t.unbind(i)
	} else {
		t.bind(i, r)
	}
	w.set(wakeful, false)
	w.set(reset, false)
	if k, at := t.wanted(w); k == leased && w.queue == leased && at >= end {
		t.count(w, k) // a renewed lease moves when its old end has come: see tick
	} else {
		t.place(i)
	}
	return i
}

// bind stores record r in row i and keeps the indexes right. A renewal
// changes neither client nor hardware address, and so no index.
func (t *Table) bind(i uint32, r *Record) {
	w := t.row(i)
	if w.state != Free && bytes.Equal(t.id(w), r.ID) && t.sameHW(w, &r.HW) {
		t.store(i, r)
		return
	}
	if w.state != Free {
		own := *r // r may hold slices of what unbind clears
		t.keep(&own)
		r = &own
		t.unbind(i)
	}
	t.store(i, r)
	t.bindings++
	if !t.loading {
		t.index(i)
	}
}

// unbind makes row i one of an address that was never used.
func (t *Table) unbind(i uint32) {
	w := t.row(i)
	if w.state == Free {
		return
	}
	if !t.loading {
		t.ids.remove(i)
		if t.indexed && w.hasHW() {
			t.hws.remove(i)
		}
	}
	t.store(i, &Record{})
	t.bindings--
}

// index puts row i into the indexes of clients.
func (t *Table) index(i uint32) {
	t.ids.insert(i)
	if t.indexed && t.row(i).hasHW() {
		t.hws.insert(i)
	}
}

// load prepares an empty table for a pool file of so many octets. An address
// that is added and leased takes some 130 of them.
func (t *Table) load(size int64) {
	t.loading = true
	n := 1 + size/128
	t.addrs.heads, t.addrs.links = make([]uint32, heads*n), make([]link, 0, n)
}

// loaded makes the index of the clients of a table that was just filled.
func (t *Table) loaded() {
	t.loading = false
	t.fill(&t.ids, func(w *row) bool { return w.state != Free })
}

// fill puts all rows that belong into an index into it: at once, which is
// quicker than one by one, and into one of the right size.
func (t *Table) fill(x *index, belongs func(w *row) bool) {
	x.heads = make([]uint32, heads*t.bindings+1)
	x.links = make([]link, t.rows)
	list := make([]uint32, 0, some)
	for i := uint32(1); i < t.rows; i++ {
		if !belongs(t.row(i)) {
			continue
		}
		if list = append(list, i); len(list) == some {
			x.insertSome(list)
			list = list[:0]
		}
	}
	x.insertSome(list)
}

// Add takes a into the pool.
func (t *Table) Add(a netip.Addr) {
	i := t.find(a)
	switch {
	case !a.Is4():
		return
	case i == 0:
		i = t.newRow(a.Number())
	case t.row(i).is(member):
		return
	}
	t.row(i).set(member, true)
	t.members++
	t.place(i)
}

// Remove takes a out of the pool. Its record stays, but it is not given out.
func (t *Table) Remove(a netip.Addr) {
	i := t.find(a)
	if i == 0 || !t.row(i).is(member) {
		return
	}
	t.row(i).set(member, false)
	t.members--
	t.letGo(i)
	t.place(i)
	if t.row(i).state == Free {
		t.freeRow(i)
	}
}

// SetFree makes an abandoned address one that was never used. It changes no
// other. A leasequery tells the difference.
func (t *Table) SetFree(a netip.Addr) {
	i := t.find(a)
	switch w := t.row(i); {
	case w.state == Abandoned:
		if i = t.change(i, &Record{Addr: a}); i == 0 {
			return
		}
		w.since = t.now
	case w.state != Free || !w.is(member):
		return
	}
	t.row(i).set(reset, true)
}

// Wake notes that the client on a is to be woken. The next record of a
// fulfils that.
func (t *Table) Wake(a netip.Addr) {
	if i := t.find(a); i != 0 {
		t.row(i).set(wakeful, true)
	}
}

// Counter is the replay counter that no message of the server has reached yet:
// the next start begins there.
func (t *Table) Counter() uint64 { return t.counter }

// SetCounter says that those below n may be used. It must be on stable storage
// before they are: see Block.Count.
func (t *Table) SetCounter(n uint64) { t.counter = n }

// woken returns the addresses whose clients are to be woken.
func (t *Table) woken() (list []netip.Addr) {
	for i := uint32(1); i < t.rows; i++ {
		if w := t.row(i); w.is(wakeful) {
			list = append(list, netip.AddrFrom(w.addr))
		}
	}
	return list
}

// Shut tells whether no address of the pool may be given out, because the
// pool file is corrupt.
func (t *Table) Shut() bool { return t.shut }

// SetShut says whether no address of the pool may be given out.
func (t *Table) SetShut(shut bool) { t.shut = shut }
