package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// Protocols of an IPv4 packet.
const (
	ProtocolICMP uint8 = 1
	ProtocolUDP  uint8 = 17
)

const ipv4Size = 20

// IPv4 is an IPv4 packet that is no fragment.
type IPv4 struct {
	TTL      uint8
	Protocol uint8
	Src, Dst netip.Addr
	Payload  []byte
}

// Append writes the header, without options, for a payload of n octets (at
// most 65,515) that the caller appends after it; p.Payload is not looked at.
// "Don't fragment" is set, so that the identification need not be unique
// (RFC 6864 section 4.1).
func (p *IPv4) Append(dst []byte, n int) []byte {
	at := len(dst)
	src, to := p.Src.As4(), p.Dst.As4()
	dst = append(dst, 0x45, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(ipv4Size+n))
	dst = append(dst, 0, 0, 0x40, 0, p.TTL, p.Protocol, 0, 0)
	dst = append(dst, src[:]...)
	dst = append(dst, to[:]...)
	binary.BigEndian.PutUint16(dst[at+10:], Checksum(dst[at:]))
	return dst
}

// ParseIPv4 reads the payload of a frame of TypeIPv4. Options are skipped,
// what follows the packet's own length (Ethernet's padding) is cut off, a
// fragment is refused: reassembly is the kernel's business.
func ParseIPv4(b []byte) (p IPv4, err error) {
	if len(b) < ipv4Size {
		return p, ErrShort
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case b[0]>>4 != 4, header < ipv4Size, total < header:
		return p, ErrHeader
	case total > len(b):
		return p, ErrShort
	case Checksum(b[:header]) != 0:
		return p, ErrChecksum
	case binary.BigEndian.Uint16(b[6:])&0x3fff != 0: // more fragments, or an offset
		return p, ErrFragment
	}
	return IPv4{
		TTL:      b[8],
		Protocol: b[9],
		Src:      addr4(b[12:16]),
		Dst:      addr4(b[16:20]),
		Payload:  b[header:total],
	}, nil
}
