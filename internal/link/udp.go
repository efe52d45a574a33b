package link

import (
	"cmp"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// serverBuffer is the room for what waits at a socket of all networks: about
// four thousand requests, which are 40 ms of a flood.
const serverBuffer = 4 << 20

// UDP is an IPv4 UDP socket. One goroutine may receive while others send.
//
// The socket of one interface is waited for by the runtime's poller, as all
// that hears little. That of all interfaces has a thread of its own to wait
// for it: the poller would wake for each datagram that comes while the loop is
// at work, only to find that there is nobody to be told.
type UDP struct {
	socket
	port  uint16
	alone bool // it has a thread of its own
	twin  twin
	in    inbox
}

// inbox is a Receive under way. The functions are kept because making one
// would allocate.
type inbox struct {
	batch *Batch
	n     int // received so far
	errno unix.Errno
	try   func(fd uintptr) bool
	once  func(fd uintptr)
	part  func(fd uintptr)
	poll  [2]unix.PollFd
}

// ListenUDP opens a UDP socket on a port of all addresses: of one interface,
// or with the zero ID of all of them. The port is not shared: if another
// program has it, that is an error (unix.EADDRINUSE), since two DHCP servers on
// one machine would each hear half of the talk.
func ListenUDP(port uint16, on ID) (*UDP, error) {
	c, fd, err := listenUDP(port, on)
	if err == nil && c.alone {
		c.twin.open(port, fd)
	}
	return c, err
}

// ListenOne is ListenUDP on all interfaces without a twin: for whoever treats
// all messages alike, as internal/bench does.
func ListenOne(port uint16) (*UDP, error) {
	c, _, err := listenUDP(port, ID{})
	return c, err
}

func listenUDP(port uint16, on ID) (c *UDP, fd int, err error) {
	c = &UDP{port: port, alone: on.Name == ""}
	if fd, err = bindUDP(port, on); err == nil {
		c.socket, err = newSocket(fd, "udp")
	}
	if err != nil && on.Name != "" {
		return nil, -1, wrap(err, "listen on "+udpPort(port)+" of "+on.Name)
	}
	if err != nil {
		return nil, -1, wrap(err, "listen on "+udpPort(port))
	}
	c.in.try, c.in.once, c.in.part = c.receive, c.look, c.take
	return c, fd, nil
}

//go:noinline
func udpPort(port uint16) string { return "UDP port " + strconv.Itoa(int(port)) }

func bindUDP(port uint16, on ID) (fd int, err error) {
	kind := unix.SOCK_DGRAM | unix.SOCK_CLOEXEC
	if on.Name != "" {
		kind |= unix.SOCK_NONBLOCK // what makes it one for the poller
	}
	fd, err = unix.Socket(unix.AF_INET, kind, 0)
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
// let in but what is the twin's. What this machine sends to itself comes in on
// the loopback interface, what comes in on a port of a VRF may come under the
// VRF's index.
func (c *UDP) Only(indexes ...int) error { return c.filter(onlyInterfaces(indexes, false)) }

// OnlyAnd is Only that also lets in what servers say to relays, BOOTREPLYs,
// wherever it comes in.
func (c *UDP) OnlyAnd(indexes ...int) error { return c.filter(onlyInterfaces(indexes, true)) }

func (c *UDP) filter(filter program) error {
	var err error
	if c.twin.there() {
		set := func(fd uintptr) { err = attach(int(fd), append(sift(true), filter...)) }
		if c.twin.use(set) == nil {
			filter = append(sift(false), filter...)
		}
	}
	if closed := c.use(func(fd uintptr) { err = cmp.Or(attach(int(fd), filter), err) }); closed != nil {
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
	if c.in.errno == unix.EAGAIN {
		return os.ErrClosed
	}
	if c.in.errno != 0 {
		return wrap(c.in.errno, "receive on "+udpPort(c.port))
	}
	return nil
}

// TryReceive fills b with what is there, which may be nothing, and waits for
// nothing. It must not be called during a Receive.
func (c *UDP) TryReceive(b *Batch) error {
	b.Reset()
	c.in.batch = b
	return c.use(c.in.once)
}

func (c *UDP) receive(fd uintptr) bool {
	for {
		if c.look(fd); c.in.errno != unix.EAGAIN {
			return true
		}
		if !c.alone {
			return false
		}
		if c.await(fd); c.in.poll[0].Revents&unix.POLLHUP != 0 {
			return true // Close shut it down
		}
	}
}

// look takes what is there. Of two sockets each is the first in turn, so that
// neither can keep the other waiting for longer than a batch.
func (c *UDP) look(fd uintptr) {
	c.in.n, c.in.errno = 0, 0
	c.in.batch.expect()
	if c.twin.first = !c.twin.first; !c.twin.first {
		c.take(fd)
	}
	if n := c.in.n; c.twin.there() {
		c.twin.use(c.in.part)
		c.twin.heard.Add(c.in.batch.broadcasts(n, c.in.n))
	}
	if c.twin.first {
		c.take(fd)
	}
	if c.in.n > 0 {
		c.in.errno = 0
		c.in.batch.accept(c.in.n, c.port)
	}
}

// take takes what is there on one socket, as far as there is room.
func (c *UDP) take(fd uintptr) {
	room := c.in.batch.hdrs[c.in.n:]
	if len(room) == 0 {
		return
	}
	n, errno := recvmmsg(fd, room)
	if errno == 0 {
		c.in.n += n
	} else {
		c.in.errno = errno
	}
}

// await waits until there is something.
func (c *UDP) await(fd uintptr) {
	p := c.in.poll[:1]
	p[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	if c.twin.there() {
		p = append(p, unix.PollFd{Fd: c.twin.fd, Events: unix.POLLIN})
	}
	for {
		if _, err := unix.Ppoll(p, nil, nil); err != unix.EINTR {
			return
		}
	}
}

// Send sends all of b and says how many messages the kernel refused, and why
// the first of them. None is tried twice and nothing is waited for: to DHCP
// it is as if the network had lost them.
//
// One large datagram for the kernel to cut (UDP_SEGMENT) would be quicker by a
// tenth, where messages are of one length. But a veth passes it on uncut, and
// whoever reads packets there, as Kea and ISC's servers and most clients do,
// takes all of it for one message.
func (c *UDP) Send(b *Batch) (lost int, err error) {
	b.addressDatagrams()
	lost, m, err := c.sendBatch(b)
	if m != nil {
		err = wrap(err, "send "+strconv.Itoa(len(m.Data))+" octets to "+m.To.String()+
			" by interface "+strconv.Itoa(m.Index))
	}
	return lost, err
}

// Close ends a waiting Receive.
func (c *UDP) Close() error {
	if c.twin.there() {
		c.twin.file.Close()
	}
	c.use(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	return c.file.Close()
}
