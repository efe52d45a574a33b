package link

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// serverBuffer is the room for what waits at a socket of all networks: about
// four thousand requests, which are 40 ms of a flood.
const serverBuffer = 4 << 20

// UDP is an IPv4 UDP socket. One goroutine may receive while another sends.
type UDP struct {
	socket
	port uint16
	in   inbox
	out  outbox
}

// inbox is a Receive under way. The function is kept because making one would
// allocate.
type inbox struct {
	batch *Batch
	errno unix.Errno
	try   func(fd uintptr) bool
}

// ListenUDP opens a UDP socket on a port of all addresses: of one interface,
// or with the zero ID of all of them. The port is not shared: if another
// program has it, that is an error (unix.EADDRINUSE), since two DHCP servers on
// one machine would each hear half of the talk.
func ListenUDP(port uint16, on ID) (*UDP, error) {
	c := &UDP{port: port}
	fd, err := bindUDP(port, on)
	if err == nil {
		c.socket, err = newSocket(fd, "udp")
	}
	if err != nil && on.Name != "" {
		return nil, wrap(err, "listen on "+udpPort(port)+" of "+on.Name)
	}
	if err != nil {
		return nil, wrap(err, "listen on "+udpPort(port))
	}
	c.in.try = c.receive
	c.out.init(&c.socket)
	return c, nil
}

func udpPort(port uint16) string { return "UDP port " + strconv.Itoa(int(port)) }

func bindUDP(port uint16, on ID) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if on.Name != "" {
		err = unix.BindToDevice(fd, on.Name)
	} else {
		buffers(fd, serverBuffer)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)})
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Only lets in only what came in on these interfaces, so that the others cost
// nothing; with none it shuts the door. Before the first call everything is
// let in. What this machine sends to itself comes in on the loopback
// interface, what comes in on a port of a VRF may come under the VRF's index.
func (c *UDP) Only(indexes ...int) error {
	filter := onlyInterfaces(indexes)
	var err error
	if closed := c.use(func(fd uintptr) { err = attach(int(fd), filter) }); closed != nil {
		return closed
	}
	return wrap(err, "filter "+udpPort(c.port)+" by interface")
}

// Receive waits for datagrams and fills b with what is there, at least one.
// After Close it returns os.ErrClosed; any other error is final too.
func (c *UDP) Receive(b *Batch) error {
	b.Reset()
	c.in.batch = b
	if err := c.wait(c.in.try); err != nil {
		return err
	}
	if c.in.errno != 0 {
		return wrap(c.in.errno, "receive on "+udpPort(c.port))
	}
	return nil
}

func (c *UDP) receive(fd uintptr) bool {
	b := c.in.batch
	b.expect()
	n, errno := recvmmsg(fd, b.hdrs)
	if errno == unix.EAGAIN {
		return false
	}
	if c.in.errno = errno; errno == 0 {
		b.accept(n, c.port)
	}
	return true
}

// Send sends all of b and says how many messages the kernel refused, and why
// the first of them. None is tried twice and nothing is waited for: to DHCP
// it is as if the network had lost them.
func (c *UDP) Send(b *Batch) (lost int, err error) {
	b.addressDatagrams()
	lost, first, err := c.out.send(b)
	if lost > 0 {
		m := b.At(first)
		return lost, wrap(err, "send "+strconv.Itoa(len(m.Data))+" octets to "+m.To.String()+
			" by interface "+strconv.Itoa(m.Index))
	}
	return lost, err
}

// Close ends a waiting Receive.
func (c *UDP) Close() error { return c.file.Close() }
