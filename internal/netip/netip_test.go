package netip

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
)

// Whatever is done here is held against what the standard library does.

func std(a Addr) netip.Addr {
	if !a.IsValid() {
		return netip.Addr{}
	}
	return netip.AddrFrom4(a.As4())
}

func stdPrefix(p Prefix) netip.Prefix {
	if !p.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(std(p.Addr()), p.Bits())
}

// some are addresses at the edges, and ten that are anywhere.
func some() []Addr {
	list := []Addr{{}}
	for _, n := range []uint32{0, 1, 0x7effffff, 0x7f000000, 0x7fffffff, 0x80000000, 0xa9fdffff, 0xa9fe0000,
		0xa9feffff, 0xa9ff0000, 0xdfffffff, 0xe0000000, 0xefffffff, 0xf0000000, 0xfffffffe, 0xffffffff} {
		list = append(list, AddrFrom(n))
	}
	for range 10 {
		list = append(list, AddrFrom(rand.Uint32()))
	}
	return list
}

func TestAddr(t *testing.T) {
	for _, a := range some() {
		s := std(a)
		same := a.String() == s.String() && string(a.AppendTo(nil)) == string(s.AppendTo(nil)) &&
			a.IsValid() == s.IsValid() && a.Is4() == s.Is4() && a.IsUnspecified() == s.IsUnspecified() &&
			a.IsLoopback() == s.IsLoopback() && a.IsMulticast() == s.IsMulticast() &&
			a.IsLinkLocalUnicast() == s.IsLinkLocalUnicast() && string(a.AsSlice()) == string(s.AsSlice()) &&
			(!a.IsValid() || std(a.Next()) == s.Next())
		if !same {
			t.Errorf("%v is not as %v", a, s)
		}
		if a.IsValid() && (AddrFrom4(s.As4()) != a || AddrFrom(a.Number()) != a) {
			t.Errorf("%v: %v, %#x", a, a.As4(), a.Number())
		}
		for _, b := range some() {
			if a.Less(b) != s.Less(std(b)) || a.Compare(b) != s.Compare(std(b)) || (a == b) != (s == std(b)) {
				t.Errorf("%v and %v: %v, %d", a, b, a.Less(b), a.Compare(b))
			}
		}
	}
	if (Addr{}).As4() != [4]byte{} || (Addr{}).Number() != 0 || IPv4Unspecified() != AddrFrom(0) {
		t.Error("none is not 0.0.0.0 in octets")
	}
}

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
		if got, ok := ParseAddr(s); std(got) != want || ok != want.IsValid() {
			t.Errorf("ParseAddr(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, a := range some() {
		for bits := -2; bits < 40; bits++ {
			p, s := PrefixFrom(a, bits), netip.PrefixFrom(std(a), bits)
			same := p.IsValid() == s.IsValid() && p.Bits() == s.Bits() && std(p.Addr()) == s.Addr() &&
				p.IsSingleIP() == s.IsSingleIP() && stdPrefix(p.Masked()) == s.Masked() && p.String() == s.String() &&
				(!p.IsValid() || string(p.AppendTo(nil)) == s.String())
			if !same {
				t.Errorf("%v (%v, %d) is not as %v", p, p.Addr(), p.Bits(), s)
			}
			for _, b := range some() {
				if p.Contains(b) != s.Contains(std(b)) {
					t.Errorf("%v contains %v: %v", p, b, p.Contains(b))
				}
			}
			if p.IsValid() && !p.Contains(a) {
				t.Errorf("%v is not in %v", a, p)
			}
		}
	}
	if (Prefix{}).AppendTo(nil) != nil {
		t.Error("none has a text")
	}
}

func TestParsePrefix(t *testing.T) {
	for _, s := range []string{
		"10.0.0.1/24", "0.0.0.0/0", "255.255.255.255/32", // prefixes
		"", "/", "10.0.0.1", "10.0.0.1/", "/24", "10.0.0.1/33", "10.0.0.1/024", "10.0.0.1/+4", "10.0.0.1/-1",
		"10.0.0.1/24/24", "10.0.0/24", "10.0.0.1/ 24", "10.0.0.1/256", "::1/64", "::ffff:10.0.0.1/120",
	} {
		want, err := netip.ParsePrefix(s)
		if err != nil || !want.Addr().Is4() {
			want = netip.Prefix{}
		}
		if got, ok := ParsePrefix(s); stdPrefix(got) != want || ok != want.IsValid() {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
}

func TestAddrPort(t *testing.T) {
	for _, a := range some() {
		for _, port := range []uint16{0, 67, 0xffff} {
			p, s := AddrPortFrom(a, port), netip.AddrPortFrom(std(a), port)
			if a.IsValid() && MustParseAddrPort(s.String()) != p {
				t.Errorf("MustParseAddrPort(%v) = %v", s, MustParseAddrPort(s.String()))
			}
			if p.Addr() != a || p.Port() != port || a.IsValid() && p.String() != s.String() {
				t.Errorf("%v: %v, %d, want %v", p, p.Addr(), p.Port(), s)
			}
		}
	}
	if AddrPortFrom(Addr{}, 0) != (AddrPort{}) {
		t.Error("no address and no port are something")
	}
}

func TestNetmasks(t *testing.T) {
	for n := range 33 {
		p := PrefixFrom(MustParseAddr("192.0.2.77"), n)
		want := net.CIDRMask(n, 32)
		if got := p.Netmask().As4(); !bytes.Equal(got[:], want) {
			t.Errorf("%v: netmask %v, want %v", p, got, want)
		}
		if got, ok := MaskBits(p.Netmask().Number()); got != n || !ok {
			t.Errorf("%v: %d %v, want %d", p.Netmask(), got, ok, n)
		}
	}
	if (Prefix{}).Netmask().IsValid() {
		t.Error("no prefix has a netmask")
	}
	for _, gaps := range []uint32{1, 0xff00ff00, 0x7fffffff, 0xfffffffd} {
		if n, ok := MaskBits(gaps); ok {
			t.Errorf("%x: %d", gaps, n)
		}
	}
	for first := range 224 {
		a := AddrFrom4([4]byte{byte(first), 1, 2, 3})
		want, _ := net.IPv4(byte(first), 1, 2, 3).DefaultMask().Size()
		if got := a.ClassBits(); got != want {
			t.Errorf("%v: %d, want %d", a, got, want)
		}
	}
}
