package link

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// Stream is a TCP connection to a server of bulk leasequeries (RFC 6926). One
// goroutine uses it; another may Close it, which ends what that does.
type Stream struct {
	socket
	to     netip.Addr
	active bool
}

const dialPatience = 10 * time.Second

// dataPatience is how long nothing may move (RFC 6926 section 6.3,
// BULK_LQ_DATA_TIMEOUT). The tests have less.
var dataPatience = 300 * time.Second

// activePatience is that of an active leasequery (RFC 7724 section 5.3,
// ACTIVE_LQ_RCV_TIMEOUT and ACTIVE_LQ_SEND_TIMEOUT).
const activePatience = 120 * time.Second

// Dial connects to port 67 of a server, from an address of ours.
func Dial(from, to netip.Addr) (*Stream, error) {
	s := &Stream{to: to}
	fd, err := connect(from, to)
	if err == nil {
		s.socket, err = newSocket(fd, "tcp")
	}
	if err != nil {
		return nil, s.wrap("connect to", err)
	}
	if err = s.connected(); err != nil {
		s.Close()
		return nil, s.wrap("connect to", err)
	}
	return s, nil
}

func connect(from, to netip.Addr) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: queryPort, Addr: to.As4()})
	}
	if err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// connected waits until the connection is made.
func (s *Stream) connected() error {
	err := s.file.SetWriteDeadline(time.Now().Add(dialPatience))
	if err != nil {
		return err
	}
	var no int
	err = s.raw.Write(func(fd uintptr) bool {
		p := [...]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, _ := unix.Poll(p[:], 0); n == 0 {
			return false
		}
		no, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		return true
	})
	if err == nil && no != 0 {
		err = unix.Errno(no)
	}
	return err
}

// Read reads what has come, at least one octet. The end of the stream is io.EOF.
func (s *Stream) Read(b []byte) (int, error) {
	err := s.file.SetReadDeadline(time.Now().Add(s.patience()))
	n := 0
	if err == nil {
		n, err = s.file.Read(b)
	}
	if err == io.EOF {
		return n, err
	}
	return n, s.wrap("read from", err)
}

// Active gives the connection the patience that an active leasequery has.
func (s *Stream) Active() { s.active = true }

func (s *Stream) patience() time.Duration {
	if s.active {
		return min(dataPatience, activePatience)
	}
	return dataPatience
}

// Patience says for how long Next waits from now on, in nanoseconds.
func (s *Stream) Patience(ns int64) error {
	return s.wrap("wait for", s.file.SetReadDeadline(time.Now().Add(time.Duration(ns))))
}

// Next reads what has come, or nothing if the patience is at its end, or Wake
// was called since it began.
func (s *Stream) Next(b []byte) (int, error) {
	n, err := s.file.Read(b)
	switch {
	case os.IsTimeout(err):
		return n, nil
	case err == io.EOF:
		return n, err
	}
	return n, s.wrap("read from", err)
}

// Wake has Next return. Another goroutine may call it.
func (s *Stream) Wake() { s.file.SetReadDeadline(time.Unix(1, 0)) }

// Write writes all of b.
func (s *Stream) Write(b []byte) error {
	err := s.file.SetWriteDeadline(time.Now().Add(s.patience()))
	if err == nil {
		_, err = s.file.Write(b)
	}
	return s.wrap("write to", err)
}

// Close closes it.
func (s *Stream) Close() error { return s.file.Close() }

func (s *Stream) wrap(tried string, err error) error {
	if os.IsTimeout(err) {
		err = unix.ETIMEDOUT
	}
	return wrap(cause(err), tried+" TCP port 67 of "+s.to.String())
}
