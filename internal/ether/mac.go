package ether

import (
	"strings"

	"dhcpd/internal/ascii"
)

// FormatMAC returns m as it is usually written: 00:01:02:0a:0b:0c.
func FormatMAC(m MAC) string { return string(ascii.AppendOctets(nil, m[:])) }

// ParseMAC reads six hexadecimal numbers of one or two digits with colons
// between them, as MINIX wrote them (8:0:20:1:2:3) and as everybody does.
func ParseMAC(s string) (m MAC, ok bool) {
	for i := range m {
		field, rest, more := strings.Cut(s, ":")
		n, ok := ascii.Uint(field, 16, 8)
		if !ok || len(field) > 2 || more != (i < len(m)-1) {
			return MAC{}, false
		}
		m[i], s = byte(n), rest
	}
	return m, true
}
