package safe

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// ErrBusy is what the error of Lock is when someone else has the lock.
var ErrBusy = errors.New("is in use by another dhcpd")

// busy is ErrBusy of a file. It reads as a sentence, which an fs.PathError
// would not.
type busy string

func (b busy) Error() string { return string(b) + " " + ErrBusy.Error() }
func (b busy) Unwrap() error { return ErrBusy }

// F_OFD_GETLK, F_OFD_SETLK and F_OFD_SETLKW, the same on every Linux; package
// syscall has no names for them.
const (
	ofdGetLock     = 36
	ofdSetLock     = 37
	ofdSetLockWait = 38
)

// Lock takes the lock on one octet of f, which must be open for writing,
// without waiting: ErrBusy if another open file has it. It is an open file
// description's lock: closing f, or the end of the process, gives it up, and
// nothing else that the process does with the file.
func Lock(f *os.File, octet int64) error {
	return lock(f, ofdSetLock, octet, syscall.F_WRLCK)
}

// Wait takes the lock as Lock does, but waits until nobody else has it.
func Wait(f *os.File, octet int64) error {
	for {
		err := lock(f, ofdSetLockWait, octet, syscall.F_WRLCK)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Locked tells whether somebody else has the lock on one octet of f. It takes
// none.
func Locked(f *os.File, octet int64) bool {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: octet, Len: 1}
	return syscall.FcntlFlock(f.Fd(), ofdGetLock, &l) == nil && l.Type != syscall.F_UNLCK
}

// Unlock gives up the lock on one octet of f.
func Unlock(f *os.File, octet int64) error {
	return lock(f, ofdSetLock, octet, syscall.F_UNLCK)
}

func lock(f *os.File, how int, octet int64, kind int16) error {
	l := syscall.Flock_t{Type: kind, Whence: io.SeekStart, Start: octet, Len: 1}
	switch err := syscall.FcntlFlock(f.Fd(), how, &l); err {
	case nil:
		return nil
	case syscall.EAGAIN, syscall.EACCES:
		return busy(f.Name())
	default:
		return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
}
