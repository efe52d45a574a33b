package link

import (
	"os"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// Listener is the TCP port 67 of all addresses, for bulk leasequeries (RFC 6926
// section 6.3).
type Listener struct{ socket }

// backlog is how many connections may wait to be accepted.
const backlog = 16

// Listen opens it.
func Listen() (*Listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, wrap(err, "listen on TCP port 67")
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // connections of an earlier run may linger
	if err = unix.Bind(fd, &unix.SockaddrInet4{Port: queryPort}); err == nil {
		err = unix.Listen(fd, backlog)
	}
	l := new(Listener)
	if err == nil {
		l.socket, err = newSocket(fd, "tcp")
	} else {
		unix.Close(fd)
	}
	return l, wrap(err, "listen on TCP port 67")
}

// Accept waits for a connection. After Close it returns os.ErrClosed.
func (l *Listener) Accept() (*Stream, error) {
	s := new(Stream)
	var fd uintptr
	var errno unix.Errno
	closed := l.wait(func(ear uintptr) bool {
		fd, s.to, errno = addrOf(unix.SYS_ACCEPT4, ear, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return errno != unix.EAGAIN && errno != unix.EINTR && errno != unix.ECONNABORTED
	})
	if closed != nil {
		return nil, os.ErrClosed
	}
	if errno != 0 {
		return nil, wrap(errno, "accept on TCP port 67")
	}
	unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	var err error
	s.socket, err = newSocket(int(fd), "tcp")
	return s, err
}

// Close ends a waiting Accept. Connections go on.
func (l *Listener) Close() error { return l.file.Close() }

// Ends returns the addresses of both ends, ours first.
func (s *Stream) Ends() (here, there netip.Addr) {
	s.use(func(fd uintptr) { _, here, _ = addrOf(unix.SYS_GETSOCKNAME, fd, 0) })
	return here, s.to
}
