package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Append appends m to b as it goes over the wire, in at least MinSize and at
// most limit octets (MinLimit if limit is less), and returns the buffer and
// the codes of the options that did not fit.
//
// Options go out in their order, with option 82 last (RFC 3046 section 2.1).
// What the options field can't hold goes into file and then sname, if those
// are empty, under option 52 (RFC 2132 section 9.3); values over 255 octets
// are split (RFC 3396). If that is not enough, options are left out from the
// end of the order, but not 53, 54, 51, 1 and 82. Only an option 82 that has
// no room beside those four is itself left out, before any other.
func (m *Message) Append(b []byte, limit int) ([]byte, Set) {
	start := len(b)
	b = m.appendHeader(b)
	var out Set
	o := &m.Options
	if o.n == 0 {
		return pad(b, start+MinSize), out // plain BOOTP has no cookie
	}
	b = binary.BigEndian.AppendUint32(b, cookie)
	limit = max(limit, MinLimit)
	if o.Has(RelayAgent) && !o.agentFits(limit-optionsAt) {
		out.Add(RelayAgent)
	}
	need := optionsAt + o.wireSize(out) + endSize
	b = pad(b, start+max(min(need, limit), MinSize))
	l := layout{msg: m, b: b[start:]}
	for !l.fill(out) {
		out.Add(o.leastOf(out))
	}
	return b[:start+max(l.size, MinSize)], out
}

func (m *Message) appendHeader(b []byte) []byte {
	b = append(b, byte(m.Op), m.Htype, m.Hlen, m.Hops)
	b = binary.BigEndian.AppendUint32(b, m.Xid)
	b = binary.BigEndian.AppendUint16(b, m.Secs)
	b = binary.BigEndian.AppendUint16(b, m.Flags)
	for _, a := range [...]*netip.Addr{&m.Ciaddr, &m.Yiaddr, &m.Siaddr, &m.Giaddr} {
		ip := [4]byte{}
		if a.Is4() {
			ip = a.As4()
		}
		b = append(b, ip[:]...)
	}
	b = append(b, m.Chaddr[:]...)
	b = append(b, m.Sname[:]...)
	return append(b, m.File[:]...)
}

// pad appends zeros until b is size octets long.
func pad(b []byte, size int) []byte {
	n := len(b)
	if n >= size {
		return b
	}
	b = slices.Grow(b, size-n)[:size]
	clear(b[n:])
	return b
}

// optionSize returns how many octets a value of n octets takes on the wire.
func optionSize(n int) int { return n + 2*max(1, (n+254)/255) }

// wireSize returns how many octets the options that are not in out take in
// one field, without END.
func (o *Options) wireSize(out Set) int {
	size := 0
	for _, c := range o.list[:o.n] {
		if !out.Has(c) {
			size += optionSize(int(o.span[c].len))
		}
	}
	return size
}

// kept are what a reply is nothing without.
var kept = [...]Code{MessageType, ServerID, LeaseTime, Netmask}

// agentFits tells whether option 82 and the kept ones fit into room octets.
func (o *Options) agentFits(room int) bool {
	size := overloadSize + endSize + optionSize(len(o.Get(RelayAgent)))
	for _, c := range kept {
		if o.Has(c) {
			size += optionSize(len(o.Get(c)))
		}
	}
	return size <= room
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
