package link

import (
	"encoding/binary"

	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// Neighbour is that a packet is to go to a host on a link.
type Neighbour struct {
	Index int // of the interface
	Addr  netip.Addr
}

// Neighbours hears when the kernel has found, or has failed to find, who has an
// address on a link. It says so whatever its options are; that it begins to look
// it would only say if a first ARP request were left out for it (app_solicit),
// and to overhear our own requests would cost a look at each packet.
type Neighbours struct {
	socket
	buf    []byte
	batch  []Neighbour
	missed bool // there was more than the socket could hold
}

// Where a message has what ndmsg says (rtnetlink(7)), in the machine's byte
// order, which is not that of filters.
const (
	neighbourFamily = unix.SizeofNlMsghdr
	neighbourIndex  = unix.SizeofNlMsghdr + 4
	neighbourState  = unix.SizeofNlMsghdr + 8
	neighbourSize   = 12
)

// neighboursBuffer has room for about two thousand messages.
const neighboursBuffer = 1 << 21

// WatchNeighbours begins to listen.
func WatchNeighbours() (*Neighbours, error) {
	const group = 1 << (unix.RTNLGRP_NEIGH - 1)
	fd, err := openNetlink(unix.SOCK_NONBLOCK, group)
	w := &Neighbours{buf: make([]byte, 1<<13)}
	if err == nil {
		buffers(fd, neighboursBuffer)
		w.socket, err = newSocket(fd, "netlink")
	}
	if err == nil {
		err = w.Only()
	}
	return w, wrap(err, "watch neighbours")
}

// Only lets in only the news of these interfaces. All others cost nothing, unless
// there are so many of these that it would take long to tell.
func (w *Neighbours) Only(indexes ...int) error {
	var p program
	p.load(loadByte, neighbourFamily)
	p.dropUnless(ifEqual, unix.AF_INET)
	p.load(loadHalf, neighbourState)
	p.dropUnless(ifBits, uint32(swap16(unix.NUD_REACHABLE|unix.NUD_FAILED)))
	p.load(loadWord, neighbourIndex)
	const many = 64
	last := drop
	if len(indexes) > many {
		indexes, last = nil, keep
	}
	for _, i := range indexes {
		p.keepIf(ifEqual, binary.BigEndian.Uint32(word(uint32(i))))
	}
	p.add(end, last, 0, 0)
	var err error
	if closed := w.use(func(fd uintptr) { err = attach(int(fd), p) }); closed != nil {
		return closed
	}
	return err
}

// Wait waits for news. After Close it returns os.ErrClosed. What it returns is
// good until the next call.
func (w *Neighbours) Wait() ([]Neighbour, error) {
	w.batch, w.missed = w.batch[:0], false
	err := w.wait(w.read)
	if w.missed && err == nil {
		return w.Known()
	}
	return w.batch, err
}

func (w *Neighbours) read(fd uintptr) bool {
	for range 64 { // many at a time
		n, err := unix.Read(int(fd), w.buf)
		if err == unix.EAGAIN {
			break
		}
		w.missed = w.missed || err == unix.ENOBUFS
		for r := range replies(w.buf[:max(n, 0)]) {
			w.batch = appendNeighbour(w.batch, r)
		}
	}
	return len(w.batch) > 0 || w.missed
}

// Known returns those that packets go to now.
func (w *Neighbours) Known() (list []Neighbour, err error) {
	fd, err := openNetlink(0, 0)
	if err != nil {
		return nil, wrap(err, "list neighbours")
	}
	k := kernel{fd: fd, buf: make([]byte, 32<<10)}
	defer k.Close()
	m := newMessage(unix.RTM_GETNEIGH, 0, make([]byte, neighbourSize)...)
	m.b[neighbourFamily] = unix.AF_INET
	err = k.list(m, func(typ uint16, body []byte) { list = appendNeighbour(list, reply{typ: typ, body: body}) })
	return list, wrap(err, "list neighbours")
}

// appendNeighbour appends what a message of the kernel is about, if packets go
// there.
func appendNeighbour(list []Neighbour, r reply) []Neighbour {
	const using = unix.NUD_REACHABLE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_FAILED | unix.NUD_INCOMPLETE
	b := r.body
	if r.typ != unix.RTM_NEWNEIGH || len(b) < neighbourSize || b[0] != unix.AF_INET || host.Uint16(b[8:])&using == 0 {
		return list
	}
	for typ, v := range attributes(b[neighbourSize:]) {
		if typ == unix.NDA_DST && len(v) == 4 {
			return append(list, Neighbour{int(host.Uint32(b[4:])), netip.AddrFrom4([4]byte(v))})
		}
	}
	return list
}

// Close ends a Wait.
func (w *Neighbours) Close() error { return w.file.Close() }
