package netip

import (
	"math/bits"
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
)

// Prefix is an address with the length of its netmask. The zero Prefix is
// none.
type Prefix struct {
	n uint64 // the address, and from bit 40 on one more than the length
}

const aside = 40

// PrefixFrom returns the prefix of an address and a length. If the length is
// none, or the address is, the prefix is not valid.
func PrefixFrom(a Addr, length int) Prefix {
	if uint(length) > 32 || !a.IsValid() {
		return Prefix(a)
	}
	return Prefix{a.n | uint64(length+1)<<aside}
}

// IsValid tells whether p is a prefix.
func (p Prefix) IsValid() bool { return p.n>>aside != 0 }

// Addr returns the address of p, with all of its bits.
func (p Prefix) Addr() Addr { return Addr{p.n & (is4<<1 - 1)} }

// Bits returns the length of p, -1 if p is not valid.
func (p Prefix) Bits() int { return int(p.n>>aside) - 1 }

// mask has a 1 for each bit that the addresses of p have in common. Of a
// prefix that is not valid all bits, and one more that no address has.
func (p Prefix) mask() uint64 { return ^uint64(0) << (32 - p.Bits()) }

// Masked returns p with no bits of the address behind its length.
func (p Prefix) Masked() Prefix {
	if !p.IsValid() {
		return Prefix{}
	}
	return Prefix{p.n & p.mask()}
}

// Netmask returns the netmask of p, none if p is not valid.
func (p Prefix) Netmask() Addr {
	if !p.IsValid() {
		return Addr{}
	}
	return AddrFrom(uint32(p.mask()))
}

// MaskBits returns the length of a netmask; false if it has gaps.
func MaskBits(mask uint32) (int, bool) {
	n := bits.LeadingZeros32(^mask)
	return n, mask<<n == 0
}

// Broadcast returns the broadcast address of the network, the zero Addr if it is
// too small to have one (RFC 3021).
func (p Prefix) Broadcast() Addr {
	if !p.IsValid() || p.Bits() > 30 {
		return Addr{}
	}
	return AddrFrom(p.Addr().Number() | ^p.Netmask().Number())
}

// IsSingleIP tells whether p has one address.
func (p Prefix) IsSingleIP() bool { return p.Bits() == 32 }

// Contains tells whether a is in p.
func (p Prefix) Contains(a Addr) bool {
	return p.IsValid() && (p.Addr().n^a.n)&p.mask() == 0
}

// AppendTo appends the text of p, nothing for none.
//
//go:noinline
func (p Prefix) AppendTo(b []byte) []byte {
	if !p.IsValid() {
		return b
	}
	return strconv.AppendInt(append(p.Addr().AppendTo(b), '/'), int64(p.Bits()), 10)
}

// String returns the text of p.
//
//go:noinline
func (p Prefix) String() string {
	if !p.IsValid() {
		return "invalid Prefix"
	}
	return string(p.AppendTo(nil))
}

// ParsePrefix reads an address and a length, 10.0.0.1/24.
func ParsePrefix(s string) (Prefix, bool) {
	addr, length, _ := strings.Cut(s, "/")
	a, ok1 := ParseAddr(addr)
	n, ok2 := parseOctet(length)
	if !ok1 || !ok2 || n > 32 {
		return Prefix{}, false
	}
	return PrefixFrom(a, int(n)), true
}

// MustParsePrefix reads a prefix that is one.
func MustParsePrefix(s string) Prefix {
	p, ok := ParsePrefix(s)
	if !ok {
		panic("not an IPv4 prefix: " + s)
	}
	return p
}

// AddrPort is an address and a port. The zero AddrPort is none.
type AddrPort struct {
	n uint64 // the address, and from bit 40 on the port
}

// AddrPortFrom returns the two together.
func AddrPortFrom(a Addr, port uint16) AddrPort { return AddrPort{a.n | uint64(port)<<aside} }

// Addr returns the address.
func (p AddrPort) Addr() Addr { return Addr{p.n & (is4<<1 - 1)} }

// Port returns the port.
func (p AddrPort) Port() uint16 { return uint16(p.n >> aside) }

// String returns the text of p.
//
//go:noinline
func (p AddrPort) String() string {
	return p.Addr().String() + ":" + strconv.Itoa(int(p.Port()))
}

// MustParseAddrPort reads an address and a port, 10.0.0.1:67, that are such.
func MustParseAddrPort(s string) AddrPort {
	addr, port, _ := strings.Cut(s, ":")
	n, ok := ascii.Uint(port, 10, 16)
	if !ok {
		panic("not an IPv4 address and a port: " + s)
	}
	return AddrPortFrom(MustParseAddr(addr), uint16(n))
}
