// Package netip is the part of net/netip that DHCP needs: IPv4 addresses, with
// the same names and the same meaning. An address takes 8 octets in place of
// 24 and holds no pointer, so a table of a million of them is small and means
// nothing to the garbage collector. And that package has IPv6 with its zones,
// which bring interned strings, weak pointers and cleanups into the program: a
// twentieth of it.
package netip

import (
	"cmp"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
)

// Addr is an IPv4 address. The zero Addr is none. Addrs can be compared and be
// keys of maps.
type Addr struct {
	n uint64 // the address, and is4; 0 for none
}

const is4 = 1 << 32

// AddrFrom4 returns the address of four octets.
func AddrFrom4(b [4]byte) Addr {
	return AddrFrom(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
}

// AddrFrom returns the address that is a number in host order.
func AddrFrom(n uint32) Addr { return Addr{is4 | uint64(n)} }

// IPv4Unspecified returns 0.0.0.0.
func IPv4Unspecified() Addr { return Addr{is4} }

// IsValid tells whether a is an address at all.
func (a Addr) IsValid() bool { return a.n != 0 }

// Is4 is IsValid.
func (a Addr) Is4() bool { return a.n != 0 }

// Number returns a as a number in host order, 0 for none.
func (a Addr) Number() uint32 { return uint32(a.n) }

// As4 returns the octets of a, 0.0.0.0 for none.
func (a Addr) As4() [4]byte {
	return [4]byte{byte(a.n >> 24), byte(a.n >> 16), byte(a.n >> 8), byte(a.n)}
}

// AsSlice returns the octets of a, nil for none.
func (a Addr) AsSlice() []byte {
	if !a.IsValid() {
		return nil
	}
	b := a.As4()
	return b[:]
}

// Less tells whether a comes before b.
func (a Addr) Less(b Addr) bool { return a.n < b.n }

// Compare returns a number below, equal to or above 0 as a comes before b, is
// b, or comes after it; none comes before all.
func (a Addr) Compare(b Addr) int { return cmp.Compare(a.n, b.n) }

// Next returns the address after a; none after the last one.
func (a Addr) Next() Addr {
	if uint32(a.n+1) == 0 || !a.IsValid() {
		return Addr{}
	}
	return Addr{a.n + 1}
}

// IsUnspecified tells whether a is 0.0.0.0.
func (a Addr) IsUnspecified() bool { return a.n == is4 }

// IsLoopback tells whether a is in 127.0.0.0/8.
func (a Addr) IsLoopback() bool { return a.n>>24 == is4>>24|127 }

// IsMulticast tells whether a is in 224.0.0.0/4.
func (a Addr) IsMulticast() bool { return a.n>>28 == is4>>28|0xe }

// IsLinkLocalUnicast tells whether a is in 169.254.0.0/16.
func (a Addr) IsLinkLocalUnicast() bool { return a.n>>16 == is4>>16|169<<8|254 }

// ClassBits returns the length of the netmask of a's class, A, B or C.
func (a Addr) ClassBits() int {
	switch first := byte(a.n >> 24); {
	case first < 128:
		return 8
	case first < 192:
		return 16
	}
	return 24
}

// AppendTo appends the text of a, nothing for none.
//
//go:noinline
func (a Addr) AppendTo(b []byte) []byte {
	if !a.IsValid() {
		return b
	}
	for shift := 24; ; shift -= 8 {
		b = strconv.AppendUint(b, a.n>>shift&255, 10)
		if shift == 0 {
			return b
		}
		b = append(b, '.')
	}
}

// String returns the text of a.
//
//go:noinline
func (a Addr) String() string {
	if !a.IsValid() {
		return "invalid IP"
	}
	return string(a.AppendTo(nil))
}

// ParseAddr reads an address.
func ParseAddr(s string) (Addr, bool) {
	n := uint32(0)
	for i := range 4 {
		part, rest, more := strings.Cut(s, ".")
		octet, ok := parseOctet(part)
		if !ok || more != (i < 3) {
			return Addr{}, false
		}
		n, s = n<<8|octet, rest
	}
	return AddrFrom(n), true
}

// parseOctet reads a number below 256, without leading zeros: some take those
// for octal.
//
//go:noinline
func parseOctet(s string) (uint32, bool) {
	n, ok := ascii.Uint(s, 10, 8)
	return uint32(n), ok && (len(s) == 1 || s[0] != '0')
}

// MustParseAddr reads an address that is one.
func MustParseAddr(s string) Addr {
	a, ok := ParseAddr(s)
	if !ok {
		panic("not an IPv4 address: " + s)
	}
	return a
}
