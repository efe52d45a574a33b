package conf

import (
	"fmt"
	"strings"
	"testing"

	"dhcpd/internal/netip"
)

// site makes the config and hosts file of a site with n clients, known by
// name, in networks of 200.
func site(n int) (text, hosts string) {
	var conf, names strings.Builder
	conf.WriteString("DNSserver 10.0.0.53;\nmacro net { IPMTU 1400; class PXE { file boot; siaddr 10.0.0.53; }; };\n")
	for i := range n {
		net := fmt.Sprintf("10.%d.%d", i/200/250, i/200%250)
		if i%200 == 0 {
			fmt.Fprintf(&conf, "host %s.0/24 { gateway %s.254; DHCPlease 3600; macro net; };\n", net, net)
		}
		fmt.Fprintf(&conf, "client 2:0:0:%x:%x:%x h%d { rootpath /export/h%d; };\n", i>>16, i>>8&255, i&255, i, i)
		fmt.Fprintf(&names, "%s.%d\th%d.example.com\th%d\n", net, i%200+1, i, i)
	}
	return conf.String(), names.String()
}

func load(tb testing.TB, text, hosts string) *Config {
	tb.Helper()
	c, err := Parse("dhcp.conf", text, Env{Hosts: hosts})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

var sizes = []int{10, 1000, 100_000}

// query returns the query of the site's client in the middle, and its address.
func query(n int) (*Query, netip.Addr) {
	i := n / 2
	id := []byte{1, 2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}
	a := netip.AddrFrom4([4]byte{10, byte(i / 200 / 250), byte(i / 200 % 250), byte(i%200 + 1)})
	return &Query{ID: id, HW: id, Class: []byte("PXEClient:Arch:00000")}, a
}

func BenchmarkGather(b *testing.B) {
	for _, n := range sizes {
		text, hosts := site(n)
		c := load(b, text, hosts)
		q, a := query(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var info Info
			b.ReportAllocs()
			for b.Loop() {
				if !c.Gather(q, a, &info) {
					b.Fatal("no information")
				}
			}
		})
	}
}

func BenchmarkFixed(b *testing.B) {
	for _, n := range sizes {
		text, hosts := site(n)
		c := load(b, text, hosts)
		q, a := query(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, ok := c.Ask(q).Fixed(a); !ok || got != a {
					b.Fatal(got, ok)
				}
			}
		})
	}
}

func BenchmarkLendable(b *testing.B) {
	for _, n := range sizes {
		text, hosts := site(n)
		c := load(b, text, hosts)
		a := netip.MustParseAddr("10.0.0.230")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if why, ok := c.Lendable(a); !ok {
					b.Fatal(why)
				}
				if _, ok := c.Network(a); !ok {
					b.Fatal("no network")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, n := range sizes {
		text, hosts := site(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				load(b, text, hosts)
			}
		})
	}
}
