package peertest

import (
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// sentBy returns how many DHCP messages of a host the wire has seen.
func (n *network) sentBy(h *netlab.Host) (count int) {
	mac := h.MAC("eth0")
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.SrcMAC == mac {
			count++
		}
	}
	return count
}

// TestB7_C9_Cable: while the cable is out the address stays and nothing is
// sent; when it is in again, the lease is confirmed at once.
func TestB7_C9_Cable(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		n.await(dhcp4.ACK)
		for range 3 {
			n.ports[n.client].Cut()
			p.WaitLine("-> INIT-REBOOT")
			sent := n.sentBy(n.client)
			bound(t, n.client, a.String(), a.String())
			n.ports[n.client].Mend()
			p.WaitLine("INIT-REBOOT -> REBOOTING")
			request := n.await(dhcp4.Request)
			if got := addr(t, request, dhcp4.RequestedAddress); got != a || request.Options.Has(dhcp4.ServerID) || request.Ciaddr.IsValid() && !request.Ciaddr.IsUnspecified() {
				t.Errorf("a REQUEST for %v: %s", got, request.Dump(nil, dhcp4.Builtin()))
			}
			if got := n.sentBy(n.client); got > sent+2 { // the first one may find the switch deaf
				t.Errorf("%d messages since the cable was cut", got-sent)
			}
			n.await(dhcp4.ACK)
			p.WaitLine("REBOOTING -> BOUND")
			bound(t, n.client, a.String(), a.String())
		}
	})
}

// TestB7_Flaps: a loose contact costs no memory that grows.
func TestB7_Flaps(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	p := n.start(n.client)
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	for range 300 {
		n.ports[n.client].Cut()
		p.WaitLine("-> INIT-REBOOT")
		n.ports[n.client].Mend()
		p.WaitLine("REBOOTING -> BOUND")
	}
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	size := memory(t, p.PID(), "RssAnon")
	t.Logf("%d kB of its own", size)
	if len(buildFlags) == 0 && size > 5<<10 {
		t.Errorf("%d kB of its own, want at most 5 MB", size)
	}
}

// TestB7_C8_Moved: the cable comes in again on another network. What its server
// has to say to the old address, if anything, the client ends up with a new
// one; where it says nothing, that is when the old server is missed.
func TestB7_C8_C9_Moved(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		old := n.guest("old")
		old.Addr("eth0", "10.9.0.1/24")
		serving := netlab.Serve("eth0", "10.9.0.1/24")
		serving.Lease, serving.T1, serving.T2 = 30*time.Second, 20*time.Second, 25*time.Second
		there := old.ISC(serving, "min-lease-time 20;")
		p := n.start(n.client)
		bound(t, n.client, "10.9.0.100", "10.9.0.109")
		n.ports[n.client].Cut()
		p.WaitLine("-> INIT-REBOOT")
		there.Kill()
		old.DelAddr("eth0", "10.9.0.1/24")
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		n.ports[n.client].Mend()
		n.client.Until("an address of the new network, alone", func() bool {
			list := n.client.Addrs("eth0")
			return len(list) == 1 && list[0].Addr().As4()[1] == 0
		})
	})
}

// TestC8_Quarrel: two servers on one wire, of which each takes it for another
// network, and says no to what the other gives. The client starts again and
// again, and is bound each time before long.
func TestC8_C9_Quarrel(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		other := n.guest("other")
		other.Addr("eth0", "10.9.0.1/24")
		other.ISC(netlab.Serve("eth0", "10.9.0.1/24"), "authoritative;")
		for range 4 {
			before := n.sentBy(n.client)
			p := n.start(n.client)
			p.WaitLine("-> BOUND")
			var a netip.Addr
			n.client.Until("one address", func() bool {
				list := n.client.Addrs("eth0")
				if len(list) != 1 {
					return false
				}
				a = list[0].Addr()
				return true
			})
			n.file(n.client, "dhcp.cache", a.String())
			if got := n.sentBy(n.client) - before; got > 12 {
				t.Errorf("%d messages before it was bound", got)
			}
			p.Signal(syscall.SIGKILL)
			p.Wait()
		}
	})
}
