package link

import (
	"encoding/binary"
	"iter"

	"golang.org/x/sys/unix"
)

// Netlink messages (netlink(7), rtnetlink(7)): a header of 16 octets, a fixed
// part for the kind of message, and attributes of type, length and value.
// Numbers are in the machine's byte order, IP addresses in that of the network;
// everything begins at a multiple of four octets.

var host = binary.NativeEndian

// message is a netlink message being written.
type message struct{ b []byte }

// newMessage begins a message with its fixed part.
//
//go:noinline
func newMessage(typ, flags uint16, fixed ...byte) *message {
	m := &message{make([]byte, unix.SizeofNlMsghdr, 128)}
	host.PutUint16(m.b[4:], typ)
	host.PutUint16(m.b[6:], flags|unix.NLM_F_REQUEST)
	m.b = append(m.b, fixed...)
	return m
}

// attr adds an attribute.
//
//go:noinline
func (m *message) attr(typ uint16, value []byte) {
	m.b = host.AppendUint16(m.b, uint16(unix.SizeofRtAttr+len(value)))
	m.b = host.AppendUint16(m.b, typ)
	m.b = append(m.b, value...)
	for len(m.b)%unix.NLMSG_ALIGNTO != 0 {
		m.b = append(m.b, 0)
	}
}

// number adds an attribute of 32 bits.
//
//go:noinline
func (m *message) number(typ uint16, v uint32) { m.attr(typ, word(v)) }

// seal fills in length and sequence number.
func (m *message) seal(seq uint32) []byte {
	host.PutUint32(m.b, uint32(len(m.b)))
	host.PutUint32(m.b[8:], seq)
	return m.b
}

// word is a number in the machine's byte order.
func word(v uint32) []byte { return host.AppendUint32(nil, v) }

// reply is a message from the kernel.
type reply struct {
	typ, flags uint16
	seq        uint32
	body       []byte
}

// replies takes apart what one read brought. A message that says it is longer
// than what is there ends it.
func replies(b []byte) iter.Seq[reply] {
	return func(yield func(reply) bool) {
		for len(b) >= unix.SizeofNlMsghdr {
			n := host.Uint32(b)
			if n < unix.SizeofNlMsghdr || n > uint32(len(b)) {
				return
			}
			r := reply{
				typ:   host.Uint16(b[4:]),
				flags: host.Uint16(b[6:]),
				seq:   host.Uint32(b[8:]),
				body:  b[unix.SizeofNlMsghdr:n],
			}
			if !yield(r) {
				return
			}
			b = b[min(align(int(n)), len(b)):]
		}
	}
}

// attributes takes apart a row of attributes, by the same rule.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofRtAttr {
			n := int(host.Uint16(b))
			if n < unix.SizeofRtAttr || n > len(b) {
				return
			}
			const flags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
			if !yield(host.Uint16(b[2:])&^flags, b[unix.SizeofRtAttr:n]) {
				return
			}
			b = b[min(align(n), len(b)):]
		}
	}
}

func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// number reads a value of 32 bits, 0 if it has another size.
func number(v []byte) uint32 {
	if len(v) != 4 {
		return 0
	}
	return host.Uint32(v)
}

// text reads a string, which may end with a zero octet.
func text(v []byte) string {
	if n := len(v); n > 0 && v[n-1] == 0 {
		v = v[:n-1]
	}
	return string(v)
}
