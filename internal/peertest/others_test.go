package peertest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// TestS3_S6_S18_OtherServer: another server on the wire, whose OFFER the client
// takes. Ours gives up its hold at once, names the other one once, and is
// silent when the client asks all servers for more time.
func TestS3_S6_S18_OtherServer(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourServer)
		p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.50")
		other := n.guest("other")
		other.Addr("eth0", "10.0.0.2/24")
		serving := netlab.Serve("eth0", "10.0.0.2/24")
		serving.Lease, serving.T1, serving.T2 = 10*time.Minute, 3*time.Second, 6*time.Second
		rogue := s.serve(other, serving)
		client := n.client.Dhclient("eth0", "reject 10.0.0.1;", "also request dhcp-renewal-time, dhcp-rebinding-time;")
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		n.await(dhcp4.Request, from(n.client))
		n.Until("an OFFER of ours", func() bool { // it may have come too late
			return slices.ContainsFunc(n.wire.Frames(), func(frame []byte) bool {
				p, ok := decode(frame)
				return ok && p.Type() == dhcp4.Offer && from(n.server)(p)
			})
		})
		// The only address was held for the client, for a minute.
		if offer := n.once(newScripted(1)); offer.Yiaddr != netip.MustParseAddr("10.0.0.50") {
			t.Errorf("offered %v", offer.Yiaddr)
		}
		p.WaitLine(`eth0: Another DHCP server is on this network: 10\.0\.0\.2$`)

		client.WaitLine("bound to")
		rogue.Kill()
		n.await(dhcp4.Request, from(n.client), renewing(a), func(p *packet) bool { return p.Dst.Addr() == netip.AddrFrom(^uint32(0)) })
		n.once(newScripted(1)) // so that ours has had its time to answer
		for _, frame := range n.wire.Frames() {
			if d, ok := decode(frame); ok && d.Type() == dhcp4.NAK {
				t.Errorf("a NAK from %v", d.Src)
			}
		}
		if got := strings.Count(p.Output(), "Another DHCP server"); got != 1 {
			t.Errorf("the other server was reported %d times", got)
		}
	})
}

// once sends a scripted client's DISCOVER, once, and returns the OFFER of ours.
func (n *network) once(c *scripted) *packet { return n.offered(c, c.message(dhcp4.Discover)) }

// offered sends a DISCOVER with more in it, again if it must: a server that has
// its socket may not have opened it for the network yet.
func (n *network) offered(c *scripted, discover *dhcp4.Message) (offer *packet) {
	n.Helper()
	before := len(n.wire.Frames())
	ours := from(n.server)
	insisting(n.client.Frames("eth0"), c.frame(discover), func() {
		n.Until("an OFFER", func() bool {
			for _, frame := range n.wire.Frames()[before:] {
				if p, ok := decode(frame); ok && p.Type() == dhcp4.Offer && p.Xid == c.xid && ours(p) {
					offer = p
				}
			}
			return offer != nil
		})
	})
	return offer
}

// TestS15_Authoritative: a client remembers an address of this network that
// someone else gave it, or nobody. Without the option we are silent, and it
// starts over when it has waited long enough; with it, a NAK saves the time.
func TestS15_S6_Authoritative(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, option string
		says         bool
	}{{"silent", "", false}, {"authoritative", "option eth0 authoritative;", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.serve(conf("10.0.0.1/24", "DHCPlease 3600;", tt.option), "10.0.0.100-10.0.0.109")
			remember(n.client, "10.0.0.77")
			n.client.Dhclient("eth0", "reboot 3;")
			n.await(dhcp4.Request, func(p *packet) bool {
				return addr(t, p, dhcp4.RequestedAddress) == netip.MustParseAddr("10.0.0.77")
			})
			bound(t, n.client, "10.0.0.100", "10.0.0.109")
			asked, naks := 0, 0
			for _, frame := range n.wire.Frames() {
				p, ok := decode(frame)
				switch {
				case !ok:
				case p.Type() == dhcp4.NAK:
					naks++
				case p.Type() == dhcp4.Request && addr(t, p, dhcp4.RequestedAddress) == netip.MustParseAddr("10.0.0.77"):
					asked++
				}
			}
			if naks > asked || (naks > 0) != tt.says {
				t.Errorf("%d NAKs to %d DHCPREQUESTs", naks, asked)
			}
		})
	}
}

// TestS15_Rapid: two messages instead of four for a client that wants that,
// and on record before the second one.
func TestS15_S4_Rapid(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option eth0 rapid;"), "10.0.0.100-10.0.0.109")
	n.client.Dhcpcd("eth0", "option rapid_commit")
	ack := n.await(dhcp4.ACK)
	n.file(n.server, "dhcp.pool", ack.Yiaddr.String()+" bound ")
	if !ack.Options.Has(dhcp4.RapidCommit) {
		t.Error("ACK without option 80")
	}
	if a := bound(t, n.client, "10.0.0.100", "10.0.0.109"); a != ack.Yiaddr {
		t.Errorf("ACK for %v, configured %v", ack.Yiaddr, a)
	}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && (p.Type() == dhcp4.Offer || p.Type() == dhcp4.Request) {
			t.Errorf("a %v", p.Type())
		}
	}
	other := n.guest("other") // which does not ask for it
	other.Dhclient("eth0")
	n.await(dhcp4.Offer)
	bound(t, other, "10.0.0.100", "10.0.0.109")
}

// TestS14_PoolBOOTP: with the option a BOOTP client gets an address of the
// pool, for ever.
func TestS14_PoolBOOTP(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option eth0 bootp;"), "10.0.0.100-10.0.0.101")
	c := newScripted(1)
	m := c.message(dhcp4.Discover)
	m.Options.Del(dhcp4.MessageType)
	reply := n.insist(n.client.Frames("eth0"), c.frame(m), dhcp4.BOOTP)
	if reply.Options.Has(dhcp4.LeaseTime) || reply.Options.Has(dhcp4.ServerID) || !reply.Options.Has(dhcp4.Netmask) {
		t.Errorf("reply: %s", reply.Dump(nil, dhcp4.Builtin()))
	}
	if q := n.command(n.server, "-q"); !strings.Contains(q, reply.Yiaddr.String()+"       infinite") {
		t.Errorf("dhcpd -q, after a reply with %v:\n%s", reply.Yiaddr, q)
	}
	n.client.Udhcpc("eth0")
	if a := bound(t, n.client, "10.0.0.100", "10.0.0.101"); a == reply.Yiaddr {
		t.Errorf("both have %v", a)
	}
}
