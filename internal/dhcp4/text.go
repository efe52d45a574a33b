package dhcp4

import (
	"net/netip"
	"strconv"
	"strings"
)

// ParseAddr reads an IPv4 address. (netip.ParseAddr reads all those of IPv6
// too, and has much to say on what is wrong with one.)
func ParseAddr(s string) (netip.Addr, bool) {
	var a [4]byte
	for i := range a {
		part, rest, more := strings.Cut(s, ".")
		n, ok := parseOctet(part)
		if !ok || more != (i < 3) {
			return netip.Addr{}, false
		}
		a[i], s = n, rest
	}
	return netip.AddrFrom4(a), true
}

// ParsePrefix reads an IPv4 address and the length of its netmask, 10.0.0.1/24.
func ParsePrefix(s string) (netip.Prefix, bool) {
	addr, length, _ := strings.Cut(s, "/")
	a, ok1 := ParseAddr(addr)
	bits, ok2 := parseOctet(length)
	if !ok1 || !ok2 || bits > 32 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, int(bits)), true
}

// parseOctet reads a number below 256, without leading zeros: some take those
// for octal.
//
//go:noinline
func parseOctet(s string) (byte, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return byte(n), err == nil && (len(s) == 1 || s[0] != '0')
}

// ParseHex reads octets of two hexadecimal digits each. The errors of
// encoding/hex would bring fmt into the program.
func ParseHex(s string) ([]byte, bool) {
	b := make([]byte, len(s)/2)
	for i := range b {
		n, err := strconv.ParseUint(s[2*i:2*i+2], 16, 8)
		if err != nil {
			return nil, false
		}
		b[i] = byte(n)
	}
	return b, len(s)%2 == 0
}
