package peertest

import (
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestS15_S7_Probe: an address of the pool that somebody uses is found out before
// it is offered, by ARP on the link.
func TestS15_S7_Probe(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	squatter := n.guest("squatter")
	squatter.Addr("eth0", "10.0.0.100/24")
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option eth0 probe;"), "10.0.0.100", "10.0.0.101")
	n.client.Udhcpc("eth0", "-a", "-A", "1")
	bound(t, n.client, "10.0.0.101", "10.0.0.101")
	p.WaitLine(`10\.0\.0\.100 is in use, though nobody has a lease on it`)
	mac := ether.FormatMAC(squatter.MAC("eth0"))
	n.Until("the holder in dhcpd -q", func() bool {
		q := n.command(n.server, "-q")
		return strings.Contains(q, "abandoned") && strings.Contains(q, "holder "+mac)
	})
	for _, f := range n.wire.Frames() {
		if d, ok := decode(f); ok && d.Op == dhcp4.BootReply && d.Yiaddr == netip.MustParseAddr("10.0.0.100") {
			t.Errorf("offered: %s", d.Line(nil))
		}
	}
}

// TestS7_HolderFound: after a DECLINE the server looks who uses the address.
func TestS7_HolderFound(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.allow = []string{"Duplicate IP address"} // that is what it is about
	squatter := n.guest("squatter")
	squatter.Addr("eth0", "10.0.0.100/24")
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100", "10.0.0.101")
	n.client.Udhcpc("eth0", "-a", "-A", "1")
	bound(t, n.client, "10.0.0.101", "10.0.0.101")
	mac := ether.FormatMAC(squatter.MAC("eth0"))
	n.Until("the holder in dhcpd -q", func() bool {
		return strings.Contains(n.command(n.server, "-q"), "holder "+mac)
	})
}

// TestS15_S20_ProbeBehindRelay: likewise by ICMP, where ARP does not reach.
func TestS15_S20_ProbeBehindRelay(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	relay := n.guest("relay")
	for _, a := range []string{"10.0.0.2/24", "10.0.1.1/24", "10.0.1.100/24"} {
		relay.Addr("eth0", a)
	}
	p := n.serve(conf("10.0.0.1/24", "option eth0 probe;")+"host 10.0.1.0/24 { DHCPlease 3600; };",
		"10.0.1.100", "10.0.1.101")
	n.server.Run("ip", "route", "add", "10.0.1.0/24", "via", "10.0.0.2")
	c := newScripted(1)
	m := c.message(dhcp4.Discover)
	m.Giaddr = netip.MustParseAddr("10.0.1.1")
	sock := relay.Frames("eth0")
	offer := n.insist(sock, c.frame(m), dhcp4.Offer)
	if offer.Yiaddr != netip.MustParseAddr("10.0.1.101") || offer.Dst.Addr() != m.Giaddr {
		t.Errorf("offered %v to %v", offer.Yiaddr, offer.Dst)
	}
	p.WaitLine(`10\.0\.1\.100 is in use, though nobody has a lease on it`)
}

// TestS18_Report: a server that answers beside ours is named in the log.
func TestS18_Report(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true
	rogue := n.guest("rogue")
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100")
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen = dhcp4.HtypeEther, 6
	m.SetType(dhcp4.Offer)
	us := netip.MustParseAddr("10.0.0.7")
	m.Options.PutAddr(dhcp4.ServerID, us)
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	frame := ether.AppendUDPFrame(nil, rogue.MAC("eth0"), ether.Broadcast, us,
		netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, payload)
	sock := rogue.Frames("eth0")
	n.Until("the report", func() bool {
		sock.Send(frame)
		return strings.Contains(p.Output(), "eth0: Another DHCP server is on this network: 10.0.0.7")
	})
}

// TestS13_Q3_Restart: what a relay said of a client is known after a restart, and
// told to the client that renews past the relay.
func TestS13_Q3_Restart(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	relay := n.guest("relay")
	for _, a := range []string{"10.0.0.2/24", "10.0.1.1/24", "10.0.1.100/24"} {
		relay.Addr("eth0", a)
	}
	p := n.serve(conf("10.0.0.1/24")+`host 10.0.1.0/24 { DHCPlease 3600; circuit ge-0/0 { file "by-circuit"; }; };`, "10.0.1.100")
	n.server.Run("ip", "route", "add", "10.0.1.0/24", "via", "10.0.0.2")
	c := newScripted(1)
	c.addr = netip.MustParseAddr("10.0.1.100")
	us := netip.MustParseAddr("10.0.0.1")
	m := c.message(dhcp4.Request)
	m.Giaddr = netip.MustParseAddr("10.0.1.1")
	m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
	m.Options.PutAddr(dhcp4.ServerID, us)
	m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x08ge-0/0/7"))
	sock := relay.Frames("eth0")
	if ack := n.insist(sock, c.frame(m), dhcp4.ACK); !ack.Options.Has(dhcp4.RelayAgent) || ack.FileText() != "by-circuit" {
		t.Fatalf("ACK through the relay: %s", ack.Dump(nil, dhcp4.Builtin()))
	}
	p.Stop()
	n.up(n.server)
	if q := n.command(n.server, "-q"); !strings.Contains(q, `circuit "ge-0/0/7"`) {
		t.Errorf("dhcpd -q:\n%s", q)
	}
	renewal := c.message(dhcp4.Request)
	renewal.Ciaddr, renewal.Xid = c.addr, 77
	payload, _ := renewal.Append(nil, dhcp4.MinLimit)
	ack := n.replied(sock, ether.AppendUDPFrame(nil, relay.MAC("eth0"), n.server.MAC("eth0"), c.addr, us,
		dhcp4.ClientPort, dhcp4.ServerPort, payload), 77, dhcp4.ACK)
	if ack.FileText() != "by-circuit" || ack.Options.Has(dhcp4.RelayAgent) || ack.Yiaddr != c.addr {
		t.Errorf("ACK past the relay: %s", ack.Dump(nil, dhcp4.Builtin()))
	}
}
