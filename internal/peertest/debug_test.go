package peertest

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// TestD2_Levels: what each debug level shows, and the one below does not.
func TestD2_Levels(t *testing.T) {
	t.Parallel()
	shows := []string{"", "received from 10.0.0.1: DHCPACK", "\tDHCPtype = 5 (DHCPACK)", "packet socket opened"}
	also := []string{"", "Ethernet address", "SELECTING -> REQUESTING", "packet socket closed"}
	for level := range shows {
		t.Run(string(rune('0'+level)), func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
			args := append([]string{"-d" + string(rune('0'+level))}, files(n.client)...)
			p := n.client.Start(dhcpd, args...)
			bound(t, n.client, "10.0.0.100", "10.0.0.109")
			n.file(n.client, "dhcp.cache", "DHCPlease")
			p.Stop()
			for i := 1; i < len(shows); i++ {
				text := p.Output()
				if strings.Contains(text, shows[i]) != (i <= level) || strings.Contains(text, also[i]) != (i <= level) {
					t.Errorf("at level %d, what is for level %d:\n%s", level, i, text)
				}
			}
			if strings.Contains(p.Output(), "Memory use: ") != (level > 0) {
				t.Errorf("memory at level %d:\n%s", level, p.Output())
			}
		})
	}
}

// TestB10_SameMAC: two interfaces with one Ethernet address, on two networks:
// each renews its own lease, out of its own interface.
func TestB10_SameMAC(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	far := n.Host("far")
	n.Wire(n.client, "eth1", far, "eth0")
	far.Addr("eth0", "10.9.0.1/24")
	n.client.Run("ip", "link", "set", "eth1", "address", ether.FormatMAC(n.client.MAC("eth0")))
	wire := n.Capture(far, "eth0")
	near, distant := netlab.Serve("eth0", "10.0.0.1/24"), netlab.Serve("eth0", "10.9.0.1/24")
	for _, s := range []*netlab.Serving{&near, &distant} {
		s.Lease, s.T1 = 2*time.Minute, 3*time.Second
	}
	n.server.Dnsmasq(near)
	far.Dnsmasq(distant)
	n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.client.Until("an address on eth1", func() bool { return len(n.client.Addrs("eth1")) == 1 })
	b := n.client.Addrs("eth1")[0].Addr()
	if p := n.await(dhcp4.Request, renewing(a)); p.Src.Addr() != a || p.Dst.Addr() != near.Net.Addr() {
		t.Errorf("renewal from %v to %v", p.Src, p.Dst)
	}
	wire.Await("a renewal on eth1", func(frame []byte) bool {
		p, ok := decode(frame)
		return ok && p.Type() == dhcp4.Request && p.Ciaddr == b && p.Src.Addr() == b && p.Dst.Addr() == netip.MustParseAddr("10.9.0.1")
	})
}
