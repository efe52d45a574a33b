package pool

import "dhcpd/internal/netip"

// Walk goes over a table a few addresses at a time, while that changes in
// between: what is there all the time is met once, and nothing is met twice.
type Walk struct {
	t     *Table
	list  []uint32        // of a search: the addresses that were found
	next  uint32          // in that, or else of the rows
	found bool            // it is a search
	met   map[uint32]bool // addresses that were met and may come again in another row
}

// Seen is an address as a Walk met it.
type Seen struct {
	Record      // a relayed one is not told: as if there was none
	Member bool // in the pool
	Reset  bool // never used since a command freed it
	Held   bool // OFFERed to a client
}

// Walk begins one: over what Search finds by a key, or over all with the zero
// Key. It is to be ended by End.
func (t *Table) Walk(k Key) *Walk {
	w := &Walk{t: t, next: 1, met: map[uint32]bool{}}
	if len(k.ID) == 0 && len(k.Remote) == 0 && k.HW == (HW{}) {
		t.walks = append(t.walks, w)
		return w
	}
	w.next, w.found = 0, true
	s := t.Search(k)
	for e := s.Next(); e.Known(); e = s.Next() {
		w.list = append(w.list, e.w.addr)
	}
	return w
}

// End ends the walk.
func (w *Walk) End() {
	t := w.t
	for i := range t.walks {
		if t.walks[i] == w {
			last := len(t.walks) - 1
			t.walks[i], t.walks[last] = t.walks[last], nil
			t.walks = t.walks[:last]
			return
		}
	}
}

// Meet tells whether a is not in the table, and then counts it as met, as an
// address that was never used: the walk will not come to it, even if it is put
// in.
func (w *Walk) Meet(a netip.Addr, s *Seen) bool {
	n := a.Number()
	if w.t.find(a) != 0 || w.met[n] {
		return false
	}
	w.met[n] = true
	*s = Seen{}
	s.Addr = a
	return true
}

// stride is how many rows that nobody uses a walk passes by in one step, for
// each address that there is room for.
const stride = 16

// Some fills in the next ones, as copies that stay good, and returns how many;
// there may be more as long as it says so.
func (w *Walk) Some(dst []Seen, now Time) (n int, more bool) {
	end := w.t.rows
	if w.found {
		end = uint32(len(w.list))
	}
	for range stride * len(dst) {
		if n == len(dst) || w.next >= end {
			break
		}
		i := w.next
		if w.found {
			i = w.t.find(netip.AddrFrom(w.list[i]))
		}
		w.next++
		if r := w.t.row(i); r.is(live) && !w.met[r.addr] {
			w.t.see(r, &dst[n], now)
			n++
		}
	}
	return n, w.next < end
}

// See fills in s about one address, as Some does; false if the table does not
// have it.
func (t *Table) See(a netip.Addr, s *Seen, now Time) bool {
	i := t.find(a)
	if i == 0 {
		return false
	}
	t.see(t.row(i), s, now)
	return true
}

// see copies what there is to tell of row w.
func (t *Table) see(w *row, s *Seen, now Time) {
	s.Member, s.Reset, s.Held = w.is(member), w.is(reset), t.isHeld(w, now)
	t.read(w, &s.Record)
	if w.state == Relayed {
		s.Record = Record{Addr: s.Addr}
	}
	t.keep(&s.Record)
}

// forget notes that row i is given up, so that its address may come again.
func (t *Table) forget(i uint32) {
	for _, w := range t.walks {
		if i < w.next {
			w.met[t.row(i).addr] = true
		}
	}
}
