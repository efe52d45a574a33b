package pool

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/netip"
)

// The test binary is also the daemon that the tests below kill.
func TestMain(m *testing.M) {
	if path := os.Getenv("POOL_TEST_DAEMON"); path != "" {
		child(path)
	}
	if folder := os.Getenv("POOL_TEST_DISK"); folder != "" {
		fmt.Println(smallDisk(folder))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// numbered returns a record that says which commit it was part of.
func numbered(a netip.Addr, n int, now Time) *Record {
	r := bound(a, 0, now, now+3600)
	r.ID = binary.BigEndian.AppendUint64([]byte{0}, uint64(n))
	return r
}

func numberOf(r *Record) int {
	if len(r.ID) != 9 {
		return -1
	}
	return int(binary.BigEndian.Uint64(r.ID[1:]))
}

// child is a daemon that commits and says so, for ever.
func child(path string) {
	clock := NewClock(nil)
	f, loaded, err := Open(path, clock)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	f.floor, f.factor = 0, 2
	b := f.NewBlock(loaded.Table)
	start := loaded.Table.Len() // so that later daemons count on
	for r := range loaded.Table.All() {
		start = max(start, numberOf(&r))
	}
	out := bufio.NewWriter(os.Stdout)
	for n := start + 1; ; n++ {
		b.Reset()
		now := Time(clock.Now().Unix())
		for i := range 1 + n%4 {
			r := numbered(ip((n*7+i)%64), n, now)
			loaded.Table.Apply(r)
			b.Add(r, false)
		}
		c, err := f.Commit(b)
		loaded.Table.Take(&c)
		switch {
		case errors.Is(err, ErrWhole):
			b.Whole()
			if _, err = f.Commit(b); err != nil {
				fmt.Println("error", err)
			}
		case err != nil:
			fmt.Println("error", err)
		default:
			for i := range 1 + n%4 {
				fmt.Fprintln(out, (n*7+i)%64, n)
			}
			out.Flush()
		}
	}
}

// daemon is a child and what it said.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	last map[int]int // the number that was committed last, for each address
	errs []string
}

func startDaemon(t *testing.T, path string) *daemon {
	t.Helper()
	d := &daemon{cmd: exec.Command(os.Args[0]), done: make(chan struct{}), last: map[int]int{}}
	d.cmd.Env = append(os.Environ(), "POOL_TEST_DAEMON="+path)
	out, err := d.cmd.StdoutPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			d.hear(s.Text())
		}
	}()
	return d
}

func (d *daemon) hear(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var a, n int
	if _, err := fmt.Sscan(line, &a, &n); err == nil {
		d.last[a] = n
	} else {
		d.errs = append(d.errs, line)
	}
}

// heard returns how many addresses the daemon has committed records for.
func (d *daemon) heard() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.last)
}

// at returns the number of its last commit.
func (d *daemon) at() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, last := range d.last {
		n = max(n, last)
	}
	return n
}

// await waits until the daemon has done some work.
func (d *daemon) await(t *testing.T, addrs int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); d.heard() < addrs; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the daemon got no further than %d addresses: %v", d.heard(), d.errs)
		}
	}
}

func (d *daemon) kill(t *testing.T) {
	t.Helper()
	d.cmd.Process.Signal(syscall.SIGKILL)
	<-d.done
	d.cmd.Wait()
	for _, e := range d.errs {
		if strings.HasPrefix(e, "error") {
			t.Error(e)
		}
	}
}

// compare tells whether the file has all that the daemon said was committed.
func (d *daemon) compare(t *testing.T, path string) {
	t.Helper()
	loaded, err := Snapshot(path, NewClock(nil))
	if err != nil || loaded.Corrupt != nil {
		t.Fatal(err, loaded.Corrupt)
	}
	for a, n := range d.last {
		r, _ := loaded.Table.ByAddr(ip(a))
		if got := numberOf(&r); got < n {
			t.Fatalf("%v: commit %d is lost, %d is there", ip(a), n, got)
		}
	}
}

// TestP4_Kill9 kills a daemon at any moment, with compactions all the time.
func TestP4_Kill9(t *testing.T) {
	path := poolPath(t)
	rnd := newRand(1)
	for range 25 {
		d := startDaemon(t, path)
		d.await(t, 1)
		time.Sleep(time.Duration(rnd.IntN(30)) * time.Millisecond) // it is the moment that is to be any
		d.kill(t)
		d.compare(t, path)
	}
}

// TestL5_EditsBesideADaemon has commands and -q hammer at the file of a daemon
// that writes and compacts without a pause.
func TestL5_EditsBesideADaemon(t *testing.T) {
	path := poolPath(t)
	d := startDaemon(t, path)
	d.await(t, 1)
	var group sync.WaitGroup
	for g := range 3 {
		group.Go(func() {
			for i := range 60 {
				a := ip(1000 + g*100 + i)
				results, err := Edit(path, Add, []netip.Addr{a})
				if err != nil || results[0] != Done {
					t.Errorf("add: %v %v", results, err)
				}
				if i%3 != 0 {
					continue
				}
				if results, err = Edit(path, Del, []netip.Addr{a}); err != nil || results[0] != Done {
					t.Errorf("remove: %v %v", results, err)
				}
			}
		})
	}
	group.Go(func() {
		for range 100 {
			loaded, err := Snapshot(path, NewClock(nil))
			if err != nil || loaded.Corrupt != nil || loaded.Torn != "" {
				t.Errorf("-q: %v, %+v", err, loaded)
				return
			}
		}
	})
	group.Wait()
	d.await(t, 64)
	d.kill(t)
	d.compare(t, path)
	loaded, _ := Snapshot(path, NewClock(nil))
	for g := range 3 {
		for i := range 60 {
			if a := ip(1000 + g*100 + i); loaded.Table.Member(a) != (i%3 != 0) {
				t.Errorf("%v in the pool: %v", a, i%3 == 0)
			}
		}
	}
}

// TestP4_FileTakenAwayUnderLoad removes and replaces the file of a daemon that
// writes without a pause.
func TestP4_FileTakenAwayUnderLoad(t *testing.T) {
	path := poolPath(t)
	d := startDaemon(t, path)
	d.await(t, 64)
	for i := range 10 {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var mine os.FileInfo
		if i%2 == 0 {
			err = os.Remove(path)
		} else {
			lines := bytes.SplitAfter(b, []byte("\n"))
			text := bytes.Join(lines[:len(lines)/2], nil)
			var e error
			err = os.WriteFile(path+".mine", text, 0600)
			mine, e = os.Stat(path + ".mine")
			err = errors.Join(err, e, os.Rename(path+".mine", path))
		}
		if err != nil {
			t.Fatal(err)
		}
		// What we hear next may have been said before that.
		waitFor(t, "a file of the daemon's", func() bool {
			now, err := os.Stat(path)
			return err == nil && !os.SameFile(mine, now)
		})
		at := d.at()
		waitFor(t, "commits after that", func() bool { return d.at() > at+2 })
	}
	d.kill(t)
	d.compare(t, path)
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// TestL5_DaemonHearsWithinASecond: what others do to the file is news.
func TestL5_DaemonHearsWithinASecond(t *testing.T) {
	changes := map[string]func(path string) error{
		"added to": func(path string) error {
			_, err := Edit(path, Add, []netip.Addr{ip(1)})
			return err
		},
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".x", []byte(header), 0600), os.Rename(path+".x", path))
		},
	}
	for name, change := range changes {
		path := poolPath(t)
		if _, err := Edit(path, Add, []netip.Addr{ip(9)}); err != nil {
			t.Fatal(err)
		}
		f, _, err := Open(path, NewClock(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		select {
		case <-f.Look:
		case <-time.After(time.Minute):
			t.Errorf("%s: nobody heard", name)
		}
		f.Close()
	}
}

// The daemon's own writing wakes nobody, or it would never sleep.
func TestL5_OwnWritesAreNoNews(t *testing.T) {
	path := poolPath(t)
	clock := NewClock(nil)
	f, loaded, err := Open(path, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := f.NewBlock(loaded.Table)
	for n := range 10 {
		b.Reset()
		b.Add(numbered(ip(1), n, Time(clock.Now().Unix())), n%2 == 0)
		if _, err := f.Commit(b); err != nil {
			t.Fatal(err)
		}
	}
	// What someone else does later comes out of inotify later: by then ours
	// would be here.
	if _, err := Edit(filepath.Join(filepath.Dir(path), "other.pool"), Add, []netip.Addr{ip(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := Edit(path, Add, []netip.Addr{ip(1)}); err != nil {
		t.Fatal(err)
	}
	<-f.Look
	select {
	case <-f.Look:
		t.Error("two pings for one change by others")
	case <-time.After(50 * time.Millisecond):
	}
}

// TestP4_FolderTakenAway: the folder goes, and everything in it.
func TestP4_FolderTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "dhcp.pool")
	f, loaded, err := Open(path, NewClock(nil))
	if err != nil {
		t.Fatal(err)
	}
	b := f.NewBlock(loaded.Table)
	b.Add(numbered(ip(1), 1, 1), false)
	if _, err := f.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	<-f.Look
	if _, err := f.Commit(b); !errors.Is(err, ErrWhole) {
		t.Errorf("commit: %v", err)
	}
	b.Whole()
	_, err = f.Commit(b)
	if _, e := os.Stat(path); err == nil && e != nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("whole commit: %v; stat: %v", err, e)
	}
	f.Close()
}

// TestP4_RealFullAndReadOnlyDisk has a disk of 64 kB, in a mount namespace of
// its own, fill up and then become read-only.
func TestP4_RealFullAndReadOnlyDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POOL_TEST_DISK="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "<nil>\n" {
		t.Fatalf("%v, %s (it takes root to make a mount namespace)", err, out)
	}
}

func smallDisk(folder string) error {
	err := errors.Join(syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""),
		syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "dhcp.pool")
	f, loaded, err := Open(path, NewClock(nil))
	if err != nil {
		return err
	}
	b := f.NewBlock(loaded.Table)
	last := 0
	for n := 1; err == nil; n++ {
		b.Reset()
		b.Add(numbered(ip(n), n, 1000), false)
		if _, err = f.Commit(b); err == nil {
			last = n
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ErrWhole) || strings.Contains(err.Error(), "\n") {
		return fmt.Errorf("full disk: %w", err)
	}
	if err := upTo(path, last); err != nil {
		return err
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err == nil {
		return errors.New("read-only, though a file is open for writing")
	}
	f.Close()
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	if _, _, err := Open(path, NewClock(nil)); !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("daemon on a read-only disk: %w", err)
	}
	if _, err := Edit(path, Add, []netip.Addr{ip(1)}); !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("command on a read-only disk: %w", err)
	}
	return upTo(path, last)
}

// upTo tells whether the file has the records up to a number and no more.
func upTo(path string, last int) error {
	loaded, err := Snapshot(path, NewClock(nil))
	if err != nil {
		return err
	}
	if n := loaded.Table.Len(); n != last || loaded.Corrupt != nil {
		return fmt.Errorf("%d records, want %d; corrupt %v", n, last, loaded.Corrupt)
	}
	return nil
}
