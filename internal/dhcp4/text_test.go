package dhcp4

import (
	"net/netip"
	"testing"
)

// TestParseAddr holds what is read against package netip.
func TestParseAddr(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0", "10.0.0.1", "255.255.255.255", "192.0.2.99", // addresses
		"", ".", "...", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "1.2.3.1000",
		"01.2.3.4", "1.2.3.00", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1_0.2.3.4", "a.b.c.d",
		"::1", "::ffff:1.2.3.4", "1.2.3.4%eth0",
	} {
		want, err := netip.ParseAddr(s)
		if err != nil || !want.Is4() {
			want = netip.Addr{}
		}
		if got, ok := ParseAddr(s); got != want || ok != want.IsValid() {
			t.Errorf("ParseAddr(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for _, s := range []string{
		"10.0.0.1/24", "0.0.0.0/0", "255.255.255.255/32",
		"", "/", "10.0.0.1", "10.0.0.1/", "/24", "10.0.0.1/33", "10.0.0.1/024", "10.0.0.1/+4", "10.0.0.1/-1",
		"10.0.0.1/24/24", "10.0.0/24", "10.0.0.1/ 24", "::1/64", "::ffff:10.0.0.1/120",
	} {
		want, err := netip.ParsePrefix(s)
		if err != nil || !want.Addr().Is4() {
			want = netip.Prefix{}
		}
		if got, ok := ParsePrefix(s); got != want || ok != want.IsValid() {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
}
