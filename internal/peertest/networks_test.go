package peertest

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestS5_S17_TwoAddresses: an interface with two addresses serves the networks
// of both, in the kernel's order; each client knows us by the address that is
// on its own, also where the config says that they share the wire.
func TestS5_S17_S20_TwoAddresses(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]string{"apart": "", "shared": "shared 10.0.0.0/24 10.0.3.0/24;"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(shared+conf("10.0.0.1/24", "DHCPlease 60; DHCPrenewal 4; option eth0 always DHCPrenewal;")+
				"host 10.0.3.0/24 { DHCPlease 60; DHCPrenewal 4; };\n", "10.0.0.100", "10.0.3.100")
			n.server.Addr("eth0", "10.0.3.1/24")
			n.client.Dhclient("eth0")
			bound(t, n.client, "10.0.0.100", "10.0.0.100")
			second := n.guest("second")
			second.Dhclient("eth0")
			a := bound(t, second, "10.0.3.100", "10.0.3.100")
			us := netip.MustParseAddr("10.0.3.1")
			ack := n.await(dhcp4.ACK, answering(n.await(dhcp4.Request, of(second), renewing(a))))
			if got := addr(t, ack, dhcp4.ServerID); got != us || ack.Src.Addr() != us || ack.Dst.Addr() != a {
				t.Errorf("renewed by server %v, from %v to %v", got, ack.Src, ack.Dst)
			}
		})
	}
}

// TestS20_SharedBehindRelay: two netblocks share the wire behind a relay. It
// puts in its address on the first; the second is for who comes too late.
func TestS20_SharedBehindRelay(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, "shared 10.0.1.0/24 10.0.2.0/24;"+conf("10.0.0.1/24")+farNet+
		"host 10.0.2.0/24 { gateway 10.0.2.1; DHCPlease 600; };\n", "10.0.1.100", "10.0.2.100")
	n.relay.Addr("eth1", "10.0.2.1/24")
	n.relay.Dhcrelay(behind)
	first, second := n.far("first"), n.far("second")
	first.Udhcpc("eth0")
	bound(t, first, "10.0.1.100", "10.0.1.100")
	second.Dhclient("eth0")
	bound(t, second, "10.0.2.100", "10.0.2.100")
	ack := n.await(dhcp4.ACK, of(second))
	if ack.Dst.Addr() != behind.At || addr(t, ack, dhcp4.Router) != netip.MustParseAddr("10.0.2.1") {
		t.Errorf("ACK to %v: %s", ack.Dst, ack.Dump(nil, dhcp4.Builtin()))
	}
}

// TestS13_LinkSelection: dhcrelay -U puts its upper address into giaddr and
// says by option 82 which network the client is on (RFC 3527).
func TestS13_S20_LinkSelection(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24", "DHCPlease 600;")+farNet, "10.0.0.100-10.0.0.109", "10.0.1.100-10.0.1.109")
	n.relay.Dhcrelay(behind, "-a", "-U", "eth0")
	host := n.far("far")
	host.Dhcpcd("eth0")
	a := bound(t, host, "10.0.1.100", "10.0.1.109")
	for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.ACK} {
		if p := n.await(typ); p.Giaddr != netip.MustParseAddr("10.0.0.2") || p.Dst.Addr() != p.Giaddr || p.Yiaddr != a {
			t.Errorf("%v of %v to %v, giaddr %v", typ, p.Yiaddr, p.Dst, p.Giaddr)
		}
	}
}

// TestS13_S20_HandMadeRelay: what no relay here can say: the network by option
// 118 (RFC 3011), and that the client is to take the relay for its server (RFC
// 5107). All that it sends then comes through the relay.
func TestS13_S20_HandMadeRelay(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24", "DHCPlease 600;")+farNet, "10.0.0.100-10.0.0.109", "10.0.1.100-10.0.1.109")
	sock := n.relay.Frames("eth0")
	relay := netip.MustParseAddr("10.0.0.2")
	by := func(m *dhcp4.Message) []byte {
		m.Giaddr, m.Hops = relay, 1
		payload, _ := m.Append(nil, dhcp4.MinLimit)
		return ether.AppendUDPFrame(nil, n.relay.MAC("eth0"), n.server.MAC("eth0"), relay, behind.Server,
			dhcp4.ServerPort, dhcp4.ServerPort, payload)
	}

	chosen := newScripted(1)
	m := chosen.message(dhcp4.Discover)
	m.Options.PutAddr(dhcp4.SubnetSelection, netip.MustParseAddr("10.0.1.0"))
	offer := n.insist(sock, by(m), dhcp4.Offer)
	if got := addr(t, offer, dhcp4.SubnetSelection); offer.Yiaddr.As4()[2] != 1 || got.String() != "10.0.1.0" || offer.Dst.Addr() != relay {
		t.Errorf("offered %v to %v", offer.Yiaddr, offer.Dst)
	}

	c := newScripted(2)
	mine := func(m *dhcp4.Message) []byte {
		m.Options.Put(dhcp4.RelayAgent, []byte("\x05\x04\x0a\x00\x01\x01\x0b\x04\x0a\x00\x01\x01"))
		return by(m)
	}
	offer = n.replied(sock, mine(c.message(dhcp4.Discover)), c.xid, dhcp4.Offer)
	c.addr = offer.Yiaddr
	m = c.message(dhcp4.Request)
	m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
	m.Options.PutAddr(dhcp4.ServerID, behind.At)
	first := n.replied(sock, mine(m), c.xid, dhcp4.ACK)
	m = c.message(dhcp4.Request)
	m.Ciaddr, m.Xid = c.addr, 77
	for _, p := range []*packet{offer, first, n.replied(sock, mine(m), m.Xid, dhcp4.ACK)} {
		if got := addr(t, p, dhcp4.ServerID); got != behind.At || p.Src.Addr() != behind.Server || p.Dst.Addr() != relay ||
			p.Yiaddr != c.addr || p.Yiaddr.As4()[2] != 1 {
			t.Errorf("%v of %v by %v, from %v to %v", p.Type(), p.Yiaddr, got, p.Src, p.Dst)
		}
	}
	m = c.message(dhcp4.Release)
	m.Ciaddr = c.addr
	m.Options.PutAddr(dhcp4.ServerID, behind.At)
	insisting(sock, mine(m), func() { n.file(n.server, "dhcp.pool", c.addr.String()+" released ") })
}

// TestS20_Silence: a relay for a network that the config knows nothing of gets
// no answer, nor does a client that selects such a network. The one that asks
// after them does.
func TestS20_Silence(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24")+farNet, "10.0.1.100-10.0.1.109")
	n.relay.Addr("eth1", "10.0.9.1/24")
	strange := behind
	strange.At = netip.MustParseAddr("10.0.9.1")
	n.relay.DnsmasqRelay(strange)
	host := n.far("far")
	host.Udhcpc("eth0")
	n.await(dhcp4.Discover, of(host))
	if p := n.await(dhcp4.Discover, of(host)); p.Giaddr != strange.At { // its first one was in vain
		t.Errorf("relayed by %v", p.Giaddr)
	}
	c := newScripted(1)
	m := c.message(dhcp4.Discover)
	m.Giaddr = behind.At
	if offer := n.insist(n.relay.Frames("eth0"), c.frame(m), dhcp4.Offer); offer.Xid != c.xid {
		t.Errorf("OFFER for %x", offer.Xid)
	}
}
