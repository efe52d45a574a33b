package pool

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"dhcpd/internal/netip"
)

// model is a table that is too simple to be wrong.
type model struct {
	recs    map[netip.Addr]Record // bindings
	members map[netip.Addr]int    // and when they were added
	holds   map[netip.Addr]Client
	until   map[netip.Addr]Time
	added   int
}

func newModel() *model {
	return &model{map[netip.Addr]Record{}, map[netip.Addr]int{}, map[netip.Addr]Client{}, map[netip.Addr]Time{}, 0}
}

func (m *model) apply(r *Record) {
	m.unhold(r.Addr)
	if r.State == Free {
		delete(m.recs, r.Addr)
	} else {
		m.recs[r.Addr] = plain(r)
	}
}

func (m *model) add(a netip.Addr) {
	if _, ok := m.members[a]; !ok {
		m.added++
		m.members[a] = m.added
	}
}

func (m *model) remove(a netip.Addr) {
	m.unhold(a)
	delete(m.members, a)
}

func (m *model) unhold(a netip.Addr) {
	delete(m.holds, a)
	delete(m.until, a)
}

func (m *model) end(a netip.Addr) Time {
	switch r := m.recs[a]; r.State {
	case Free:
		return 0
	case Released:
		return r.Since
	default:
		return r.Told
	}
}

func (m *model) placed(a netip.Addr) bool {
	_, member := m.members[a]
	_, lendable := by24(a)
	return member && lendable && m.recs[a].State != Relayed
}

// keeps tells whether the client's own lease keeps a for it until then.
func (m *model) keeps(a netip.Addr, c Client, now, until Time) bool {
	r := m.recs[a]
	return r.State != Abandoned && m.end(a) > now && m.end(a) >= until && bytes.Equal(r.ID, c.ID)
}

func (m *model) free(a netip.Addr, now Time) bool {
	return m.placed(a) && m.recs[a].State != Abandoned && m.end(a) <= now && m.until[a] <= now
}

// mayBeOldest tells whether a is a right answer of Oldest: of those that were
// never used any will do, since which is known longest is the table's affair.
func (m *model) mayBeOldest(a netip.Addr, net netip.Prefix, now Time) bool {
	for b := range m.members {
		if on(b) == net && m.free(b, now) && m.end(b) < m.end(a) {
			return false
		}
	}
	return on(a) == net && m.free(a, now)
}

func (m *model) anyFree(net netip.Prefix, now Time) bool {
	for b := range m.members {
		if on(b) == net && m.free(b, now) {
			return true
		}
	}
	return false
}

type undoable struct {
	old   Record
	had   bool
	model Record
	bound bool
}

// pair is a table and its model.
type pair struct {
	t   *testing.T
	rnd *rand.Rand
	tab *Table
	m   *model
	now Time
}

func newPair(t *testing.T, rnd *rand.Rand) *pair { return &pair{t, rnd, tableOf(), newModel(), 1000} }

func (p *pair) anyAddr() netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(8 + p.rnd.IntN(2)), byte(p.rnd.IntN(3)), byte(p.rnd.IntN(12))})
}

// step does anything to both.
func (p *pair) step() {
	rnd, tab, m, a := p.rnd, p.tab, p.m, p.anyAddr()
	switch rnd.IntN(12) {
	case 0, 1:
		tab.Add(a)
		m.add(a)
	case 2:
		tab.Remove(a)
		m.remove(a)
	case 3:
		tab.SetFree(a)
		if m.recs[a].State == Abandoned {
			m.apply(&Record{Addr: a})
		}
	case 4:
		tab.Regroup(by24)
	case 5:
		c, until := client(rnd.IntN(30)), p.now+Time(rnd.IntN(30))
		tab.Hold(a, c, nil, until)
		if m.unhold(a); m.placed(a) && !m.keeps(a, c, p.now, until) {
			m.holds[a], m.until[a] = c, until
		}
	case 6:
		tab.Unhold(a)
		m.unhold(a)
	case 7:
		tab.Tick(p.now)
	case 8:
		undoSome(p.t, rnd, tab, m, p.anyAddr, p.now)
	default:
		r := randomRecord(rnd, a, p.now)
		if rnd.IntN(9) == 0 {
			r = &Record{Addr: a}
		}
		tab.Apply(r)
		m.apply(r)
	}
	p.now += Time(rnd.IntN(4))
}

// TestTable_AgainstModel does anything in any order.
func TestTable_AgainstModel(t *testing.T) {
	for seed := range uint64(40) {
		p := newPair(t, rand.New(rand.NewPCG(seed, 1)))
		for step := range 1500 {
			p.step()
			if step%10 == 0 {
				compare(t, p.rnd, p.tab, p.m, p.now)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
}

// undoSome applies records and takes them back in reverse order.
func undoSome(t *testing.T, rnd *rand.Rand, tab *Table, m *model, anyAddr func() netip.Addr, now Time) {
	var list []undoable
	for range rnd.IntN(9) {
		r := randomRecord(rnd, anyAddr(), now)
		was, bound := m.recs[r.Addr]
		old, had := tab.Apply(r)
		m.apply(r) // which ends the hold for good
		list = append(list, undoable{old, had, was, bound})
		if _, member := m.members[r.Addr]; had != (bound || member) {
			t.Errorf("Apply says had %v", had)
		}
		if bound && !old.equal(&was) {
			t.Errorf("Apply returns\n%s want %s", lineOf(&old), lineOf(&was))
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		u := &list[i]
		tab.Undo(&u.old, u.had)
		if delete(m.recs, u.old.Addr); u.bound {
			m.recs[u.old.Addr] = u.model
		}
	}
}

func compare(t *testing.T, rnd *rand.Rand, tab *Table, m *model, now Time) {
	t.Helper()
	all := map[netip.Addr]bool{}
	for r := range tab.All() {
		all[r.Addr] = true
	}
	want := map[netip.Addr]bool{}
	for a := range m.members {
		want[a] = true
	}
	for a := range m.recs {
		want[a] = true
	}
	if len(all) != len(want) || tab.Len() != len(want) || tab.members != len(m.members) || tab.bindings != len(m.recs) {
		t.Errorf("%d addresses (Len %d), want %d; %d members, want %d; %d bindings, want %d", len(all), tab.Len(),
			len(want), tab.members, len(m.members), tab.bindings, len(m.recs))
	}
	for a := range want {
		compareAddr(t, tab, m, a, now)
	}
	compareClients(t, tab, m, rnd.IntN(30), now)
	for _, net := range []string{"10.8.0.0/24", "10.8.1.0/24", "10.9.0.0/24"} {
		compareNet(t, tab, m, netip.MustParsePrefix(net), now)
	}
}

func compareAddr(t *testing.T, tab *Table, m *model, a netip.Addr, now Time) {
	t.Helper()
	rec := m.recs[a]
	rec.Addr = a
	if r, _ := tab.ByAddr(a); rec.State == Free && r.Since <= now {
		rec.Since = r.Since // when a command freed it
	}
	got, ok := tab.ByAddr(a)
	wantRecord(t, "by address", got, ok, &rec)
	if _, member := m.members[a]; tab.Member(a) != member {
		t.Errorf("%v member: %v", a, !member)
	}
	if tab.At(a).Free(now) != m.free(a, now) {
		t.Errorf("%v free: %v", a, !m.free(a, now))
	}
	c, held := tab.At(a).HeldBy(now)
	if want := m.until[a] > now; held != want || held && !bytes.Equal(c.ID, m.holds[a].ID) {
		t.Errorf("%v held by %x %v", a, c.ID, held)
	}
}

func compareClients(t *testing.T, tab *Table, m *model, n int, now Time) {
	t.Helper()
	var byID, byHW, byRemote []netip.Addr
	held := false
	net := netip.MustParsePrefix("10.8.0.0/24")
	for a, r := range m.recs {
		if bytes.Equal(r.ID, etherID(n)) {
			byID = append(byID, a)
		}
		if r.HW == ether(n) {
			byHW = append(byHW, a)
		}
		if bytes.Equal(sub(r.Agent, remoteID), []byte{'r', byte(n)}) {
			byRemote = append(byRemote, a)
		}
	}
	for a, c := range m.holds {
		held = held || on(a) == net && m.until[a] > now && bytes.Equal(c.ID, etherID(n))
	}
	slices.SortFunc(byID, netip.Addr.Compare)
	slices.SortFunc(byHW, netip.Addr.Compare)
	slices.SortFunc(byRemote, netip.Addr.Compare)
	if got := addrsOf(tab.AllOf(etherID(n))); !slices.Equal(got, byID) {
		t.Errorf("client has %v, want %v", got, byID)
	}
	if got := found(tab, Key{ID: etherID(n)}); !slices.Equal(got, byID) {
		t.Errorf("search for a client: %v, want %v", got, byID)
	}
	if !tab.indexed && n > 0 {
		// Not yet: the indexes are made at a time of their own.
	} else if got := found(tab, Key{HW: ether(n)}); !slices.Equal(got, byHW) {
		t.Errorf("hardware address has %v, want %v", got, byHW)
	} else if got := found(tab, Key{Remote: []byte{'r', byte(n)}}); !slices.Equal(got, byRemote) {
		t.Errorf("remote ID has %v, want %v", got, byRemote)
	}
	if r, ok := tab.ByClient(etherID(n), net); ok && !(on(r.Addr) == net && slices.Contains(byID, r.Addr)) {
		t.Errorf("client has %v", r.Addr)
	} else if !ok && slices.ContainsFunc(byID, net.Contains) {
		t.Errorf("client not found on %v", net)
	}
	if _, ok := tab.HeldFor(etherID(n), net, now); ok != held {
		t.Errorf("held for client: %v", ok)
	}
}

func compareNet(t *testing.T, tab *Table, m *model, net netip.Prefix, now Time) {
	t.Helper()
	a, ok := tab.Oldest(net, now)
	if ok != m.anyFree(net, now) || ok && !m.mayBeOldest(a, net, now) {
		t.Errorf("oldest on %v: %v %v", net, a, ok)
	}
	b, ok := tab.OldestAbandoned(net)
	for c, r := range m.recs {
		offered := m.until[c] > now || !m.placed(c) || r.State != Abandoned || on(c) != net
		if !offered && (!ok || r.Since < m.recs[b].Since) {
			t.Errorf("oldest abandoned on %v: %v %v, not %v", net, b, ok, c)
		}
	}
	if ok && (m.recs[b].State != Abandoned || !m.placed(b) || m.until[b] > now) {
		t.Errorf("abandoned on %v: %v", net, b)
	}
}
