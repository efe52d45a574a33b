package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// book is a journal with its table, and beside it a bare file.
type book struct {
	file  *pool.File
	table *pool.Table
	block *pool.Block
	path  string
	bare  *os.File
	end   int64 // of bare
	next  int   // the client whose turn it is
	now   pool.Time
}

// clock is the daemon's.
func clock() *pool.Clock {
	boot, _ := link.BootID()
	return pool.NewClock(func() pool.Reading {
		return pool.Reading{Boot: boot, Wall: link.Wall(), Up: link.Boottime()}
	})
}

func (b *bench) book(dir string) *book {
	c := clock()
	k := &book{path: filepath.Join(dir, "dhcp.pool"), now: pool.Time(c.Now().Unix())}
	var loaded *pool.Loaded
	var err error
	k.file, loaded, err = pool.Open(k.path, c)
	b.check(err)
	k.table, k.block = loaded.Table, k.file.NewBlock(loaded.Table)
	k.bare, err = os.Create(filepath.Join(dir, "bare"))
	b.check(err)
	return k
}

func (k *book) close() {
	k.file.Close()
	k.bare.Close()
}

// fill makes a block of the next clients' records, as the loop does.
func (k *book) fill(size int, lazy bool) {
	k.block.Reset()
	for range size {
		r := lease(k.next, k.now, k.now+3600)
		k.table.Apply(r)
		k.block.Add(r, lazy)
		k.next++
	}
}

func (k *book) commit() error {
	_, err := k.file.Commit(k.block)
	return err
}

// size is that of the pool file.
func (k *book) size() int64 { return sizeOf(k.path) }

func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}

// append writes octets to the bare file.
func (k *book) append(octets []byte, sync bool) error {
	if _, err := k.bare.WriteAt(octets, k.end); err != nil {
		return err
	}
	k.end += int64(len(octets))
	if !sync {
		return nil
	}
	return unix.Fdatasync(int(k.bare.Fd()))
}

// scratch makes a book in a folder of its own. The function that it returns
// takes all away.
func (b *bench) scratch() (k *book, done func()) {
	dir, err := os.MkdirTemp(b.dir, "bench-")
	b.check(err)
	k = b.book(dir)
	return k, func() {
		k.close()
		os.RemoveAll(dir)
	}
}

// journal measures blocks of records.
func (b *bench) journal() {
	k, done := b.scratch()
	defer done()
	b.section("journal in "+b.dir, "a bare write of as many octets, and fdatasync but for the lazy ones")
	for _, size := range []int{1, 8, 64, 512} {
		b.commits(k, size, false)
	}
	b.commits(k, 8, true)
	b.syncs(k)
}

// commits measures blocks of a size, ours and the other in turns.
func (b *bench) commits(k *book, size int, lazy bool) {
	k.fill(size, lazy)
	b.check(k.commit())
	before := k.size()
	k.fill(size, lazy)
	b.check(k.commit())
	octets := make([]byte, k.size()-before)
	var ours, base []float64
	var allocs uint64
	bare := func() { base = append(base, timed(func(int) { b.check(k.append(octets, !lazy)) }, 1)/1000) }
	for i := range b.rounds * b.blocks(size) {
		k.fill(size, lazy)
		if i%2 == 0 { // who comes first pays more: the file system's own journal is the same
			bare()
		}
		var m, n runtime.MemStats
		runtime.ReadMemStats(&m)
		ours = append(ours, timed(func(int) { b.check(k.commit()) }, 1)/1000)
		runtime.ReadMemStats(&n)
		allocs += n.Mallocs - m.Mallocs
		if i%2 != 0 {
			bare()
		}
	}
	what := fmt.Sprintf("commit a block of %d", size)
	if lazy {
		what = fmt.Sprintf("write a block of %d lazy renewals", size)
	}
	b.row(what+", µs", median(ours), median(base), float64(allocs)/float64(len(ours)))
}

// blocks is how many blocks of a size there are in a turn.
func (b *bench) blocks(size int) int { return max(1, b.scale.commits/(1+size/64)) }

// syncs counts what renewals write, a thousand in blocks of eight, lazy ones
// and others.
func (b *bench) syncs(k *book) {
	const renewals, size = 1000, 8
	written := func(lazy bool) (records, syncs float64) {
		before := k.size()
		for range renewals / size {
			k.fill(size, lazy)
			b.check(k.commit())
		}
		records, syncs, err := count(k.path, before)
		b.check(err)
		return records, syncs
	}
	lazyRecords, lazySyncs := written(true)
	records, syncs := written(false)
	b.row("1,000 lazy renewals: records (others as baseline)", lazyRecords, records, none)
	b.row("1,000 lazy renewals: syncs (others as baseline)", lazySyncs, syncs, none)
}

// count counts the records of a pool file from an offset on, and the blocks
// that were synced: those begin with a line that says up to where the file was
// synced before, dhcp.pool(5).
func count(path string, from int64) (records, syncs float64, err error) {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) < from { // a new file took its place
		return none, none, err
	}
	for line := range bytes.Lines(text[from:]) {
		if bytes.Contains(line, []byte(" = ")) {
			syncs++
		} else {
			records++
		}
	}
	return records, syncs, nil
}

// spare is how many free addresses a pool of so many leases has.
func spare(leases int) int { return leases/25 + 1 }

// pool writes a pool file of so many leases, and a few free addresses.
func (b *bench) pool(dir string, leases int) {
	var members []netip.Addr
	for i := range leases + spare(leases) {
		members = append(members, member(i))
	}
	_, err := pool.Edit(filepath.Join(dir, "dhcp.pool"), pool.Add, members)
	b.check(err)
	k := b.book(dir)
	defer k.close()
	for k.next < leases {
		k.fill(min(10_000, leases-k.next), false)
		b.check(k.commit())
	}
}

// load measures the start with a large pool file, and what it takes in memory.
func (b *bench) load() {
	dir, err := os.MkdirTemp(b.dir, "bench-")
	b.check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "dhcp.pool")
	b.pool(dir, b.leases)
	leases := number(float64(b.leases))
	b.section("load of "+leases+" records", "reading the file")
	var ours, base []float64
	var heap uint64
	for range max(1, b.rounds/3) {
		base = append(base, cpu(func() {
			_, err := os.ReadFile(path)
			b.check(err)
		}))
		before := inUse()
		var loaded *pool.Loaded
		ours = append(ours, cpu(func() {
			loaded, err = pool.Snapshot(path, clock())
			b.check(err)
		}))
		heap = inUse() - before
		if n := loaded.Table.Len(); n < b.leases {
			b.t.Fatalf("bench: %d leases loaded of %d", n, b.leases)
		}
	}
	b.row("CPU seconds", median(ours), median(base), none)
	b.row("octets of memory a lease (the limit as baseline)", float64(heap)/float64(b.leases), 160, none)
}

// cpu returns the seconds of processor time that f takes, by all threads.
func cpu(f func()) float64 {
	before := spent()
	f()
	return (spent() - before).Seconds()
}

func spent() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// inUse is the memory that something still points to.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
