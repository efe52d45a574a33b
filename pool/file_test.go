package pool

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
	"dhcpd/internal/simdisk"
)

const simPath = "/var/lib/dhcpd/dhcp.pool"

func mustEdit(t testing.TB, d disk, path string, v Verb, addrs ...netip.Addr) []Result {
	t.Helper()
	results, err := EditOn(d, path, v, addrs)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// leaseFor returns a lease that began now.
func (k *keeper) lease(a netip.Addr, n int, seconds Time) *Record {
	return bound(a, n, k.now(), k.now()+seconds)
}

func (k *keeper) want(what string, want *Record) {
	k.t.Helper()
	got, ok := k.table.ByAddr(want.Addr)
	wantRecord(k.t, what, got, ok, want)
}

func TestP2_TextOfTheFile(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	c.wall = time.Unix(1800000000, 0)
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	r := k.lease(ip(1), 1, 3600)
	r.Kept += 3600
	r.Host, r.Class, r.Agent, r.Last = "kit's \"box\"", []byte("MSFT 5.0\n"), []byte{1, 2, 'e', '0'}, r.Since
	k.mustCommit(r)
	f := &Record{Addr: ip(2), State: Fixed, Since: k.now(), Told: Infinite, Kept: Infinite,
		Client: Client{[]byte{0xff, 0}, HW{Type: 32, Len: 2, Addr: [16]byte{0xab, 0xcd}}}}
	k.mustCommit(f)
	if err := k.file.Close(); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for i, line := range strings.SplitAfter(k.text(), "\n") {
		if i > 0 && len(line) > crcLen {
			line = line[crcLen:]
		}
		got.WriteString(line)
	}
	want := `#dhcp.pool 1
add 10.0.0.1
= 0
open
clock boot-1 1800000000 3600
10.0.0.1 bound 1800000000 1800003600 1800007200 01020000000001 02:00:00:00:00:01 last=1800000000 host="kit's \042box\042" class="MSFT 5.0\012" agent=01026530
= 267
10.0.0.2 fixed 1800000000 infinite infinite ff00 32/abcd
= 348
close
`
	if got.String() != want {
		t.Errorf("file says\n%s want\n%s", got.String(), want)
	}
	k2, loaded := mustOpen(t, d, simPath, c)
	if loaded.Torn != "" || loaded.Corrupt != nil {
		t.Errorf("torn %q, corrupt %v", loaded.Torn, loaded.Corrupt)
	}
	k2.want("bound", r)
	k2.want("fixed", f)
}

func TestP2_LastRecordWins(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(k.lease(ip(1), 1, 100), k.lease(ip(2), 2, 100))
	k.mustCommit(k.lease(ip(1), 3, 200))
	k.mustCommit(&Record{Addr: ip(2)})
	last := k.lease(ip(1), 3, 200)
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	k.want("the last one", last)
	k.want("taken away", &Record{Addr: ip(2)})
}

func TestP4_SecondDaemonRefused(t *testing.T) {
	path := poolPath(t)
	f, _, err := Open(path, NewClock(nil))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Open(path, NewClock(nil))
	if !errors.Is(err, safe.ErrBusy) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Errorf("second daemon: %v", err)
	}
	if _, err := Edit(path, Add, []netip.Addr{ip(1)}); err != nil {
		t.Errorf("a command beside a daemon: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f, _, err = Open(path, NewClock(nil))
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	f.Close()
}

func TestL3_AddAndWhatIsThere(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	got := mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(1))
	if !slices.Equal(got, []Result{Done, Done, Present}) {
		t.Errorf("add: %v", got)
	}
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(&Record{Addr: ip(2), State: Abandoned, Since: k.now(), Client: client(2)})
	got = mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
	if !slices.Equal(got, []Result{Present, Freed, Done}) {
		t.Errorf("add again: %v", got)
	}
	changes := k.mustCommit()
	want := Changes{Add: []netip.Addr{ip(3)}, Free: []netip.Addr{ip(2)}}
	if !slices.Equal(changes.Add, want.Add) || !slices.Equal(changes.Free, want.Free) || changes.Reset {
		t.Errorf("the daemon hears %+v, want %+v", changes, want)
	}
	k.want("freed", &Record{Addr: ip(2)})
	if !k.table.At(ip(2)).Free(k.now()) || !k.table.At(ip(3)).Free(k.now()) {
		t.Error("not free")
	}
	// A record written before the command was heard stands before it, one
	// written after it behind: each reader comes to the same.
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	k.want("freed, read again", &Record{Addr: ip(2)})
}

// A lease outlives that its address is taken out of the pool and put in again.
func TestP4_RemoveAndAddFreesNothing(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	r := k.lease(ip(1), 1, 1000)
	bootp := k.lease(ip(2), 2, 1000)
	bootp.Told, bootp.Kept = Infinite, Infinite
	k.mustCommit(r, bootp)
	for _, v := range []Verb{Del, Add} {
		mustEdit(t, d, simPath, v, ip(1), ip(2))
	}
	k.mustCommit()
	for range 2 {
		k.want("for a while", r)
		k.want("for ever", bootp)
		if !k.table.Member(ip(1)) || !k.table.Member(ip(2)) || k.table.At(ip(2)).Free(k.now()) {
			t.Error("not in the pool and leased")
		}
		d.Kill()
		k, _ = mustOpen(t, d, simPath, c)
	}
}

func TestL4_RemoveUnderADaemon(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	r := k.lease(ip(1), 1, 1000)
	k.mustCommit(r)
	got := mustEdit(t, d, simPath, Del, ip(1), ip(3), ip(1))
	if !slices.Equal(got, []Result{Done, Absent, Absent}) {
		t.Errorf("remove: %v", got)
	}
	// The daemon renews without having heard of it.
	renewed := k.lease(ip(1), 1, 2000)
	changes := k.mustCommit(renewed)
	if !slices.Equal(changes.Del, []netip.Addr{ip(1)}) {
		t.Errorf("the daemon hears %+v", changes)
	}
	for range 2 {
		if k.table.Member(ip(1)) || !k.table.Member(ip(2)) {
			t.Error("membership is wrong")
		}
		k.want("the lease is known still", renewed)
		d.Kill()
		k, _ = mustOpen(t, d, simPath, c)
	}
}

func TestL5_WakeStandsUntilTheNextRecord(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	nonced := func() *Record {
		r := k.lease(ip(1), 1, 1000)
		r.Nonce = []byte("0123456789abcdef")
		return r
	}
	k.mustCommit(nonced(), k.lease(ip(3), 3, 1000))
	got := mustEdit(t, d, simPath, Wake, ip(1), ip(2), ip(3))
	if !slices.Equal(got, []Result{Done, Absent, Mute}) {
		t.Errorf("wake: %v", got)
	}
	if changes := k.mustCommit(); !slices.Equal(changes.Wake, []netip.Addr{ip(1)}) {
		t.Errorf("the daemon hears %+v", changes)
	}
	d.Kill()
	k, loaded := mustOpen(t, d, simPath, c)
	if !slices.Equal(loaded.Wake, []netip.Addr{ip(1)}) {
		t.Errorf("after a restart: %v", loaded.Wake)
	}
	k.file.lose(simdisk.ErrFault) // written anew, it still stands
	k.commit(false)
	k.mustCommit()
	d.Kill()
	k, loaded = mustOpen(t, d, simPath, c)
	if !slices.Equal(loaded.Wake, []netip.Addr{ip(1)}) {
		t.Errorf("in a new file: %v", loaded.Wake)
	}
	// Once more, after the client was heard, and compacted.
	k.mustCommit(nonced())
	mustEdit(t, d, simPath, Wake, ip(1))
	k.mustCommit()
	k.compactNow()
	d.Kill()
	k, loaded = mustOpen(t, d, simPath, c)
	if !slices.Equal(loaded.Wake, []netip.Addr{ip(1)}) {
		t.Errorf("compacted: %v", loaded.Wake)
	}
	k.mustCommit(k.lease(ip(1), 1, 1000))
	d.Kill()
	if _, loaded = mustOpen(t, d, simPath, c); loaded.Wake != nil {
		t.Errorf("after the client was heard: %v", loaded.Wake)
	}
}

func TestP5_LazyRecordsCauseNoSync(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(k.lease(ip(1), 1, 5000))
	syncs, writes := 0, 0
	d.Fail(func(op string) error {
		switch op {
		case "sync":
			syncs++
		case "write":
			writes++
		}
		return nil
	})
	size := len(k.text())
	var last *Record
	for range 1000 {
		c.pass(time.Second)
		last = k.lease(ip(1), 1, 100)
		last.Kept = k.now() + 5000
		if _, err := k.commit(true, last); err != nil {
			t.Fatal(err)
		}
	}
	if syncs != 0 || writes != 1000 {
		t.Errorf("1000 renewals within a promised end: %d syncs, %d writes", syncs, writes)
	}
	if each := (len(k.text()) - size) / 1000; each > 120 {
		t.Errorf("a renewal writes %d octets", each)
	}
	k.mustCommit(k.lease(ip(2), 2, 100))
	if syncs != 1 {
		t.Errorf("a new lease: %d syncs", syncs)
	}
	d.Fail(nil)
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	last.Told = last.Kept // nobody closed the file: the client may have been told more
	k.want("the last renewal", last)
}

func TestP5_NothingToDoWritesNothing(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit()
	before := k.text()
	d.Fail(func(op string) error {
		if op != "stat" {
			t.Errorf("%s for an empty block", op)
		}
		return nil
	})
	for range 100 {
		c.pass(time.Minute)
		k.mustCommit()
	}
	d.Fail(nil)
	if k.text() != before {
		t.Error("empty blocks were written")
	}
	for range 3 * 24 {
		c.pass(time.Hour)
		k.mustCommit()
	}
	if n := count(k.text(), " clock "); n < 12 || n > 14 {
		t.Errorf("%d clock lines in 73 hours, want one each 6", n)
	}
}

func TestP4_FullDiskLosesNothing(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	first := k.lease(ip(1), 1, 1000)
	k.mustCommit(first)
	before := k.text()
	for room := range 200 {
		d.Limit(room)
		_, err := k.commit(false, k.lease(ip(2), 2, 1000), k.lease(ip(1), 1, 3000))
		if err == nil {
			if room < 150 {
				t.Fatalf("a block of two records fits into %d octets", room)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") || errors.Is(err, ErrWhole) {
			t.Fatalf("full disk: %v", err)
		}
		if got := k.text(); got != before {
			t.Fatalf("room for %d octets: file was changed to\n%s", room, got)
		}
		k.want("the old lease", first)
	}
	d.Limit(-1)
	r := k.lease(ip(2), 2, 1000)
	k.mustCommit(r)
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	k.want("after there was room again", r)
}

func TestP4_FailedSyncMeansNewFile(t *testing.T) {
	for _, cut := range []bool{false, true} {
		d, c := simdisk.New(), newSimClock()
		mustEdit(t, d, simPath, Add, ip(1), ip(2))
		k, _ := mustOpen(t, d, simPath, c)
		first := k.lease(ip(1), 1, 1000)
		k.mustCommit(first)
		before := k.text()
		d.Fail(failing("sync"))
		if _, err := k.commit(false, k.lease(ip(2), 2, 1000)); !errors.Is(err, ErrWhole) {
			t.Fatalf("failed sync: %v", err)
		}
		if got := k.text(); got != before {
			t.Errorf("what does not count is to be read:\n%s", got)
		}
		k.want("undone", &Record{Addr: ip(2)})
		mustEditAfter(t, d, k)
		old := d.Number(simPath)
		second := k.lease(ip(2), 3, 1000)
		k.mustCommit(second)
		if d.Number(simPath) == old {
			t.Error("went on with a file that had a failed sync")
		}
		if cut {
			d.CutPower(newRand(1))
		} else {
			d.Kill()
		}
		k, _ = mustOpen(t, d, simPath, c)
		k.want("before", first)
		k.want("after", second)
		if !k.table.Member(ip(9)) {
			t.Error("what a command added meanwhile is lost")
		}
	}
}

func mustEditAfter(t *testing.T, d *simdisk.Disk, k *keeper) {
	t.Helper()
	d.Fail(nil)
	mustEdit(t, d, simPath, Add, ip(9))
}

func failing(ops ...string) func(string) error {
	return func(op string) error {
		if slices.Contains(ops, op) {
			return simdisk.ErrFault
		}
		return nil
	}
}

func TestP4_RemovedUnderADaemon(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	first := k.lease(ip(1), 1, 1000)
	k.mustCommit(first)
	d.Remove(simPath)
	if _, err := k.commit(false); !errors.Is(err, ErrWhole) || !strings.Contains(err.Error(), simPath) {
		t.Fatalf("file removed: %v", err)
	}
	second := k.lease(ip(2), 2, 1000)
	k.mustCommit(second)
	d.CutPower(newRand(1))
	k, _ = mustOpen(t, d, simPath, c)
	k.want("first", first)
	k.want("second", second)
	if !k.table.Member(ip(1)) || !k.table.Member(ip(2)) {
		t.Error("members are lost")
	}
}

// Emptied, as by a shell's ": >dhcp.pool", it is written anew like one that
// was removed. What commands add to it meanwhile counts.
func TestP4_EmptiedUnderADaemon(t *testing.T) {
	for _, seen := range []bool{false, true} {
		d, c := simdisk.New(), newSimClock()
		mustEdit(t, d, simPath, Add, ip(1), ip(2))
		k, _ := mustOpen(t, d, simPath, c)
		first := k.lease(ip(1), 1, 1000)
		k.mustCommit(first)
		overwrite(t, d, simPath, "")
		if seen {
			if _, err := k.commit(false); !errors.Is(err, ErrWhole) || !strings.Contains(err.Error(), "was emptied") {
				t.Fatalf("file emptied: %v", err)
			}
			mustEdit(t, d, simPath, Add, ip(3))
		} else {
			k.commit(false)
		}
		second := k.lease(ip(2), 2, 1000)
		k.mustCommit(second)
		d.CutPower(newRand(1))
		k, loaded := mustOpen(t, d, simPath, c)
		k.want("first", first)
		k.want("second", second)
		if !k.table.Member(ip(1)) || !k.table.Member(ip(2)) || k.table.Member(ip(3)) != seen || loaded.Corrupt != nil {
			t.Errorf("members %v, corrupt %v", addrsOf(k.table.All()), loaded.Corrupt)
		}
	}
}

// A file that was there and empty gets its first line from who writes first: a
// command beside a daemon that has not written yet, too.
func TestL5_EditOfAnEmptyFile(t *testing.T) {
	d, c := fileOf(t, ""), newSimClock()
	k, _ := mustOpen(t, d, simPath, c)
	mustEdit(t, d, simPath, Add, ip(1))
	if changes := k.mustCommit(k.lease(ip(2), 2, 1000)); !slices.Equal(changes.Add, []netip.Addr{ip(1)}) || changes.Notice != "" {
		t.Errorf("the daemon hears %+v", changes)
	}
	d.Kill()
	k, loaded := mustOpen(t, d, simPath, c)
	if !k.table.Member(ip(1)) || k.table.Len() != 2 || loaded.Corrupt != nil || loaded.Torn != "" {
		t.Errorf("read again: %v, %+v", addrsOf(k.table.All()), loaded)
	}
}

func TestP4_ReplacedUnderADaemon(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	// What an administrator has elsewhere.
	mustEdit(t, d, "/backup", Add, ip(3), ip(4))
	b, _ := mustOpen(t, d, "/backup", c)
	theirs := b.lease(ip(3), 3, 777)
	b.mustCommit(theirs, b.lease(ip(1), 9, 777))
	b.file.Close()
	backup := b.text()

	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	ours := k.lease(ip(1), 1, 1000)
	k.mustCommit(ours)
	put := map[string]func(){
		"renamed":     func() { writeFile(t, d, simPath+".x", backup); d.Rename(simPath+".x", simPath) },
		"overwritten": func() { overwrite(t, d, simPath, backup) },
	}
	for name, how := range put {
		how()
		changes, err := k.commit(false, k.lease(ip(2), 2, 1000))
		if !errors.Is(err, ErrWhole) || !changes.Reset {
			t.Fatalf("%s: %v, %+v", name, err, changes)
		}
		k.mustCommit()
		for range 2 {
			k.want(name+": ours", ours)
			k.want(name+": theirs", theirs)
			for n, want := range []bool{1: false, 2: false, 3: true, 4: true} {
				if k.table.Member(ip(n)) != want {
					t.Errorf("%s: %v in the pool: %v", name, ip(n), !want)
				}
			}
			d.Kill()
			k, _ = mustOpen(t, d, simPath, c)
		}
		k.mustCommit()
	}
}

// overwrite does what cp does: the same file with other contents.
func overwrite(t *testing.T, d disk, path, text string) {
	t.Helper()
	f, err := d.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Truncate(0)
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

// meddler is a disk on which something happens before the lock is opened: a
// command has read the file by then, and waits.
type meddler struct {
	*simdisk.Disk
	meddle func()
}

func (d *meddler) Open(path string, flags int) (file, error) {
	if do := d.meddle; do != nil && strings.HasSuffix(path, ".lock") {
		d.meddle = nil
		do()
	}
	return d.Disk.Open(path, flags)
}

func TestL5_EditReadsOnUnderTheLock(t *testing.T) {
	tests := map[string]func(d *simdisk.Disk, k *keeper){
		"nothing":   func(*simdisk.Disk, *keeper) {},
		"appended":  func(d *simdisk.Disk, k *keeper) { k.mustCommit(k.lease(ip(1), 1, 100)) },
		"compacted": func(d *simdisk.Disk, k *keeper) { k.compactNow() },
		"edited":    func(d *simdisk.Disk, k *keeper) { mustEdit(t, d, simPath, Add, ip(5)) },
		"removed": func(d *simdisk.Disk, k *keeper) {
			d.Remove(simPath)
			k.commit(false)
			k.mustCommit()
		},
		"what was being written failed": func(d *simdisk.Disk, k *keeper) {
			f, _ := d.Open(simPath, 0)
			f.Truncate(k.file.end)
			k.mustCommit(k.lease(ip(1), 1, 100), k.lease(ip(2), 2, 100))
		},
	}
	for name, meddle := range tests {
		d, c := simdisk.New(), newSimClock()
		mustEdit(t, d, simPath, Add, ip(1), ip(2))
		k, _ := mustOpen(t, d, simPath, c)
		k.mustCommit(k.lease(ip(1), 9, 100))
		if strings.HasSuffix(name, "failed") {
			f, _ := d.Open(simPath, 0)
			f.WriteAt(appendRecord(nil, k.lease(ip(2), 7, 100), 0), k.file.end)
		}
		got := mustEdit(t, &meddler{d, func() { meddle(d, k) }}, simPath, Add, ip(1), ip(5), ip(6))
		want := []Result{Present, Done, Done}
		if name == "edited" {
			want[1] = Present
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		k.mustCommit()
		truth := linesOfTable(k.table)
		if strings.HasSuffix(name, "failed") && count(truth, " bound ") != 2 {
			t.Errorf("%s: the daemon has\n%s", name, truth)
		}
		if err := k.file.Close(); err != nil {
			t.Error(err)
		}
		k, loaded := mustOpen(t, d, simPath, c)
		if got := linesOfTable(k.table); sortLines(got) != sortLines(truth) || loaded.Torn != "" || loaded.Corrupt != nil {
			t.Errorf("%s: the file says\n%s the daemon\n%s", name, got, truth)
		}
	}
}

func sortLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A name that a program saw may be gone after a power cut, and the file with
// it, unless its folder was synced.
func TestP4_NameIsMadeLast(t *testing.T) {
	makers := map[string]func(d *simdisk.Disk, c *simClock) error{
		"daemon": func(d *simdisk.Disk, c *simClock) error {
			_, _, err := openKeeper(t, d, simPath, c)
			return err
		},
		"command": func(d *simdisk.Disk, _ *simClock) error {
			_, err := EditOn(d, simPath, Add, []netip.Addr{ip(1)})
			return err
		},
	}
	for seed := range uint64(20) {
		for maker, first := range makers {
			for user, second := range makers {
				d, c := simdisk.New(), newSimClock()
				d.Fail(failing("syncfolder"))
				if err := first(d, c); err == nil {
					t.Fatalf("%s did not mind that the folder can't be synced", maker)
				}
				d.Kill()
				if err := second(d, c); err != nil {
					t.Fatal(err)
				}
				d.CutPower(newRand(seed))
				if _, err := d.Stat(simPath); err != nil {
					t.Errorf("made by a %s, used by a %s: %v", maker, user, err)
				}
			}
		}
	}
}

// What a command says stands behind what the daemon knew, but before what it
// decided since.
func TestP4_WholeBlockKeepsTheOrder(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
	k, _ := mustOpen(t, d, simPath, c)
	abandon := func(n int) *Record {
		c.pass(time.Second)
		return &Record{Addr: ip(n), State: Abandoned, Since: k.now(), Client: client(n)}
	}
	k.mustCommit(abandon(1), abandon(2))
	k.file.lose(simdisk.ErrFault)
	k.commit(false)
	mustEdit(t, d, simPath, Add, ip(1), ip(2)) // free again, both
	mustEdit(t, d, simPath, Del, ip(3))
	again := abandon(2)
	k.mustCommit(again)
	for range 2 {
		k.want("freed", &Record{Addr: ip(1)})
		k.want("freed and abandoned again", again)
		if k.table.Member(ip(3)) {
			t.Error("removed, but still there")
		}
		d.Kill()
		k, _ = mustOpen(t, d, simPath, c)
	}
}

// Overwritten in place by something longer: what we know of is not there any
// more, and nothing of the new is a torn tail.
func TestP4_OverwrittenByALongerFile(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	var many []netip.Addr
	for n := range 200 {
		many = append(many, ip(100+n))
	}
	mustEdit(t, d, "/backup", Add, many...)
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	ours := k.lease(ip(1), 1, 1000)
	k.mustCommit(ours)
	overwrite(t, d, simPath, readAll(t, d, "/backup"))
	if changes, err := k.commit(false); !errors.Is(err, ErrWhole) || !changes.Reset || len(changes.Add) != 200 {
		t.Fatalf("%v, reset %v, %d members", err, changes.Reset, len(changes.Add))
	}
	k.mustCommit()
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	k.want("ours", ours)
	if k.table.Len() != 201 || k.table.Member(ip(1)) {
		t.Errorf("%d addresses", k.table.Len())
	}
}
