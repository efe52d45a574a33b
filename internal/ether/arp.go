package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// ARP operations (RFC 826).
const (
	ARPRequest uint16 = 1
	ARPReply   uint16 = 2
)

const arpSize = 28

// ARP is an ARP packet for IPv4 over Ethernet.
type ARP struct {
	Op       uint16
	SenderHW MAC
	SenderIP netip.Addr
	TargetHW MAC
	TargetIP netip.Addr
}

// Probe asks who has an address that is not ours yet. Its sender address is
// 0.0.0.0, so that nobody's cache learns from it (RFC 5227 section 2.1.1).
func Probe(from MAC, a netip.Addr) ARP {
	return ARP{Op: ARPRequest, SenderHW: from, TargetIP: a}
}

// Announcement tells everybody that a is ours now: a request for our own
// address (RFC 5227 section 2.3).
func Announcement(from MAC, a netip.Addr) ARP {
	return ARP{Op: ARPRequest, SenderHW: from, SenderIP: a, TargetIP: a}
}

// Reply answers the request p for an address that is at from.
func (p *ARP) Reply(from MAC) ARP {
	return ARP{Op: ARPReply, SenderHW: from, SenderIP: p.TargetIP, TargetHW: p.SenderHW, TargetIP: p.SenderIP}
}

// IsProbe tells whether p is somebody's probe for an address (RFC 5227
// section 1.1).
func (p *ARP) IsProbe() bool { return p.Op == ARPRequest && p.SenderIP.IsUnspecified() }

// AppendFrame writes the whole Ethernet frame, from p's sender: a reply goes
// to its target, everything else to everybody.
func (p *ARP) AppendFrame(dst []byte) []byte {
	h := Header{Dst: Broadcast, Src: p.SenderHW, Type: TypeARP}
	if p.Op == ARPReply {
		h.Dst = p.TargetHW
	}
	return p.Append(h.Append(dst))
}

// Append writes the packet without an Ethernet header.
func (p *ARP) Append(dst []byte) []byte {
	sender, target := p.SenderIP.As4(), p.TargetIP.As4()
	dst = append(dst, 0, 1, 8, 0, 6, 4) // Ethernet, IPv4, the lengths of their addresses
	dst = binary.BigEndian.AppendUint16(dst, p.Op)
	dst = append(dst, p.SenderHW[:]...)
	dst = append(dst, sender[:]...)
	dst = append(dst, p.TargetHW[:]...)
	return append(dst, target[:]...)
}

// parseARP reads the payload of a frame of TypeARP.
func parseARP(b []byte) (p ARP, err error) {
	if len(b) < arpSize {
		return p, ErrShort
	}
	if [6]byte(b) != [6]byte{0, 1, 8, 0, 6, 4} {
		return p, ErrHeader
	}
	p.Op = binary.BigEndian.Uint16(b[6:])
	copy(p.SenderHW[:], b[8:])
	p.SenderIP = addr4(b[14:18])
	copy(p.TargetHW[:], b[18:])
	p.TargetIP = addr4(b[24:28])
	return p, nil
}

// ParseARPFrame reads a whole frame.
func ParseARPFrame(frame []byte) (ARP, error) {
	h, payload, err := ParseHeader(frame)
	if err != nil {
		return ARP{}, err
	}
	if h.Type != TypeARP {
		return ARP{}, ErrType
	}
	return parseARP(payload)
}
