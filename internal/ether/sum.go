package ether

import (
	"encoding/binary"
	"math/bits"

	"dhcpd/internal/netip"
)

// Checksum is the Internet checksum of b (RFC 1071), as it goes into a header
// whose checksum field is zero. Over a block that holds its own right checksum
// it is zero.
func Checksum(b []byte) uint16 { return ^fold(sum(0, b)) }

// sum adds b to a running ones' complement sum, eight octets at a time: the
// carries of a wider sum fold into the same sixteen bits in the end.
func sum(s uint64, b []byte) uint64 {
	var carry uint64
	for len(b) >= 8 { // written out, so that it is one load with inlining or without
		v := uint64(b[7]) | uint64(b[6])<<8 | uint64(b[5])<<16 | uint64(b[4])<<24 |
			uint64(b[3])<<32 | uint64(b[2])<<40 | uint64(b[1])<<48 | uint64(b[0])<<56
		s, carry = bits.Add64(s, v, carry)
		b = b[8:]
	}
	if len(b) > 0 { // at its end RFC 1071 pads with zeroes
		var rest [8]byte
		copy(rest[:], b)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(rest[:]), carry)
	}
	s, carry = bits.Add64(s, 0, carry)
	return s + carry
}

// fold brings a sum down to sixteen bits.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

// pseudo is the sum over the pseudo-header that UDP's checksum covers (RFC 768).
func pseudo(src, dst netip.Addr, protocol uint8, length int) uint64 {
	var b [12]byte
	s, d := src.As4(), dst.As4()
	copy(b[0:], s[:])
	copy(b[4:], d[:])
	b[9] = protocol
	binary.BigEndian.PutUint16(b[10:], uint16(length))
	return sum(0, b[:])
}
