package peertest

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// A relaying network has our relay between the server's wire, 10.0.0.0/24, and
// the client's, 10.0.1.0/24. Both sides of it are watched.
type relaying struct {
	*network
	relay *netlab.Host
	lower *netlab.Switch
	upper *netlab.Capture
}

func newRelaying(t *testing.T) *relaying {
	t.Helper()
	n := &relaying{network: &network{T: t, Lab: netlab.New(t)}}
	n.sw, n.lower = n.Switch(), n.Switch()
	n.server, n.relay = n.guest(ourServer), n.guest("relay")
	n.server.Addr("eth0", "10.0.0.1/24")
	n.server.Run("ip", "route", "add", "10.0.0.0/8", "via", "10.0.0.2")
	n.relay.Addr("eth0", "10.0.0.2/24")
	n.relay.Forward(true)
	n.lower.Plug(n.relay, "eth1")
	n.relay.Addr("eth1", "10.0.1.1/24")
	n.client = n.far("client")
	n.upper, n.wire = n.Capture(n.relay, "eth0"), n.Capture(n.relay, "eth1")
	up, down := n.relay.MAC("eth0"), n.relay.MAC("eth1")
	t.Cleanup(func() {
		n.inspect(down)
		if !t.Failed() && !n.silent {
			n.upper.Check([][6]byte{up}, n.allow...)
		}
	})
	return n
}

// far adds a host on the client's wire.
func (n *relaying) far(name string) *netlab.Host {
	n.Helper()
	h := n.Lab.Host(name)
	n.lower.Plug(h, "eth0")
	return h
}

// run starts our relay.
func (n *relaying) run(config string, pool ...string) *netlab.Proc {
	n.Helper()
	n.relay.WriteFile("dhcp.conf", config)
	if len(pool) > 0 {
		n.command(n.relay, "-a", pool...)
	}
	return n.up(n.relay)
}

// above waits for a message of a type on the server's wire.
func (n *relaying) above(typ dhcp4.Type, as ...func(*packet) bool) *packet {
	n.Helper()
	below := n.wire
	n.wire = n.upper
	defer func() { n.wire = below }()
	return n.await(typ, as...)
}

// farServers are those that our relay has to get on with; each gives addresses for
// the client's wire.
var farServers = []struct {
	name  string
	serve func(n *relaying)
}{
	{"isc", func(n *relaying) {
		n.server.ISC(netlab.Serve("eth0", "10.0.1.1/24"), "subnet 10.0.0.0 netmask 255.255.255.0 { }")
	}},
	{"kea", func(n *relaying) { n.server.Kea(netlab.Serve("eth0", "10.0.1.1/24")) }},
	{"dnsmasq", func(n *relaying) {
		n.server.Dnsmasq(netlab.Serve("eth0", "10.0.1.1/24"), "--dhcp-option=option:router,10.0.1.1")
	}},
	{"own", func(n *relaying) { n.serve(conf("10.0.0.1/24")+farNet, "10.0.1.100-10.0.1.109") }},
}

const (
	plainRelay = "option eth1 relay 10.0.0.1;\n"
	agentRelay = plainRelay + "option eth1 agent { circuit interface; remote mac; };\n"
)

// TestR1_R2_R4_R6_Lease: each client gets a lease from each server, with and
// without option 82, and nobody but the server sees that; the relay knows who
// has what.
func TestR1_R2_R4_R6_Lease(t *testing.T) {
	t.Parallel()
	for _, s := range farServers {
		for _, c := range clients {
			for what, config := range map[string]string{"plain": plainRelay, "agent": agentRelay} {
				t.Run(s.name+"-"+c.name+"-"+what, func(t *testing.T) {
					t.Parallel()
					n := newRelaying(t)
					s.serve(n)
					n.run(config)
					c.ask(n.network, n.client)
					n.leased(t, config == agentRelay)
				})
			}
		}
	}
}

// leased checks how the client gets its lease.
func (n *relaying) leased(t *testing.T, agent bool) {
	t.Helper()
	a := bound(t, n.client, "10.0.1.100", "10.0.1.109")
	for _, typ := range []dhcp4.Type{dhcp4.Discover, dhcp4.Request} {
		n.wentUp(t, n.above(typ, from(n.relay)), agent)
	}
	for _, typ := range []dhcp4.Type{dhcp4.Offer, dhcp4.ACK} {
		p := n.await(typ)
		if p.Options.Has(dhcp4.RelayAgent) || p.Src.String() != "10.0.1.1:67" || p.Dst.Port() != 68 || p.Yiaddr != a {
			t.Errorf("%v from %v to %v: %s", typ, p.Src, p.Dst, p.Dump(nil, dhcp4.Builtin()))
		}
		if broadcast := p.Flags&dhcp4.Broadcast != 0; broadcast != (p.Dst.Addr().String() == "255.255.255.255") {
			t.Errorf("%v to %v, flags %x", typ, p.Dst, p.Flags)
		}
	}
	n.located(a.String(), n.client, agent)
}

// wentUp checks a request on its way to the server.
func (n *relaying) wentUp(t *testing.T, p *packet, agent bool) {
	t.Helper()
	if p.Dst.String() != "10.0.0.1:67" || p.Src.String() != "10.0.1.1:67" || p.Giaddr.String() != "10.0.1.1" || p.Hops != 1 {
		t.Errorf("%v from %v to %v with giaddr %v after %d hops", p.Type(), p.Src, p.Dst, p.Giaddr, p.Hops)
	}
	want := ""
	if agent {
		mac := n.relay.MAC("eth1")
		want = "\x01\x04eth1\x02\x06" + string(mac[:])
	}
	if list := codes(p); string(p.Options.Get(dhcp4.RelayAgent)) != want || agent && list[len(list)-1] != dhcp4.RelayAgent {
		t.Errorf("%v with option 82 %q among %v", p.Type(), p.Options.Get(dhcp4.RelayAgent), list)
	}
}

// located waits until our relay knows where a client is.
func (n *relaying) located(a string, h *netlab.Host, agent bool) {
	n.Helper()
	mac := ether.FormatMAC(h.MAC("eth0"))
	n.Until("the client in dhcpd -q", func() bool {
		for line := range strings.Lines(n.command(n.relay, "-q")) {
			if strings.HasPrefix(line, a+" ") {
				return strings.Contains(line, " relayed ") && strings.Contains(line, "ether "+mac) &&
					strings.Contains(line, "via eth1") && strings.Contains(line, "server 10.0.0.1") &&
					strings.Contains(line, `circuit "eth1"`) == agent
			}
		}
		return false
	})
}

// TestR4_R6_Override: a RELEASE that passes the relay, as one does where clients
// take it for the server, empties the table; renewals pass it, too.
func TestR4_R6_Override(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	farServers[3].serve(n)
	n.run(plainRelay + "option eth1 agent { circuit interface; override; flags; };\n")
	p := n.client.Udhcpc("eth0")
	a := bound(t, n.client, "10.0.1.100", "10.0.1.109")
	if ack := n.await(dhcp4.ACK); addr(t, ack, dhcp4.ServerID).String() != "10.0.1.1" {
		t.Errorf("server identifier %v", addr(t, ack, dhcp4.ServerID))
	}
	p.Signal(syscall.SIGUSR1)
	up := n.above(dhcp4.Request, renewing(a))
	if flags, err := dhcp4.SubOption(up.Options.Get(dhcp4.RelayAgent), dhcp4.RelayFlags); err != nil || string(flags) != "\x80" {
		t.Errorf("the renewal's flags are %x, %v", flags, err)
	}
	ack := n.await(dhcp4.ACK, answering(up))
	if ack.Dst.Addr() != a || ack.Ciaddr != a || ack.Options.Has(dhcp4.RelayAgent) {
		t.Errorf("renewal answered to %v: %s", ack.Dst, ack.Dump(nil, dhcp4.Builtin()))
	}
	n.located(a.String(), n.client, true)
	p.Signal(syscall.SIGUSR2)
	n.above(dhcp4.Release)
	n.Until("nobody in dhcpd -q", func() bool { return !strings.Contains(n.command(n.relay, "-q"), a.String()) })
}

// TestR1_TwoRelays: a second relay on the way leaves giaddr alone and counts
// one hop more; the reply goes to the first.
func TestR1_R2_TwoRelays(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.server.ISC(netlab.Serve("eth0", "10.0.2.1/24"), "subnet 10.0.0.0 netmask 255.255.255.0 { }")
	n.run(plainRelay)
	first := n.far("first")
	first.Addr("eth0", "10.0.1.2/24")
	first.Forward(true)
	first.Run("ip", "route", "add", "default", "via", "10.0.1.1")
	n.relay.Run("ip", "route", "add", "10.0.2.0/24", "via", "10.0.1.2")
	host := n.Lab.Host("host")
	n.Wire(first, "eth1", host, "eth0")
	first.Addr("eth1", "10.0.2.1/24")
	first.WriteFile("dhcp.conf", "option eth1 relay 10.0.1.1;\noption eth1 agent { circuit text deep; };\n")
	n.up(first)
	host.Udhcpc("eth0")
	bound(t, host, "10.0.2.100", "10.0.2.109")
	p := n.above(dhcp4.Discover, from(n.relay))
	if circuit, _ := dhcp4.SubOption(p.Options.Get(dhcp4.RelayAgent), 1); p.Giaddr.String() != "10.0.2.1" || p.Hops != 2 || string(circuit) != "deep" {
		t.Errorf("giaddr %v after %d hops, circuit %q", p.Giaddr, p.Hops, circuit)
	}
	n.silent = true // to its clients' wire the second relay has nothing to say
}

// TestR1_TwoServers: a request goes to both; when one has died, and when no way
// leads to one, the other answers.
func TestR1_R3_TwoServers(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	second := n.guest("second")
	second.Addr("eth0", "10.0.0.9/24")
	second.Run("ip", "route", "add", "10.0.0.0/8", "via", "10.0.0.2")
	dying := n.server.Dnsmasq(netlab.Serve("eth0", "10.0.1.1/24"))
	far := netlab.Serve("eth0", "10.0.1.1/24")
	far.Low, far.High = netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("10.0.1.209")
	second.ISC(far, "subnet 10.0.0.0 netmask 255.255.255.0 { }")
	p := n.run("option eth1 relay 10.0.0.1 10.0.0.9 192.0.2.1;\n")
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.1.100", "10.0.1.209")
	for _, server := range []string{"10.0.0.1", "10.0.0.9"} {
		if d := n.above(dhcp4.Discover, from(n.relay)); d.Dst.Addr().String() != server {
			t.Errorf("to %v, want %s", d.Dst, server)
		}
	}
	dying.Kill()
	host := n.far("host")
	host.Dhclient("eth0")
	bound(t, host, "10.0.1.200", "10.0.1.209")
	p.WaitLine("send .* octets to 192.0.2.1:67 by interface 0: network is unreachable")
}

// TestR1_Later: the clients' interface goes and comes again, and the servers'
// loses its carrier for a while.
func TestR1_R2_B1_Later(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.silent = true // what it sends later is not on the wire that is watched
	farServers[0].serve(n)
	n.run("interface eth1 10.0.1.1;\nhost 10.0.1.0/24 { };\n" + plainRelay)
	p := n.client.Udhcpc("eth0", "-q")
	bound(t, n.client, "10.0.1.100", "10.0.1.109")
	p.Wait()
	n.relay.Run("ip", "link", "delete", "eth1")
	n.lower.Plug(n.relay, "eth1")
	n.relay.Until("an address on eth1", func() bool { return len(n.relay.Addrs("eth1")) == 1 })
	host := n.far("host")
	host.Udhcpc("eth0")
	bound(t, host, "10.0.1.100", "10.0.1.109")
}

// TestR3_AnswerOrRelay: who is known here is served here, who is not is
// relayed.
func TestR3_AnswerOrRelay(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	farServers[1].serve(n)
	stranger := n.far("stranger")
	n.run(fmt.Sprintf("option eth1 server;\n%shost 10.0.1.0/24 { DHCPlease 600; domain known.example; };\nclient %s 10.0.1.7;\n",
		agentRelay, ether.FormatMAC(n.client.MAC("eth0"))))
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.1.7", "10.0.1.7")
	stranger.Dhclient("eth0")
	bound(t, stranger, "10.0.1.100", "10.0.1.109")
	for _, frame := range n.upper.Frames() {
		if p, ok := decode(frame); ok && of(n.client)(p) {
			t.Errorf("relayed all the same: %s", p.Line(nil))
		}
	}
}

// TestR3_Fallback: a branch with its uplink cut and mended. Meanwhile strangers
// get short leases from the pool; afterwards they move over. Who has an entry
// notices nothing.
func TestR3_Fallback(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.silent = true // what leaves by eth0 while that is down is on no wire
	farServers[0].serve(n)
	known := n.far("known")
	p := n.run(fmt.Sprintf(`option eth1 server; option eth1 relay 10.0.0.1 fallback 3;
		host 10.0.1.0/24 { DHCPlease 86400; };
		client %s 10.0.1.7;
	`, ether.FormatMAC(known.MAC("eth0"))), "10.0.1.50-10.0.1.59")
	n.client.Udhcpc("eth0", "-q").Wait()
	bound(t, n.client, "10.0.1.100", "10.0.1.109")

	n.relay.Down("eth0")
	known.Udhcpc("eth0", "-q").Wait()
	bound(t, known, "10.0.1.7", "10.0.1.7")
	stranger := n.far("stranger")
	asking := stranger.Udhcpc("eth0")
	a := bound(t, stranger, "10.0.1.50", "10.0.1.59")
	p.WaitLine("eth1: no server answers what is relayed; the pool serves")
	ack := n.await(dhcp4.ACK, func(p *packet) bool { return p.Yiaddr == a })
	if time, err := ack.Options.Uint32(dhcp4.LeaseTime); err != nil || time != 300 {
		t.Errorf("a lease of %d s, %v", time, err)
	}

	n.relay.Up("eth0")
	n.Until("the server heard", func() bool {
		asking.Signal(syscall.SIGUSR1) // renew: it is asked, too
		return strings.Contains(p.Output(), "eth1: a server answers again; requests are relayed")
	})
	n.Until("the stranger moved", func() bool {
		asking.Signal(syscall.SIGUSR1)
		list := stranger.Addrs("eth0")
		return len(list) == 1 && list[0].Addr().As4()[3] >= 100
	})
	known.Udhcpc("eth0", "-q").Wait()
	bound(t, known, "10.0.1.7", "10.0.1.7")
}

// TestR3_FallbackAlone: where the file does not say server, nobody is served
// here but while the servers are silent; not even who has an entry.
func TestR3_FallbackAlone(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	p := n.run(fmt.Sprintf(`option eth1 relay 10.0.0.1 fallback 2;
		host 10.0.1.0/24 { DHCPlease 86400; };
		client %s 10.0.1.7;
	`, ether.FormatMAC(n.client.MAC("eth0"))))
	n.client.Udhcpc("eth0", "-q", "-A", "1").Wait()
	bound(t, n.client, "10.0.1.7", "10.0.1.7")
	p.WaitLine("eth1: no server answers what is relayed; the pool serves")
	farServers[2].serve(n)
	n.Until("the server heard", func() bool {
		n.client.Udhcpc("eth0", "-q", "-A", "1").Wait()
		return strings.Contains(p.Output(), "eth1: a server answers again")
	})
	n.client.Udhcpc("eth0", "-q", "-A", "1").Wait()
	bound(t, n.client, "10.0.1.100", "10.0.1.109")
}

// TestR3_Reload: a pool that stands by serves when the file says so, and not
// before; and what was served is relayed when the file says that.
func TestR3_B8_Reload(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	const served = "option eth1 server; host 10.0.1.0/24 { DHCPlease 600; };\n"
	n.run(served+"option eth1 relay 10.0.0.1 fallback 1000;\n", "10.0.1.50-10.0.1.59")
	n.client.Udhcpc("eth0")
	n.above(dhcp4.Discover, from(n.relay))
	n.relay.WriteFile("dhcp.conf", served)
	bound(t, n.client, "10.0.1.50", "10.0.1.59")
	n.relay.WriteFile("dhcp.conf", plainRelay)
	farServers[1].serve(n)
	host := n.far("host")
	host.Dhclient("eth0")
	bound(t, host, "10.0.1.100", "10.0.1.109")
}

// TestR4_Select: where the server can't reach the clients' network, giaddr is
// an address that it can, and option 82 says which network is meant.
func TestR4_Select(t *testing.T) {
	t.Parallel()
	for _, s := range []int{0, 1, 2, 3} {
		t.Run(farServers[s].name, func(t *testing.T) {
			t.Parallel()
			n := newRelaying(t)
			n.server.Run("ip", "route", "del", "10.0.0.0/8", "via", "10.0.0.2")
			farServers[s].serve(n)
			n.run(plainRelay + "option eth1 agent { select; };\n")
			n.client.Dhclient("eth0")
			bound(t, n.client, "10.0.1.100", "10.0.1.109")
			p := n.above(dhcp4.Discover, from(n.relay))
			if p.Giaddr.String() != "10.0.0.2" || string(p.Options.Get(dhcp4.RelayAgent)) != "\x05\x04\x0a\x00\x01\x01" {
				t.Errorf("giaddr %v, option 82 %x", p.Giaddr, p.Options.Get(dhcp4.RelayAgent))
			}
		})
	}
}

// TestR1_Types: what no client of today sends passes as well, octet for octet:
// BOOTP, a DHCPLEASEQUERY, a type that is not known; and down, a FORCERENEW. What
// claims to have passed a switch that is not trusted does not.
func TestR1_R2_R4_Types(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.allow = []string{"Unknown", "unknown"} // the message type that is
	n.run(agentRelay)
	sock := n.client.Frames("eth0")
	var last []byte
	for i, typ := range []dhcp4.Type{dhcp4.BOOTP, dhcp4.LeaseQuery, 99} {
		c := newScripted(uint16(i))
		m := c.message(typ)
		if typ == dhcp4.BOOTP {
			m.Options.Del(dhcp4.MessageType)
		} else if typ == dhcp4.LeaseQuery {
			m.Giaddr = netip.MustParseAddr("10.0.1.99")
		}
		payload, _ := m.Append(nil, dhcp4.MinLimit)
		untrusted := newScripted(uint16(10 + i)).message(typ)
		untrusted.Giaddr = netip.IPv4Unspecified()
		untrusted.Options.Put(dhcp4.RelayAgent, []byte("\x01\x01x"))
		sock.Send(c.frame(untrusted))
		var got []byte
		insisting(sock, c.datagram(payload), func() {
			n.upper.Await("what was sent", func(frame []byte) bool {
				d, err := ether.ParseUDPFrame(frame)
				if err != nil || d.Dst.String() != "10.0.0.1:67" || last != nil && bytes.Equal(d.Payload, last) { // that once more
					return false
				}
				got = d.Payload
				return true
			})
		})
		last = got
		want := bytes.Clone(payload)
		if typ != dhcp4.LeaseQuery {
			m.Giaddr = netip.MustParseAddr("10.0.1.1")
		}
		if typ == 99 { // BOOTP has no options here
			mac := n.relay.MAC("eth1")
			want, _ = dhcp4.AppendAgent(nil, payload, append([]byte("\x01\x04eth1\x02\x06"), mac[:]...), 1472)
		}
		dhcp4.PutRelay(want, 1, m.Giaddr)
		if !bytes.Equal(got, want) {
			t.Errorf("%v is relayed as\n%x, want\n%x", typ, got, want)
		}
	}

	n.client.Addr("eth0", "10.0.1.77/24")
	m := newScripted(1).message(dhcp4.ForceRenew)
	m.Op, m.Ciaddr, m.Giaddr = dhcp4.BootReply, netip.MustParseAddr("10.0.1.77"), netip.MustParseAddr("10.0.1.1")
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	p := n.replied(n.server.Frames("eth0"), ether.AppendUDPFrame(nil, n.server.MAC("eth0"), n.relay.MAC("eth0"),
		netip.MustParseAddr("10.0.0.1"), m.Giaddr, 67, 67, payload), m.Xid, dhcp4.ForceRenew)
	if p.Dst.String() != "10.0.1.77:68" || !bytes.Equal(p.Payload, payload) {
		t.Errorf("FORCERENEW to %v: %s", p.Dst, p.Dump(nil, dhcp4.Builtin()))
	}
}

// TestR5_Unnumbered: two interfaces with one address between them and no
// network of their own: option 82 tells the replies apart, and a route leads to
// each client.
func TestR5_R4_Unnumbered(t *testing.T) {
	t.Parallel()
	n := newRelaying(t)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.1.1/24"), "--dhcp-option=option:router,10.0.1.1")
	other := n.Lab.Host("other")
	n.Wire(n.relay, "eth2", other, "eth0")
	n.relay.DelAddr("eth1", "10.0.1.1/24")
	n.relay.Addr("eth1", "10.0.1.1/32")
	n.relay.Addr("eth2", "10.0.1.1/32")
	p := n.run(`
		option eth1 relay 10.0.0.1; option eth2 relay 10.0.0.1;
		option eth1 agent { circuit interface; override; routes; };
		option eth2 agent { circuit interface; override; routes; };
	`)
	asking := n.client.Udhcpc("eth0")
	a := bound(t, n.client, "10.0.1.100", "10.0.1.109")
	other.Dhclient("eth0")
	b := bound(t, other, "10.0.1.100", "10.0.1.109")
	route := func(a netip.Addr, dev string) {
		t.Helper()
		n.Until("a route to "+a.String(), func() bool {
			return strings.Contains(n.relay.Run("ip", "route", "get", a.String()), "dev "+dev)
		})
	}
	route(a, "eth1")
	route(b, "eth2")
	p.Stop()
	n.relay.Run("ip", "route", "del", b.String(), "dev", "eth2")
	n.relay.Run("ip", "route", "add", "10.0.1.200", "dev", "eth2", "metric", "1024", "proto", "dhcp")
	n.up(n.relay)
	route(b, "eth2")
	n.Until("no stray route", func() bool { return !strings.Contains(n.relay.Run("ip", "route"), "10.0.1.200") })
	asking.Signal(syscall.SIGUSR2)
	n.Until("no route to who is gone", func() bool {
		return !strings.Contains(n.relay.Run("ip", "route"), a.String()+" dev")
	})
}
