package link

import (
	"os"

	"golang.org/x/sys/unix"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// Ping asks by ICMP whether hosts are there. One goroutine may wait for
// answers while another asks.
type Ping struct {
	socket
	id  uint16
	buf [1500]byte
}

// icmpFilter is the option of a raw socket that says which types of ICMP it
// shall not hear (linux/icmp.h).
const icmpFilter = 1

// OpenPing opens it.
func OpenPing() (*Ping, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, wrap(err, "open ICMP socket")
	}
	p := &Ping{id: uint16(os.Getpid())}
	if err = unix.SetsockoptInt(fd, unix.SOL_RAW, icmpFilter, ^(1 << ether.EchoReply)); err == nil {
		p.socket, err = newSocket(fd, "icmp")
	}
	if err != nil {
		unix.Close(fd)
		return nil, wrap(err, "open ICMP socket")
	}
	return p, nil
}

// Ask sends an echo request. It does not wait.
func (p *Ping) Ask(a netip.Addr) error {
	echo := ether.Echo(p.id, 0, []byte("dhcpd asks whether this is used."))
	b := echo.Append(nil)
	var err error
	if closed := p.use(func(fd uintptr) {
		err = unix.Sendto(int(fd), b, 0, &unix.SockaddrInet4{Addr: a.As4()})
	}); closed != nil {
		return closed
	}
	return wrap(err, "ping "+a.String())
}

// Wait waits until somebody answers. After Close it returns os.ErrClosed.
func (p *Ping) Wait() (from netip.Addr, err error) {
	for {
		var n int
		var errno error
		if err := p.wait(func(fd uintptr) bool {
			n, errno = unix.Read(int(fd), p.buf[:])
			return errno != unix.EAGAIN
		}); err != nil {
			return from, err
		}
		if errno != nil {
			continue // news of an echo that got nowhere
		}
		ip, err := ether.ParseIPv4(p.buf[:n])
		if err != nil {
			continue
		}
		m, err := ether.ParseICMP(&ip)
		if err == nil && m.Type == ether.EchoReply && m.Rest>>16 == uint32(p.id) {
			return ip.Src, nil
		}
	}
}

// Close ends a Wait.
func (p *Ping) Close() error { return p.file.Close() }
