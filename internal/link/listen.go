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
	var fd int
	var sa unix.Sockaddr
	var err error
	closed := l.wait(func(ear uintptr) bool {
		fd, sa, err = unix.Accept4(int(ear), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED
	})
	if closed != nil {
		return nil, os.ErrClosed
	}
	if err != nil {
		return nil, wrap(err, "accept on TCP port 67")
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	s := &Stream{to: addrOf(sa)}
	s.socket, err = newSocket(fd, "tcp")
	return s, err
}

// Close ends a waiting Accept. Connections go on.
func (l *Listener) Close() error { return l.file.Close() }

// Ends returns the addresses of both ends, ours first.
func (s *Stream) Ends() (here, there netip.Addr) {
	s.use(func(fd uintptr) {
		if sa, err := unix.Getsockname(int(fd)); err == nil {
			here = addrOf(sa)
		}
	})
	return here, s.to
}

func addrOf(sa unix.Sockaddr) netip.Addr {
	if in, ok := sa.(*unix.SockaddrInet4); ok {
		return netip.AddrFrom4(in.Addr)
	}
	return netip.Addr{}
}
