package peertest

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestR1_R2_R4_L2_Counts: whatever a relay does not pass on, or not as it
// should, dhcpd -q counts under its reason; nothing of it is seen beyond.
func TestR1_R2_R4_L2_Counts(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.silent = true
	far := n.Lab.Host("far")
	for _, name := range []string{"eth2", "eth3", "eth4"} {
		n.Wire(n.relay, name, far, name)
	}
	n.relay.Addr("eth2", "10.0.2.1/32")
	n.relay.Addr("eth3", "10.0.2.1/32") // one address for two networks
	n.relay.Addr("eth4", "10.0.4.1/24")
	n.run(`option eth1 relay 10.0.0.1; option eth1 agent { circuit interface; };
		option eth2 relay 10.0.0.1; option eth3 relay 10.0.0.1; option eth4 relay 10.0.4.9;`)
	c := newScripted(1)
	up := func(typ dhcp4.Type, change func(m *dhcp4.Message)) []byte {
		m := c.message(typ)
		change(m)
		return c.frame(m)
	}
	us := netip.MustParseAddr("10.0.1.1")
	down := func(typ dhcp4.Type, to [6]byte, from, giaddr string) []byte {
		m := c.message(typ)
		m.Op, m.Giaddr, m.Yiaddr = dhcp4.BootReply, netip.MustParseAddr(giaddr), netip.MustParseAddr("10.0.1.50")
		payload, _ := m.Append(nil, dhcp4.MinLimit)
		return ether.AppendUDPFrame(nil, c.mac, to, netip.MustParseAddr(from), us, 67, 67, payload)
	}
	below, above := n.relay.MAC("eth1"), n.relay.MAC("eth0")
	bootp := c.message(dhcp4.Discover)
	bootp.Options.Del(dhcp4.MessageType)
	plain, _ := bootp.Append(nil, dhcp4.MinLimit)
	clear(plain[236:]) // not even the cookie
	client, server, beside := n.client.Frames("eth0"), n.server.Frames("eth0"), far.Frames("eth4")
	send := func() {
		client.Send(up(dhcp4.Discover, func(m *dhcp4.Message) { m.Hops = 17 }))
		client.Send(up(dhcp4.Discover, func(m *dhcp4.Message) { m.Giaddr = us }))
		client.Send(up(dhcp4.Discover, func(m *dhcp4.Message) { m.Giaddr = netip.MustParseAddr("224.0.0.1") }))
		client.Send(up(dhcp4.Discover, func(m *dhcp4.Message) { m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x01x")) }))
		client.Send(c.datagram(plain))
		client.Send(down(dhcp4.Offer, below, "10.0.1.66", "10.0.1.1"))
		server.Send(down(dhcp4.Offer, above, "10.0.0.1", "10.9.9.9"))
		server.Send(down(dhcp4.Offer, above, "10.0.0.1", "10.0.2.1"))
		beside.Send(c.discover())
		server.Send(down(dhcp4.LeaseUnknown, above, "10.0.0.1", "10.0.1.1"))
	}
	for _, what := range []string{
		"dropped: relayed too often: too many hops",
		"dropped: a request with an address of ours as giaddr",
		"dropped: a request with a giaddr that is no host's address",
		"dropped: option 82 from clients that are not trusted with it",
		"dropped: no server to relay to that is not on the clients' network",
		"no room for option 82: relayed without it",
		"dropped: a reply whose giaddr is not that of a network that we relay for",
		"dropped: a reply that does not say for which of the networks with its giaddr it is",
		"dropped: a reply from where clients are, and not from a server that we relay to",
		"dropped: an answer to a DHCPLEASEQUERY that nobody here has sent",
		"requests relayed, by the server that they went to",
	} {
		n.Until(what, func() bool {
			if countIn(n.command(n.relay, "-q"), what) > 0 {
				return true
			}
			send()
			return false
		})
	}
	for _, frame := range n.upper.Frames() {
		if p, ok := decode(frame); ok && p.Op == dhcp4.BootRequest && len(p.Payload) != len(plain) {
			t.Errorf("relayed all the same: %s", p.Line(nil))
		}
	}
}
