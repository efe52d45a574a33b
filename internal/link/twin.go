package link

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// twin is a second socket on the port of a server, for the requests of clients
// that know us already: those that have an address, and those that take one; and
// for the replies that a relay waits for.
// It has a queue of its own in the kernel, so a flood of DISCOVERs fills
// only the queue of the first socket, and clients with a lease don't notice.
// It is a help, not a need: the kernel may not know how to tell them apart.
type twin struct {
	socket
	fd      int32
	first   bool          // its turn
	heard   atomic.Uint32 // broadcasts received
	dropped atomic.Uint64 // what Dropped returned last
}

// there tells whether there is one.
func (t *twin) there() bool { return t.file != nil }

// open joins a twin to the socket fd, which has the port to itself so far.
// A program of the same user that comes later, and is willing to share, could
// join them as well: it would hear broadcasts, and take nothing from us.
func (t *twin) open(port uint16, fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) != nil {
		return
	}
	second, err := bindTwin(port)
	if err != nil {
		return
	}
	if t.socket, err = newSocket(second, "udp"); err == nil {
		t.fd = int32(second)
	}
}

func bindTwin(port uint16) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	buffers(fd, serverBuffer)
	if err = attach(fd, onlyInterfaces(nil, false)); err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)})
	}
	if err == nil {
		err = steer(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// steer tells the kernel which of the two sockets a unicast goes to: by their
// number, in the order in which they were bound. A broadcast goes to both.
func steer(fd int) error {
	var p program
	p.known(0, true)
	p.add(end, 1, 0, 0)
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &prog)
}

// siftSize is how long what sift returns is.
const siftSize = 18

// sift begins the filter of one of the two: of a broadcast, which comes to
// both, each drops what is the other's.
func sift(twin bool) (p program) {
	const udp = 8 // where the message begins, for a socket's filter
	p.load(loadWord, ipHeader+16)
	p.add(ifEqual, 1<<32-1, 2, 0)
	p.load(loadByte, packetType)
	p.add(ifEqual, unix.PACKET_BROADCAST, 0, siftSize-4)
	p.known(udp, twin)
	return p
}

// known drops a message at that place unless it is from somebody who knows us
// already, or if it is. That is seen without reading all of it: it has ciaddr
// set, or begins by saying that it is a REQUEST, as those of most clients do, or
// it is a server's reply to what a relay of ours has passed on.
func (p *program) known(at uint32, is bool) {
	const (
		ciaddr  = 12
		magic   = 236
		options = 240
		size    = 14 // of this piece
		yes, no = size - 2, size - 1
	)
	test := func(code uint16, k uint32, hit, miss int) {
		at := len(*p)
		p.add(code, k, uint8(hit-at-1), uint8(miss-at-1))
	}
	begin := len(*p)
	accept, other := begin+yes, begin+no
	if !is {
		accept, other = other, accept
	}
	next := func() int { return len(*p) + 1 }
	p.load(unix.BPF_LD|unix.BPF_W|unix.BPF_LEN, 0)
	test(ifAtLeast, at+options+3, next(), other)
	p.load(loadWord, at+magic)
	test(ifEqual, 0x63825363, next(), other)
	p.load(loadByte, at)
	test(ifEqual, 2, accept, next())
	p.load(loadWord, at+ciaddr)
	test(ifEqual, 0, next(), accept)
	p.load(loadHalf, at+options)
	test(ifEqual, 53<<8|1, next(), other)
	p.load(loadByte, at+options+2)
	test(ifEqual, 3, accept, other)
	p.add(unix.BPF_JMP|unix.BPF_JA, 1, 0, 0)
	p.add(end, drop, 0, 0)
}
