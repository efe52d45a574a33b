package dhcp4

import (
	"bytes"
	"encoding/binary"
	"errors"

	"dhcpd/internal/netip"
)

// Errors of Parse. They are values, so that a flood of bad packets costs
// nothing but a counter.
var (
	ErrShort    = errors.New("message is shorter than its header")
	ErrOp       = errors.New("op is neither BOOTREQUEST nor BOOTREPLY")
	ErrHlen     = errors.New("hlen is over 16")
	ErrCookie   = errors.New("no magic cookie")
	ErrOption   = errors.New("option runs past the end of its field")
	ErrOverload = errors.New("option overload (52) is not 1, 2 or 3")
	ErrType     = errors.New("message type (53) is malformed or not known")
)

const cookie = 0x63825363 // RFC 2131 section 3

// Message is one DHCP or BOOTP message. Field names and meaning are those of
// RFC 2131 figure 1. Addresses are always IPv4: 0.0.0.0 where the message has
// none. A Message is large: make one and reuse it. Assigning one to another
// does not copy its options.
type Message struct {
	Op     Op
	Htype  uint8
	Hlen   uint8 // octets of Chaddr in use, at most 16
	Hops   uint8
	Xid    uint32
	Secs   uint16
	Flags  uint16
	Ciaddr netip.Addr
	Yiaddr netip.Addr
	Siaddr netip.Addr
	Giaddr netip.Addr
	Chaddr [16]byte
	Sname  [64]byte  // zero if it carried options
	File   [128]byte // zero if it carried options

	Options Options

	// Wire is what Parse read, for who wants to know the very octets: they are
	// the caller's, and not copied. Nil for a message that was not read.
	Wire []byte
}

// Reset makes m an empty message in the given direction: addresses 0.0.0.0,
// everything else zero.
func (m *Message) Reset(op Op) {
	zero := netip.IPv4Unspecified()
	m.Op, m.Htype, m.Hlen, m.Hops = op, 0, 0, 0
	m.Xid, m.Secs, m.Flags = 0, 0, 0
	m.Ciaddr, m.Yiaddr, m.Siaddr, m.Giaddr = zero, zero, zero, zero
	m.Chaddr, m.Sname, m.File = [16]byte{}, [64]byte{}, [128]byte{}
	m.Options.Reset()
	m.Wire = nil
}

// Type returns the message type; BOOTP if option 53 is absent. Parse has
// refused a malformed one.
func (m *Message) Type() Type {
	if v := m.Options.Get(MessageType); len(v) == 1 {
		return Type(v[0])
	}
	return BOOTP
}

// SetType sets option 53. Call it first: many peers want to see it first.
func (m *Message) SetType(t Type) { m.Options.PutUint8(MessageType, uint8(t)) }

// HW returns the octets of Chaddr that are in use.
func (m *Message) HW() []byte { return m.Chaddr[:min(m.Hlen, 16)] }

// Ether returns chaddr as the Ethernet address of one host; false if it is
// none, so that no frame can be sent there.
func (m *Message) Ether() (mac [6]byte, ok bool) {
	mac = [6]byte(m.Chaddr[:6])
	return mac, m.Htype == HtypeEther && m.Hlen == 6 && mac[0]&1 == 0 && mac != [6]byte{}
}

// Everyone is the address of all hosts on a link.
var Everyone = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// IsUnicast tells whether a may be a host's address.
func IsUnicast(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && a != Everyone
}

// Limit returns how long a reply to m may be, in octets of UDP payload, for
// Append: what option 57 says, which counts IP and UDP headers (RFC 2132
// section 9.10), but no more than the MTU of the way out and no less than
// MinLimit. That is also what a peer gets that has no valid option 57. A
// BOOTP client takes MinSize (RFC 1534 section 2), and the option 82 that a
// relay takes off again before.
func (m *Message) Limit(mtu int) int {
	if m.Type() == BOOTP {
		if agent := m.Options.Get(RelayAgent); agent != nil {
			return MinSize + optionSize(len(agent))
		}
		return MinSize
	}
	size, _ := m.Options.Uint16(MaxSize)
	return max(min(int(size), mtu)-ipUDPSize, MinLimit)
}

// Parse reads b, the payload of a UDP datagram, into m, which is reused: all
// that it held before is gone. Repeated options are joined (RFC 3396),
// overloaded ones read from file and sname, in that order. A missing END is
// accepted; an option that runs past the end of its field is not. After an
// error m is unspecified. BOOTP messages may have an all-zero vendor area in
// place of the cookie.
func (m *Message) Parse(b []byte) error {
	if len(b) < headerSize {
		return ErrShort
	}
	m.Op, m.Htype, m.Hlen, m.Hops = Op(b[0]), b[1], b[2], b[3]
	if m.Op != BootRequest && m.Op != BootReply {
		return ErrOp
	}
	if m.Hlen > 16 {
		return ErrHlen
	}
	m.Xid = binary.BigEndian.Uint32(b[4:])
	m.Secs = binary.BigEndian.Uint16(b[8:])
	m.Flags = binary.BigEndian.Uint16(b[10:])
	m.Ciaddr = netip.AddrFrom4([4]byte(b[12:]))
	m.Yiaddr = netip.AddrFrom4([4]byte(b[16:]))
	m.Siaddr = netip.AddrFrom4([4]byte(b[20:]))
	m.Giaddr = netip.AddrFrom4([4]byte(b[24:]))
	m.Chaddr = [16]byte(b[28:])
	m.Sname = [64]byte(b[44:])
	m.File = [128]byte(b[108:])
	m.Options.Reset()
	m.Wire = b
	return m.parseVendor(b[headerSize:])
}

// parseVendor reads the vendor area: the cookie and the options behind it.
func (m *Message) parseVendor(b []byte) error {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != cookie {
		if allZero(b) {
			return nil // plain BOOTP, RFC 951
		}
		return ErrCookie
	}
	o := &m.Options
	overload, err := o.parse(b[4:])
	if err != nil {
		return err
	}
	if overload != nil {
		if err := m.parseOverload(overload); err != nil {
			return err
		}
	}
	if o.Has(MessageType) {
		t, err := o.Uint8(MessageType)
		if err != nil || t == 0 || Type(t) > TLS {
			return ErrType
		}
	}
	return nil
}

// parseOverload reads the options in file and sname, as option 52 says (RFC
// 2132 section 9.3), and clears the fields that held them. An option 52 in
// there means nothing.
func (m *Message) parseOverload(v []byte) error {
	if len(v) != 1 || v[0] < 1 || v[0] > 3 {
		return ErrOverload
	}
	if v[0]&1 != 0 {
		if _, err := m.Options.parse(m.File[:]); err != nil {
			return err
		}
		m.File = [128]byte{}
	}
	if v[0]&2 != 0 {
		if _, err := m.Options.parse(m.Sname[:]); err != nil {
			return err
		}
		m.Sname = [64]byte{}
	}
	return nil
}

// parse adds the options of one field, up to END or the end of the field, but
// for option 52, which it returns: that is not about the client but about
// this message.
func (o *Options) parse(b []byte) (overload []byte, err error) {
	at := len(o.buf)
	o.buf = append(o.buf, b...) // all values at once
	for i := 0; i < len(b); {
		c := Code(b[i])
		if c == Pad {
			i++
			continue
		}
		if c == End {
			break
		}
		_, v, _, ok := cutSub(b[i:])
		if !ok {
			return nil, ErrOption
		}
		i += 2
		switch {
		case c == Overload:
			overload = v
		case o.has.Has(c):
			o.join(c, v)
		default:
			o.add(c, at+i, len(v))
		}
		i += len(v)
	}
	return overload, nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// field returns the text of a header field, which ends at the first NUL.
func field(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}

// SnameText returns sname as text, up to the first NUL.
func (m *Message) SnameText() string { return string(field(m.Sname[:])) }

// FileText returns file as text, up to the first NUL.
func (m *Message) FileText() string { return string(field(m.File[:])) }
