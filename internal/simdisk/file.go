package simdisk

import (
	"io"
	"os"
	"syscall"

	"dhcpd/internal/safe"
)

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
