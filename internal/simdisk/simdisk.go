// Package simdisk is a disk in memory for tests: what was not synced is gone
// after a power cut, or not, or in part.
package simdisk

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"

	"dhcpd/internal/safe"
)

// Disk is a disk in memory. It fails when told to, and at a power cut it
// forgets what was not synced, in any order that a disk may choose.
type Disk struct {
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
	locks   map[int64]*handle
	errors  int // syncs that failed
}

// change is a sector written since the last sync, or, without data, a size.
type change struct {
	at   int64
	data []byte
}

// Sector is what the disk writes in one piece, in octets: less than real ones, so
// that what is written at once has many.
const Sector = 64

// ErrFault is what a fault may return.
var ErrFault = &os.PathError{Op: "fault", Path: "pool", Err: syscall.EIO}

func New() *Disk {
	return &Disk{names: map[string]*inode{}, stable: map[string]*inode{}, left: -1, doom: -1}
}

var errDead = errors.New("the process is dead")

// Die has the world end after so many more operations: none does anything
// until kill or cutPower says how it ended. A last write is cut short.
func (d *Disk) Die(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doom = after
}

// Fail has operations fail from now on; nil has none.
func (d *Disk) Fail(fault func(op string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// Limit leaves room for so many more octets; -1 for any number.
func (d *Disk) Limit(room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = room
}

func (d *Disk) ask(op string) error {
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

type handle struct {
	d    *Disk
	path string
	i    *inode
	life int
	seen int // of the failed syncs
}

// Open opens a file.
func (d *Disk) Open(path string, flags int) (safe.File, error) {
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
	return &handle{d, path, i, d.life, i.errors}, nil
}

func (d *Disk) add(path string) *inode {
	d.inodes++
	i := &inode{number: d.inodes, locks: map[int64]*handle{}}
	d.names[path] = i
	return i
}

// Create makes a new file.
func (d *Disk) Create(path string) (safe.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("create"); err != nil {
		return nil, err
	}
	return &handle{d, path, d.add(path), d.life, 0}, nil
}

// Rename gives a file another name.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("rename"); err != nil {
		return err
	}
	d.names[to] = d.names[from]
	delete(d.names, from)
	return nil
}

// SyncFolder makes the names last.
func (d *Disk) SyncFolder(string) error {
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

// Remove takes away a name.
func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("remove"); err != nil {
		return err
	}
	delete(d.names, path)
	return nil
}

// Stat looks at a name.
func (d *Disk) Stat(path string) (safe.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("stat"); err != nil {
		return safe.Status{}, err
	}
	if i := d.names[path]; i != nil {
		return safe.Status{Ino: i.number, Size: int64(len(i.data))}, nil
	}
	return safe.Status{}, &os.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
}

// Number returns the number of the file with a name, 0 if there is none.
func (d *Disk) Number(path string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.names[path]; i != nil {
		return i.number
	}
	return 0
}

// Room asks how much more can be written.
func (d *Disk) Room(string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left < 0 {
		return 1 << 60
	}
	return int64(d.left)
}

// enter locks the disk for an operation on f.
func (f *handle) enter(op string) error {
	f.d.mu.Lock()
	if f.life != f.d.life {
		return errDead
	}
	return f.d.ask(op)
}

func (f *handle) ReadAt(b []byte, at int64) (int, error) {
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

func (f *handle) WriteAt(b []byte, at int64) (n int, err error) {
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
		part := min(len(b)-n, Sector-int(at+int64(n))%Sector)
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

func (f *handle) Truncate(size int64) error {
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
func (f *handle) Sync() error {
	defer f.d.mu.Unlock()
	err := f.enter("sync")
	if err == errDead {
		return err
	}
	if err != nil {
		f.i.pending = nil
		f.i.errors++
	} else if f.seen < f.i.errors {
		err = ErrFault
	}
	f.seen = f.i.errors
	for _, c := range f.i.pending {
		f.i.settle(c)
	}
	f.i.pending = nil
	return err
}

func (f *handle) Status() (safe.Status, error) {
	defer f.d.mu.Unlock()
	err := f.enter("fstat")
	return safe.Status{Ino: f.i.number, Size: int64(len(f.i.data))}, err
}

func (f *handle) Lock(octet int64, wait bool) error {
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

func (f *handle) Unlock(octet int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.i.locks[octet] == f {
		delete(f.i.locks, octet)
	}
	return nil
}

func (f *handle) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	for octet, owner := range f.i.locks {
		if owner == f {
			delete(f.i.locks, octet)
		}
	}
	return nil
}

// Kill ends all programs. What they wrote is still there.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	d.fault, d.left, d.doom = nil, -1, -1
	for _, i := range d.names {
		i.locks = map[int64]*handle{}
	}
}

// CutPower ends everything. Of what was not synced each sector is there or is
// not, whatever was written first, and so is each change of a name; what never
// was written within a file is zero.
func (d *Disk) CutPower(rnd *rand.Rand) {
	d.Kill()
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
