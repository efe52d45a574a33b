package safe

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ErrBusy is the error of Lock when someone else has the lock.
var ErrBusy = errors.New("is in use by another dhcpd")

const ofdSetLock = 37 // F_OFD_SETLK, the same on every Linux; package syscall has no name for it

// Lock takes the lock on one octet of f, which must be open for writing,
// without waiting: ErrBusy if another open file has it. It is an open file
// description's lock: closing f, or the end of the process, gives it up, and
// nothing else that the process does with the file.
func Lock(f *os.File, octet int64) error {
	return lock(f, octet, syscall.F_WRLCK)
}

// Unlock gives up the lock on one octet of f.
func Unlock(f *os.File, octet int64) error {
	return lock(f, octet, syscall.F_UNLCK)
}

func lock(f *os.File, octet int64, kind int16) error {
	l := syscall.Flock_t{Type: kind, Whence: io.SeekStart, Start: octet, Len: 1}
	switch err := syscall.FcntlFlock(f.Fd(), ofdSetLock, &l); err {
	case nil:
		return nil
	case syscall.EAGAIN, syscall.EACCES:
		return &os.PathError{Op: "lock", Path: f.Name(), Err: ErrBusy}
	default:
		return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
}
