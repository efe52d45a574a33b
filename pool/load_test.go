package pool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dhcpd/internal/netip"
	"dhcpd/internal/safe"
	"dhcpd/internal/simdisk"
)

// fileOf returns a disk with one file on it.
func fileOf(t testing.TB, text string) *simdisk.Disk {
	t.Helper()
	d := simdisk.New()
	writeFile(t, d, simPath, text)
	return d
}

// blocks returns a pool file made of some synced blocks, and where each ends.
func blocks(t testing.TB, n int) (text string, ends []int, c *simClock) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2), ip(3))
	k, _ := mustOpen(t, d, simPath, c)
	for i := range n {
		k.mustCommit(k.lease(ip(i), i, 100), k.lease(ip(i+1), i+1, 100))
		ends = append(ends, len(k.text()))
	}
	return k.text(), ends, c
}

// TestP2_CutAtEveryOctet ends the file at each of its octets: what is lost is
// the block that was cut, and nothing else.
func TestP2_CutAtEveryOctet(t *testing.T) {
	text, ends, c := blocks(t, 4)
	for n := range len(text) + 1 {
		d := fileOf(t, text[:n])
		k, loaded, err := openKeeper(t, d, simPath, c)
		if err != nil {
			t.Fatalf("first %d octets: %v", n, err)
		}
		atEnd := n == 0 || text[n-1] == '\n'
		if (loaded.Torn == "") != atEnd || loaded.Corrupt != nil {
			t.Fatalf("first %d octets: torn %q, corrupt %v", n, loaded.Torn, loaded.Corrupt)
		}
		for i, end := range ends {
			if n < end {
				break
			}
			if r, _ := k.table.ByAddr(ip(i)); r.State != Bound || !bytes.Equal(r.ID, etherID(i)) {
				t.Fatalf("first %d octets: block %d is lost", n, i)
			}
		}
		last := k.lease(ip(9), 9, 100)
		k.mustCommit(last) // and it goes on from there
		d.Kill()
		k, loaded = mustOpen(t, d, simPath, c)
		if loaded.Torn != "" || loaded.Corrupt != nil {
			t.Fatalf("first %d octets, mended: torn %q, corrupt %v", n, loaded.Torn, loaded.Corrupt)
		}
		last.Told = last.Kept
		k.want(fmt.Sprintf("first %d octets, mended", n), last)
	}
}

// TestP2_DamageAtEveryOctet changes one octet: before the last "=" that is
// corruption, after it a torn tail.
func TestP2_DamageAtEveryOctet(t *testing.T) {
	text, ends, c := blocks(t, 4)
	for n := len(header); n < len(text); n++ {
		b := []byte(text)
		b[n] ^= 4
		d := fileOf(t, string(b))
		k, loaded, err := openKeeper(t, d, simPath, c)
		if err != nil {
			t.Fatalf("octet %d: %v", n, err)
		}
		line := 1 + count(text[:n], "\n")
		var corrupt *CorruptError
		switch is := errors.As(loaded.Corrupt, &corrupt); {
		case is != (n < ends[2]-1): // without the newline before it the last "=" can't be read
			t.Fatalf("octet %d of %d: corrupt %v", n, len(text), loaded.Corrupt)
		case is && corrupt.Line != line:
			t.Fatalf("octet %d: %v, want line %d", n, corrupt, line)
		case is && !k.table.Shut():
			t.Fatalf("octet %d: pool addresses would be given out", n)
		case !is && loaded.Torn == "":
			t.Fatalf("octet %d: nothing torn", n)
		}
		if got := k.text(); corrupt != nil && got != string(b) {
			t.Fatalf("octet %d: a corrupt file was changed", n)
		}
	}
}

func TestP2_CorruptServesFixedOnly(t *testing.T) {
	text, _, c := blocks(t, 4)
	bad := strings.Replace(text, "add 10.0.0.2", "add 10.0.0.7", 1)
	d := fileOf(t, bad)
	k, loaded := mustOpen(t, d, simPath, c)
	want := `Pool table is corrupt: "` + simPath + `", line 3`
	if loaded.Corrupt == nil || loaded.Corrupt.Error() != want {
		t.Fatalf("got %v, want %s", loaded.Corrupt, want)
	}
	if _, ok := k.table.Oldest(on(ip(1)), 1<<33); ok {
		t.Error("a pool address was given out")
	}
	fixed := &Record{Addr: ip(50), State: Fixed, Since: k.now(), Told: Infinite, Kept: Infinite, Client: client(50)}
	for range 3 { // more than enough for a compaction, which must not be
		k.file.floor, k.file.factor = 0, 0
		k.mustCommit(fixed)
		k.settle()
	}
	if !strings.HasPrefix(k.text(), bad) {
		t.Error("the damaged lines are not there any more")
	}
	if _, err := EditOn(d, simPath, Add, []netip.Addr{ip(77)}); !errors.As(err, new(*CorruptError)) {
		t.Errorf("dhcpd -a: %v", err)
	}
	d.Kill()
	k, loaded = mustOpen(t, d, simPath, c)
	if loaded.Corrupt == nil || loaded.Corrupt.Error() != want {
		t.Fatalf("after a restart: %v", loaded.Corrupt)
	}
	k.want("fixed", fixed)

	// The cure of the man page: remove it.
	d.Remove(simPath)
	k.commit(false)
	k.mustCommit()
	if k.table.Shut() {
		t.Error("still shut")
	}
	k.want("fixed, in the new file", fixed)
	mustEdit(t, d, simPath, Add, ip(77))
	k.mustCommit()
	if a, ok := k.table.Oldest(on(ip(77)), k.now()); !ok || a != ip(3) && a != ip(77) {
		t.Errorf("refilled, but gives out %v %v", a, ok)
	}
}

// Of a corrupt file nothing is cut, not even what would be a torn tail: it may
// hold the "=" by which the damage is known.
func TestP2_CorruptAndTorn(t *testing.T) {
	text, _, c := blocks(t, 4)
	bad := strings.Replace(text, "add 10.0.0.2", "add 10.0.0.7", 1)
	bad = bad[:len(bad)-7]
	d := fileOf(t, bad)
	k, loaded := mustOpen(t, d, simPath, c)
	if loaded.Corrupt == nil || loaded.Torn != "" {
		t.Fatalf("corrupt %v, torn %q", loaded.Corrupt, loaded.Torn)
	}
	fixed := &Record{Addr: ip(50), State: Fixed, Since: k.now(), Told: Infinite, Kept: Infinite, Client: client(50)}
	k.mustCommit(fixed)
	if !strings.HasPrefix(k.text(), bad+"\n") {
		t.Errorf("file is\n%s", k.text())
	}
	d.Kill()
	k, _ = mustOpen(t, d, simPath, c)
	k.want("fixed", fixed)
}

func TestP2_ReplacedByACorruptFile(t *testing.T) {
	text, _, c := blocks(t, 4)
	d := simdisk.New()
	mustEdit(t, d, simPath, Add, ip(1))
	k, _ := mustOpen(t, d, simPath, c)
	ours := k.lease(ip(60), 60, 1000)
	k.mustCommit(ours)
	bad := strings.Replace(text, "add 10.0.0.2", "add 10.0.0.7", 1)
	writeFile(t, d, simPath, bad)
	if changes, err := k.commit(false); !errors.Is(err, ErrWhole) || changes.Corrupt == nil || !k.table.Shut() {
		t.Fatalf("%v, %+v", err, changes)
	}
	k.mustCommit()
	if !strings.HasPrefix(k.text(), bad) {
		t.Error("the damaged file was not left as it is")
	}
	writeFile(t, d, simPath, text) // repaired
	k.commit(false)
	k.mustCommit()
	if k.table.Shut() || !k.table.Member(ip(2)) {
		t.Error("repaired, but still shut")
	}
	d.Kill()
	k, loaded := mustOpen(t, d, simPath, c)
	if loaded.Corrupt != nil {
		t.Fatal(loaded.Corrupt)
	}
	k.want("ours", ours)
}

// sealed returns lines with their checksums.
func sealed(lines ...string) (text string) {
	for _, line := range lines {
		b, start := begin(nil)
		text += string(end(append(b, line...), start))
	}
	return text
}

func TestP2_LinesNotUnderstood(t *testing.T) {
	for _, line := range []string{
		"", " ", "frob 10.0.0.1", "add", "add ", "add 10.0.0", "add 10.0.0.256", "add 10.0.0.1 ", "add 10.0.0.1 x",
		"add  10.0.0.1", "add 1.2.3.4.5", "add 0000.1.2.3", "add ::1", "open x", "close ", "= ", "= x", "= -",
		"clock a", "clock a 1", "clock a 1 x", "clock a 1 2 3", "clock a 99999999999999999999 1",
		"10.0.0.1", "10.0.0.1 bound", "10.0.0.1 quarantined 1 2 3 01 -", "10.0.0.1 bound 1 2 3 01",
		"10.0.0.1 bound 1 2 3 0 -", "10.0.0.1 bound 1 2 3 xx -", "10.0.0.1 bound 1 2 - 01 02:00", "10.0.0.1 bound 1 2 3 01 6/",
		"10.0.0.1 bound 1 2 3 01 - host", "10.0.0.1 bound 1 2 3 01 - host=x", `10.0.0.1 bound 1 2 3 01 - host="x`,
		`10.0.0.1 bound 1 2 3 01 - host="\04"`, "10.0.0.1 bound 1 2 3 01 - counter=x", "10.0.0.1 bound 1 2 3 01 - agent=0",
		"10.0.0.1 bound 1 2 3 01 02-00-00-00-00-01", "10.0.0.1 bound 1 2 3 01 300/00", "10.0.0.1 bound 1 2 3 01 - last=x",
		"10.0.0.1 bound 1 2 3 01 1/0001020304050607080910111213141516", "10.0.0.1 bound 1 2 3 01 - ",
	} {
		d := fileOf(t, header+sealed("add 10.0.0.9", line, "add 10.0.0.8"))
		k, loaded := mustOpen(t, d, simPath, newSimClock())
		var corrupt *CorruptError
		if line == "10.0.0.1 bound 1 2 3 01 6/" {
			if loaded.Corrupt != nil {
				t.Errorf("%q: %v", line, loaded.Corrupt) // a hardware type that has no address is one
			}
			continue
		}
		// Its checksum is good, so it is no torn tail, wherever it stands.
		if !errors.As(loaded.Corrupt, &corrupt) || corrupt.Line != 3 {
			t.Errorf("%q: %v", line, loaded.Corrupt)
		}
		if !k.table.Member(ip(9)) || !k.table.Member(ip(8)) {
			t.Errorf("%q: the good lines around it are lost", line)
		}
	}
}

// TestP2_MendedByHand takes a bad line out, as dhcp.pool(5) shows, which moves
// all that is behind it. The next bad line is still damage, not a torn tail.
func TestP2_MendedByHand(t *testing.T) {
	text, _, c := blocks(t, 12)
	lines := strings.SplitAfter(text, "\n")
	var bad []int
	for i, line := range lines {
		if strings.Contains(line, " bound ") {
			bad = append(bad, i)
		}
	}
	first, second := bad[1], bad[len(bad)-3]
	lines[second] = "z" + lines[second][1:]
	lines[first] = ""
	k, loaded := mustOpen(t, fileOf(t, strings.Join(lines, "")), simPath, c)
	var corrupt *CorruptError
	if !errors.As(loaded.Corrupt, &corrupt) || corrupt.Line != second || loaded.Torn != "" {
		t.Fatalf("corrupt: %v, torn: %q; want line %d", loaded.Corrupt, loaded.Torn, second)
	}
	if !k.table.Shut() {
		t.Error("the pool is open")
	}
}

func TestP2_UnknownNamesAreKept(t *testing.T) {
	line := `10.0.0.1 bound 1800000000 1800003600 1800003600 01020000000001 02:00:00:00:00:01 ` +
		`last=1800000000 check=yes colour=blue motto="so \042so\042, la la"`
	d := fileOf(t, header+sealed("add 10.0.0.1", line))
	k, loaded := mustOpen(t, d, simPath, newSimClock())
	if loaded.Corrupt != nil {
		t.Fatal(loaded.Corrupt)
	}
	r, _ := k.table.ByAddr(ip(1))
	if want := `colour=blue motto="so \042so\042, la la"`; r.Unknown != want {
		t.Errorf("kept %q, want %q", r.Unknown, want)
	}
	k.mustCommit(&r)
	if got := k.text(); count(got, `colour=blue motto="so \042so\042, la la"`) != 2 {
		t.Errorf("written as\n%s", got)
	}
}

// TestP6_WhatIsNotAPoolFile tries what may lie in the place of the file.
func TestP6_WhatIsNotAPoolFile(t *testing.T) {
	text := func(s string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(s), 0600) }
	}
	tests := []struct {
		name string
		lay  func(path string) error
		want string // in the error; "" for none
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"empty", text(""), ""},
		{"a torn header", text("#dhcp.po"), ""},
		{"zeros, shorter than a header", text("\x00\x00\x00"), ""},
		{"a future version", text("#dhcp.pool 2\n00000000 add 10.0.0.1\n"), "is of version 2"},
		{"a future version of many digits", text("#dhcp.pool 1234567890123\n"), "is not a pool file"},
		{"something else", text("127.0.0.1 localhost\n"), "is not a pool file"},
		{"something short", text("x\n"), "is not a pool file"},
		{"something binary", text(strings.Repeat("\x00\x01\x02", 99)), "is not a pool file"},
		{"no line at all, for long", text(strings.Repeat("x", 3<<20)), "is not a pool file"},
		{"a folder", func(p string) error { return os.Mkdir(p, 0700) }, "is a "},
		{"a link", func(p string) error { return os.Symlink("/etc/passwd", p) }, "symbolic link"},
		{"writable by others", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chmod(p, 0666))
		}, "can be written by others"},
		{"another's", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0600), os.Chown(p, 4711, 4711))
		}, "belongs to another user"},
		{"another's lock", func(p string) error {
			return errors.Join(os.WriteFile(p+".lock", nil, 0600), os.Chown(p+".lock", 4711, 4711))
		}, "belongs to another user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := poolPath(t)
			if err := tt.lay(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			f, _, err := Open(path, NewClock(nil))
			wantError(t, "daemon", path, err, tt.want)
			if err == nil {
				if _, err := f.Commit(f.NewBlock(NewTable())); err != nil {
					t.Error(err)
				}
				f.Close()
			}
			_, err = Edit(path, Add, []netip.Addr{ip(1)})
			wantError(t, "command", path, err, tt.want)
			if _, err := Snapshot(path, NewClock(nil)); tt.name != "another's lock" {
				wantError(t, "-q", path, err, tt.want)
			}
			if after, _ := os.ReadFile(path); tt.want != "" && !bytes.Equal(before, after) {
				t.Errorf("changed to %q", after)
			}
		})
	}
}

func wantError(t *testing.T, who, path string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", who, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)):
		t.Errorf("%s: error %v, want %q", who, err, want)
	case err != nil && strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: more than one line: %v", who, err)
	}
}

func TestP6_MadePrivate(t *testing.T) {
	path := poolPath(t)
	if _, err := Edit(path, Add, []netip.Addr{ip(1)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// A running daemon says it once when others can write its file.
func TestP6_ExposedUnderADaemon(t *testing.T) {
	path := poolPath(t)
	c := newSimClock()
	k, _ := mustOpen(t, safe.OS{}, path, c)
	notices := ""
	for _, mode := range []os.FileMode{0600, 0644, 0666, 0666, 0600, 0620, 0600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		notices += k.mustCommit(k.lease(ip(1), 1, 1000)).Notice
	}
	if want := strconv.Quote(path) + " can be written by others"; notices != want+want {
		t.Errorf("it says %q, want twice %q", notices, want)
	}
	if err := k.file.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestL2_SnapshotMakesNothing(t *testing.T) {
	path := poolPath(t)
	if _, err := Snapshot(path, NewClock(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if list, _ := os.ReadDir(strings.TrimSuffix(path, "/dhcp.pool")); len(list) != 0 {
		t.Errorf("made %v", list)
	}
	text, ends, c := blocks(t, 4)
	if err := os.WriteFile(path, []byte(text[:ends[3]-5]), 0400); err != nil {
		t.Fatal(err)
	}
	loaded, err := Snapshot(path, NewClock(c.read))
	if err != nil || loaded.Torn != "" || loaded.Corrupt != nil {
		t.Fatalf("%v, %+v", err, loaded)
	}
	if got := addrsOf(loaded.Table.All()); !slices.Equal(got, []netip.Addr{ip(0), ip(1), ip(2), ip(3)}) {
		t.Errorf("torn in the last line: %v", got)
	}
	if b, _ := os.ReadFile(path); string(b) != text[:ends[3]-5] {
		t.Error("the file was changed")
	}
}

func TestL2_TimeLeft(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	mustEdit(t, d, simPath, Add, ip(1), ip(2))
	k, _ := mustOpen(t, d, simPath, c)
	k.mustCommit(k.lease(ip(1), 1, 3600), k.lease(ip(2), 2, 60))
	c.pass(100e9)
	f, _ := d.Open(simPath, 0)
	clock := NewClock(c.read)
	loaded, err := snapshot(simPath, f, clock)
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[netip.Addr]Time{ip(1): 3500, ip(2): -40} {
		r, _ := loaded.Table.ByAddr(a)
		if left := r.Told - Time(clock.Now().Unix()); left != want {
			t.Errorf("%v: %d s left, want %d", a, left, want)
		}
	}
}

// FuzzLoad: whatever is in the file, it is decided what is torn and what is
// corrupt, what stands before the last "=" is not lost, and what is left can
// be read again.
func FuzzLoad(f *testing.F) {
	text, _, c := blocks(f, 4)
	f.Add([]byte(text), false)
	f.Add([]byte(text[:len(text)-9]), false)
	f.Add([]byte(strings.Replace(text, "bound", "bonud", 2)), false)
	f.Add([]byte("= 13\nopen\nclock x 5 5\nclose\nwake 10.0.0.1"), true)
	f.Add([]byte("add 10.0.0.1\n10.0.0.1 bound 5 6 7 01 - host=\"x y\"\n!= 9\nfree 10.0.0.1\ndel 10.0.0.1"), true)
	f.Add([]byte("!open\n= +20"), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			b = sealAll(b)
		}
		d := fileOf(t, string(b))
		k, loaded, err := openKeeper(t, d, simPath, c)
		if err != nil {
			if bytes.HasPrefix(b, []byte(header)) {
				t.Fatalf("a pool file, but %v", err)
			}
			return
		}
		after := k.text()
		if !bytes.HasPrefix(b, []byte(after)) || loaded.Torn == "" && len(after) != len(b) {
			t.Fatalf("changed to %q", after)
		}
		if n := lastSynced(string(b)); int64(len(after)) < n {
			t.Fatalf("cut to %d octets, though %d were synced", len(after), n)
		}
		want := linesOfTable(k.table)
		d.Kill()
		k, again := mustOpen(t, d, simPath, c)
		if got := linesOfTable(k.table); got != want || again.Torn != "" {
			t.Fatalf("read again:\n%s want\n%s", got, want)
		}
		if (loaded.Corrupt == nil) != (again.Corrupt == nil) {
			t.Fatalf("%v, then %v", loaded.Corrupt, again.Corrupt)
		}
		if _, err := k.commit(false, k.lease(ip(9), 9, 100)); err != nil {
			t.Fatal(err)
		}
	})
}

// sealAll makes a pool file of lines, with a wrong checksum where a line
// begins with an exclamation mark.
func sealAll(b []byte) []byte {
	text := []byte(header)
	for _, line := range strings.Split(string(b), "\n") {
		good, isBad := strings.CutPrefix(line, "!")
		if text = append(text, sealed(good)...); isBad {
			text[len(text)-len(good)-crcLen-1] ^= 1
		}
	}
	return text
}

// lastSynced finds the greatest "=" by other means than the loader does.
func lastSynced(text string) (most int64) {
	for at := 0; at < len(text); {
		line, _, whole := strings.Cut(text[at:], "\n")
		if number, ok := strings.CutPrefix(line[min(len(line), crcLen):], "= "); ok && whole {
			n, err := strconv.ParseUint(number, 10, 63) // no number with a sign is one
			if sealed(line[crcLen:]) == line+"\n" && err == nil && n <= uint64(at) {
				most = max(most, int64(n))
			}
		}
		at += len(line) + 1
	}
	return most
}

func linesOfTable(t *Table) (s string) {
	for r := range t.All() {
		s += fmt.Sprint(t.Member(r.Addr), lineOf(&r))
	}
	return s
}

// FuzzParseLine: what a line says is what is written for it.
func FuzzParseLine(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(lineOf(randomRecord(newRand(seed), ip(int(seed)), 1800000000))[crcLen:])
	}
	f.Add("clock b 1 2")
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "\n") {
			return
		}
		line := strings.TrimSuffix(sealed(body), "\n")
		var e entry
		if !e.read([]byte(line)) {
			t.Fatal("not intact")
		}
		if e.verb != record {
			return
		}
		want := plain(&e.rec)
		var skimmed entry
		if !skimmed.skim([]byte(line)) || skimmed.verb != record || skimmed.rec.Addr != want.Addr ||
			skimmed.rec.State != want.State || skimmed.rec.Since != want.Since || skimmed.rec.Last != want.Last {
			t.Fatalf("skimmed, it is %+v, want %+v", skimmed.rec, want)
		}
		again := appendRecord(nil, &want, 5)
		if !e.read(again[:len(again)-1]) || e.verb != record {
			t.Fatalf("%q can't be read", again)
		}
		got := plain(&e.rec)
		for _, at := range []*Time{&got.Since, &got.Told, &got.Kept, &got.Last} {
			*at = move(*at, 5)
		}
		if !got.equal(&want) && !atZero(&want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

// atZero tells whether a time of r is so near to 1970 that it moves past the
// value that stands for never.
func atZero(r *Record) bool {
	return slices.ContainsFunc([]Time{r.Since, r.Told, r.Kept, r.Last}, func(at Time) bool { return at != 0 && at <= 6 })
}

// Addresses that come and go leave rows behind that hold nothing.
func TestP2_AddedAndRemoved(t *testing.T) {
	lines := []string{"open"}
	for n := range 40 {
		lines = append(lines, "add "+ip(n).String())
	}
	for n := range 40 {
		lines = append(lines, "del "+ip(n*7%40).String())
	}
	k, loaded := mustOpen(t, fileOf(t, header+sealed(lines...)), simPath, newSimClock())
	if k.table.Len() != 0 || loaded.Corrupt != nil {
		t.Errorf("%d addresses, corrupt %v", k.table.Len(), loaded.Corrupt)
	}
}

func TestP2_TimesAtTheEdge(t *testing.T) {
	d, c := simdisk.New(), newSimClock()
	k, _ := mustOpen(t, d, simPath, c)
	r := bound(ip(1), 1, k.now(), Infinite-1) // nobody means it, but it must not make the file corrupt
	k.mustCommit(r)
	if err := k.file.Close(); err != nil {
		t.Fatal(err)
	}
	k, loaded := mustOpen(t, d, simPath, c)
	if loaded.Corrupt != nil {
		t.Fatal(loaded.Corrupt)
	}
	r.Told, r.Kept = Infinite, Infinite
	k.want("as good as infinite", r)
}
