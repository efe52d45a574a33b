package netip

import (
	stdnetip "net/netip"
	"testing"
)

// FuzzParse: what is read is what the standard library reads, and comes back.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "255.255.255.255/32", "0.0.0.0/0", "1.2.3", "01.2.3.4", "1.2.3.4/024", "::1", "256.1.1.1", "1.2.3.4/33"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := ParseAddr(s)
		want, err := stdnetip.ParseAddr(s)
		if good := err == nil && want.Is4(); ok != good || ok && (a.As4() != want.As4() || string(a.AppendTo(nil)) != want.String()) {
			t.Errorf("%q: %v %v, want %v %v", s, a, ok, want, err)
		}
		p, ok := ParsePrefix(s)
		net, err := stdnetip.ParsePrefix(s)
		if good := err == nil && net.Addr().Is4(); ok != good || ok && (p.String() != net.String() || p.Masked().String() != net.Masked().String()) {
			t.Errorf("%q: %v %v, want %v %v", s, p, ok, net, err)
		}
		if !ok {
			return
		}
		for _, x := range []Addr{p.Addr(), p.Addr().Next(), AddrFrom(^p.Addr().Number())} {
			if x.IsValid() && p.Contains(x) != net.Contains(stdnetip.AddrFrom4(x.As4())) {
				t.Errorf("%v in %v: %v", x, p, p.Contains(x))
			}
		}
	})
}
