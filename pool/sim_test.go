package pool

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/safe"
)

// simDisk is a disk in memory. It fails when told to, and at a power cut it
// forgets what was not synced, in any order that a disk may choose.
type simDisk struct {
	mu     sync.Mutex
	names  map[string]*inode // as programs see them
	stable map[string]*inode // as a power cut leaves them, at least
	inodes uint64
	fault  func(op string) error // asked before each operation; nil for none
	left   int                   // so many more octets can be written; -1 for any number
	life   int                   // grows with each crash: files opened before it are dead
	doom   int                   // so many more operations until the end; -1 for no end
}

type inode struct {
	number  uint64
	data    []byte   // as programs see it
	stable  []byte   // what is on the disk for sure
	pending []change // what may be there, too
	locks   map[int64]*simFile
	errors  int // syncs that failed
}

// change is a sector written since the last sync, or, without data, a size.
type change struct {
	at   int64
	data []byte
}

const sector = 64 // smaller than real ones, so that a block has many

var errFault = &os.PathError{Op: "fault", Path: "pool", Err: syscall.EIO}

func newSimDisk() *simDisk {
	return &simDisk{names: map[string]*inode{}, stable: map[string]*inode{}, left: -1, doom: -1}
}

var errDead = errors.New("the process is dead")

// die has the world end after so many more operations: none does anything
// until kill or cutPower says how it ended. A last write is cut short.
func (d *simDisk) die(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doom = after
}

// fail has operations fail from now on; nil has none.
func (d *simDisk) fail(fault func(op string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// limit leaves room for so many more octets; -1 for any number.
func (d *simDisk) limit(room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = room
}

func (d *simDisk) ask(op string) error {
	switch {
	case d.doom == 0:
		return errDead
	case d.doom > 0:
		d.doom--
	}
	if d.fault == nil {
		return nil
	}
	return d.fault(op)
}

type simFile struct {
	d    *simDisk
	path string
	i    *inode
	life int
	seen int // of the failed syncs
}

func (d *simDisk) open(path string, flags int) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("open"); err != nil {
		return nil, err
	}
	i := d.names[path]
	if i == nil && flags&os.O_CREATE == 0 {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	}
	if i == nil {
		i = d.add(path)
		d.stable[path] = i // only the lock is made this way: nobody minds when
	}
	return &simFile{d, path, i, d.life, i.errors}, nil
}

func (d *simDisk) add(path string) *inode {
	d.inodes++
	i := &inode{number: d.inodes, locks: map[int64]*simFile{}}
	d.names[path] = i
	return i
}

func (d *simDisk) create(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("create"); err != nil {
		return nil, err
	}
	return &simFile{d, path, d.add(path), d.life, 0}, nil
}

func (d *simDisk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("rename"); err != nil {
		return err
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	return nil
}

func (d *simDisk) syncFolder(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("syncfolder"); err != nil {
		return err
	}
	d.stable = map[string]*inode{}
	for name, i := range d.names {
		d.stable[name] = i
	}
	return nil
}

func (d *simDisk) remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("remove"); err != nil {
		return err
	}
	delete(d.names, path)
	return nil
}

func (d *simDisk) stat(path string) (status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("stat"); err != nil {
		return status{}, err
	}
	if i := d.names[path]; i != nil {
		return status{ino: i.number, size: int64(len(i.data))}, nil
	}
	return status{}, &os.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
}

func (d *simDisk) room(string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left < 0 {
		return 1 << 60
	}
	return int64(d.left)
}

// enter locks the disk for an operation on f.
func (f *simFile) enter(op string) error {
	f.d.mu.Lock()
	if f.life != f.d.life {
		return errDead
	}
	return f.d.ask(op)
}

func (f *simFile) ReadAt(b []byte, at int64) (int, error) {
	defer f.d.mu.Unlock()
	if err := f.enter("read"); err != nil {
		return 0, err
	}
	if at >= int64(len(f.i.data)) && len(b) > 0 {
		return 0, io.EOF
	}
	n := copy(b, f.i.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(b []byte, at int64) (n int, err error) {
	defer f.d.mu.Unlock()
	if err := f.enter("write"); err != nil {
		return 0, err
	}
	if f.d.left >= 0 && len(b) > f.d.left {
		b, err = b[:f.d.left], &os.PathError{Op: "write", Path: f.path, Err: syscall.ENOSPC}
	}
	if f.d.left >= 0 {
		f.d.left -= len(b)
	}
	if f.d.doom == 0 { // this is the last one
		b, err = b[:len(b)/2], errDead
	}
	f.i.data = overlay(f.i.data, at, b)
	for n = 0; n < len(b); {
		part := min(len(b)-n, sector-int(at+int64(n))%sector)
		f.i.pending = append(f.i.pending, change{at + int64(n), []byte(string(b[n : n+part]))})
		n += part
	}
	return n, err
}

// overlay puts b over old at a place, zeros between.
func overlay(old []byte, at int64, b []byte) []byte {
	if grow := int(at) + len(b) - len(old); grow > 0 {
		old = append(old, make([]byte, grow)...)
	}
	copy(old[at:], b)
	return old
}

func (f *simFile) Truncate(size int64) error {
	defer f.d.mu.Unlock()
	if err := f.enter("truncate"); err != nil {
		return err
	}
	f.i.data = f.i.data[:min(size, int64(len(f.i.data)))]
	f.i.pending = append(f.i.pending, change{at: size})
	return nil
}

func (i *inode) settle(c change) {
	if c.data == nil {
		i.stable = i.stable[:min(c.at, int64(len(i.stable)))]
	} else {
		i.stable = overlay(i.stable, c.at, c.data)
	}
}

// sync that fails forgets what it should have written: the next one does not
// write it, either, though programs go on seeing it. As on Linux, everyone
// who has the file open hears of it once; who opens it later does not.
func (f *simFile) sync() error {
	defer f.d.mu.Unlock()
	err := f.enter("sync")
	if err == errDead {
		return err
	}
	if err != nil {
		f.i.pending = nil
		f.i.errors++
	} else if f.seen < f.i.errors {
		err = errFault
	}
	f.seen = f.i.errors
	for _, c := range f.i.pending {
		f.i.settle(c)
	}
	f.i.pending = nil
	return err
}

func (f *simFile) stat() (status, error) {
	defer f.d.mu.Unlock()
	err := f.enter("fstat")
	return status{ino: f.i.number, size: int64(len(f.i.data))}, err
}

func (f *simFile) lock(octet int64, wait bool) error {
	defer f.d.mu.Unlock()
	if err := f.enter("lock"); err != nil {
		return err
	}
	switch owner := f.i.locks[octet]; {
	case owner == nil || owner == f:
		f.i.locks[octet] = f
		return nil
	case wait:
		panic("nobody will ever let go of this lock")
	}
	return safe.ErrBusy
}

func (f *simFile) unlock(octet int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.i.locks[octet] == f {
		delete(f.i.locks, octet)
	}
	return nil
}

func (f *simFile) Close() error {
	f.unlock(octetLives)
	return f.unlock(octetWrites)
}

// kill ends all programs. What they wrote is still there.
func (d *simDisk) kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	d.fault, d.left, d.doom = nil, -1, -1
	for _, i := range d.names {
		i.locks = map[int64]*simFile{}
	}
}

// cutPower ends everything. Of what was not synced each sector is there or is
// not, whatever was written first, and so is each change of a name; what never
// was written within a file is zero.
func (d *simDisk) cutPower(rnd *rand.Rand) {
	d.kill()
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, i := range d.names {
		if rnd.IntN(2) == 0 {
			d.stable[name] = i
		}
	}
	for name := range d.stable {
		if d.names[name] == nil && rnd.IntN(2) == 0 {
			delete(d.stable, name)
		}
	}
	d.names = map[string]*inode{}
	for name, i := range d.stable {
		d.names[name] = i
		for _, c := range i.pending {
			if rnd.IntN(2) == 0 {
				i.settle(c)
			}
		}
		i.pending = nil
		i.data = []byte(string(i.stable))
	}
}

// simClock is a machine's clocks, to be set at will.
type simClock struct {
	boot string
	wall time.Time
	up   time.Duration
}

func newSimClock() *simClock {
	return &simClock{boot: "boot-1", wall: Built.Add(1000 * time.Hour), up: time.Hour}
}

func (c *simClock) read() Reading { return Reading{c.boot, c.wall, c.up} }

func (c *simClock) pass(d time.Duration) { c.wall, c.up = c.wall.Add(d), c.up+d }

// reboot starts the boot clock anew; the wall clock is what it is told.
func (c *simClock) reboot(wall time.Time) {
	c.boot += "x"
	c.wall, c.up = wall, 10*time.Second
}

// keeper is a daemon reduced to what it does with its pool file.
type keeper struct {
	t     testing.TB
	disk  disk
	path  string
	clock *Clock
	file  *File
	table *Table
	block *Block
}

func openKeeper(t testing.TB, d disk, path string, c *simClock) (*keeper, *Loaded, error) {
	k := &keeper{t: t, disk: d, path: path, clock: NewClock(c.read)}
	f, loaded, err := open(path, k.clock, d)
	if err != nil {
		return nil, nil, err
	}
	k.file, k.table = f, loaded.Table
	k.block = f.NewBlock(k.table)
	k.table.Regroup(by24)
	return k, loaded, nil
}

func mustOpen(t testing.TB, d disk, path string, c *simClock) (*keeper, *Loaded) {
	t.Helper()
	k, loaded, err := openKeeper(t, d, path, c)
	if err != nil {
		t.Fatal(err)
	}
	return k, loaded
}

func (k *keeper) now() Time { return Time(k.clock.Now().Unix()) }

// commit does with records what the daemon's loop does.
func (k *keeper) commit(lazy bool, records ...*Record) (Changes, error) {
	type undo struct {
		old Record
		had bool
	}
	var undos []undo
	k.block.Stamp()
	for _, r := range records {
		old, had := k.table.Apply(r)
		undos = append(undos, undo{old, had})
		k.block.Add(r, lazy)
	}
	c, err := k.file.Commit(k.block)
	if err != nil {
		for i := len(undos) - 1; i >= 0; i-- {
			k.table.Undo(&undos[i].old, undos[i].had)
		}
	}
	k.table.Take(&c)
	k.block.Reset()
	if errors.Is(err, ErrWhole) {
		k.block.Whole()
	}
	return c, err
}

func (k *keeper) mustCommit(records ...*Record) Changes {
	k.t.Helper()
	c, err := k.commit(false, records...)
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

// settle waits for a compaction under way.
func (k *keeper) settle() {
	for k.file.compacting && len(k.file.compacted) == 0 {
		<-k.file.look
	}
}

func (k *keeper) text() string { return readAll(k.t, k.disk, k.path) }

func readAll(t testing.TB, d disk, path string) string {
	t.Helper()
	f, err := d.open(path, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, st.size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t testing.TB, d disk, path, text string) {
	t.Helper()
	f, err := d.create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.sync(), d.syncFolder(path)); err != nil {
		t.Fatal(err)
	}
}

func poolPath(t testing.TB) string { return filepath.Join(t.TempDir(), "dhcp.pool") }

func count(text, part string) int { return strings.Count(text, part) }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
