package ether

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// Advert is what a router advertisement says (RFC 1256 section 3): which
// addresses on this link are those of a router, each with its preference, and
// for how many seconds.
type Advert struct {
	Lifetime uint16
	size     int // octets of an entry
	entries  []byte
}

const entrySize = 8 // of those that we write

// ParseAdvert reads the advertisement in m. It refuses what a host must discard
// (RFC 1256 section 5.2); what a later version of the protocol may add at the end
// of an entry or of the message is skipped.
func ParseAdvert(m *ICMP) (a Advert, err error) {
	n, size := int(m.Rest>>24), int(m.Rest>>16&255)*4
	switch {
	case m.Type != RouterAdvertisement:
		return a, ErrType
	case m.Code != 0, n == 0, size < entrySize:
		return a, ErrHeader
	case len(m.Payload) < n*size:
		return a, ErrShort
	}
	return Advert{uint16(m.Rest), size, m.Payload[:n*size]}, nil
}

// Len returns how many routers there are.
func (a *Advert) Len() int { return len(a.entries) / a.size }

// Entry returns the address and the preference of the i-th.
func (a *Advert) Entry(i int) (netip.Addr, int32) {
	e := a.entries[i*a.size:]
	return addr4(e[:4]), int32(binary.BigEndian.Uint32(e[4:]))
}

// AppendEntry writes an entry of the payload that Advertisement takes.
func AppendEntry(dst []byte, a netip.Addr, preference int32) []byte {
	b := a.As4()
	return binary.BigEndian.AppendUint32(append(dst, b[:]...), uint32(preference))
}

// Advertisement makes a router advertisement of at most 255 entries.
func Advertisement(lifetime uint16, entries []byte) ICMP {
	return ICMP{
		Type:    RouterAdvertisement,
		Rest:    uint32(len(entries)/entrySize)<<24 | entrySize/4<<16 | uint32(lifetime),
		Payload: entries,
	}
}
