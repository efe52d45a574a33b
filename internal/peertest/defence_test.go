package peertest

import (
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// TestC5_Defence: another host claims the address of a bound client, which
// defends it once and then looks for another.
func TestC5_Defence(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		n.allow = []string{"Duplicate IP address"} // that is what it is about
		serving := netlab.Serve("eth0", "10.0.0.1/24")
		serving.High = serving.Low
		server := s.serve(n.server, serving)
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		ours := n.client.MAC("eth0")
		announced := func(frame []byte) bool {
			p, err := ether.ParseARPFrame(frame)
			return err == nil && p.SenderHW == ours && p.SenderIP == a && p.TargetIP == a
		}
		for range 2 {
			n.wire.Await("an announcement", announced)
		}
		rival := n.guest("rival")
		claim := ether.Announcement(rival.MAC("eth0"), a)
		socket := rival.Frames("eth0")
		own := ether.Announcement(rival.MAC("eth0"), netip.MustParseAddr("10.0.0.99"))
		n.hears(socket, own.AppendFrame(nil))

		insisting(socket, claim.AppendFrame(nil), func() {
			p.WaitLine(`is already in use by ` + ether.FormatMAC(rival.MAC("eth0")) + `; defending it`)
			n.wire.Await("the defence", announced)
		})
		insisting(socket, claim.AppendFrame(nil), func() { p.WaitLine(`; giving it up`) })
		n.await(dhcp4.Decline)
		addressless(t, n.client)
		server.WaitLine(s.sad)
	})
}

// TestC5_Probe: the full probing of RFC 5227 before the address is used.
func TestC5_Probe(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.client.WriteFile("dhcp.conf", `option "eth0" probe;`)
	n.start(n.client)
	ack := n.await(dhcp4.ACK)
	for range 3 {
		n.wire.Await("a probe", isProbe(ack.Yiaddr))
		if list := n.client.Addrs("eth0"); len(list) > 0 {
			t.Fatalf("configured before the probing was over: %v", list)
		}
	}
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}
