package safe

import (
	"io"
	"math"
	"os"
	"syscall"
)

// Disk is what a journal asks of a file system. Tests put another in its
// place, which fails when told to and forgets what was not synced.
type Disk interface {
	Open(path string, flags int) (File, error) // as the function Open
	Create(path string) (File, error)          // as the function Create
	Rename(from, to string) error              // in one folder; not on stable storage before SyncFolder
	SyncFolder(path string) error              // as the function SyncFolder
	Remove(path string) error
	Stat(path string) (Status, error) // of the name, not of what a link leads to
	Room(path string) int64           // octets that we can write to the disk that path is on
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error // of its octets and its size
	Status() (Status, error)
	Lock(octet int64, wait bool) error // as the functions Lock and Wait
	Unlock(octet int64) error
}

// Status is which file it is, how long, and whether others can write it.
type Status struct {
	Dev, Ino uint64
	Size     int64
	Exposed  bool
}

// Same tells whether s and t are of one file.
func (s Status) Same(t Status) bool { return s.Dev == t.Dev && s.Ino == t.Ino }

// OS is the Disk of this machine.
type OS struct{}

type osFile struct{ *os.File }

func wrap(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Open opens a file of ours.
func (OS) Open(path string, flags int) (File, error) { return wrap(Open(path, flags)) }

// Create makes a new file.
func (OS) Create(path string) (File, error) { return wrap(Create(path)) }

// Rename gives a file another name.
func (OS) Rename(from, to string) error { return Move(from, to) }

// SyncFolder makes the names last.
func (OS) SyncFolder(path string) error { return SyncFolder(path) }

// Remove takes away a name.
func (OS) Remove(path string) error { return os.Remove(path) }

// Stat looks at a name.
func (OS) Stat(path string) (Status, error) {
	var st syscall.Stat_t
	for {
		switch err := syscall.Lstat(path, &st); err {
		case nil:
			return statusOf(&st), nil
		case syscall.EINTR:
		default:
			return Status{}, &os.PathError{Op: "stat", Path: path, Err: err}
		}
	}
}

// Room asks how much more can be written.
func (OS) Room(path string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil || st.Blocks == 0 { // one without a size, or that has not told
		return math.MaxInt64
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

func (f osFile) Status() (Status, error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return Status{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return statusOf(&st), nil
}

func statusOf(st *syscall.Stat_t) Status {
	return Status{Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, Exposed: st.Mode&0022 != 0}
}

func (f osFile) Sync() error { return Sync(f.File) }

func (f osFile) Lock(octet int64, wait bool) error {
	if wait {
		return Wait(f.File, octet)
	}
	return Lock(f.File, octet)
}

func (f osFile) Unlock(octet int64) error { return Unlock(f.File, octet) }
