package pool

import (
	"math/rand/v2"
	"testing"

	"dhcpd/internal/netip"
	"dhcpd/internal/simdisk"
)

// walkAll walks to the end in steps of some, and calls between after each.
func walkAll(t *testing.T, w *Walk, some int, now Time, between func()) map[netip.Addr]Seen {
	t.Helper()
	got := map[netip.Addr]Seen{}
	dst := make([]Seen, some)
	for more := true; more; {
		var n int
		n, more = w.Some(dst, now)
		for _, s := range dst[:n] {
			if _, twice := got[s.Addr]; twice {
				t.Fatalf("%v is met twice", s.Addr)
			}
			got[s.Addr] = s
		}
		between()
	}
	w.End()
	return got
}

// TestQ5_ExactlyOnce: whatever happens to the table meanwhile, a walk meets
// nothing twice, and all that is there all the time.
func TestQ5_ExactlyOnce(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		tab := NewTable()
		tab.Regroup(by24)
		now := Time(1000)
		anyAddr := func() netip.Addr { return ip(rnd.IntN(400)) }
		change := func() netip.Addr {
			a := anyAddr()
			switch rnd.IntN(6) {
			case 0:
				tab.Remove(a)
			case 1, 2:
				tab.Add(a)
			case 3:
				tab.Set(&Record{Addr: a})
			default:
				tab.Set(randomRecord(rnd, a, now))
			}
			return a
		}
		for range rnd.IntN(1000) {
			change()
		}
		there := map[netip.Addr]bool{}
		for r := range tab.All() {
			there[r.Addr] = true
		}
		w := tab.Walk(Key{})
		foreign := ip(1000)
		var s Seen
		if !w.Meet(foreign, &s) || s.Addr != foreign || w.Meet(foreign, &s) || tab.Len() > 0 && w.Meet(first(there), &s) {
			t.Fatal("Meet")
		}
		tab.Set(bound(foreign, 1, 1, 2000))
		got := walkAll(t, w, 1+rnd.IntN(30), now, func() {
			for range rnd.IntN(40) {
				if a := change(); !tab.At(a).Known() {
					delete(there, a)
				}
			}
		})
		for a := range there {
			if _, met := got[a]; !met {
				t.Fatalf("seed %d: %v was there all the time", seed, a)
			}
		}
		if _, met := got[foreign]; met {
			t.Fatal("what was met by Meet comes again")
		}
		if len(tab.walks) != 0 {
			t.Fatal("the walk has not ended")
		}
	}
}

func first(m map[netip.Addr]bool) (a netip.Addr) {
	for a = range m {
		break
	}
	return a
}

// TestQ5_WalkSeen: copies stay as they were, whatever becomes of the table.
func TestQ5_WalkSeen(t *testing.T) {
	tab := tableOf(ip(1), ip(2), ip(3), ip(4))
	r := bound(ip(1), 1, 10, 100)
	r.Agent, r.Class, r.Host = remoteAgent(1), []byte("class"), "name"
	tab.Apply(r)
	tab.Apply(&Record{Addr: ip(2), State: Abandoned, Since: 5})
	tab.Tick(20)
	tab.SetFree(ip(2))
	tab.Apply(&Record{Addr: ip(3), State: Relayed, Told: 1000, Client: client(3)})
	tab.Hold(ip(4), client(4), nil, 50)
	tab.Apply(bound(ip(5), 5, 10, 100))
	got := walkAll(t, tab.Walk(Key{}), 10, 20, func() {
		for n := range 9 {
			x := bound(ip(n), 9, 9, 9)
			x.Agent, x.Class, x.Host = remoteAgent(9), []byte("CLASS"), "NAME"
			tab.Apply(x)
		}
	})
	if s := got[ip(1)]; !s.Same(r) || !s.Member || s.Reset || s.Held {
		t.Errorf("leased: %+v", s)
	}
	if s := got[ip(2)]; s.State != Free || s.Since != 20 || !s.Reset {
		t.Errorf("freed: %+v", s)
	}
	if s := got[ip(3)]; s.State != Free || s.ID != nil || s.Told != 0 {
		t.Errorf("what a relay saw is told: %+v", s)
	}
	if s := got[ip(4)]; !s.Held || s.Reset {
		t.Errorf("offered: %+v", s)
	}
	if s := got[ip(5)]; s.Member || s.State != Bound {
		t.Errorf("not in the pool: %+v", s)
	}
}

// TestQ5_WalkFound: a walk over what a search finds.
func TestQ5_WalkFound(t *testing.T) {
	for what, k := range map[string]Key{"ID": {ID: etherID(1)}, "HW": {HW: ether(1)}, "remote": {Remote: []byte{'r', 1}}} {
		tab := tableOf()
		for n := range 100 {
			r := bound(ip(n), n%3, 1, 1000)
			r.Agent = remoteAgent(n % 5)
			tab.Apply(r)
		}
		want := found(tab, k)
		got := walkAll(t, tab.Walk(k), 7, 1, func() { tab.Set(&Record{Addr: want[0]}) }) // the last that it would meet
		if len(got) != len(want)-1 || len(want) < 20 {
			t.Errorf("by %s: %d of %d", what, len(got), len(want))
		}
	}
}

// TestQ5_WalkIsShort: one step of a walk is short, even where nothing is.
func TestQ5_WalkIsShort(t *testing.T) {
	tab := tableOf()
	for n := range 10_000 {
		tab.Add(ip(n))
	}
	for n := range 9_999 {
		tab.Remove(ip(n))
	}
	steps := 0
	got := walkAll(t, tab.Walk(Key{}), 10, 1, func() { steps++ })
	if len(got) != 1 || steps < 10_000/stride/10 {
		t.Errorf("%d in %d steps", len(got), steps)
	}
}

// TestQ5_ResetStays: that a command freed an address is known after a start,
// after compactions, and when the file is written anew; a lease ends that.
func TestQ5_ResetStays(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
	k, _ := mustOpen(t, d, simPath, c)
	for n := range 3 {
		k.mustCommit(&Record{Addr: ip(1 + n), State: Abandoned, Since: k.now(), Client: client(n)})
	}
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	check := func(what string, want ...bool) {
		t.Helper()
		seen := walkAll(t, k.table.Walk(Key{}), 10, k.now(), func() {})
		for n, reset := range want {
			if s := seen[ip(1+n)]; s.Reset != reset {
				t.Errorf("%s: %v reset: %v", what, s.Addr, s.Reset)
			}
		}
	}
	k.mustCommit()
	check("told by the file", true, true, false)
	k = k.reopen(c, func() {})
	check("after a start", true, true, false)
	k.compactNow()
	k = k.reopen(c, func() {})
	k.compactNow() // and what is left of it is compacted once more
	k = k.reopen(c, func() {})
	check("after compactions", true, true, false)
	k.mustCommit(k.lease(ip(2), 7, 60))
	check("leased", true, false, false)
	k = k.reopen(c, func() {})
	k.compactNow()
	k = k.reopen(c, func() {})
	check("leased and compacted", true, false, false)
	k.disk.Remove(simPath)
	if _, err := k.commit(false); err == nil { // it is gone: the next block says all
		t.Error("nobody misses the file")
	}
	k.mustCommit()
	k = k.reopen(c, func() {})
	check("written anew", true, false, false)
}
