// Package ether is what stands before and beside a DHCP message on an
// Ethernet: the Ethernet header, ARP (RFC 826, RFC 5227), IPv4 (RFC 791), UDP
// (RFC 768) and ICMP (RFC 792, RFC 1256) with their checksums. Append functions
// write to the end of the caller's buffer, Parse functions return small structs
// whose slices point into the frame; neither allocates. Numbers are in
// host order, addresses are netip's; an Append takes the zero netip.Addr for
// 0.0.0.0.
package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// MAC is an Ethernet address.
type MAC = [6]byte

// Broadcast is the Ethernet address of everybody.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// The Ethernet types that we speak.
const (
	TypeIPv4 uint16 = 0x0800
	TypeARP  uint16 = 0x0806
)

// HeaderSize is the size of an Ethernet header in octets.
const HeaderSize = 14

// Error is why a frame was refused.
type Error string

func (e Error) Error() string { return string(e) }

// The reasons.
const (
	ErrShort    Error = "frame is too short"
	ErrVLAN     Error = "frame has a VLAN tag"
	ErrType     Error = "frame is of another protocol"
	ErrHeader   Error = "header is malformed"
	ErrFragment Error = "packet is a fragment"
	ErrChecksum Error = "checksum is wrong"
)

// Header is an Ethernet header. Type is what follows it, 0x600 or more: the
// lengths of IEEE 802.3 are refused.
type Header struct {
	Dst, Src MAC
	Type     uint16
}

// Append writes the header.
func (h *Header) Append(dst []byte) []byte {
	dst = append(dst, h.Dst[:]...)
	dst = append(dst, h.Src[:]...)
	return binary.BigEndian.AppendUint16(dst, h.Type)
}

// ParseHeader takes a frame apart into header and payload; the payload has
// the padding to 60 octets still at its end. A tagged frame is ErrVLAN: it
// belongs to another network than the one whose interface it came in on.
func ParseHeader(frame []byte) (h Header, payload []byte, err error) {
	if len(frame) < HeaderSize {
		return h, nil, ErrShort
	}
	copy(h.Dst[:], frame)
	copy(h.Src[:], frame[6:])
	h.Type = binary.BigEndian.Uint16(frame[12:])
	switch {
	case h.Type == 0x8100, h.Type == 0x88a8, h.Type == 0x9100:
		return h, nil, ErrVLAN
	case h.Type < 0x600:
		return h, nil, ErrType
	}
	return h, frame[HeaderSize:], nil
}

// addr4 reads an address off the wire.
func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
