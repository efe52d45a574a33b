package peertest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// option is a config that sets options for the client's network.
func option(n *network, words ...string) {
	n.Helper()
	text := ""
	for _, w := range words {
		text += `option "eth0" ` + w + ";\n"
	}
	n.client.WriteFile("dhcp.conf", text)
}

// TestC13_BOOTP: an answer in BOOTP is a lease for ever.
func TestC13_BOOTP(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	p := n.start(n.client)
	discover := n.await(dhcp4.Discover)
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Xid, m.Chaddr = dhcp4.HtypeEther, 6, discover.Xid, discover.Chaddr
	m.Yiaddr = netip.MustParseAddr("10.0.0.77")
	m.Options.Put(dhcp4.Netmask, []byte{255, 255, 255, 0})
	payload, _ := m.Append(nil, dhcp4.MinLimit)
	reply := ether.AppendUDPFrame(nil, n.server.MAC("eth0"), ether.Broadcast, netip.MustParseAddr("10.0.0.1"),
		netip.MustParseAddr("255.255.255.255"), dhcp4.ServerPort, dhcp4.ClientPort, payload)
	insisting(n.server.Frames("eth0"), reply, func() { bound(t, n.client, "10.0.0.77", "10.0.0.77") })
	if text := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0"); !strings.Contains(text, "valid_lft forever") {
		t.Errorf("it is not for ever: %s", text)
	}
	if code := p.Wait(); code != 0 { // B6: there is nothing more to do
		t.Errorf("exit status %d", code)
	}
}

// TestC14_Inform: a network with an address of its own asks for the rest, and
// the address stays as it was; then there is nothing more to do.
func TestC14_Inform(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		n.client.Addr("eth0", "10.0.0.50/24")
		option(n, "inform", `resolvconf "/etc/resolv.conf"`)
		p := n.start(n.client)
		inform := n.await(dhcp4.Inform)
		if inform.Ciaddr != netip.MustParseAddr("10.0.0.50") || inform.Options.Has(dhcp4.RequestedAddress) {
			t.Errorf("INFORM for %v", inform.Ciaddr)
		}
		n.await(dhcp4.ACK)
		p.WaitLine("Nothing more to do")
		n.file(n.client, "dhcp.cache", "eth0 gateway '10.0.0.1'")
		text := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0") + n.client.Run("ip", "-4", "route")
		for _, want := range []string{"inet 10.0.0.50/24", "valid_lft forever", "default via 10.0.0.1 dev eth0"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %s", want, text)
			}
		}
		p.Wait()
		option(n) // without the option it is still someone else's
		p = n.start(n.client)
		p.WaitLine(`10\.0\.0\.50/24 is there already`)
	})
}

// TestC15_Release: at the end the lease is given back, and the address goes.
func TestC15_Release(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		option(n, "release")
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		n.file(n.client, "dhcp.cache", a.String())
		if code := p.Stop(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		release := n.await(dhcp4.Release)
		if release.Ciaddr != a || release.Src.Addr() != a || release.Dst.Addr() != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("RELEASE of %v from %v to %v", release.Ciaddr, release.Src, release.Dst)
		}
		addressless(t, n.client)
		if text := n.client.ReadFile(n.client.Dir + "/dhcp.cache"); strings.Contains(text, a.String()) {
			t.Errorf("still in the cache:\n%s", text)
		}
	})
}

// TestC16_Identity: what the options of the config say of us, on the wire.
func TestC16_Identity(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	mac := n.client.MAC("eth0")
	option(n, "duid", "class boot", "fqdn ada.example.org", "rapid", "send userclass 6869", "request bootfile T224")
	n.start(n.client)
	o := &n.await(dhcp4.Discover).Options
	id := append(append([]byte{255}, mac[2:]...), 0, 3, 0, 1)
	for c, want := range map[dhcp4.Code][]byte{
		dhcp4.ClientID: append(id, mac[:]...),
		dhcp4.ClassID:  []byte("boot"),
		dhcp4.FQDN:     []byte("\x05\x00\x00\x03ada\x07example\x03org\x00"),
		77:             []byte("hi"),
	} {
		if got := o.Get(c); !bytes.Equal(got, want) {
			t.Errorf("option %d is %x, want %x", c, got, want)
		}
	}
	if list := o.Get(dhcp4.ParameterList); !o.Has(dhcp4.RapidCommit) || !bytes.HasSuffix(list, []byte{67, 224}) {
		t.Errorf("rapid commit: %v, request list %v", o.Has(dhcp4.RapidCommit), list)
	}
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}

// TestC16_Rapid: dnsmasq gives the lease at once.
func TestC16_Rapid(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"), "--dhcp-rapid-commit")
	option(n, "rapid")
	n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	if ack := n.await(dhcp4.ACK); ack.Yiaddr != a || !ack.Options.Has(dhcp4.RapidCommit) {
		t.Errorf("ACK for %v", ack.Yiaddr)
	}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.Request {
			t.Error("there is a REQUEST")
		}
	}
}

// TestC16_IPv6Only: a network that says so is done without.
func TestC16_IPv6Only(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(*netlab.Host, netlab.Serving){
		"dnsmasq": func(h *netlab.Host, s netlab.Serving) { h.Dnsmasq(s, "--dhcp-option=108,00:00:04:00") },
		"kea": func(h *netlab.Host, s netlab.Serving) {
			h.Kea(s, `"option-data": [{"name": "v6-only-preferred", "data": "1024"}]`)
		},
		"isc": func(h *netlab.Host, s netlab.Serving) { h.ISC(s, "option v6-only-preferred 1024;") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
			option(n, "ipv6only")
			p := n.start(n.client)
			p.WaitLine("10.0.0.1 says that this network does without IPv4; waiting 1024 s")
			if list := n.client.Addrs("eth0"); len(list) > 0 {
				t.Errorf("configured %v", list)
			}
		})
	}
}

// TestC16_Anonymous: no more than it takes, and the servers are content.
func TestC16_Anonymous(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		option(n, "anonymous", "hostname ada")
		n.start(n.client)
		o := &n.await(dhcp4.Discover).Options
		if got := o.Codes(); !bytes.Equal(octets(got), []byte{53, 61, 55}) {
			t.Errorf("it says %v", got)
		}
		bound(t, n.client, "10.0.0.100", "10.0.0.109")
	})
}

func octets(list []dhcp4.Code) (b []byte) {
	for _, c := range list {
		b = append(b, byte(c))
	}
	return b
}

// TestC16_LinkLocal: an address of the link while there is no server, with a
// lifetime, and not for a moment longer.
func TestC16_LinkLocal(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	option(n, "linklocal")
	n.start(n.client)
	a := bound(t, n.client, "169.254.1.0", "169.254.254.255")
	text := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0")
	if !strings.Contains(text, a.String()+"/16 brd 169.254.255.255 scope link") || lifetime(t, n.client) > 180 {
		t.Errorf("%s", text)
	}
	probes := 0
	for _, frame := range n.wire.Frames() {
		if isProbe(a)(frame) {
			probes++
		}
	}
	if probes != 3 {
		t.Errorf("%d probes", probes)
	}
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
}

// TestD1_Levels: the times of test levels 3 to 5, on the wire: after a minute
// the lease is renewed, rebound, or over, though the server gave an hour.
func TestD1_Levels(t *testing.T) {
	t.Parallel()
	everyone := netip.MustParseAddr("255.255.255.255")
	for _, tt := range []struct {
		level string
		typ   dhcp4.Type
		to    netip.Addr
	}{
		{"-t3", dhcp4.Request, netip.MustParseAddr("10.0.0.1")},
		{"-t4", dhcp4.Request, everyone},
		{"-t5", dhcp4.Discover, everyone},
	} {
		t.Run(tt.level, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
			n.start(n.client, tt.level)
			ack := n.await(dhcp4.ACK)
			began := time.Now()
			next := n.await(tt.typ, from(n.client), func(p *packet) bool { return p.Xid != ack.Xid })
			if took := time.Since(began); next.Dst.Addr() != tt.to || took < 30*time.Second {
				t.Errorf("%v to %v after %v", next.Type(), next.Dst, took)
			}
			if tt.typ == dhcp4.Request && next.Ciaddr != ack.Yiaddr {
				t.Errorf("REQUEST with ciaddr %v", next.Ciaddr)
			}
			n.await(map[dhcp4.Type]dhcp4.Type{dhcp4.Request: dhcp4.ACK, dhcp4.Discover: dhcp4.Offer}[tt.typ])
			if list := n.client.Addrs("eth0"); len(list) > 0 {
				t.Errorf("configured %v", list)
			}
		})
	}
}

// TestB3_Ignore: a network that is to be ignored hears nothing from us.
func TestB3_Ignore(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.silent = true
	option(n, "ignore")
	p := n.start(n.client)
	p.WaitLine("Nothing more to do")
	for _, frame := range n.wire.Frames() {
		if _, ok := decode(frame); ok {
			t.Error("it was asked")
		}
	}
}
