package peertest

import (
	"encoding/hex"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// servers are the peers that our client has to get on with: how short a lease
// each can give (dnsmasq no less than two minutes), and what it says when its
// only address has been declined.
var servers = []peer{
	{"dnsmasq", (*netlab.Host).Dnsmasq, 2 * time.Minute, "DHCPDECLINE"},
	{"isc", (*netlab.Host).ISC, 8 * time.Second, "Abandoning IP address"},
	{"udhcpd", (*netlab.Host).Udhcpd, 8 * time.Second, "no free IP addresses"},
	{"kea", (*netlab.Host).Kea, 8 * time.Second, "DHCP4_DECLINE_LEASE"},
}

// peer is one of them.
type peer struct {
	name  string
	serve func(*netlab.Host, netlab.Serving, ...string) *netlab.Proc
	short time.Duration
	sad   string
}

// eachServer runs a test against each of the servers, all at one time.
func eachServer(t *testing.T, test func(t *testing.T, s *peer)) {
	t.Parallel()
	for i := range servers {
		t.Run(servers[i].name, func(t *testing.T) {
			t.Parallel()
			test(t, &servers[i])
		})
	}
}

// TestB1_C2_C3_C11_P3_Lease: a whole acquisition, on the wire, in the kernel
// and in the cache.
func TestB1_C2_C3_C11_P3_Lease(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		n.client.Down("eth0") // to set it up is dhcpd's business
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")

		offer := n.await(dhcp4.Offer)
		if n.wire.Await("a probe", isProbe(a)); offer.Yiaddr != a {
			t.Errorf("offered %v, probed and took %v", offer.Yiaddr, a)
		}
		request := n.await(dhcp4.Request)
		n.await(dhcp4.ACK)
		discover := n.last(dhcp4.Discover) // the first one may have found the wire dead
		if discover.Xid != request.Xid || discover.Secs != request.Secs || discover.Flags != request.Flags {
			t.Errorf("DISCOVER and REQUEST differ in xid, secs or flags: %x %x", discover.Payload[:12], request.Payload[:12])
		}
		if got := addr(t, request, dhcp4.RequestedAddress); got != a {
			t.Errorf("requested %v, want %v", got, a)
		}
		if got, want := addr(t, request, dhcp4.ServerID), addr(t, offer, dhcp4.ServerID); got != want {
			t.Errorf("server ID %v, want %v", got, want)
		}
		if !request.Dst.Addr().Is4() || request.Dst.Addr() != netip.MustParseAddr("255.255.255.255") {
			t.Errorf("REQUEST sent to %v", request.Dst)
		}

		n.client.Until("a default route", func() bool {
			return strings.Contains(n.client.Run("ip", "-4", "route"), "default via 10.0.0.1 dev eth0")
		})
		if left := lifetime(t, n.client); left > 3600 || left < 3500 {
			t.Errorf("the address has a lifetime of %d s, want an hour", left)
		}
		if text := n.file(n.client, "dhcp.cache", a.String()); !regexp.MustCompile(`(?m)^eth0 netmask '255\.255\.255\.0'$`).MatchString(text) {
			t.Errorf("no netmask in the cache:\n%s", text)
		}
		if code := p.Stop(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		if list := n.client.Addrs("eth0"); len(list) != 1 || list[0].Addr() != a {
			t.Errorf("the address should stay for the next start: %v", list)
		}
	})
}

// isProbe tells an RFC 5227 probe for an address.
func isProbe(a netip.Addr) func([]byte) bool {
	return func(frame []byte) bool {
		p, err := ether.ParseARPFrame(frame)
		return err == nil && p.IsProbe() && p.TargetIP == a
	}
}

// lifetime returns the seconds that the kernel gives the address of eth0.
func lifetime(t *testing.T, h *netlab.Host) int {
	t.Helper()
	text := h.Run("ip", "-4", "addr", "show", "dev", "eth0")
	m := regexp.MustCompile(`valid_lft (\d+)sec`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no lifetime: %s", text)
	}
	left, _ := strconv.Atoi(m[1])
	return left
}

// TestC6_Renewal: at T1 a REQUEST by unicast, and the lease goes on.
func TestC6_Renewal(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		serving := netlab.Serve("eth0", "10.0.0.1/24")
		serving.Lease, serving.T1 = s.short, 3*time.Second
		s.serve(n.server, serving)
		n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		for range 2 {
			p := n.await(dhcp4.Request, from(n.client), renewing(a))
			if p.Dst.Addr() != serving.Net.Addr() || p.DstMAC != n.server.MAC("eth0") {
				t.Errorf("renewal sent to %v at %x", p.Dst, p.DstMAC)
			}
			if p.Options.Has(dhcp4.RequestedAddress) || p.Src.Addr() != a {
				t.Errorf("renewal from %v with option 50 %v", p.Src, p.Options.Get(dhcp4.RequestedAddress))
			}
			n.await(dhcp4.ACK)
		}
		if got := bound(t, n.client, "10.0.0.100", "10.0.0.109"); got != a {
			t.Errorf("address %v has become %v", a, got)
		}
	})
}

// TestC6_Rebinding: what goes to the server alone is lost. From T2 on everybody
// is asked, and any server knows its own lease. All that takes a client little
// memory.
func TestC6_Rebinding(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		serving := netlab.Serve("eth0", "10.0.0.1/24")
		serving.Lease, serving.T1, serving.T2 = s.short, 3*time.Second, 5*time.Second
		s.serve(n.server, serving)
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		mac := n.client.MAC("eth0") // a switch sends nothing back
		n.client.Run("ip", "neigh", "replace", "10.0.0.1", "lladdr", net.HardwareAddr(mac[:]).String(), "dev", "eth0", "nud", "permanent")
		n.await(dhcp4.ACK)
		for range 2 {
			request := n.await(dhcp4.Request, from(n.client), renewing(a), func(p *packet) bool { return p.DstMAC == ether.Broadcast })
			if request.Dst.Addr() != netip.MustParseAddr("255.255.255.255") || request.Src.Addr() != a || request.Options.Has(dhcp4.ServerID) {
				t.Errorf("rebinding from %v to %v with server ID %v", request.Src, request.Dst, request.Options.Get(dhcp4.ServerID))
			}
			n.await(dhcp4.ACK, func(p *packet) bool { return p.Xid == request.Xid })
		}
		if list := n.client.Addrs("eth0"); len(list) != 1 || list[0].Addr() != a {
			t.Errorf("%v has become %v", a, list)
		}
		// It is 4 to 5 MB; how many pages of the program count differs by machine.
		size := memory(t, p.PID(), "VmHWM")
		if t.Logf("it took up to %d kB", size); len(buildFlags) == 0 && size > 6<<10 {
			t.Error("that is too much")
		}
	})
}

// TestC6_End: the server has gone; the address goes when its lease ends, and
// the client looks for another.
func TestC6_End(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		serving := netlab.Serve("eth0", "10.0.0.1/24")
		serving.Lease = s.short
		server := s.serve(n.server, serving)
		n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		n.await(dhcp4.ACK)
		server.Kill()
		addressless(t, n.client)
		n.await(dhcp4.Discover)
		// A busy machine may sleep over the second that is left for rebinding.
		for _, frame := range n.wire.Frames() {
			if p, ok := decode(frame); ok && renewing(a)(p) && p.Dst.Addr() != serving.Net.Addr() && p.DstMAC != ether.Broadcast {
				t.Errorf("rebinding sent to %x", p.DstMAC)
			}
		}
		if routes := n.client.Run("ip", "-4", "route"); routes != "" {
			t.Errorf("routes left: %s", routes)
		}
		if lifetimes := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0"); strings.Contains(lifetimes, "inet ") {
			t.Errorf("address left: %s", lifetimes)
		}
	})
}

// TestC4_Declines: another host has the address that the server offers.
func TestC4_Declines(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		n.allow = []string{"Duplicate IP address"} // that is what it is about
		squatter := n.guest("squatter")
		squatter.Addr("eth0", "10.0.0.100/24")
		serving := netlab.Serve("eth0", "10.0.0.1/24")
		serving.High = serving.Low
		server := s.serve(n.server, serving)
		p := n.start(n.client)
		p.WaitLine(`10\.0\.0\.100 offered by 10\.0\.0\.1 is already in use by ` + ether.FormatMAC(squatter.MAC("eth0")))
		decline := n.await(dhcp4.Decline)
		if got := addr(t, decline, dhcp4.RequestedAddress); got != serving.Low {
			t.Errorf("declines %v, want %v", got, serving.Low)
		}
		if got := addr(t, decline, dhcp4.ServerID); got != serving.Net.Addr() {
			t.Errorf("DECLINE for server %v, want %v", got, serving.Net.Addr())
		}
		if decline.DstMAC != ether.Broadcast || decline.Ciaddr != netip.IPv4Unspecified() {
			t.Errorf("DECLINE to %x with ciaddr %v", decline.DstMAC, decline.Ciaddr)
		}
		server.WaitLine(s.sad)
		if list := n.client.Addrs("eth0"); len(list) != 0 {
			t.Errorf("configured %v all the same", list)
		}
	})
}

// learned is what TestC11_P3_Routes has each server say.
var learned = map[string][]string{
	"dnsmasq": {"--dhcp-option=121,172.16.0.0/12,10.0.0.1,192.0.2.0/24,198.51.100.1",
		"--dhcp-option=119,eng.example.com,marketing.example.com", "--dhcp-option-force=12,ada"},
	"isc": {"option classless code 121 = array of unsigned integer 8;",
		"option classless 12, 172, 16, 10, 0, 0, 1, 24, 192, 0, 2, 198, 51, 100, 1;",
		`option domain-search "eng.example.com", "marketing.example.com";`, `option host-name "ada";`},
	"udhcpd": {"option staticroutes 172.16.0.0/12 10.0.0.1, 192.0.2.0/24 198.51.100.1",
		"option search eng.example.com marketing.example.com", "option hostname ada"},
	"kea": {`"option-data": [{"code": 121, "csv-format": false, "data": "0CAC100A00000118C00002C6336401"},
{"name": "domain-search", "data": "eng.example.com, marketing.example.com"}, {"name": "host-name", "data": "ada"}]`},
}

// TestC11_P3_Routes: classless routes, a gateway that they hide, the name of a
// machine that has none, and all of it in the cache.
func TestC11_P3_Routes(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		n.client.Run("hostname", "localhost")
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"), learned[s.name]...)
		p := n.start(n.client)
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109").String()
		p.WaitLine("The routes for " + a + " from 10.0.0.1 hide the gateway 10.0.0.1")
		for _, want := range []string{"172.16.0.0/12 via 10.0.0.1 dev eth0 proto dhcp src " + a,
			"192.0.2.0/24 via 198.51.100.1 dev eth0 proto dhcp src " + a, "198.51.100.1 dev eth0 proto dhcp scope link src " + a} {
			n.client.Until(want, func() bool { return strings.Contains(n.client.Run("ip", "-4", "route"), want) })
		}
		if routes := n.client.Run("ip", "-4", "route"); strings.Contains(routes, "default") {
			t.Errorf("a default route: %s", routes)
		}
		text := n.file(n.client, "dhcp.cache", "domainsearch")
		for _, want := range []string{"eth0 IProute '172.16.0.0/12' '10.0.0.1' '192.0.2.0/24' '198.51.100.1'\n",
			"eth0 domainsearch 'eng.example.com' 'marketing.example.com'\n", "eth0 hostname 'ada'\n", "eth0 gateway '10.0.0.1'\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the cache:\n%s", want, text)
			}
		}
		if name := n.client.Run("hostname"); name != "ada\n" {
			t.Errorf("the machine is %q", name)
		}
		p.Kill()
		n.client.DelAddr("eth0", a+"/24") // as the kernel does when the lease has ended
		if routes := n.client.Run("ip", "-4", "route"); strings.Contains(routes, "proto dhcp") {
			t.Errorf("routes left: %s", routes)
		}
	})
}

// TestC16_DUIDKept: the name under which a machine first asked for an address is
// in the cache, and the next start has it from there, whatever interfaces it
// sees first.
func TestC16_DUIDKept(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.client.WriteFile("dhcp.conf", "option duid;")
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	mac := n.client.MAC("eth0")
	var xid uint32
	sent := func() string {
		n.Helper()
		m := n.await(dhcp4.Discover, from(n.client), func(p *packet) bool { return p.Xid != xid }) // not one again
		xid = m.Xid
		return hex.EncodeToString(m.Options.Get(dhcp4.ClientID))
	}
	p := n.start(n.client)
	number := "ff" + hex.EncodeToString(mac[2:])
	duid := "00030001" + hex.EncodeToString(mac[:])
	if id := sent(); id != number+duid {
		t.Errorf("first it is %s", id)
	}
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.file(n.client, "dhcp.cache", "\nduid "+duid+"\n")
	p.Stop()

	const other = "000200000009cafe"
	n.client.WriteFile("dhcp.cache", "#dhcp.cache 1\nduid "+other+"\n")
	n.client.DelAddr("eth0", n.client.Addrs("eth0")[0].String())
	n.start(n.client)
	if id := sent(); id != number+other {
		t.Errorf("then it is %s", id)
	}
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.file(n.client, "dhcp.cache", "\nduid "+other+"\n")
}
