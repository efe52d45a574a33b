package conf

import (
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Within this package an IPv4 address is a number in host order.

// toAddr returns a as a number; false if it is none.
func toAddr(a netip.Addr) (uint32, bool) {
	return a.Number(), a.IsValid()
}

func appendAddr(b []byte, a uint32) []byte {
	return append(b, byte(a>>24), byte(a>>16), byte(a>>8), byte(a))
}

// mask returns the netmask of so many bits, 0 to 32.
func mask(bits int) uint32 { return ^uint32(0) << (32 - bits) }

// parseAddr reads an address as inet_aton(3) does, so that files mean what
// they always meant: decimal, octal (010) or hexadecimal (0x8) parts, and two
// or three of them where the last one has more than eight bits.
func parseAddr(s string) (uint32, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' { // a name, as most hosts are
		return 0, false
	}
	var a uint32
	parts := 0
	for {
		part, rest, more := strings.Cut(s, ".")
		n, ok := parseNumber(part)
		switch {
		case !ok || parts == 3 && more:
			return 0, false
		case !more:
			room := 32 - 8*parts
			return a | uint32(n), parts > 0 && n < 1<<room
		case n > 255:
			return 0, false
		}
		a |= uint32(n) << (24 - 8*parts)
		parts++
		s = rest
	}
}

// parseNumber reads a number as strtoul(3) does with base 0.
func parseNumber(s string) (uint64, bool) {
	base := uint64(10)
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x':
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, s = 8, s[1:]
	}
	return ascii.Uint(s, base, 64)
}

// block is a network: its first address and the number of bits.
type block struct {
	addr uint32
	bits uint8
}

func (b block) has(a uint32) bool { return (a^b.addr)&mask(int(b.bits)) == 0 }

// parseBlock reads a netblock, 10.0.0.0/24.
func parseBlock(s string) (block, bool) {
	addr, length, _ := strings.Cut(s, "/")
	a, ok := parseAddr(addr)
	bits, okBits := parseBits(length)
	if !ok || !okBits {
		return block{}, false
	}
	return block{a & mask(bits), uint8(bits)}, true
}

func parseBits(s string) (int, bool) {
	n, ok := ascii.Uint(s, 10, 8)
	return int(n), ok && n <= 32
}

// parseClientID reads a client ID: an Ethernet address, which stands for 01
// and the address, or hexadecimal digits.
func parseClientID(s string) (id []byte, ether, ok bool) {
	if strings.Contains(s, ":") {
		id, ok = parseEther(s)
		return id, true, ok
	}
	id, ok = dhcp4.ParseHex(s)
	return id, false, ok && len(id) > 0
}

func parseEther(s string) ([]byte, bool) {
	id := []byte{1} // htype
	for len(id) < 7 {
		part, rest, more := strings.Cut(s, ":")
		n, ok := ascii.Uint(part, 16, 8)
		id, s = append(id, byte(n)), rest
		if !ok || more != (len(id) < 7) {
			return nil, false
		}
	}
	return id, true
}

// unique sorts s and leaves out what is in it twice. Few numbers are left.
func unique(s []uint32) []uint32 {
	n := 0
	for _, x := range s {
		i := n
		for i > 0 && s[i-1] > x {
			i--
		}
		if i == 0 || s[i-1] != x {
			copy(s[i+1:n+1], s[i:n])
			s[i] = x
			n++
		}
	}
	return s[:n]
}

// nearest returns the one of addrs that is closest to a, by XOR.
func nearest(addrs []uint32, a uint32) uint32 {
	best := addrs[0]
	for _, x := range addrs[1:] {
		if x^a < best^a {
			best = x
		}
	}
	return best
}
