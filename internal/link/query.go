package link

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// Query asks a server from port 67 of an address of ours, which is where a
// server answers to (RFC 4388 section 6.4), and hears the answers. A daemon
// that has that port does not keep it from that and loses nothing by it: a raw
// socket gets a copy of what comes.
type Query struct {
	in, out  int // out is connected, so that it hears of errors
	held     int // the port, so that nobody is told that it is not in use; -1: somebody has it
	from, to netip.Addr
	buf      [1 << 16]byte
}

const queryPort = 67

// OpenQuery opens it, for a server.
func OpenQuery(from, to netip.Addr) (*Query, error) {
	q := &Query{in: -1, out: -1, held: -1, from: from, to: to}
	if err := q.open(); err != nil {
		q.Close()
		return nil, wrap(err, "ask from "+from.String())
	}
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC
	if fd, err := unix.Socket(unix.AF_INET, kind, 0); err == nil {
		q.held = fd
		attach(fd, program{{Code: end, K: drop}})
		unix.Bind(fd, &unix.SockaddrInet4{Port: queryPort, Addr: from.As4()})
	}
	return q, nil
}

func (q *Query) open() (err error) {
	const kind = unix.SOCK_RAW | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	if q.in, err = unix.Socket(unix.AF_INET, kind, unix.IPPROTO_UDP); err != nil {
		return err
	}
	if err = attach(q.in, onlyQueries(q.from)); err != nil {
		return err
	}
	if q.out, err = unix.Socket(unix.AF_INET, kind, unix.IPPROTO_UDP); err != nil {
		return err
	}
	if err = attach(q.out, program{{Code: end, K: drop}}); err != nil {
		return err
	}
	if err = unix.Bind(q.out, &unix.SockaddrInet4{Addr: q.from.As4()}); err != nil {
		return err
	}
	return unix.Connect(q.out, &unix.SockaddrInet4{Addr: q.to.As4()})
}

// onlyQueries is the filter for datagrams to port 67 of an address of ours.
func onlyQueries(to netip.Addr) program {
	b := to.As4()
	var p program
	p.load(loadWord, 16)
	p.dropUnless(ifEqual, binary.BigEndian.Uint32(b[:]))
	p.load(headerToX, 0)
	p.load(loadHalfX, 2)
	p.keepIf(ifEqual, queryPort)
	p.add(end, drop, 0, 0)
	return p
}

// Ask sends a message.
func (q *Query) Ask(payload []byte) error {
	u := ether.UDP{SrcPort: queryPort, DstPort: queryPort, Payload: payload}
	err := unix.Send(q.out, u.Append(nil, q.from, q.to), 0)
	return wrap(err, "ask "+q.to.String())
}

// Wait waits that long for a message, nil if none comes. It is good until the
// next call. An error is what the network says: nobody is there.
func (q *Query) Wait(patience time.Duration) ([]byte, error) {
	for end := Boottime() + patience; ; {
		left := end - Boottime()
		if left <= 0 {
			return nil, nil
		}
		fds := [...]unix.PollFd{{Fd: int32(q.in), Events: unix.POLLIN}, {Fd: int32(q.out)}}
		if _, err := unix.Poll(fds[:], int(left/time.Millisecond)+1); err != nil && err != unix.EINTR {
			return nil, wrap(err, "wait for "+q.to.String())
		}
		if no, _ := unix.GetsockoptInt(q.out, unix.SOL_SOCKET, unix.SO_ERROR); no != 0 {
			return nil, wrap(unix.Errno(no), "ask "+q.to.String())
		}
		if b := q.read(); b != nil {
			return b, nil
		}
	}
}

// read returns the payload of what has come, nil for nothing.
func (q *Query) read() []byte {
	n, err := unix.Read(q.in, q.buf[:])
	if err != nil {
		return nil
	}
	ip, err := ether.ParseIPv4(q.buf[:n])
	if err != nil {
		return nil
	}
	u, err := ether.ParseUDP(&ip)
	if err != nil {
		return nil
	}
	return u.Payload
}

// Close closes it.
func (q *Query) Close() {
	for _, fd := range [...]int{q.in, q.out, q.held} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
