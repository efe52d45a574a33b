package peertest

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A relayed network has a second wire behind a router, with a relay of someone
// else's on it.
type relayed struct {
	*network
	relay *netlab.Host
	lower *netlab.Switch
}

// behind is where the relay is, for all of them.
var behind = netlab.Relaying{Down: "eth1", At: netip.MustParseAddr("10.0.1.1"),
	Up: "eth0", Server: netip.MustParseAddr("10.0.0.1")}

// relays are those that our server has to get on with. Debian's busybox has no
// dhcprelay.
var relays = []struct {
	name  string
	relay func(*netlab.Host, netlab.Relaying, ...string) *netlab.Proc
	flags []string
	agent string // the circuit ID that it adds
}{
	{"dhcrelay", (*netlab.Host).Dhcrelay, nil, ""},
	{"dhcrelay-a", (*netlab.Host).Dhcrelay, []string{"-a"}, "eth1"},
	{"dhcp-helper", (*netlab.Host).DhcpHelper, nil, ""},
	{"dnsmasq", (*netlab.Host).DnsmasqRelay, nil, ""},
}

// farNet is what the config says of the wire behind the relay.
const farNet = "host 10.0.1.0/24 { gateway 10.0.1.1; DHCPlease 40; DHCPrenewal 4; DHCPrebinding 8; };\n"

// newRelayed makes the two wires: ours is on 10.0.0.0/24, the relay between
// that and 10.0.1.0/24.
func newRelayed(t *testing.T, config string, pool ...string) *relayed {
	t.Helper()
	n := &relayed{network: newNetwork(t, ourServer)}
	n.lower = n.Switch()
	n.relay = n.guest("relay")
	n.lower.Plug(n.relay, "eth1")
	n.relay.Addr("eth0", "10.0.0.2/24")
	n.relay.Addr("eth1", "10.0.1.1/24")
	n.relay.Forward(true)
	n.serve(config, pool...)
	n.route("10.0.0.0/8")
	return n
}

// route tells the server that a network is behind 10.0.0.2.
func (n *network) route(to string) {
	n.Helper()
	n.server.Run("ip", "route", "add", to, "via", "10.0.0.2")
}

// far adds a host behind the relay.
func (n *relayed) far(name string) *netlab.Host {
	n.Helper()
	h := n.Lab.Host(name)
	n.lower.Plug(h, "eth0")
	return h
}

// TestS1_S5_S6_Relayed: behind each relay each client gets a lease, renews it
// past the relay, and, where the way past is cut, rebinds through it. Udhcpc
// would do that only after a minute; dhclient has to be told when (it never
// asks for the times).
func TestS1_S5_S6_S13_Relayed(t *testing.T) {
	t.Parallel()
	for _, r := range relays {
		for _, c := range clients {
			t.Run(r.name+"-"+c.name, func(t *testing.T) {
				t.Parallel()
				n := newRelayed(t, conf("10.0.0.1/24", "option eth0 always DHCPrenewal DHCPrebinding;")+farNet, "10.0.1.100-10.0.1.109")
				r.relay(n.relay, behind, r.flags...)
				host := n.far("far")
				p := c.ask(n.network, host)
				a := bound(t, host, "10.0.1.100", "10.0.1.109")
				for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.ACK} {
					n.through(t, n.await(typ, from(n.server)), a, r.agent)
				}
				c.renew(p)
				renewal := n.await(dhcp4.Request, renewing(a), direct)
				ack := n.await(dhcp4.ACK, from(n.server), answering(renewal))
				if ack.Dst.Addr() != a || ack.Options.Has(dhcp4.RelayAgent) {
					t.Errorf("renewal answered to %v: %s", ack.Dst, ack.Dump(nil, dhcp4.Builtin()))
				}
				if r.agent != "" && !strings.Contains(n.command(n.server, "-q"), `circuit "`+r.agent+`"`) {
					t.Errorf("the circuit is forgotten:\n%s", n.command(n.server, "-q"))
				}
				if c.name == "udhcpc" {
					return
				}
				n.relay.Forward(false)
				n.await(dhcp4.Request, renewing(a), func(p *packet) bool { return !direct(p) })
				n.through(t, n.await(dhcp4.ACK, from(n.server)), a, r.agent)
				n.relay.Forward(true)
				if got := bound(t, host, "10.0.1.100", "10.0.1.109"); got != a {
					t.Errorf("%v has become %v", a, got)
				}
			})
		}
	}
}

// direct tells a message that passed no relay.
func direct(p *packet) bool { return p.Giaddr.IsUnspecified() }

// through checks a reply that gives a by way of the relay.
func (n *relayed) through(t *testing.T, p *packet, a netip.Addr, agent string) {
	t.Helper()
	if p.Dst.String() != "10.0.1.1:67" || p.Src.String() != "10.0.0.1:67" || p.DstMAC != n.relay.MAC("eth0") {
		t.Errorf("%v from %v to %v", p.Type(), p.Src, p.Dst)
	}
	if got := addr(t, p, dhcp4.ServerID); p.Yiaddr != a || got != behind.Server || addr(t, p, dhcp4.Router) != behind.At {
		t.Errorf("%v of %v from %v", p.Type(), p.Yiaddr, got)
	}
	if got, _ := dhcp4.SubOption(p.Options.Get(dhcp4.RelayAgent), 1); string(got) != agent {
		t.Errorf("%v with circuit %q, want %q", p.Type(), got, agent)
	}
}

// TestS5_S13_RelayedNAK: a client that comes from another network asks for the
// address that it had there. The NAK reaches it through the relay, and it
// starts over at once.
func TestS5_S6_S13_RelayedNAK(t *testing.T) {
	t.Parallel()
	for _, r := range relays {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			n := newRelayed(t, conf("10.0.0.1/24")+farNet, "10.0.1.100-10.0.1.109")
			r.relay(n.relay, behind, r.flags...)
			host := n.far("far")
			remember(host, "192.168.7.7")
			p := host.Dhclient("eth0")
			nak := n.await(dhcp4.NAK)
			if nak.Dst.String() != "10.0.1.1:67" || nak.Flags&dhcp4.Broadcast == 0 {
				t.Errorf("NAK to %v, flags %x", nak.Dst, nak.Flags)
			}
			if got, _ := dhcp4.SubOption(nak.Options.Get(dhcp4.RelayAgent), 1); string(got) != r.agent {
				t.Errorf("NAK with circuit %q", got)
			}
			p.WaitLine("DHCPNAK from 10.0.")
			bound(t, host, "10.0.1.100", "10.0.1.109")
		})
	}
}

// remember gives a host a lease of dhclient's that still runs.
func remember(h *netlab.Host, a string) {
	h.WriteFile("dhclient.leases", fmt.Sprintf(`lease {
  interface "eth0";
  fixed-address %s;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 1000000000;
  option dhcp-message-type 5;
  option dhcp-server-identifier 10.0.0.1;
  renew never;
  rebind never;
  expire never;
}
`, a))
}

// TestS13_ExistingAgent: what dhcrelay makes of an option 82 that is there
// already, by its -m. The reply has it back octet for octet as the last option.
func TestS13_ExistingAgent(t *testing.T) {
	t.Parallel()
	before := "\x01\x04lamp\x02\x03abc"
	for mode, want := range map[string]string{
		"append":  before + "\x01\x04eth1",
		"replace": "\x01\x04eth1",
		"forward": before,
		"discard": "",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			n := newRelayed(t, conf("10.0.0.1/24")+farNet, "10.0.1.100-10.0.1.109")
			n.relay.Dhcrelay(behind, "-a", "-m", mode)
			host := n.far("far")
			c := newScripted(1)
			m := c.message(dhcp4.Discover)
			m.Options.Put(dhcp4.RelayAgent, []byte(before))
			sock := host.Frames("eth0")
			if want == "" {
				// That it was not passed on shows by what was sent after it.
				sock.Send(c.frame(m))
				later := newScripted(2)
				if offer := n.insist(sock, later.discover(), dhcp4.Offer); offer.Xid != later.xid {
					t.Errorf("OFFER for %x", offer.Xid)
				}
				return
			}
			offer := n.insist(sock, c.frame(m), dhcp4.Offer)
			list := codes(offer)
			if got := offer.Options.Get(dhcp4.RelayAgent); string(got) != want || list[len(list)-1] != dhcp4.RelayAgent {
				t.Errorf("option 82 is %q among %v", got, list)
			}
		})
	}
}

// codes lists the options of a message in their order on the wire.
func codes(p *packet) (list []dhcp4.Code) {
	for b := p.Payload[240:]; len(b) > 1 && b[0] != 255; {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		list = append(list, dhcp4.Code(b[0]))
		b = b[min(len(b), 2+int(b[1])):]
	}
	return list
}

// TestS13_S16_Circuits: two lines of one relay, each with what the config says
// for it, and room for one client.
func TestS13_S16_Circuits(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24", "option eth0 limit 1 per circuit;")+farNet+`
		host 10.0.2.0/24 { gateway 10.0.2.1; DHCPlease 600; };
		circuit eth1 { domain one.example; };
		circuit eth2 { domain two.example; };
	`, "10.0.1.100-10.0.1.109", "10.0.2.100-10.0.2.109")
	other := n.Lab.Host("other")
	n.Wire(n.relay, "eth2", other, "eth0")
	n.relay.Addr("eth2", "10.0.2.1/24")
	n.relay.Dhcrelay(behind, "-a", "-id", "eth2")
	first, second := n.far("first"), n.far("second")
	first.Udhcpc("eth0")
	bound(t, first, "10.0.1.100", "10.0.1.109")
	second.Udhcpc("eth0")
	n.await(dhcp4.Discover, of(second))
	other.Dhclient("eth0")
	bound(t, other, "10.0.2.100", "10.0.2.109")
	if list := second.Addrs("eth0"); len(list) != 0 {
		t.Errorf("a second client of the circuit has %v", list)
	}
	for host, want := range map[*netlab.Host]string{first: "one.example", other: "two.example"} {
		n.Until(want+" in resolv.conf", func() bool { return strings.Contains(host.ReadFile("/etc/resolv.conf"), want) })
	}
}

// TestS16_NetworkLimit: a limit counts for each of the networks that come in
// over one interface.
func TestS16_NetworkLimit(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24", "DHCPlease 600; option eth0 limit 1;")+farNet, "10.0.0.100-10.0.0.109", "10.0.1.100-10.0.1.109")
	n.relay.DhcpHelper(behind)
	first, second := n.far("first"), n.far("second")
	p := first.Udhcpc("eth0")
	bound(t, first, "10.0.1.100", "10.0.1.109")
	second.Dhclient("eth0", "backoff-cutoff 2;")
	n.await(dhcp4.Discover, of(second))
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if list := second.Addrs("eth0"); len(list) != 0 {
		t.Errorf("a second client of the network has %v", list)
	}
	p.Signal(syscall.SIGUSR2) // release
	bound(t, second, "10.0.1.100", "10.0.1.109")
}

// TestS3_S18_RelayedToTwo: a relay that asks two servers, of which the client
// takes the other. Our hold is over at once; and a server behind a relay is not
// one on our network.
func TestS3_S18_RelayedToTwo(t *testing.T) {
	t.Parallel()
	n := newRelayed(t, conf("10.0.0.1/24")+farNet, "10.0.1.50")
	other := n.guest("other")
	other.Addr("eth0", "10.0.0.3/24")
	other.Run("ip", "route", "add", "10.0.1.0/24", "via", "10.0.0.2")
	other.Kea(netlab.Serve("eth0", "10.0.1.1/24"))
	n.relay.Dhcrelay(behind, "10.0.0.3")
	far := n.far("far")
	sock, heard := far.Frames("eth0"), n.Capture(far, "eth0")
	c, later := newScripted(1), newScripted(2)
	kea := netip.MustParseAddr("10.0.0.3")
	ask := func(frame []byte, typ dhcp4.Type) (found *packet) {
		n.Until("Kea's "+typ.String(), func() bool {
			sock.Send(frame)
			for _, frame := range heard.Frames() {
				if p, ok := decode(frame); ok && p.Op == dhcp4.BootReply && p.Type() == typ && addr(t, p, dhcp4.ServerID) == kea {
					found = p
				}
			}
			return found != nil
		})
		return found
	}
	n.insist(sock, c.discover(), dhcp4.Offer)
	c.addr = ask(c.discover(), dhcp4.Offer).Yiaddr
	if ack := ask(c.request(kea), dhcp4.ACK); ack.Yiaddr != c.addr {
		t.Errorf("Kea gave %v, not %v", ack.Yiaddr, c.addr)
	}
	forLater := func(p *packet) bool { return p.Type() == dhcp4.Offer && p.Xid == later.xid }
	n.Until("an OFFER for who comes later", func() bool {
		sock.Send(c.request(kea)) // a DISCOVER from before may have come behind it
		sock.Send(later.discover())
		return slices.ContainsFunc(n.wire.Frames(), func(frame []byte) bool {
			p, ok := decode(frame)
			return ok && forLater(p)
		})
	})
	if offer := n.await(dhcp4.Offer, forLater); offer.Yiaddr.String() != "10.0.1.50" {
		t.Errorf("offered %v", offer.Yiaddr)
	}
	for _, p := range n.ran {
		if strings.Contains(p.Output(), "Another DHCP server") {
			t.Error("a server behind the relay was reported")
		}
	}
}

// of tells a message of a host, also by way of a relay.
func of(h *netlab.Host) func(*packet) bool {
	mac := h.MAC("eth0")
	return func(p *packet) bool { return [6]byte(p.Chaddr[:6]) == mac }
}
