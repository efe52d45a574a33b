package pool

import (
	"bytes"
	"iter"
	"net/netip"
)

// Table is what the pool file says, in memory: the addresses of the pool and
// the last record of each address, with the holds that only memory knows.
// It is not safe for use by several goroutines.
type Table struct {
	rows    map[netip.Addr]*entry
	network func(netip.Addr) (netip.Prefix, bool)
	shut    bool
}

type entry struct {
	Record
	member, lendable bool
	on               netip.Prefix
	hold             Client
	until            Time
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{rows: map[netip.Addr]*entry{}}
}

// Len returns the number of addresses that are members or have a binding.
func (t *Table) Len() int { return len(t.rows) }

// ByAddr returns the record of a; one in state Free for a member never used.
func (t *Table) ByAddr(a netip.Addr) (Record, bool) {
	if e := t.rows[a]; e != nil {
		return e.Record, true
	}
	return Record{}, false
}

// Member tells whether a is in the pool, as opposed to only having a record.
func (t *Table) Member(a netip.Addr) bool { return t.rows[a] != nil && t.rows[a].member }

// ByClient returns the record of the client on network on; of several the one
// that is or was good the longest.
func (t *Table) ByClient(id []byte, on netip.Prefix) (r Record, ok bool) {
	for x := range t.AllOf(id) {
		if t.rows[x.Addr].on == on && (!ok || x.Told > r.Told) {
			r, ok = x, true
		}
	}
	return r, ok
}

// AllOf returns all records of the client.
func (t *Table) AllOf(id []byte) iter.Seq[Record] {
	return t.some(func(r *Record) bool { return r.State != Free && bytes.Equal(r.ID, id) })
}

// ByHW returns all records of clients with the hardware address.
func (t *Table) ByHW(hw HW) iter.Seq[Record] {
	return t.some(func(r *Record) bool { return r.State != Free && r.HW == hw })
}

// All returns all records, those in state Free of members never used too.
func (t *Table) All() iter.Seq[Record] { return t.some(func(*Record) bool { return true }) }

func (t *Table) some(want func(*Record) bool) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, e := range t.rows {
			if want(&e.Record) && !yield(e.Record) {
				return
			}
		}
	}
}

// Apply takes in a binding and returns what was known of the address before.
func (t *Table) Apply(r *Record) (old Record, had bool) {
	e := t.rows[r.Addr]
	if e == nil {
		e = &entry{}
		t.rows[r.Addr] = e
		old.Addr = r.Addr
	} else {
		old, had = e.Record, true
	}
	e.Record = *r
	e.ID = bytes.Clone(r.ID)
	return old, had
}

// Undo takes back an Apply, given what that returned.
func (t *Table) Undo(old *Record, had bool) {
	if had {
		t.rows[old.Addr].Record = *old
	} else {
		delete(t.rows, old.Addr)
	}
}
