package pool

import "bytes"

// Key is what bindings are searched by: the first of its fields that is set.
type Key struct {
	ID     []byte
	Remote []byte // remote ID, of option 82
	HW     HW
}

// Search is a search for the bindings that have a Key. It is good until the
// table's next change.
type Search struct {
	t    *Table
	x    *index
	next uint32
	key  Key
}

// Search begins a search. The first one by something else than client ID takes
// as long as a look at each record: see Index.
func (t *Table) Search(k Key) Search {
	s := Search{t: t, key: k}
	hash := uint32(0)
	switch {
	case len(k.ID) > 0:
		s.x, hash = &t.ids, t.hashID(k.ID)
	case len(k.Remote) > 0:
		s.x, hash = &t.remotes, t.hashID(k.Remote)
	default:
		s.x, hash = &t.hws, t.hashHW(k.HW.Type, k.HW.octets())
	}
	if s.x != &t.ids {
		t.Index()
	}
	s.next = s.x.first(hash)
	return s
}

// Next returns the next entry found; one that is not Known after the last.
func (s *Search) Next() Entry {
	t := s.t
	for s.next != 0 {
		w := t.row(s.next)
		s.next = s.x.next(s.next)
		if s.finds(w) {
			return Entry{t, w}
		}
	}
	return Entry{t, t.row(0)}
}

func (s *Search) finds(w *row) bool {
	switch {
	case len(s.key.ID) > 0:
		return bytes.Equal(s.t.id(w), s.key.ID)
	case len(s.key.Remote) > 0:
		return bytes.Equal(s.t.remote(w), s.key.Remote)
	}
	return s.t.sameHW(w, &s.key.HW)
}

// Index makes the indexes by hardware address and remote ID, which are kept
// from then on: where nobody ever asks, they cost neither time nor memory.
func (t *Table) Index() {
	if t.indexed {
		return
	}
	t.indexed = true
	t.fill(&t.hws, (*row).hasHW)
	for i := uint32(1); i < t.rows; i++ {
		if t.remote(t.row(i)) != nil {
			t.remotes.insert(i)
		}
	}
}

// remote returns the remote ID that the client of w came with.
func (t *Table) remote(w *row) []byte {
	if w.side == 0 {
		return nil
	}
	return sub(field(t.sides[w.side], sideAgent), remoteID)
}

// sub returns a sub-option of option 82, as dhcp4.Sub does: the records are told
// by the wire, and yet no wire reaches down here.
func sub(agent []byte, code byte) []byte {
	var value []byte
	for len(agent) > 0 {
		if len(agent) < 2 || len(agent) < 2+int(agent[1]) {
			return nil
		}
		n := 2 + int(agent[1])
		if agent[0] == code && value == nil {
			value = agent[2:n:n]
		}
		agent = agent[n:]
	}
	if len(value) == 0 {
		return nil
	}
	return value
}
