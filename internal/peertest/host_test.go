package peertest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// TestB2_B6_Static: a network that the config file configures, for ever, and
// then nothing more to do.
func TestB2_B6_Static(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.silent = true
	n.client.WriteFile("dhcp.conf", "interface eth0 10.0.0.7;\nhost 10.0.0.0/24 { gateway 10.0.0.1; IPMTU 1400; };\n")
	p := n.start(n.client)
	p.WaitLine("Nothing more to do")
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	bound(t, n.client, "10.0.0.7", "10.0.0.7")
	text := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0")
	for _, want := range []string{"inet 10.0.0.7/24 brd 10.0.0.255", "valid_lft forever", "mtu 1400"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if routes := n.client.Run("ip", "-4", "route"); !strings.Contains(routes, "default via 10.0.0.1 dev eth0") {
		t.Errorf("no default route in %s", routes)
	}
	if q := n.command(n.client, "-q"); !strings.Contains(q, "10.0.0.7/24") || !strings.Contains(q, "infinite") {
		t.Errorf("dhcpd -q:\n%s", q)
	}
}

// TestB3_B6_Found: an address that someone else has configured is left alone.
func TestB3_B6_Found(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.silent = true
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.client.Addr("eth0", "10.0.0.77/24")
	if code := n.start(n.client).Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	bound(t, n.client, "10.0.0.77", "10.0.0.77")
	mac := n.client.MAC("eth0")
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.SrcMAC == mac {
			t.Errorf("it has sent a %v", p.Type())
		}
	}
}

// TestB1_Later: an interface that appears, goes in the middle of an exchange,
// and comes again.
func TestB1_Later(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.silent = true                                    // what it sends later is not on the wire that is watched
	n.Wire(n.client, "eth1", n.Host("nobody"), "eth0") // so that there is more to do
	p := n.start(n.client)
	n.await(dhcp4.Discover) // which nobody answers
	n.client.Run("ip", "link", "delete", "eth0")
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.sw.Plug(n.client, "eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if p.Ended() {
		t.Error("dhcpd has ended")
	}
}

// TestB1_ServedAgain: a served interface that goes and comes again is served
// again, with the address that the config file gives it.
func TestB1_B2_ServedAgain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.silent = true                                    // what it sends later is not on the wire that is watched
	n.Wire(n.server, "eth1", n.Host("nobody"), "eth0") // so that there is more to do
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.109")
	n.server.Run("ip", "link", "delete", "eth0")
	n.sw.Plug(n.server, "eth0")
	bound(t, n.server, "10.0.0.1", "10.0.0.1")
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if p.Ended() {
		t.Error("dhcpd has ended")
	}
}

// TestB4_DeadUplink: a network without a server does not keep another from
// being served.
func TestB4_DeadUplink(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.Wire(n.server, "eth1", n.Host("nobody"), "eth0")
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100-10.0.0.109")
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}

// TestB4_Wait: with the option the network waits for the other one that is to
// be served.
func TestB4_Wait(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	far := n.Host("far")
	n.Wire(n.server, "eth1", far, "eth0")
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600; option eth0 wait;")+"option eth1 server;\n", "10.0.0.100-10.0.0.109")
	n.client.Dhclient("eth0", "backoff-cutoff 2;")
	n.await(dhcp4.Discover)
	n.await(dhcp4.Discover) // its first one was in vain
	far.Addr("eth0", "10.9.0.1/24")
	far.Dnsmasq(netlab.Serve("eth0", "10.9.0.1/24"))
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if len(n.server.Addrs("eth1")) != 1 {
		t.Error("served before eth1 had its address")
	}
}

// TestB5_TwoUplinks: a client on two networks at once.
func TestB5_TwoUplinks(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	far := n.Host("far")
	n.Wire(n.client, "eth1", far, "eth0")
	far.Addr("eth0", "10.9.0.1/24")
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	far.ISC(netlab.Serve("eth0", "10.9.0.1/24"))
	n.start(n.client)
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.client.Until("an address on eth1", func() bool { return len(n.client.Addrs("eth1")) == 1 })
}

// TestC8_NAK: a NAK to a renewal makes the client give up its address at once
// and start over.
func TestC8_NAK(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	s := netlab.Serve("eth0", "10.0.0.1/24")
	s.Lease, s.T1 = 10*time.Minute, 3*time.Second
	server := n.server.ISC(s)
	p := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.await(dhcp4.ACK)
	server.Kill()
	n.refuse(a, "go\taway", func() { p.WaitLine(`Got a NAK from 10\.0\.0\.1 saying 'go\\011away'`) })
	addressless(t, n.client)
	n.await(dhcp4.Discover)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}

// refuse waits for a renewal that nobody has answered, and sends a NAK to it in
// the name of 10.0.0.1, whose server has gone, until it is heard.
func (n *network) refuse(a netip.Addr, why string, heard func()) {
	n.Helper()
	acked := map[uint32]bool{}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.ACK {
			acked[p.Xid] = true
		}
	}
	request := n.await(dhcp4.Request, from(n.client), renewing(a), func(p *packet) bool { return !acked[p.Xid] })
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid, m.Chaddr = dhcp4.HtypeEther, 6, request.Xid, request.Chaddr
	m.SetType(dhcp4.NAK)
	server := netip.MustParseAddr("10.0.0.1")
	m.Options.PutAddr(dhcp4.ServerID, server)
	m.Options.PutText(dhcp4.MessageText, why)
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	insisting(n.server.Frames("eth0"), ether.AppendUDPFrame(nil, n.server.MAC("eth0"), ether.Broadcast, server,
		netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, payload), heard)
}

// TestC15_Stays: after SIGTERM the address stays, and the next start goes on
// with it, and so after kill -9.
func TestC15_B3_Stays(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		n.file(n.client, "dhcp.cache", a.String())
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			p.Signal(sig)
			p.Wait()
			if list := n.client.Addrs("eth0"); len(list) != 1 || list[0].Addr() != a {
				t.Fatalf("after %v: %v, want %v", sig, list, a)
			}
			p = n.start(n.client)
			n.await(dhcp4.ACK)
			if got := bound(t, n.client, "10.0.0.100", "10.0.0.109"); got != a {
				t.Errorf("after %v: %v has become %v", sig, a, got)
			}
		}
	})
}

// TestD1_AsIf: at test level 1 the client acts as if, and touches nothing but a
// link that is down.
func TestD1_AsIf(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.client.Down("eth0")
	p := n.start(n.client, "-t1")
	n.await(dhcp4.ACK)
	p.WaitLine(`10\.0\.0\.1\d\d`)
	if code := p.Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("configured %v", list)
	}
	if _, err := os.Stat(filepath.Join(n.client.Dir, "dhcp.cache")); err == nil {
		t.Error("wrote a cache")
	}
}

// TestD3_Signals: SIGUSR1 makes it talk, SIGUSR2 makes it silent, SIGINT ends
// it.
func TestD3_Signals(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600;"))
	n.command(n.server, "-a", "10.0.0.100-10.0.0.109")
	p := n.server.Ready(n.server.Start(dhcpd, files(n.server)...))
	n.client.Udhcpc("eth0", "-q").Wait()
	if text := p.Output(); text != "" {
		t.Errorf("at level 0 it says %q", text)
	}
	p.Signal(syscall.SIGUSR1)
	n.Until("talk", func() bool {
		n.client.Udhcpc("eth0", "-q").Wait()
		return strings.Contains(p.Output(), "DHCPDISCOVER")
	})
	p.Signal(syscall.SIGUSR2)
	n.Until("silence", func() bool {
		before := p.Output()
		n.client.Udhcpc("eth0", "-q").Wait()
		return p.Output() == before
	})
	p.Signal(syscall.SIGINT)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestL3_L4_L5_Live: a running daemon follows -a and -r.
func TestL3_L4_L5_Live(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100")
	p := n.client.Udhcpc("eth0", "-T", "1")
	bound(t, n.client, "10.0.0.100", "10.0.0.100")
	second := n.guest("second")
	second.Dhclient("eth0")
	n.await(dhcp4.Discover, from(second)) // in vain
	n.command(n.server, "-a", "10.0.0.101")
	bound(t, second, "10.0.0.101", "10.0.0.101")

	n.command(n.server, "-a", "10.0.0.102")
	n.command(n.server, "-r", "10.0.0.100")
	if out, code := n.server.Try(dhcpd, append(append([]string{"-a"}, files(n.server)...), "10.0.0.102", "10.0.0.103")...); code != 1 || !strings.Contains(out, "10.0.0.102") {
		t.Errorf("adding twice: exit %d, %q", code, out)
	}
	n.Until("the holder of a removed address moved", func() bool {
		p.Signal(syscall.SIGUSR1) // renew: NAKed
		list := n.client.Addrs("eth0")
		return len(list) == 1 && list[0].Addr() != netip.MustParseAddr("10.0.0.100")
	})
	n.await(dhcp4.NAK)
	bound(t, n.client, "10.0.0.102", "10.0.0.103")
}

// TestP4_TwoServers: the second daemon on one pool refuses.
func TestP4_TwoServers(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100")
	second := n.start(n.server)
	if code := second.Wait(); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	if lines := strings.Count(second.Output(), "\ndhcpd: ") + strings.Count(second.Output(), "dhcpd: "); lines == 0 {
		t.Errorf("it gave no reason: %q", second.Output())
	}
	n.client.Udhcpc("eth0")
	bound(t, n.client, "10.0.0.100", "10.0.0.100")
}

// TestS7_DeclineAbandons: what a client declines is not given out again, and
// -a sets it free.
func TestS7_L3_DeclineAbandons(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.allow = []string{"Duplicate IP address"} // that is what it is about
	squatter := n.guest("squatter")
	squatter.Addr("eth0", "10.0.0.100/24")
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100", "10.0.0.101")
	n.client.Udhcpc("eth0", "-a", "-A", "1")
	n.await(dhcp4.Decline, from(n.client))
	p.WaitLine(`declines 10\.0\.0\.100`)
	bound(t, n.client, "10.0.0.101", "10.0.0.101")
	if q := n.command(n.server, "-q"); !strings.Contains(q, "abandoned") {
		t.Errorf("dhcpd -q:\n%s", q)
	}
	n.command(n.server, "-a", "10.0.0.100")
	if q := n.command(n.server, "-q"); strings.Contains(q, "abandoned") {
		t.Errorf("dhcpd -q after the reset:\n%s", q)
	}
	squatter.DelAddr("eth0", "10.0.0.100/24")
	squatter.Dhclient("eth0")
	bound(t, squatter, "10.0.0.100", "10.0.0.100")
}

// TestS6_S5_NAK: a client that asks for an address of another network.
func TestS6_S5_NAK(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100")
	c := newScripted(1)
	m := c.message(dhcp4.Request)
	m.Options.PutAddr(dhcp4.RequestedAddress, netip.MustParseAddr("192.168.9.9"))
	m.Options.Put(dhcp4.ClientID, []byte("somebody"))
	nak := n.insist(n.client.Frames("eth0"), c.frame(m), dhcp4.NAK)
	if nak.Dst.Addr() != netip.MustParseAddr("255.255.255.255") || nak.Xid != c.xid || nak.Yiaddr != netip.IPv4Unspecified() {
		t.Errorf("NAK %x to %v with yiaddr %v", nak.Xid, nak.Dst, nak.Yiaddr)
	}
	if id := nak.Options.Get(dhcp4.ClientID); !bytes.Equal(id, []byte("somebody")) {
		t.Errorf("client ID %q", id)
	}
}

// TestS9_Inform: options for a host that has its address already.
func TestS9_Inform(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;", "domain example.org;")+
		"client 02:cc:00:00:00:01 10.0.0.60;\n", "10.0.0.100")
	n.client.Addr("eth0", "10.0.0.60/24") // to answer the server's ARP
	c := newScripted(1)
	m := c.message(dhcp4.Inform)
	m.Ciaddr = netip.MustParseAddr("10.0.0.60")
	ack := n.insist(n.client.Frames("eth0"), c.frame(m), dhcp4.ACK)
	if ack.Yiaddr != netip.IPv4Unspecified() || ack.Options.Has(dhcp4.LeaseTime) || ack.Dst.Addr() != m.Ciaddr {
		t.Errorf("ACK with yiaddr %v and lease time %v to %v", ack.Yiaddr, ack.Options.Has(dhcp4.LeaseTime), ack.Dst)
	}
	if domain, err := ack.Options.Text(dhcp4.DomainName); domain != "example.org" {
		t.Errorf("domain %q, %v", domain, err)
	}
}

// TestS14_BOOTP: a BOOTP client gets the address that the config file names.
func TestS14_BOOTP(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600;")+"client 02:cc:00:00:00:01 10.0.0.60;\n", "10.0.0.100")
	stranger, known := newScripted(0), newScripted(1)
	sock := n.client.Frames("eth0")
	bootp := func(c *scripted) []byte {
		m := c.message(dhcp4.Discover)
		m.Options.Del(dhcp4.MessageType)
		return c.frame(m)
	}
	sock.Send(bootp(stranger)) // who gets no answer
	p := n.insist(sock, bootp(known), dhcp4.BOOTP)
	if p.Yiaddr != netip.MustParseAddr("10.0.0.60") || p.Xid != known.xid {
		t.Errorf("reply %x with yiaddr %v", p.Xid, p.Yiaddr)
	}
	if file := n.file(n.server, "dhcp.pool", "10.0.0.60 fixed "); strings.Contains(file, "02cc00000000") {
		t.Errorf("the stranger is in the pool file:\n%s", file)
	}
}
