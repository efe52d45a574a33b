package pool

import (
	"runtime"
	"sync"
	"testing"
)

const million = 1_000_000

// millionLeases fills a pool with leases as Ethernet clients have them.
func millionLeases() *Table {
	t := NewTable()
	t.Regroup(by24)
	for n := range million {
		t.Add(ip(n))
	}
	for n := range million {
		t.Apply(bound(ip(n), n, 1000, Time(2000+n%3600)))
	}
	return t
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestS17_OctetsALease(t *testing.T) {
	before := heap()
	tab := millionLeases()
	each := float64(heap()-before) / million
	t.Logf("%.1f octets a lease", each)
	if each > 160 {
		t.Errorf("%.1f octets a lease, want at most 160", each)
	}
	runtime.KeepAlive(tab)
}

var shared = sync.OnceValue(millionLeases)

func benchTable(b *testing.B) *Table {
	t := shared()
	b.ReportAllocs()
	b.ResetTimer()
	return t
}

func BenchmarkByAddr(b *testing.B) {
	t := benchTable(b)
	for i := range b.N {
		if _, ok := t.ByAddr(ip(i * 7919 % million)); !ok {
			b.Fatal("lost")
		}
	}
}

func BenchmarkByClient(b *testing.B) {
	t := benchTable(b)
	id := etherID(0)
	for i := range b.N {
		n := i * 7919 % million
		id[4], id[5], id[6] = byte(n>>16), byte(n>>8), byte(n)
		if _, ok := t.ByClient(id, on(ip(n))); !ok {
			b.Fatal("lost")
		}
	}
}

func BenchmarkRenewal(b *testing.B) {
	t := benchTable(b)
	r := bound(ip(0), 0, 1000, 2000)
	for i := range b.N {
		n := i * 7919 % million
		r.Addr = ip(n)
		r.ID[4], r.ID[5], r.ID[6] = byte(n>>16), byte(n>>8), byte(n)
		copy(r.HW.Addr[:], r.ID[1:])
		r.Told = Time(6000 + i)
		t.Apply(r)
	}
}

func BenchmarkOldestThenBind(b *testing.B) {
	t := benchTable(b)
	r := bound(ip(0), 0, 1000, 2000)
	net := on(ip(0))
	now := Time(10000)
	for i := range b.N {
		a, ok := t.Oldest(net, now)
		if !ok {
			b.Fatal("none free")
		}
		t.Hold(a, r.Client, now+64)
		r.Addr, r.Told = a, now+Time(i)/1e6
		t.Apply(r)
	}
}

func BenchmarkHold(b *testing.B) {
	t := benchTable(b)
	c := client(1)
	for i := range b.N {
		t.Hold(ip(i%4096), c, 64)
	}
}
