package peertest

import (
	"strings"
	"syscall"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// TestS18_Pause: another server comes. Ours leaves new clients to it, also
// after a reload, but not those that it has given a lease; dhcpd -q says so. The
// other one goes, and ours serves again.
func TestS18_Pause(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourServer)
		text := conf("10.0.0.1/24", "DHCPlease 3600; option eth0 rogue pause;")
		p := n.serve(text, "10.0.0.50-10.0.0.59")
		sock := n.client.Frames("eth0")
		old, young := newScripted(1), newScripted(2)
		young.flags, young.addr = dhcp4.Broadcast, netip.MustParseAddr("10.0.0.100")
		old.addr = n.insist(sock, old.discover(), dhcp4.Offer).Yiaddr
		n.insist(sock, old.request(netip.MustParseAddr("10.0.0.1")), dhcp4.ACK)

		other := n.guest("other")
		other.Addr("eth0", "10.0.0.2/24")
		rogue := s.serve(other, netlab.Serve("eth0", "10.0.0.2/24"))
		n.Until("a pause", func() bool {
			sock.Send(young.discover())
			if s.name == "kea" { // whose broadcasts are frames to the client: it must be a client that gives it away
				sock.Send(young.request(netip.MustParseAddr("10.0.0.2")))
			}
			return strings.Contains(p.Output(), "eth0: Serving pauses, because of DHCP server 10.0.0.2\n")
		})
		n.paused(sock, old, young)
		n.Until("the pause in dhcpd -q", func() bool {
			return strings.Contains(n.command(n.server, "-q"),
				" serving paused because of it: 10.0.0.2 on eth0")
		})
		n.server.WriteFile("dhcp.conf", text+"# again\n")
		p.Signal(syscall.SIGHUP)
		n.countedAtLeast("times the configuration file was read again", 1)
		n.paused(sock, old, young)
		n.countedAtLeast("dropped: another server is on this network, and this one pauses", 1)

		rogue.Kill()
		p.WaitLine(`^dhcpd: eth0: Serving goes on: no other DHCP server answers$`)
		if offer := n.once(young); offer.Yiaddr.Less(netip.MustParseAddr("10.0.0.50")) || netip.MustParseAddr("10.0.0.59").Less(offer.Yiaddr) {
			t.Errorf("offered %v", offer.Yiaddr)
		}
		for _, line := range []string{"Another DHCP server", "Serving pauses", "Serving goes on"} {
			if got := strings.Count(p.Output(), line); got != 1 {
				t.Errorf("%q was said %d times", line, got)
			}
		}
	})
}

// paused sees that ours has no answer for a new client, but for an old one.
func (n *network) paused(sock *netlab.Socket, old, young *scripted) {
	n.Helper()
	renew := old.frame(requestOnly(old))
	n.insist(sock, renew, dhcp4.ACK)
	before := n.offers()
	sock.Send(young.discover())
	n.insist(sock, renew, dhcp4.ACK)
	if after := n.offers(); after != before {
		n.Errorf("%d OFFERs in a pause", after-before)
	}
}

// offers counts the OFFERs that our server has sent.
func (n *network) offers() (count int) {
	ours := from(n.server)
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.Offer && ours(p) {
			count++
		}
	}
	return count
}

// TestS18_Quarrel: two of ours, each of which pauses for the other. One goes on,
// the other one leaves the network to it, and steps in when it has gone.
func TestS18_Quarrel(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	const more = "DHCPlease 3600; option eth0 rogue pause;"
	ours := []*netlab.Proc{n.serve(conf("10.0.0.1/24", more), "10.0.0.50-10.0.0.59")}
	twin := n.guest("twin")
	twin.WriteFile("dhcp.conf", conf("10.0.0.2/24", more))
	n.command(twin, "-a", "10.0.0.60-10.0.0.69")
	ours = append(ours, n.up(twin))
	sock, c := n.client.Frames("eth0"), newScripted(1)
	c.flags = dhcp4.Broadcast
	said := func(p *netlab.Proc, what string) int { return strings.Count(p.Output(), "eth0: Serving "+what) }
	// serves tells whether one serves; while nobody does, no client asks.
	serves := func(i int) bool { return said(ours[i], "pauses") == said(ours[i], "goes on") }
	n.Until("a quarrel", func() bool {
		sock.Send(c.discover())
		return !serves(0) || !serves(1)
	})
	n.Until("peace", func() bool { return serves(0) != serves(1) })
	first := 0
	if serves(1) {
		first = 1
	}
	ours[first].Kill()
	ours[1-first].WaitLine(`eth0: Serving goes on: `)
	n.Until("an OFFER of the other one", func() bool {
		sock.Send(c.discover())
		return strings.Contains(ours[1-first].Output(), "eth0: sent to 255.255.255.255: DHCPOFFER")
	})
}
