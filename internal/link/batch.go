package link

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"dhcpd/internal/netip"
)

// Batch is a number of datagrams (UDP) or frames (Sender) that one system
// call receives or sends. Its memory is allocated once.
type Batch struct {
	msgs []Msg
	n    int
	size int
	buf  []byte
	hdrs []unix.Mmsghdr
	sys  []slot
	used int // how many of its first messages are not ready to be received into
	out  outgoing
}

// Msg is a datagram or a frame of a Batch.
type Msg struct {
	// Data is the payload, or the whole frame for a Sender. What was received
	// stays good until the batch's next Receive or Reset; to send, append to
	// Data, which is empty.
	Data []byte
	// From is who sent it. To send, its address is the source; the zero
	// AddrPort leaves the choice to the kernel's routes.
	From netip.AddrPort
	// To is where it was, or is to be, sent to.
	To netip.AddrPort
	// Index is the interface that it came in on or is to leave by; 0 leaves
	// the choice to the kernel's routes (UDP only).
	Index int
	// Cut tells that it was longer than the batch's buffers: drop it.
	Cut bool
}

// slot is what the kernel wants to know, or tells, of one message.
type slot struct {
	iov  unix.Iovec
	inet unix.RawSockaddrInet4
	link unix.RawSockaddrLinklayer
	info pktinfo
}

// pktinfo is the one control message that we use. No architecture wants a gap
// between its header and its data.
type pktinfo struct {
	hdr  unix.Cmsghdr
	info unix.Inet4Pktinfo
}

const sizeofPktinfo = int(unsafe.Sizeof(pktinfo{}))

// NewBatch makes room for n messages of up to size octets. Two kilo-octets do
// for what fits into an Ethernet frame.
func NewBatch(n, size int) *Batch {
	return &Batch{
		msgs: make([]Msg, n),
		size: size,
		buf:  make([]byte, n*size),
		hdrs: make([]unix.Mmsghdr, n),
		sys:  make([]slot, n),
		used: n,
	}
}

// Len is the number of messages in the batch.
func (b *Batch) Len() int { return b.n }

// Full tells whether there is no room for an Add.
func (b *Batch) Full() bool { return b.n == len(b.msgs) }

// At returns message i, which must be less than Len.
func (b *Batch) At(i int) *Msg { return &b.msgs[:b.n][i] }

// Add puts one more message into the batch, with empty fields and an empty
// Data. The batch must not be Full.
func (b *Batch) Add() *Msg {
	b.n++
	b.used = max(b.used, b.n)
	m := b.At(b.n - 1)
	*m = Msg{Data: b.room(b.n - 1)[:0]}
	return m
}

// Reset empties the batch.
func (b *Batch) Reset() { b.n = 0 }

// room is the buffer of message i.
func (b *Batch) room(i int) []byte { return b.buf[i*b.size : (i+1)*b.size : (i+1)*b.size] }

// header points message i's header at data and at the first namelen octets
// of name.
func (b *Batch) header(i int, data []byte, name unsafe.Pointer, namelen int) *unix.Msghdr {
	s, h := &b.sys[i], &b.hdrs[i].Hdr
	s.iov.Base = unsafe.SliceData(data)
	s.iov.SetLen(len(data))
	*h = unix.Msghdr{Name: (*byte)(name), Namelen: uint32(namelen), Iov: &s.iov}
	h.SetIovlen(1)
	return h
}

// control adds the control message to a header.
func (s *slot) control(h *unix.Msghdr) {
	h.Control = (*byte)(unsafe.Pointer(&s.info))
	h.SetControllen(sizeofPktinfo)
}

// expect readies all of the batch to receive datagrams into. The kernel has
// left those alone that it did not need last time.
func (b *Batch) expect() {
	for i := range b.msgs[:b.used] {
		s := &b.sys[i]
		s.info = pktinfo{}
		s.control(b.header(i, b.room(i), unsafe.Pointer(&s.inet), unix.SizeofSockaddrInet4))
	}
	b.used = 0
}

// accept takes over the first n datagrams, which came to port.
func (b *Batch) accept(n int, port uint16) {
	b.n, b.used = n, n
	for i := range b.msgs[:n] {
		s, h := &b.sys[i], &b.hdrs[i]
		b.msgs[i] = Msg{
			Data:  b.room(i)[:h.Len],
			From:  netip.AddrPortFrom(netip.AddrFrom4(s.inet.Addr), swap16(s.inet.Port)),
			To:    netip.AddrPortFrom(netip.AddrFrom4(s.info.info.Addr), port),
			Index: int(s.info.info.Ifindex),
			Cut:   h.Hdr.Flags&unix.MSG_TRUNC != 0,
		}
	}
}

// addressDatagrams readies the batch to be sent by UDP.
func (b *Batch) addressDatagrams() {
	for i := range b.msgs[:b.n] {
		m, s := &b.msgs[i], &b.sys[i]
		s.inet = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swap16(m.To.Port()), Addr: m.To.Addr().As4()}
		h := b.header(i, m.Data, unsafe.Pointer(&s.inet), unix.SizeofSockaddrInet4)
		s.info.hdr = unix.Cmsghdr{Level: unix.IPPROTO_IP, Type: unix.IP_PKTINFO}
		s.info.hdr.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		s.info.info = unix.Inet4Pktinfo{Ifindex: int32(m.Index), Spec_dst: m.From.Addr().As4()}
		s.control(h)
	}
}

// addressFrames readies the batch to be sent by a packet socket. The type is
// the frame's own.
func (b *Batch) addressFrames() {
	for i := range b.msgs[:b.n] {
		m, s := &b.msgs[i], &b.sys[i]
		s.link = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Ifindex: int32(m.Index)}
		if len(m.Data) >= 14 {
			s.link.Protocol = host.Uint16(m.Data[12:]) // in network order on both sides
		}
		b.header(i, m.Data, unsafe.Pointer(&s.link), unix.SizeofSockaddrLinklayer)
	}
}

// recvmmsg receives up to all of hdrs that are there.
func recvmmsg(fd uintptr, hdrs []unix.Mmsghdr) (int, unix.Errno) {
	return mmsg(unix.SYS_RECVMMSG, fd, hdrs)
}

// sendmmsg sends hdrs, up to the first that the kernel refuses.
func sendmmsg(fd uintptr, hdrs []unix.Mmsghdr) (int, unix.Errno) {
	return mmsg(unix.SYS_SENDMMSG, fd, hdrs)
}

// mmsg never waits, so the scheduler need not be told of the call, which it
// would otherwise take for one that blocks, and move the other goroutines to
// another thread.
func mmsg(call, fd uintptr, hdrs []unix.Mmsghdr) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}
