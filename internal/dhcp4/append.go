package dhcp4

import (
	"encoding/binary"
	"slices"

	"dhcpd/internal/netip"
)

// Append appends m to b as it goes over the wire, in at least MinSize and at
// most limit octets, and returns the buffer and the codes of the options that
// did not fit. The least limit is MinLimit, for BOOTP MinSize.
//
// Options go out in their order, with option 82 last (RFC 3046 section 2.1).
// What the options field can't hold goes into file and then sname, if those
// are empty, under option 52 (RFC 2132 section 9.3), but not to a BOOTP
// client; values over 255 octets are split (RFC 3396). If that is not enough,
// options are left out from the end of the order, but not 53, 54, 51, 1 and 82.
// Only an option 82 that has no room beside those four is itself left out,
// before any other; on the way to a server, one that has no room beside all
// others.
func (m *Message) Append(b []byte, limit int) ([]byte, Set) {
	o := &m.Options
	start, need, least := len(b), MinSize, MinSize
	if o.n > 0 {
		need = optionsAt + o.wireSize() + endSize
	}
	if o.Has(Authentication) && o.Has(RelayAgent) {
		// The digest is over what is left when a relay has taken option 82 off,
		// which then must need no padding (RFC 3118 section 3).
		least += optionSize(len(o.Get(RelayAgent)))
	}
	limit = max(limit, m.minLimit())
	least = min(least, limit)
	size := max(min(need, limit), least)
	b = slices.Grow(b, size)[:start+size]
	l := layout{msg: m, b: b[start:], need: need}
	m.putHeader((*[headerSize]byte)(l.b))
	if o.n == 0 { // plain BOOTP has no cookie
		clear(l.b[headerSize:])
		return b, Set{}
	}
	binary.BigEndian.PutUint32(l.b[headerSize:], cookie)
	if need > limit && o.Has(RelayAgent) && !m.agentFits(limit-optionsAt) {
		l.leaveOut(RelayAgent)
	}
	for !l.fill() {
		l.leaveOut(o.leastOf(l.out))
	}
	return b[:start+max(l.size, least)], l.out
}

func (m *Message) minLimit() int {
	if m.Type() == BOOTP {
		return MinSize
	}
	return MinLimit
}

func (m *Message) putHeader(b *[headerSize]byte) {
	b[0], b[1], b[2], b[3] = byte(m.Op), m.Htype, m.Hlen, m.Hops
	binary.BigEndian.PutUint32(b[4:], m.Xid)
	binary.BigEndian.PutUint16(b[8:], m.Secs)
	binary.BigEndian.PutUint16(b[10:], m.Flags)
	putAddr((*[4]byte)(b[12:]), m.Ciaddr)
	putAddr((*[4]byte)(b[16:]), m.Yiaddr)
	putAddr((*[4]byte)(b[20:]), m.Siaddr)
	putAddr((*[4]byte)(b[24:]), m.Giaddr)
	*(*[16]byte)(b[28:]) = m.Chaddr
	*(*[64]byte)(b[snameAt:]) = m.Sname
	*(*[128]byte)(b[fileAt:]) = m.File
}

// putAddr puts an address; one that is none, as 0.0.0.0.
func putAddr(b *[4]byte, a netip.Addr) {
	*b = [4]byte{}
	if a.Is4() {
		*b = a.As4()
	}
}

// optionSize returns how many octets a value of n octets takes on the wire.
func optionSize(n int) int {
	if n <= 255 {
		return 2 + n
	}
	return n + 2*((n+254)/255)
}

// wireSize returns how many octets the options take in one field, without END.
func (o *Options) wireSize() int {
	size := 0
	for _, c := range o.list[:o.n] {
		size += optionSize(int(o.span[c].len))
	}
	return size
}

// kept are what a reply is nothing without.
var kept = [...]Code{MessageType, ServerID, LeaseTime, Netmask}

// agentFits tells whether option 82 and the kept ones fit into room octets,
// where not all do. What a relay adds must not push anything else into file
// and sname, or out (RFC 3046 section 2.1).
func (m *Message) agentFits(room int) bool {
	o := &m.Options
	size := overloadSize + endSize + optionSize(len(o.Get(RelayAgent)))
	for _, c := range kept {
		if o.Has(c) {
			size += optionSize(len(o.Get(c)))
		}
	}
	return size <= room && m.Op != BootRequest
}

// leastOf returns the option to go next if those in out are gone and that is
// not enough: the last in the order that is not kept.
func (o *Options) leastOf(out Set) Code {
	least, dear := Pad, true
	for _, c := range o.list[:o.n] {
		d := c == RelayAgent || slices.Contains(kept[:], c)
		if !out.Has(c) && (dear || !d) {
			least, dear = c, d
		}
	}
	return least
}
