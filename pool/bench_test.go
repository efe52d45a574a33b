package pool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"dhcpd/internal/safe"
	"dhcpd/internal/simdisk"
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
	tab.Index()
	asked := float64(heap()-before) / million
	t.Logf("%.1f where leasequeries are answered", asked)
	if each > 160 || asked > 160 {
		t.Errorf("%.1f octets a lease, and %.1f where leasequeries are answered, want at most 160", each, asked)
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
	now := Time(1 << 33) // after all that other benchmarks did
	for i := range b.N {
		a, ok := t.Oldest(net, now)
		if !ok {
			b.Fatal("none free")
		}
		t.Hold(a, r.Client, nil, now+64)
		r.Addr, r.Told = a, 1<<32+Time(i) // longer ago than now, but in order
		t.Apply(r)
	}
}

func BenchmarkHold(b *testing.B) {
	t := benchTable(b)
	c := client(1)
	for i := range b.N {
		t.Hold(ip(i%4096), c, nil, 64)
	}
}

func TestS17_RowsAreCompact(t *testing.T) {
	if size := unsafe.Sizeof(row{}); size > 80 {
		t.Errorf("a row has %d octets", size)
	}
}

// TestS17_NoAllocation: look-ups, holds, and records of a known size.
func TestS17_NoAllocation(t *testing.T) {
	tab := NewTable()
	tab.Regroup(by24)
	for n := range 2000 {
		tab.Add(ip(n))
		r := bound(ip(n), n, 1000, Time(2000+n))
		if n%2 == 0 {
			r.Agent, r.Class, r.Host = []byte("\x01\x04port"), []byte("MSFT 5.0"), "kit"
		}
		tab.Apply(r)
	}
	plain, rich := bound(ip(3), 3, 1000, 3000), bound(ip(4), 4, 1000, 3000)
	rich.Agent, rich.Class, rich.Host = []byte("\x01\x04port"), []byte("MSFT 5.1"), "kin"
	other := bound(ip(3), 77, 1000, 3000)
	duid := bound(ip(6), 6, 1000, 3000)
	duid.ID = []byte("\xff the DUID of a client")
	tab.Apply(duid)
	net, id, c := on(ip(3)), etherID(3), client(9)
	now := Time(10000)
	tests := map[string]func(){
		"ByAddr":   func() { tab.ByAddr(ip(4)) },
		"ByClient": func() { tab.ByClient(id, net) },
		"IsFree":   func() { tab.At(ip(3)).Free(now) },
		"Oldest":   func() { tab.Oldest(net, now) },
		"Hold": func() {
			tab.Hold(ip(5), c, nil, now+64)
			tab.HeldFor(c.ID, net, now)
			tab.At(ip(5)).HeldBy(now)
			tab.Unhold(ip(5))
		},
		"renewal":    func() { plain.Told++; tab.Apply(plain) },
		"with extra": func() { rich.Told++; tab.Apply(rich) },
		"long ID":    func() { duid.Told++; tab.Apply(duid); tab.ByClient(duid.ID, net) },
		"undone":     func() { old, had := tab.Apply(other); tab.Undo(&old, had) },
		"Tick":       func() { tab.Tick(now) },
	}
	for name, f := range tests {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestP2_BlockAllocatesNothing(t *testing.T) {
	k, _ := mustOpen(t, simdisk.New(), simPath, newSimClock())
	r := bound(ip(1), 1, 1000, 2000)
	k.block.Add(r, false)
	k.block.Reset()
	if n := testing.AllocsPerRun(1000, func() { k.block.Add(r, false); k.block.Reset() }); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

// millionLines is a pool file of a million members with a lease each.
func millionLines(tb testing.TB) string {
	path := filepath.Join(tb.TempDir(), "dhcp.pool")
	text := append([]byte(header), sealed("open", "clock x 1800000000 100")...)
	for n := range million {
		r := bound(ip(n), n, 1800000000, 1800003600)
		r.Last = r.Since
		text = appendRecord(appendChange(text, add, r.Addr), r, 0)
	}
	if err := os.WriteFile(path, text, 0600); err != nil {
		tb.Fatal(err)
	}
	tb.Logf("%.0f MB", float64(len(text))/1e6)
	return path
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkLoadMillion(b *testing.B) {
	path := millionLines(b)
	shared() // or it counts
	for b.Loop() {
		before := cpu()
		loaded, err := Snapshot(path, NewClock(nil))
		if err != nil || loaded.Table.Len() != million {
			b.Fatal(err)
		}
		b.ReportMetric((cpu() - before).Seconds(), "cpu-s")
	}
}

// BenchmarkJournal compares a block of records with a bare append and
// fdatasync of as many octets, in the same folder and in turns.
func BenchmarkJournal(b *testing.B) {
	for _, size := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { journal(b, size) })
	}
}

func journal(b *testing.B, size int) {
	folder := b.TempDir()
	clock := NewClock(newSimClock().read) // the machine's own reads files, which a daemon does not
	f, loaded, err := Open(filepath.Join(folder, "dhcp.pool"), clock)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	bare, err := safe.OS{}.Create(filepath.Join(folder, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	block := f.NewBlock(loaded.Table)
	r := bound(ip(1), 1, Time(clock.Now().Unix()), 1900000000)
	f.floor = 1 << 60 // a compaction would be measured, too
	var end int64
	commit := func() {
		block.Reset()
		for i := range size {
			r.Addr = ip(i)
			block.Add(r, false)
		}
		if _, err := f.Commit(block); err != nil {
			b.Fatal(err)
		}
	}
	commit()
	start := f.end
	commit()
	octets := make([]byte, f.end-start) // what a block takes in the file
	plain := func() {
		_, err := bare.WriteAt(octets, end)
		if err := errors.Join(err, bare.Sync()); err != nil {
			b.Fatal(err)
		}
		end += int64(len(octets))
	}
	var ours, theirs time.Duration
	n := 0
	for b.Loop() {
		if n%2 == 0 { // who comes first pays more: the disk's journal is the same
			ours += timed(commit)
			theirs += timed(plain)
		} else {
			theirs += timed(plain)
			ours += timed(commit)
		}
		n++
	}
	b.ReportMetric(float64(ours.Nanoseconds())/float64(n), "ns/block")
	b.ReportMetric(float64(ours)/float64(theirs), "of-bare")
}

func timed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// BenchmarkBlock is what the loop spends on a record on its way to the writer.
func BenchmarkBlock(b *testing.B) {
	f, loaded, err := Open(filepath.Join(b.TempDir(), "dhcp.pool"), NewClock(newSimClock().read))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := f.NewBlock(loaded.Table)
	r := bound(ip(1), 1, 1800000000, 1800003600)
	r.Last = r.Since
	n := 0
	for b.Loop() {
		if block.Add(r, false); n%64 == 63 {
			block.Reset()
		}
		n++
	}
}

// BenchmarkLine is what it costs to read a renewal's line.
func BenchmarkLine(b *testing.B) {
	r := bound(ip(1), 1, 1800000000, 1800003600)
	r.Last = r.Since
	line := appendRecord(nil, r, 0)
	var e entry
	for b.Loop() {
		if !e.read(line[:len(line)-1]) || e.verb != record {
			b.Fatal("not read")
		}
	}
}

// BenchmarkCompact is what a compaction costs for each record since the last
// one, with 20,000 leases and as many records as it waits for.
func BenchmarkCompact(b *testing.B) {
	const leases = 20_000
	f, loaded, err := Open(filepath.Join(b.TempDir(), "dhcp.pool"), NewClock(newSimClock().read))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := f.NewBlock(loaded.Table)
	for n := range leases {
		loaded.Table.Add(ip(n))
		loaded.Table.Apply(bound(ip(n), n, 1800000000, 1800003600))
	}
	f.lose(simdisk.ErrFault)
	block.Whole()
	live, records := 2*leases, 0
	for ; !f.worthwhile(live); records++ {
		if _, err := f.Commit(block); err != nil {
			b.Fatal(err)
		}
		block.Reset()
		for range 64 {
			n := (records*7919 + 13) % leases
			block.Add(bound(ip(n), n, 1800000000, Time(1800000000+records)), true)
			records++
		}
	}
	for b.Loop() {
		before := cpu()
		c := &compaction{disk: f.disk, name: f.path + compactName, src: f.f, upto: f.end, stamp: f.written}
		if err := c.run(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(cpu()-before)/float64(records), "cpu-ns/record")
		c.drop()
	}
}
