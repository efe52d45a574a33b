package pool

import (
	"io"
	"math"
	"os"
	"syscall"

	"dhcpd/internal/safe"
)

// disk is what the journal asks of a file system. Tests put another in its
// place, which fails when told to and forgets what was not synced.
type disk interface {
	open(path string, flags int) (file, error) // as safe.Open
	create(path string) (file, error)          // as safe.Create
	rename(from, to string) error              // in one folder; not on stable storage before syncFolder
	syncFolder(path string) error              // as safe.SyncFolder
	remove(path string) error
	stat(path string) (status, error) // of the name, not of what a link leads to
	room(path string) int64           // octets that we can write to the disk that path is on
}

// file is an open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	sync() error // of its octets and its size
	stat() (status, error)
	lock(octet int64, wait bool) error // as safe.Lock and safe.Wait
	unlock(octet int64) error
}

// status is which file it is, how long, and whether others can write it.
type status struct {
	dev, ino uint64
	size     int64
	exposed  bool
}

func (s status) same(t status) bool { return s.dev == t.dev && s.ino == t.ino }

// The octets of POOL.lock that are locked.
const (
	octetLives  = 0 // a daemon lives: for life
	octetWrites = 1 // somebody writes: for one append, or the last step of a compaction
)

type osDisk struct{}

type osFile struct{ *os.File }

func (osDisk) open(path string, flags int) (file, error) {
	return wrap(safe.Open(path, flags))
}

func (osDisk) create(path string) (file, error) { return wrap(safe.Create(path)) }

func wrap(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) rename(from, to string) error { return safe.Move(from, to) }
func (osDisk) syncFolder(path string) error { return safe.SyncFolder(path) }
func (osDisk) remove(path string) error     { return os.Remove(path) }

func (osDisk) stat(path string) (status, error) {
	var st syscall.Stat_t
	for {
		switch err := syscall.Lstat(path, &st); err {
		case nil:
			return statusOf(&st), nil
		case syscall.EINTR:
		default:
			return status{}, &os.PathError{Op: "stat", Path: path, Err: err}
		}
	}
}

func (osDisk) room(path string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil || st.Blocks == 0 { // one without a size, or that has not told
		return math.MaxInt64
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

func (f osFile) stat() (status, error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return status{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return statusOf(&st), nil
}

func statusOf(st *syscall.Stat_t) status {
	return status{dev: uint64(st.Dev), ino: st.Ino, size: st.Size, exposed: st.Mode&0022 != 0}
}

func (f osFile) sync() error { return safe.Sync(f.File) }

func (f osFile) lock(octet int64, wait bool) error {
	if wait {
		return safe.Wait(f.File, octet)
	}
	return safe.Lock(f.File, octet)
}

func (f osFile) unlock(octet int64) error { return safe.Unlock(f.File, octet) }
