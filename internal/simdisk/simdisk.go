// Package simdisk is a disk in memory for tests: what was not synced is gone
// after a power cut, or not, or in part.
package simdisk

import (
	"errors"
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

// Dead tells whether the end has come that Die foretold.
func (d *Disk) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.doom == 0
}

// Well tells whether the disk does what it is told, and will.
func (d *Disk) Well() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.doom < 0 && d.left < 0 && d.fault == nil
}

// Durable returns what is there after a power cut now that takes all that it
// can.
func (d *Disk) Durable() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := New()
	for name, i := range d.stable {
		left.add(name).data = i.stable // nobody writes to it
		left.stable[name] = left.names[name]
	}
	return left
}

// Seen returns what programs see, on a disk that does not fail.
func (d *Disk) Seen() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := New()
	for name, i := range d.names {
		seen.add(name).data = i.data
	}
	return seen
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
