package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// ICMP types (RFC 792, RFC 1256).
const (
	EchoReply           uint8 = 0
	EchoRequest         uint8 = 8
	RouterAdvertisement uint8 = 9
	RouterSolicitation  uint8 = 10
)

const icmpSize = 8

// ICMP is an ICMP message. Rest is the second word of its header: of an echo
// the identifier (upper half) and sequence number, of a router advertisement
// the number of addresses, the size of an entry and the lifetime.
type ICMP struct {
	Type, Code uint8
	Rest       uint32
	Payload    []byte
}

// Echo makes an echo request; the answer bears the same id, seq and payload.
func Echo(id, seq uint16, payload []byte) ICMP {
	return ICMP{Type: EchoRequest, Rest: uint32(id)<<16 | uint32(seq), Payload: payload}
}

// Append writes the message with its checksum.
func (m *ICMP) Append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, m.Type, m.Code, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, m.Rest)
	dst = append(dst, m.Payload...)
	binary.BigEndian.PutUint16(dst[at+2:], Checksum(dst[at:]))
	return dst
}

// ParseICMP reads the payload of p.
func ParseICMP(p *IPv4) (m ICMP, err error) {
	b := p.Payload
	switch {
	case p.Protocol != ProtocolICMP:
		return m, ErrType
	case len(b) < icmpSize:
		return m, ErrShort
	case Checksum(b) != 0:
		return m, ErrChecksum
	}
	return ICMP{Type: b[0], Code: b[1], Rest: binary.BigEndian.Uint32(b[4:]), Payload: b[icmpSize:]}, nil
}

// AppendICMPFrame writes a whole Ethernet frame with an ICMP message in it that
// no router passes on.
func AppendICMPFrame(dst []byte, srcMAC, dstMAC MAC, srcIP, dstIP netip.Addr, m *ICMP) []byte {
	eth := Header{Dst: dstMAC, Src: srcMAC, Type: TypeIPv4}
	ip := IPv4{TTL: 1, Protocol: ProtocolICMP, Src: srcIP, Dst: dstIP}
	return m.Append(ip.Append(eth.Append(dst), icmpSize+len(m.Payload)))
}

// Report is all that matters of an ICMP message in a frame.
type Report struct {
	ICMP
	From     MAC
	Src, Dst netip.Addr
}

// ParseICMPFrame reads a whole Ethernet frame with an ICMP message in it.
func ParseICMPFrame(frame []byte) (r Report, err error) {
	eth, b, err := ParseHeader(frame)
	if err != nil {
		return r, err
	}
	if eth.Type != TypeIPv4 {
		return r, ErrType
	}
	ip, err := ParseIPv4(b)
	if err != nil {
		return r, err
	}
	r.From, r.Src, r.Dst = eth.Src, ip.Src, ip.Dst
	r.ICMP, err = ParseICMP(&ip)
	return r, err
}
