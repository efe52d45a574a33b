package peertest

import (
	"encoding/hex"

	"regexp"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// newAnswerer makes a network with our server, which answers leasequeries, a
// client that has a lease, and a host that may ask.
func newAnswerer(t *testing.T, options ...string) (n *network, asker *netlab.Host) {
	t.Helper()
	n = newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", append(options, "DHCPlease 3600;")...), "10.0.0.100-10.0.0.104")
	asker = n.guest("asker")
	asker.Addr("eth0", "10.0.0.9/24")
	n.client.Udhcpc("eth0", "-V", "modem")
	bound(t, n.client, "10.0.0.100", "10.0.0.104")
	return n, asker
}

// asked asks our server by dhcpd -l, and returns what that prints.
func (n *network) asked(h *netlab.Host, keys ...string) string {
	n.Helper()
	return h.Run(dhcpd, append(append([]string{"-l"}, files(h)...), append([]string{"10.0.0.1"}, keys...)...)...)
}

// TestQ1_Q5_L12_Asked: our asker asks our server, by each kind of key, from
// another machine and from the same one.
func TestQ1_Q5_L12_Asked(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery show hostname;`, `client 2:0:0:0:0:77 10.0.0.77;`)
	a := n.client.Addrs("eth0")[0].Addr().String()
	octets := n.client.MAC("eth0")
	mac := ether.FormatMAC(octets)
	leased := `(?m)^` + regexp.QuoteMeta(a) + ` +\+3[0-6]\d\d .*` + mac + `.*class "modem"`
	for _, h := range []*netlab.Host{asker, n.server} {
		for _, c := range []struct{ key, want string }{
			{a, leased},
			{mac, leased},
			{"01" + hex.EncodeToString(octets[:]), leased},
			{"10.0.0.77", `10\.0\.0\.77 .*unassigned`},
			{"10.0.0.50", `10\.0\.0\.50 .*unknown`},
			{"2:0:0:0:0:1", `unknown`},
			{"all", leased},
			{"all", `10\.0\.0\.77 .*available`},
		} {
			if got := n.asked(h, c.key); !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("%s asks for %s: want %s in\n%s", h.Name, c.key, c.want, got)
			}
		}
	}
	if got := strings.Count(n.asked(asker, "all"), "10.0.0."); got != 6 {
		t.Errorf("%d addresses, want 6", got)
	}
	for _, what := range []string{"DHCPBULKLEASEQUERY received", "DHCPLEASEQUERY received", "DHCPLEASEACTIVE sent",
		"DHCPLEASEUNASSIGNED sent", "DHCPLEASEUNKNOWN sent", "DHCPLEASEQUERYDONE sent", "connections for bulk leasequeries\n"} {
		n.counts(n.server, what)
	}
}

// counts waits until dhcpd -q shows a count.
func (n *network) counts(h *netlab.Host, what string) {
	n.Helper()
	n.Until(what+" in dhcpd -q", func() bool { return strings.Contains(n.command(h, "-q"), what) })
}

// TestQ4_From: who may not ask gets no answer, by UDP or TCP, and is counted.
func TestQ4_From(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t, `option eth0 leasequery from 10.0.0.8;`)
	n.allow = []string{"Connection reset (RST)"}
	for _, key := range []string{"10.0.0.100", "all"} {
		if out, code := asker.Try(dhcpd, "-l", "10.0.0.1", key); code == 0 {
			t.Errorf("asked for %s: %s", key, out)
		}
	}
	n.counts(n.server, "dropped: a leasequery from a host that may not ask")
	n.counts(n.server, "connections for bulk leasequeries refused")
	asker.Addr("eth0", "10.0.0.8/32")
	asker.Run("ip", "route", "replace", "10.0.0.1", "dev", "eth0", "src", "10.0.0.8")
	if got := n.asked(asker, "all"); !strings.Contains(got, "10.0.0.104") {
		t.Errorf("the one that may ask is told\n%s", got)
	}
	if got := n.asked(asker, "10.0.0.104"); !strings.Contains(got, "unassigned") {
		t.Errorf("the one that may ask is told\n%s", got)
	}
}

// TestQ4_Off: without the option nobody is told anything.
func TestQ4_Off(t *testing.T) {
	t.Parallel()
	n, asker := newAnswerer(t)
	n.allow = []string{"Connection reset (RST)"}
	for _, key := range []string{"10.0.0.100", "all"} {
		if out, code := asker.Try(dhcpd, "-l", "10.0.0.1", key); code == 0 {
			t.Errorf("asked for %s: %s", key, out)
		}
	}
	n.counts(n.server, "dropped: leasequeries are not answered on this network")
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() > dhcp4.ForceRenew && from(n.server)(p) {
			t.Errorf("sent: %s", p.Line(nil))
		}
	}
}

// TestQ3_Kept: what a relay and a client have said is known of a pool address
// and of a fixed one after the daemon was killed, and after it has ended.
func TestQ3_Kept(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;", "option eth0 leasequery;")+"client 2:cc:0:0:0:1 10.0.0.77;", "10.0.0.100")
	sock := n.client.Frames("eth0")
	line := func(m *dhcp4.Message) *dhcp4.Message {
		m.Options.PutText(dhcp4.RelayAgent, "\x01\x02c7\x02\x05line7")
		m.Options.PutText(dhcp4.ClassID, "modem")
		return m
	}
	for i := range uint16(2) {
		c := newScripted(1 + i)
		c.addr = n.insist(sock, c.frame(line(c.message(dhcp4.Discover))), dhcp4.Offer).Yiaddr
		m := line(c.message(dhcp4.Request))
		m.Options.PutAddr(dhcp4.RequestedAddress, c.addr)
		m.Options.PutAddr(dhcp4.ServerID, netip.MustParseAddr("10.0.0.1"))
		n.insist(sock, c.frame(m), dhcp4.ACK)
	}
	asker := n.guest("asker")
	asker.Addr("eth0", "10.0.0.9/24")
	for _, end := range []func(){func() {}, func() { p.Kill() }, func() { p.Stop() }} {
		if end(); p.Ended() {
			p = n.up(n.server)
		}
		for _, keys := range [][]string{{"10.0.0.100", "10.0.0.77"}, {"remote", "line7"}} {
			got := n.asked(asker, keys...)
			for _, a := range []string{"10.0.0.77", "10.0.0.100"} {
				want := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(a) + ` .*circuit "c7".*remote "line7" .*class "modem" .*last -`)
				if !want.MatchString(got) {
					t.Errorf("%v: want %v in\n%s", keys, want, got)
				}
			}
		}
	}
}
