package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

const udpSize = 8

const ttl = 64 // the recommended default (RFC 1700)

// UDP is a UDP datagram.
type UDP struct {
	SrcPort, DstPort uint16
	Payload          []byte
}

// Append writes header and payload (at most 65,507 octets), with the checksum
// for these addresses.
func (u *UDP) Append(dst []byte, src, to netip.Addr) []byte {
	at, n := len(dst), udpSize+len(u.Payload)
	dst = binary.BigEndian.AppendUint16(dst, u.SrcPort)
	dst = binary.BigEndian.AppendUint16(dst, u.DstPort)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	dst = append(dst, 0, 0)
	dst = append(dst, u.Payload...)
	c := ^fold(sum(pseudo(src, to, ProtocolUDP, n), dst[at:]))
	if c == 0 { // zero would say that there is no checksum (RFC 768)
		c = 0xffff
	}
	binary.BigEndian.PutUint16(dst[at+6:], c)
	return dst
}

// ParseUDP reads the payload of p. Right is a checksum that fits, zero (the
// sender made none, RFC 768), or exactly the sum over the pseudo-header: what
// Linux leaves there for a network card to finish, when there is no card, only
// a veth or virtio device with the sender on the same machine.
func ParseUDP(p *IPv4) (u UDP, err error) {
	b := p.Payload
	if p.Protocol != ProtocolUDP {
		return u, ErrType
	}
	if len(b) < udpSize {
		return u, ErrShort
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < udpSize {
		return u, ErrHeader
	}
	if n > len(b) {
		return u, ErrShort
	}
	b = b[:n]
	if c := binary.BigEndian.Uint16(b[6:]); c != 0 {
		s := pseudo(p.Src, p.Dst, ProtocolUDP, n)
		if c != fold(s) && fold(sum(s, b)) != 0xffff {
			return u, ErrChecksum
		}
	}
	return UDP{
		SrcPort: binary.BigEndian.Uint16(b),
		DstPort: binary.BigEndian.Uint16(b[2:]),
		Payload: b[udpSize:],
	}, nil
}

// AppendUDPFrame writes a whole Ethernet frame with a UDP datagram in it.
func AppendUDPFrame(dst []byte, srcMAC, dstMAC MAC, srcIP, dstIP netip.Addr, sport, dport uint16, payload []byte) []byte {
	eth := Header{Dst: dstMAC, Src: srcMAC, Type: TypeIPv4}
	ip := IPv4{TTL: ttl, Protocol: ProtocolUDP, Src: srcIP, Dst: dstIP}
	udp := UDP{SrcPort: sport, DstPort: dport, Payload: payload}
	return udp.Append(ip.Append(eth.Append(dst), udpSize+len(payload)), srcIP, dstIP)
}

// Datagram is all that matters of a UDP datagram in a frame.
type Datagram struct {
	SrcMAC, DstMAC MAC
	Src, Dst       netip.AddrPort
	Payload        []byte // in the frame
}

// ParseUDPFrame reads a whole Ethernet frame with a UDP datagram in it.
func ParseUDPFrame(frame []byte) (d Datagram, err error) {
	eth, b, err := ParseHeader(frame)
	if err != nil {
		return d, err
	}
	if eth.Type != TypeIPv4 {
		return d, ErrType
	}
	ip, err := ParseIPv4(b)
	if err != nil {
		return d, err
	}
	udp, err := ParseUDP(&ip)
	if err != nil {
		return d, err
	}
	return Datagram{
		SrcMAC:  eth.Src,
		DstMAC:  eth.Dst,
		Src:     netip.AddrPortFrom(ip.Src, udp.SrcPort),
		Dst:     netip.AddrPortFrom(ip.Dst, udp.DstPort),
		Payload: udp.Payload,
	}, nil
}
