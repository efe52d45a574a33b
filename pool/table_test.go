package pool

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

func ip(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}) }

func ether(n int) HW {
	return HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}}
}

func etherID(n int) []byte {
	hw := ether(n)
	return append([]byte{1}, hw.Addr[:6]...)
}

func client(n int) Client { return Client{ID: etherID(n), HW: ether(n)} }

// by24 puts addresses on networks of 256, of which 10.9/16 is not lendable.
func by24(a netip.Addr) (netip.Prefix, bool) {
	return netip.PrefixFrom(a, 24).Masked(), a.As4()[1] != 9
}

func on(a netip.Addr) netip.Prefix {
	p, _ := by24(a)
	return p
}

func bound(a netip.Addr, n int, since, told Time) *Record {
	return &Record{Addr: a, State: Bound, Since: since, Told: told, Kept: told, Client: client(n)}
}

// ByClient is Of with the whole record.
func (t *Table) ByClient(id []byte, on netip.Prefix) (Record, bool) {
	e := t.Of(id, on)
	if !e.Known() {
		return Record{}, false
	}
	return e.Record(), true
}

func tableOf(addrs ...netip.Addr) *Table {
	t := NewTable()
	t.Regroup(by24)
	for _, a := range addrs {
		t.Add(a)
	}
	return t
}

func (r *Record) equal(s *Record) bool { return reflect.DeepEqual(plain(r), plain(s)) }

// plain returns a record of its own, with nil for empty slices.
func plain(r *Record) Record {
	c := *r
	for _, b := range []*[]byte{&c.ID, &c.Agent, &c.Class, &c.Decliner, &c.Nonce} {
		if *b = bytes.Clone(*b); len(*b) == 0 {
			*b = nil
		}
	}
	c.Host, c.Unknown, c.Via = strings.Clone(c.Host), strings.Clone(c.Unknown), strings.Clone(c.Via)
	return c
}

func wantRecord(t testing.TB, what string, got Record, ok bool, want *Record) {
	t.Helper()
	switch {
	case !ok:
		t.Errorf("%s: no record", what)
	case !got.equal(want):
		t.Errorf("%s:\n got %s want %s", what, lineOf(&got), lineOf(want))
	}
}

func lineOf(r *Record) string { return string(appendRecord(nil, r, 0)) }

func wantAddr(t testing.TB, what string, got netip.Addr, ok bool, want netip.Addr) {
	t.Helper()
	if got != want || ok != want.IsValid() {
		t.Errorf("%s: got %v %v, want %v", what, got, ok, want)
	}
}

func addrsOf(seq iter.Seq[Record]) (list []netip.Addr) {
	for r := range seq {
		list = append(list, r.Addr)
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list
}

// found returns the addresses that a search finds.
func found(t *Table, k Key) (list []netip.Addr) {
	s := t.Search(k)
	for e := s.Next(); e.Known(); e = s.Next() {
		list = append(list, e.Addr())
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list
}

func TestS2_OldestFirst(t *testing.T) {
	a, b, c := ip(1), ip(2), ip(3)
	tab := tableOf(c, a, b)
	next := func(now Time, want netip.Addr) {
		t.Helper()
		got, ok := tab.Oldest(on(a), now)
		wantAddr(t, fmt.Sprintf("oldest at %d", now), got, ok, want)
	}
	next(10, c) // never used: in the order in which they were added
	tab.Apply(bound(c, 1, 10, 100))
	next(10, a)
	tab.Apply(bound(a, 2, 10, 60))
	next(10, b)
	tab.Apply(bound(b, 3, 10, Infinite))
	next(59, netip.Addr{})
	next(60, a)
	next(200, a) // ended first
	tab.Apply(bound(a, 2, 10, 300))
	next(200, c)
	tab.Apply(&Record{Addr: b, State: Released, Since: 150, Told: 150, Kept: 150, Client: client(3)})
	next(200, c)
	tab.Apply(bound(c, 1, 200, 400))
	next(200, b)
	tab.Apply(&Record{Addr: b, State: Abandoned, Since: 210, Told: 210, Kept: 210, Client: client(3)})
	next(1000, a)
	got, ok := tab.OldestAbandoned(on(a))
	wantAddr(t, "abandoned", got, ok, b)
	tab.SetFree(b)
	next(1000, b) // never used again
	if tab.SetFree(a); !tab.At(a).Free(300) || tab.At(a).Free(299) {
		t.Error("SetFree touched an address that was not abandoned")
	}
}

func TestS7_OldestAbandonedLastResort(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(3))
	for i, since := range []Time{30, 10, 20} {
		tab.Apply(&Record{Addr: ip(i + 1), State: Abandoned, Since: since})
	}
	if a, ok := tab.Oldest(on(ip(1)), 1e9); ok {
		t.Errorf("%v given out as if it were free", a)
	}
	got, ok := tab.OldestAbandoned(on(ip(1)))
	wantAddr(t, "abandoned longest", got, ok, ip(2))
	tab.Hold(ip(2), client(1), nil, 50) // offered: not to the next one, too
	got, ok = tab.OldestAbandoned(on(ip(1)))
	wantAddr(t, "next", got, ok, ip(3))
	tab.Tick(50)
	got, ok = tab.OldestAbandoned(on(ip(1)))
	wantAddr(t, "after the hold", got, ok, ip(2))
}

func TestS3_HoldIsMemoryOnly(t *testing.T) {
	a, b := ip(1), ip(2)
	tab := tableOf(a, b)
	net := on(a)
	tab.Hold(a, client(1), nil, 74)
	if tab.At(a).Free(73) || !tab.At(a).Free(74) {
		t.Error("a hold lasts until its end")
	}
	got, ok := tab.Oldest(net, 20)
	wantAddr(t, "oldest beside a hold", got, ok, b)
	got, ok = tab.HeldFor(etherID(1), net, 20)
	wantAddr(t, "held for the client", got, ok, a)
	if got, ok := tab.HeldFor(etherID(1), on(ip(300)), 20); ok {
		t.Errorf("held on another network: %v", got)
	}
	if c, ok := tab.At(a).HeldBy(73); !ok || !bytes.Equal(c.ID, etherID(1)) || c.HW != ether(1) {
		t.Errorf("held by %v %v", c, ok)
	}
	if _, ok := tab.At(a).HeldBy(74); ok {
		t.Error("held beyond its end")
	}
	if r, _ := tab.ByAddr(a); r.State != Free || len(r.ID) > 0 {
		t.Errorf("a hold shows in the record: %v", r)
	}
	got, ok = tab.Oldest(net, 74)
	wantAddr(t, "oldest after the hold", got, ok, a)
	if _, ok := tab.HeldFor(etherID(1), net, 0); ok {
		t.Error("a hold that is over was not forgotten")
	}
	tab.Hold(b, client(2), nil, 99)
	tab.Unhold(b)
	if !tab.At(b).Free(1) {
		t.Error("Unhold does not free")
	}
	tab.Hold(b, client(2), nil, 99)
	tab.Apply(bound(b, 2, 5, 10))
	if _, ok := tab.At(b).HeldBy(6); ok || !tab.At(b).Free(10) {
		t.Error("a record does not end the hold")
	}
}

func TestL4_RemovedLeaseStaysKnown(t *testing.T) {
	a := ip(1)
	tab := tableOf(a)
	want := bound(a, 1, 10, 100)
	tab.Apply(want)
	tab.Remove(a)
	if tab.Member(a) || tab.At(a).Free(1e9) {
		t.Error("still in the pool")
	}
	if x, ok := tab.Oldest(on(a), 1e9); ok {
		t.Errorf("%v given out", x)
	}
	got, ok := tab.ByAddr(a)
	wantRecord(t, "by address", got, ok, want)
	got, ok = tab.ByClient(etherID(1), on(a))
	wantRecord(t, "by client", got, ok, want)
	tab.Add(a)
	if !tab.Member(a) || tab.At(a).Free(99) || !tab.At(a).Free(100) {
		t.Error("added again, but the lease is not what it was")
	}
	tab.Add(ip(2))
	tab.Remove(ip(2))
	if _, ok := tab.ByAddr(ip(2)); ok || tab.Len() != 1 {
		t.Error("a removed address without a record is still known")
	}
}

func TestTable_FixedAndRelayedAreNotMembers(t *testing.T) {
	tab := tableOf(ip(1))
	tab.Apply(&Record{Addr: ip(2), State: Fixed, Told: 10, Client: client(2)})
	tab.Apply(&Record{Addr: ip(1), State: Relayed, Told: 10, Client: client(1)})
	if tab.Member(ip(2)) || tab.At(ip(2)).Free(99) || tab.At(ip(1)).Free(99) {
		t.Error("given out")
	}
	if a, ok := tab.Oldest(on(ip(1)), 99); ok {
		t.Errorf("%v given out", a)
	}
	r, ok := tab.ByClient(etherID(2), on(ip(2)))
	wantRecord(t, "fixed", r, ok, &Record{Addr: ip(2), State: Fixed, Told: 10, Client: client(2)})
	tab.Apply(&Record{Addr: ip(2)})
	tab.Apply(&Record{Addr: ip(1)})
	if _, ok := tab.ByAddr(ip(2)); ok || tab.Len() != 1 || !tab.At(ip(1)).Free(0) {
		t.Error("bindings taken away are still there")
	}
}

func TestTable_ByClientTakesTheBest(t *testing.T) {
	id := etherID(1)
	tests := []struct {
		name string
		have []Record
		want int
	}{
		{"the later end", []Record{{State: Bound, Told: 5}, {State: Bound, Told: 9}}, 1},
		{"released counts from then", []Record{{State: Bound, Told: 5}, {State: Released, Since: 4, Told: 90}}, 0},
		{"a declined one last", []Record{{State: Abandoned, Told: 9, Since: 9}, {State: Bound, Told: 5}}, 1},
		{"a gleaned one very last", []Record{{State: Relayed, Told: 99}, {State: Abandoned, Since: 1}}, 1},
		{"equal: the lower address", []Record{{State: Fixed, Told: 5}, {State: Bound, Told: 5}}, 0},
	}
	for _, tt := range tests {
		tab := tableOf()
		for i, r := range tt.have {
			r.Addr, r.ID = ip(i+1), id
			tab.Apply(&r)
		}
		r, ok := tab.ByClient(id, on(ip(1)))
		wantAddr(t, tt.name, r.Addr, ok, ip(tt.want+1))
	}
}

// With all in one chain every look-up meets keys that are not its own.
func TestTable_EqualHashes(t *testing.T) {
	tab := tableOf()
	tab.Index()
	for _, x := range []*index{&tab.addrs, &tab.ids, &tab.hws, &tab.held} {
		x.n = -1000 // no chain is split before that many
	}
	for n := range 40 {
		tab.Add(ip(n + 100))
		tab.Hold(ip(n+100), client(n), nil, 9)
		tab.Apply(bound(ip(n), n, 1, 2))
	}
	for n := range 40 {
		r, ok := tab.ByClient(etherID(n), on(ip(n)))
		wantRecord(t, "by client", r, ok, bound(ip(n), n, 1, 2))
		r, ok = tab.ByAddr(ip(n))
		wantRecord(t, "by address", r, ok, bound(ip(n), n, 1, 2))
		if got := found(tab, Key{HW: ether(n)}); !slices.Equal(got, []netip.Addr{ip(n)}) {
			t.Errorf("by hardware address: %v", got)
		}
		a, ok := tab.HeldFor(etherID(n), on(ip(0)), 1)
		wantAddr(t, "held", a, ok, ip(n+100))
	}
	for n := range 40 {
		tab.Apply(&Record{Addr: ip(n * 7 % 40)})
		tab.Remove(ip(n*11%40 + 100))
	}
	for _, x := range []*index{&tab.addrs, &tab.ids, &tab.hws, &tab.held} {
		if x.n != -1000 || x.heads[0] != 0 {
			t.Errorf("%d left in the chain, first %d", x.n+1000, x.heads[0])
		}
	}
}

func TestTable_OneClientManyNetworks(t *testing.T) {
	tab := tableOf()
	const nets = 1000
	for n := range nets {
		r := bound(ip(n*256+5), 1, 1, Time(n+1))
		tab.Apply(r)
	}
	for n := range nets {
		r, ok := tab.ByClient(etherID(1), on(ip(n*256)))
		wantAddr(t, "on its network", r.Addr, ok, ip(n*256+5))
	}
	if got := addrsOf(tab.AllOf(etherID(1))); len(got) != nets {
		t.Errorf("%d records of the client, want %d", len(got), nets)
	}
	if got := found(tab, Key{HW: ether(1)}); len(got) != nets {
		t.Errorf("%d records of the hardware address, want %d", len(got), nets)
	}
}

func TestTable_IDsOfAnyLength(t *testing.T) {
	tab := tableOf()
	long := bytes.Repeat([]byte{0xfe, 1, 2, 3}, 250)
	for n := range 300 {
		for h := range 17 {
			r := bound(ip(n*256+h), 0, 1, 2)
			r.ID = append(bytes.Clone(long[:n]), byte(h), byte(n))[:n+min(h, 2)]
			r.HW = HW{Type: 32, Len: uint8(h)}
			copy(r.HW.Addr[:h], long[7:])
			tab.Apply(r)
			got, ok := tab.ByAddr(r.Addr)
			wantRecord(t, "by address", got, ok, r)
			got, ok = tab.ByClient(r.ID, on(r.Addr))
			if !ok || !bytes.Equal(got.ID, r.ID) {
				t.Fatalf("ID of %d octets, hardware address of %d: not found by ID", len(r.ID), h)
			}
			if !slices.Contains(found(tab, Key{HW: r.HW}), r.Addr) {
				t.Fatalf("hardware address of %d octets: not found by it", h)
			}
		}
	}
}

func TestTable_OnlyAddresses(t *testing.T) {
	none := netip.Addr{}
	tab := tableOf(none)
	b := (&File{}).NewBlock(tab)
	r := bound(none, 1, 1, 2)
	_, had := tab.Apply(r)
	b.Add(r, false)
	if _, ok := tab.ByAddr(none); ok || had || tab.Len() != 0 || !b.Empty() {
		t.Error("what has no address was taken in")
	}
}

func TestTable_ShutGivesNothing(t *testing.T) {
	tab := tableOf(ip(1), ip(2))
	tab.Apply(&Record{Addr: ip(2), State: Abandoned})
	tab.SetShut(true)
	_, oldest := tab.Oldest(on(ip(1)), 9)
	_, abandoned := tab.OldestAbandoned(on(ip(1)))
	if !tab.Shut() || oldest || abandoned || tab.At(ip(1)).Free(9) {
		t.Error("an address of a corrupt pool was given out")
	}
	tab.Take(&Changes{Mended: true})
	if tab.Shut() || !tab.At(ip(1)).Free(9) {
		t.Error("still shut")
	}
}

func TestTable_ResetKeepsBindings(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(3))
	ours := bound(ip(1), 1, 5, 50)
	tab.Apply(ours)
	theirs := bound(ip(1), 9, 1, 10)
	more := bound(ip(3), 3, 1, 10)
	tab.Take(&Changes{Reset: true, Add: []netip.Addr{ip(3), ip(4)}, Records: []Record{*theirs, *more}})
	for a, want := range map[netip.Addr]bool{ip(1): false, ip(2): false, ip(3): true, ip(4): true} {
		if tab.Member(a) != want {
			t.Errorf("%v is in the pool: %v", a, !want)
		}
	}
	r, ok := tab.ByAddr(ip(1))
	wantRecord(t, "ours", r, ok, ours)
	r, ok = tab.ByAddr(ip(3))
	wantRecord(t, "what only they had", r, ok, more)
}

// A record given to Apply may be made of what the table itself returned.
func TestTable_ApplyOfItsOwnMemory(t *testing.T) {
	tab := tableOf(ip(1))
	first := bound(ip(1), 1, 1, 2)
	first.ID = bytes.Repeat([]byte{7}, 40)
	first.Agent, first.Class, first.Host = []byte("agent agent"), []byte("class"), "host"
	tab.Apply(first)
	r, _ := tab.ByAddr(ip(1))
	r.Agent, r.Class, r.HW = r.Class, r.Agent, HW{Type: 6, Len: 2, Addr: [16]byte{1, 2}}
	want := plain(&r)
	old, had := tab.Apply(&r)
	got, ok := tab.ByAddr(ip(1))
	wantRecord(t, "swapped", got, ok, &want)
	tab.Undo(&old, had)
	got, ok = tab.ByAddr(ip(1))
	wantRecord(t, "undone", got, ok, first)
}

// randomRecord returns a record with anything in it.
func randomRecord(rnd *rand.Rand, a netip.Addr, now Time) *Record {
	n := rnd.IntN(30)
	r := &Record{Addr: a, State: Bound + State(rnd.IntN(5)), Client: client(n)}
	r.Since = now - Time(rnd.IntN(100))
	r.Told = now + Time(rnd.IntN(100)) - 20
	r.Kept = r.Told + Time(rnd.IntN(50))
	if rnd.IntN(8) == 0 {
		r.Told, r.Kept = Infinite, Infinite
	}
	if rnd.IntN(4) == 0 {
		r.ID = bytes.Repeat([]byte{byte(n)}, rnd.IntN(300))
	}
	if rnd.IntN(8) == 0 {
		r.HW = HW{Type: uint8(rnd.IntN(3)), Len: 16, Addr: [16]byte{3: byte(n), 15: 9}}
	}
	if rnd.IntN(3) == 0 {
		randomExtra(rnd, &r.Extra, now)
	}
	return r
}

// remoteAgent is option 82 with the remote ID of line n.
func remoteAgent(n int) []byte { return []byte{1, 1, 'c', 2, 2, 'r', byte(n)} }

func randomExtra(rnd *rand.Rand, x *Extra, now Time) {
	some := func() []byte {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
		}
		return b
	}
	x.Agent, x.Class, x.Host, x.Last = some(), some(), string(some()), now-5
	if rnd.IntN(2) == 0 {
		x.Agent = remoteAgent(rnd.IntN(30))
	}
	if rnd.IntN(2) == 0 {
		x.Decliner, x.Nonce, x.Counter = some(), some(), rnd.Uint64()
		x.Holder, x.Check = ether(rnd.IntN(99)), true
	}
	if rnd.IntN(4) == 0 {
		x.Unknown = `colour=blue motto="so so"`
		x.Via, x.Server = "eth0.17", netip.AddrFrom4([4]byte{10, 9, 8, byte(rnd.IntN(256))})
	}
}
