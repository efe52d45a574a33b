package pool

import (
	"math/rand/v2"
	"testing"

	"dhcpd/internal/netip"
)

// TestR6_GleanedByEnd: what a relay saw leaves the table in the order in which
// the leases end, whatever was renewed or given up meanwhile, on networks that
// the config knows and on others.
func TestR6_GleanedByEnd(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	tab := NewTable()
	tab.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		if a.As4()[2] == 1 {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(a, 24), true
	})
	ends := map[netip.Addr]Time{}
	for range 5000 {
		a := ip(rnd.IntN(3 * 256)).As4()
		r := Record{Addr: netip.AddrFrom4(a), State: Relayed, Told: Time(1 + rnd.IntN(1000)), Client: client(int(a[3]))}
		switch rnd.IntN(8) {
		case 0:
			r.State = Free
			delete(ends, r.Addr)
		case 1:
			tab.Add(r.Addr)
			continue
		default:
			ends[r.Addr] = r.Told
		}
		tab.Apply(&r)
		if rnd.IntN(500) == 0 {
			tab.Regroup(tab.network)
		}
	}
	if len(ends) == 0 {
		t.Fatal("nothing gleaned")
	}
	for now := Time(1); now <= 1000; now++ {
		for {
			r, next, ok := tab.Gleaned(now)
			if !ok {
				if len(ends) > 0 && next <= now || len(ends) == 0 && next != 0 {
					t.Fatalf("at %d the next one ends at %d, of %d", now, next, len(ends))
				}
				break
			}
			if ends[r.Addr] != now || r.Told != now {
				t.Fatalf("at %d: %v, which ends at %d", now, r.Addr, ends[r.Addr])
			}
			delete(ends, r.Addr)
			tab.Apply(&Record{Addr: r.Addr})
		}
	}
	if len(ends) > 0 {
		t.Errorf("left over: %v", ends)
	}
}

// TestR6_GleanedIsNotFree: what a relay saw is not given out, not even when its
// lease is over, until the relay has said so.
func TestR6_GleanedIsNotFree(t *testing.T) {
	tab := tableOf(ip(1))
	tab.Apply(&Record{Addr: ip(1), State: Relayed, Told: 10, Client: client(1)})
	tab.Apply(&Record{Addr: ip(2), State: Relayed, Told: 10, Client: client(2)})
	for _, a := range []netip.Addr{ip(1), ip(2)} {
		tab.Hold(a, client(3), nil, 99)
		if _, held := tab.At(a).HeldBy(20); held || tab.At(a).Free(20) {
			t.Errorf("%v can be given out", a)
		}
	}
	if a, ok := tab.Oldest(on(ip(1)), 20); ok {
		t.Errorf("%v is the oldest", a)
	}
	tab.Apply(&Record{Addr: ip(1)})
	if !tab.At(ip(1)).Free(20) {
		t.Error("and now it is not free")
	}
}
