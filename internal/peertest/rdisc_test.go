package peertest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// Router discovery, RFC 1256.

var allSystems, limited = netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("255.255.255.255")

// advert is a frame that advertises addresses, each with a preference, as in
// "10.0.0.9 5, 10.0.0.8 3", from the first of them.
func advert(mac ether.MAC, to netip.Addr, seconds int, list string) []byte {
	var entries []byte
	for _, e := range strings.Split(list, ", ") {
		var a string
		var preference int32
		fmt.Sscan(e, &a, &preference)
		entries = ether.AppendEntry(entries, netip.MustParseAddr(a), preference)
	}
	m := ether.Advertisement(uint16(seconds), entries)
	return ether.AppendICMPFrame(nil, mac, ether.Broadcast, netip.MustParseAddr(strings.Fields(list)[0]), to, &m)
}

// isICMP tells a frame of that type from a host.
func isICMP(typ uint8, from *netlab.Host) func([]byte) bool {
	mac := from.MAC("eth0")
	return func(frame []byte) bool {
		m, err := ether.ParseICMPFrame(frame)
		return err == nil && m.Type == typ && m.From == mac
	}
}

// hears has the client hear a frame. The first ones of a host that has just been
// plugged in may find the wire dead.
func (n *network) hears(wire *netlab.Socket, frame []byte) {
	n.Helper()
	n.Until("a frame to be heard", func() bool {
		wire.Send(frame)
		return slices.ContainsFunc(n.wire.Frames(), func(f []byte) bool { return bytes.Equal(f, frame) })
	})
}

// asks waits for the next solicitation of the client.
func (n *network) asks() (src netip.Addr) {
	n.Helper()
	frame := n.wire.Await("a router solicitation", isICMP(ether.RouterSolicitation, n.client))
	m, _ := ether.ParseICMPFrame(frame)
	if m.Dst != limited || ether.MAC(frame) != ether.Broadcast || frame[14+8] != 1 || // its TTL
		m.Code != 0 || m.Rest != 0 || len(m.Payload) > 0 {
		n.Errorf("solicitation %x", frame)
	}
	return m.Src
}

// defaultRoute waits until there is a single default route, and that by that
// gateway: of high metric, by DHCP, with the leased address as its source.
func (n *network) defaultRoute(gateway string) {
	n.Helper()
	re := regexp.MustCompile(`^default via ` + regexp.QuoteMeta(gateway) + ` dev eth0 proto dhcp src 10\.0\.0\.1\d\d metric 1\d\d\d *\n$`)
	n.client.Until("a default route by "+gateway, func() bool {
		return re.MatchString(n.client.Run("ip", "-4", "route", "show", "default"))
	})
}

// ourRouter starts our daemon on a new host as a router that is not a server.
func (n *network) ourRouter(name, prefix, more string) (*netlab.Host, *netlab.Proc) {
	h := n.guest(name)
	a := netip.MustParsePrefix(prefix)
	h.Run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	h.WriteFile("dhcp.conf", fmt.Sprintf("interface eth0 %v;\nhost %v { };\noption eth0 router %s;\n", a.Addr(), a.Masked(), more))
	return h, n.start(h)
}

// TestI1_I2_I3_I4_OurRouter: our client at a server of somebody else and a router
// of our own, that takes its leave, and comes back, and is killed.
func TestI1_I2_I3_I4_OurRouter(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	p := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.defaultRoute("10.0.0.1")
	for range 3 {
		if src := n.asks(); src != a {
			t.Errorf("solicitation from %v", src)
		}
	}
	h, r := n.ourRouter("router", "10.0.0.2/24", "interval 4")
	at := "router 10.0.0.2 at " + ether.FormatMAC(h.MAC("eth0"))
	p.WaitLine("eth0: " + at + " advertises itself, and is used$")
	n.defaultRoute("10.0.0.2")
	if code := r.Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	p.WaitLine("eth0: " + at + ` is gone; back to the gateway 10\.0\.0\.1$`)
	n.defaultRoute("10.0.0.1")
	n.asks()

	r = n.start(h)
	p.WaitLine("eth0: " + at + " advertises itself, and is used$")
	n.defaultRoute("10.0.0.2")
	r.Kill()
	p.WaitLine("eth0: " + at + ` is gone; back to the gateway 10\.0\.0\.1$`) // after 12 s
	n.defaultRoute("10.0.0.1")
	n.asks()
	n.read(h)
}

// read has tshark read what a router has advertised.
func (n *network) read(router *netlab.Host) {
	n.Helper()
	n.wire.Check([][6]byte{router.MAC("eth0")})
	const fields = "-e eth.dst -e ip.ttl -e ip.src -e ip.dst -e icmp.code -e icmp.num_addrs -e icmp.addr_entry_size " +
		"-e icmp.lifetime -e icmp.router_address -e icmp.pref_level"
	text := router.Run("sh", "-c", "exec tshark -n -r "+n.wire.File+
		" -Y 'icmp.type == 9 && icmp.checksum.status == 1' -T fields -E separator=, "+fields+" 2>/dev/null")
	seen := map[string]int{}
	for line := range strings.Lines(text) {
		seen[strings.TrimSpace(line)]++
	}
	const common = "01:00:5e:00:00:01,1,10.0.0.2,224.0.0.1,0,1,2,"
	if len(seen) != 2 || seen[common+"12,10.0.0.2,0"] < 2 || seen[common+"0,10.0.0.2,0"] != 1 {
		n.Errorf("tshark reads %v", seen)
	}
}

// TestI1_LinkBack: what a link that went down has taken along is there again when
// the lease is confirmed, and routers are asked for as at the beginning.
func TestI1_LinkBack(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.allow = []string{"Bad checksum"} // in what the kernel quotes while port 68 is not open yet
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.start(n.client)
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	for range 3 {
		n.asks()
	}
	n.defaultRoute("10.0.0.1")
	n.client.Down("eth0")
	n.client.Up("eth0")
	n.defaultRoute("10.0.0.1")
	n.asks()
	liar := n.guest("liar")
	n.hears(liar.Frames("eth0"), advert(liar.MAC("eth0"), allSystems, 1800, "10.0.0.66 9"))
	n.defaultRoute("10.0.0.66")
}

// TestI2_D1_AsIf: in test mode routers are asked for and heard, and nothing is
// configured.
func TestI2_D1_AsIf(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	p := n.start(n.client, "-t")
	src := n.asks()
	liar := n.guest("liar")
	n.hears(liar.Frames("eth0"), advert(liar.MAC("eth0"), src, 1800, "10.0.0.66 9"))
	p.WaitLine(`router 10\.0\.0\.66 at .* advertises itself, and is used$`)
	if got := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0") + n.client.Run("ip", "-4", "route"); strings.Contains(got, "10.0.0") {
		t.Errorf("configured: %s", got)
	}
}

// TestI2_FalseRouters: advertisements that do not count, and then of two good
// ones that of higher preference.
func TestI2_FalseRouters(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.asks()
	liar := n.guest("liar")
	mac := liar.MAC("eth0")
	wire := liar.Frames("eth0")
	good := advert(mac, allSystems, 1800, "10.0.0.66 9")
	for at, to := range map[int]byte{14 + 20 + 1: 1, 14 + 20 + 2: 0, 14 + 20 + 4: 0, 14 + 20 + 5: 1} {
		bad := append([]byte(nil), good...)
		bad[at] = to
		n.hears(wire, bad)
	}
	wire.Send(good[:len(good)-1]) // a bridge may drop it
	n.hears(wire, advert(mac, allSystems, 0, "10.0.0.66 9"))
	n.hears(wire, advert(mac, allSystems, 1800, "10.0.0.66 -2147483648"))
	n.hears(wire, advert(mac, netip.MustParseAddr("10.0.0.99"), 1800, "10.0.0.66 9"))
	n.hears(wire, advert(mac, allSystems, 1800, "10.0.9.66 9"))
	n.hears(wire, advert(mac, allSystems, 1800, "10.0.9.66 9, 10.0.0.66 9"))
	n.hears(wire, advert(mac, allSystems, 1800, a.String()+" 9, 10.0.0.66 9"))
	n.asks()
	n.defaultRoute("10.0.0.1")

	n.hears(wire, advert(mac, limited, 1800, "10.0.0.67 -9"))
	n.defaultRoute("10.0.0.67")
	n.hears(wire, advert(mac, a, 1800, "10.0.0.68 -8, 10.9.9.9 9"))
	n.defaultRoute("10.0.0.68")
	n.hears(wire, advert(mac, allSystems, 1800, "10.0.0.67 -9")) // as before
	n.hears(wire, advert(mac, allSystems, 0, "10.0.0.68 -8"))
	n.defaultRoute("10.0.0.67")
	seen := len(n.wire.Frames())
	n.ourRouter("router", "10.0.0.2/24", "interval 4 preference 5")
	n.defaultRoute("10.0.0.2")
	for _, frame := range n.wire.Frames()[seen:] {
		if isICMP(ether.RouterSolicitation, n.client)(frame) {
			t.Error("it asks for routers, though it knows one")
		}
	}
}

// TestI1_KilledDaemon: the default route goes with the address when nobody is
// there to refresh either; and a daemon that is started in time takes over.
func TestI1_KilledDaemon(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	serving := netlab.Serve("eth0", "10.0.0.1/24")
	serving.Lease = 8e9
	n.server.Udhcpd(serving, "option router 10.0.0.1")
	p := n.start(n.client)
	bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.defaultRoute("10.0.0.1")
	liar := n.guest("liar")
	n.asks()
	n.hears(liar.Frames("eth0"), advert(liar.MAC("eth0"), allSystems, 1800, "10.0.0.66 9"))
	n.defaultRoute("10.0.0.66")
	p.Kill()
	n.wire.Skip()
	p = n.start(n.client)
	n.asks() // and begins with the gateway that the server names
	n.defaultRoute("10.0.0.1")
	n.hears(liar.Frames("eth0"), advert(liar.MAC("eth0"), allSystems, 1800, "10.0.0.66 9"))
	n.defaultRoute("10.0.0.66")
	p.Kill()
	addressless(t, n.client)
	if routes := n.client.Run("ip", "-4", "route"); routes != "" {
		t.Errorf("routes left: %s", routes)
	}
}

// TestI4_NoDiscovery: with the option no router is asked for or heard; what the
// file says counts at once.
func TestI4_NoDiscovery(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"))
	n.client.WriteFile("dhcp.conf", "option nodiscovery;\n")
	p := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.defaultRoute("10.0.0.1")
	n.await(dhcp4.ACK)
	liar := n.guest("liar")
	wire := liar.Frames("eth0")
	n.hears(wire, advert(liar.MAC("eth0"), allSystems, 1800, "10.0.0.66 9"))
	seen := len(n.wire.Frames())
	n.client.WriteFile("dhcp.conf", "\n") // and now it is wanted
	n.asks()
	for _, frame := range n.wire.Frames()[:seen] {
		if isICMP(ether.RouterSolicitation, n.client)(frame) {
			t.Error("a router was asked for")
		}
	}
	n.defaultRoute("10.0.0.1")
	n.hears(wire, advert(liar.MAC("eth0"), a, 1800, "10.0.0.66 9"))
	n.defaultRoute("10.0.0.66")
	n.client.WriteFile("dhcp.conf", "option nodiscovery;\n")
	n.defaultRoute("10.0.0.1")
	if p.Ended() {
		t.Error("dhcpd has ended")
	}
}
