package dhcp4

import (
	"encoding/binary"

	"dhcpd/internal/netip"
)

// What a relay does to a message it does to its octets: all that the RFCs do
// not tell it to change stays as it is, whatever it means.

// Where hops and giaddr are (RFC 2131 figure 1).
const (
	hopsAt   = 3
	giaddrAt = 24
)

// PutRelay sets hops and giaddr of a message, as Parse has read one.
func PutRelay(b []byte, hops uint8, giaddr netip.Addr) {
	b[hopsAt] = hops
	putAddr((*[4]byte)(b[giaddrAt:]), giaddr)
}

// AppendAgent appends message b to dst with one more option: 82, as the last of
// the options field (RFC 3046 section 2.1), of at most 255 octets. Padding
// makes room for it where there is some. It is not ok if b has no such field,
// or would become longer than limit, or than it was if that is more.
func AppendAgent(dst, b, agent []byte, limit int) (out []byte, ok bool) {
	at, ended, ok := optionsEnd(b)
	if !ok || len(agent) > 255 {
		return dst, false
	}
	start := len(dst)
	dst = append(append(dst, b[:at]...), byte(RelayAgent), byte(len(agent)))
	dst = append(dst, agent...)
	if !ended {
		dst = append(dst, byte(End))
	}
	dst = append(dst, b[at:]...)
	for n := len(dst); len(dst)-start > len(b) && dst[n-1] == 0; n = len(dst) {
		dst = dst[:n-1]
	}
	if n := len(dst) - start; n > limit && n > len(b) {
		return dst[:start], false
	}
	return dst, true
}

// AppendWithoutAgent appends message b to dst without the options 82 of its
// options field. Those in file and sname no relay looks at (RFC 3046 section
// 2.1).
func AppendWithoutAgent(dst, b []byte) []byte {
	start := len(dst)
	at, _, ok := optionsEnd(b)
	if !ok {
		return append(dst, b...)
	}
	dst = append(dst, b[:optionsAt]...)
	for i := optionsAt; i < at; {
		n := 1
		if Code(b[i]) != Pad {
			n = 2 + int(b[i+1])
		}
		if Code(b[i]) != RelayAgent {
			dst = append(dst, b[i:i+n]...)
		}
		i += n
	}
	dst = append(dst, b[at:]...)
	for short := min(MinSize, len(b)) - (len(dst) - start); short > 0; short-- {
		dst = append(dst, 0)
	}
	return dst
}

// optionsEnd finds where the options field of a message ends: at its END, or
// behind its last option. It is not ok if there is no such field.
func optionsEnd(b []byte) (at int, ended, ok bool) {
	if len(b) < optionsAt || binary.BigEndian.Uint32(b[headerSize:]) != cookie {
		return 0, false, false
	}
	at = optionsAt
	for i := at; i < len(b); {
		switch Code(b[i]) {
		case Pad:
			i++
			continue
		case End:
			return i, true, true
		}
		if i+2 > len(b) || i+2+int(b[i+1]) > len(b) {
			return 0, false, false
		}
		i += 2 + int(b[i+1])
		at = i
	}
	return at, false, true
}
