package link

import (
	"encoding/binary"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket is a non-blocking socket that the runtime's poller waits for.
type socket struct {
	file *os.File
	raw  syscall.RawConn // kept: SyscallConn allocates
}

// newSocket takes over the socket fd.
func newSocket(fd int, name string) (s socket, err error) {
	s.file = os.NewFile(uintptr(fd), name)
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
	}
	return s, err
}

// wait calls try whenever there may be something to read, until it returns
// true. All that can go wrong is that the socket is closed.
func (s *socket) wait(try func(fd uintptr) bool) error {
	if s.raw.Read(try) != nil {
		return os.ErrClosed
	}
	return nil
}

// use calls f with the socket at once.
//
//go:noinline
func (s *socket) use(f func(fd uintptr)) error {
	if s.raw.Control(f) != nil {
		return os.ErrClosed
	}
	return nil
}

// buffers asks for large socket buffers: for as much as we want if we are
// privileged, else for as much as the system lets everybody have.
func buffers(fd, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size)
	}
}

// swap16 turns a number into network byte order, or back.
func swap16(v uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	return binary.BigEndian.Uint16(b[:])
}
