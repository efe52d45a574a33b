package peertest

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// clients are those that our server has to get on with: how each is started,
// how it is made to renew at once (the others do so by T1), and how it
// releases. Our own releases only when told to by its config file.
var clients = []struct {
	name    string
	ask     func(n *network, h *netlab.Host) *netlab.Proc
	renew   func(p *netlab.Proc)
	release func(h *netlab.Host, p *netlab.Proc)
}{
	{
		"udhcpc",
		func(_ *network, h *netlab.Host) *netlab.Proc { return h.Udhcpc("eth0") },
		func(p *netlab.Proc) { p.Signal(syscall.SIGUSR1) }, // it believes no lease under two minutes
		func(h *netlab.Host, p *netlab.Proc) { p.Signal(syscall.SIGUSR2) },
	}, {
		"dhclient",
		func(_ *network, h *netlab.Host) *netlab.Proc { return h.Dhclient("eth0") },
		func(p *netlab.Proc) {},
		func(h *netlab.Host, p *netlab.Proc) {
			p.WaitLine("^bound to") // it writes down its lease after setting the address
			h.Run("dhclient", "-4", "-r", "-v", "-cf", h.Dir+"/dhclient.conf", "-lf", h.Dir+"/dhclient.leases", "-pf", "/run/dhclient.pid", "eth0")
		},
	}, {
		"dhcpcd",
		func(_ *network, h *netlab.Host) *netlab.Proc { return h.Dhcpcd("eth0") },
		func(p *netlab.Proc) {},
		func(h *netlab.Host, p *netlab.Proc) {
			p.WaitLine("spawned listener") // before that it would miss the signal
			p.Signal(syscall.SIGALRM)
		},
	}, {
		"own",
		func(n *network, h *netlab.Host) *netlab.Proc { return n.start(h) },
		func(p *netlab.Proc) {},
		nil,
	},
}

// TestS1_S2_S4_S5_S11_Lease: a lease for each kind of client, with what the
// config says, on record before the ACK.
func TestS1_S2_S4_S5_S11_Lease(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.109")
			c.ask(n, n.client)
			a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
			n.client.Until("a default route", func() bool {
				return strings.Contains(n.client.Run("ip", "-4", "route"), "default via 10.0.0.1 dev eth0")
			})
			discover := n.await(dhcp4.Discover)
			for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.ACK} {
				p := n.await(typ)
				to := netip.AddrPortFrom(a, dhcp4.ClientPort)
				mac := ether.MAC(n.client.MAC("eth0"))
				if discover.Flags&dhcp4.Broadcast != 0 {
					to, mac = netip.MustParseAddrPort("255.255.255.255:68"), ether.Broadcast
				}
				if p.Dst != to || p.DstMAC != mac {
					t.Errorf("%v sent to %v at %x, want %v at %x", typ, p.Dst, p.DstMAC, to, mac)
				}
				if p.Src.String() != "10.0.0.1:67" || addr(t, p, dhcp4.ServerID) != p.Src.Addr() {
					t.Errorf("%v sent from %v, server ID %v", typ, p.Src, addr(t, p, dhcp4.ServerID))
				}
				if got := addr(t, p, dhcp4.Netmask); got.String() != "255.255.255.0" {
					t.Errorf("%v with netmask %v", typ, got)
				}
				if secs, _ := p.Options.Uint32(dhcp4.LeaseTime); secs != 3600 {
					t.Errorf("%v with a lease of %d s", typ, secs)
				}
			}
			if !owned(n.command(n.server, "-q"), a, n.client) {
				t.Errorf("not in the pool as a lease of %x:\n%s", n.client.MAC("eth0"), n.command(n.server, "-q"))
			}
		})
	}
}

// owned tells whether dhcpd -q prints an address with a running lease of a
// host whose client ID has its Ethernet address in it, as they all do here.
func owned(q string, a netip.Addr, h *netlab.Host) bool {
	mac := h.MAC("eth0")
	re := fmt.Sprintf(`(?m)^%s\s+\+\d+\s.*%x`, regexp.QuoteMeta(a.String()), mac[:])
	return regexp.MustCompile(re).MatchString(q)
}

// TestS6_Renewal: a REQUEST of a client that has its address is answered to
// that address.
func TestS6_Renewal(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(conf("10.0.0.1/24", "DHCPlease 30;", "DHCPrenewal 4;"), "10.0.0.100-10.0.0.109")
			p := c.ask(n, n.client)
			a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
			n.await(dhcp4.ACK)
			c.renew(p)
			request := n.await(dhcp4.Request, from(n.client), renewing(a))
			ack := n.await(dhcp4.ACK, from(n.server), answering(request))
			if ack.Yiaddr != a || ack.Dst.Addr() != a {
				t.Errorf("renewal of %v answered with %v to %v", a, ack.Yiaddr, ack.Dst)
			}
		})
	}
}

// TestS8_Release: the holder gives its address back.
func TestS8_Release(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		if c.release == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.109")
			p := c.ask(n, n.client)
			a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
			n.await(dhcp4.ACK)
			c.release(n.client, p)
			n.await(dhcp4.Release, from(n.client))
			n.file(n.server, "dhcp.pool", a.String()+" released ")
			if q := n.command(n.server, "-q"); !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(a.String()) + `\s.*released`).MatchString(q) {
				t.Errorf("not shown as released:\n%s", q)
			}
		})
	}
}

// TestS2_S20_Fixed: a client line gives its client that address, which is not
// in the pool.
func TestS2_S20_Fixed(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			mac := ether.FormatMAC(n.client.MAC("eth0"))
			n.serve(conf("10.0.0.1/24", "DHCPlease 3600;")+"client "+mac+" 10.0.0.50;\n", "10.0.0.100-10.0.0.109")
			c.ask(n, n.client)
			bound(t, n.client, "10.0.0.50", "10.0.0.50")
		})
	}
}

// TestS2_Exhausted: two addresses, three clients; what one gives back the
// other gets.
func TestS2_S8_Exhausted(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.101")
	first := n.client.Udhcpc("eth0")
	second := n.guest("second")
	second.Dhclient("eth0")
	a := bound(t, n.client, "10.0.0.100", "10.0.0.101")
	b := bound(t, second, "10.0.0.100", "10.0.0.101")
	if a == b {
		t.Fatalf("both have %v", a)
	}
	third := n.guest("third")
	third.Dhcpcd("eth0")
	n.await(dhcp4.Discover, from(third))
	n.await(dhcp4.Discover, from(third)) // its first one was in vain
	if list := third.Addrs("eth0"); len(list) != 0 {
		t.Fatalf("the third client has %v", list)
	}
	first.Signal(syscall.SIGUSR2) // release
	n.await(dhcp4.Release)
	if got := bound(t, third, "10.0.0.100", "10.0.0.101"); got != a {
		t.Errorf("the third client has %v, not the %v that the first gave back", got, a)
	}
	if code := server.Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestP4_Restart: the server dies without a word and comes back; its client
// keeps its address, and no one else gets it.
func TestP4_Restart(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.101")
	p := n.client.Udhcpc("eth0")
	a := bound(t, n.client, "10.0.0.100", "10.0.0.101")
	n.await(dhcp4.ACK)
	server.Kill()
	n.up(n.server)
	other := n.guest("other")
	other.Dhclient("eth0")
	if b := bound(t, other, "10.0.0.100", "10.0.0.101"); a == b {
		t.Errorf("both have %v", a)
	}
	p.Signal(syscall.SIGUSR1)
	request := n.await(dhcp4.Request, from(n.client), renewing(a))
	if ack := n.await(dhcp4.ACK, answering(request)); ack.Yiaddr != a {
		t.Errorf("renewed %v, not %v", ack.Yiaddr, a)
	}
}

// TestL2_BothEnds: what dhcpd -q prints about a lease at its two ends.
func TestL2_BothEnds(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.101")
	n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.101")
	n.file(n.client, "dhcp.cache", a.String())
	for _, want := range []string{`netmask\s+255\.255\.255\.0`, `gateway\s+10\.0\.0\.1`, `DNSserver\s+10\.0\.0\.1`} {
		if got := n.command(n.client, "-q"); !regexp.MustCompile(`(?m)^eth0\s+` + want + `$`).MatchString(got) {
			t.Errorf("no %q at the client:\n%s", want, got)
		}
	}
	got := n.command(n.server, "-q")
	if !owned(got, a, n.client) || strings.Count(got, "unused") != 1 {
		t.Errorf("at the server:\n%s", got)
	}
}

// TestB5_TwoNetworks: one server on two wires.
func TestB5_S17_TwoNetworks(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	far := n.Host("far")
	n.Wire(n.server, "eth1", far, "eth0")
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;")+`interface eth1 10.9.0.1;
host 10.9.0.0/16 { gateway 10.9.0.1; DHCPlease 600; option eth1 server; };
`, "10.0.0.100", "10.9.0.100")
	far.Dhclient("eth0")
	n.client.Udhcpc("eth0")
	bound(t, far, "10.9.0.100", "10.9.0.100")
	bound(t, n.client, "10.0.0.100", "10.0.0.100")
}
