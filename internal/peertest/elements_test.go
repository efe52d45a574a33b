package peertest

import (
	"fmt"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
)

// TestP1_S11_S13_Elements: elements of the config file by what real clients are
// told: class, client with a body, nested hosts, macro, no, a tag of its own,
// the header's fields, circuit and remote.
func TestP1_S11_S13_Elements(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	second := n.guest("second")
	n.serve(fmt.Sprintf(`
tag 224 colour ascii 1 0;
interface eth0 10.0.0.1;
host 10.0.0.0/16 { DHCPlease 3600; option eth0 server; domain all.example; macro boot; colour "light blue"; };
host 10.0.0.48/28 { domain few.example; no colour; };
macro boot { class PXE { siaddr 10.0.0.9; file "pxe.0"; sname "tftp"; }; };
client %s 10.0.0.50 { hostname seven; };
remote sw7 { domain remote.example; circuit ge- { rootpath "/ge"; }; };
`, ether.FormatMAC(n.client.MAC("eth0"))), "10.0.0.100-10.0.0.109")
	n.client.Udhcpc("eth0", "-s", tell(n.client, "$1", "exec /etc/udhcpc/default.script \"$@\""), "-V", "PXEClient:Arch:0", "-O", "0xe0")
	bound(t, n.client, "10.0.0.50", "10.0.0.50")
	for _, want := range []string{"domain=few.example", "hostname=seven", "siaddr=10.0.0.9", "boot_file=pxe.0", "sname=tftp", "subnet=255.255.0.0"} {
		n.file(n.client, "env.bound", want+"\n")
	}
	if text := n.file(n.client, "env.bound", "lease=3600\n"); strings.Contains(text, "opt224") {
		t.Errorf("a tag that was taken away:\n%s", text)
	}
	second.Udhcpc("eth0", "-s", tell(second, "$1", "exec /etc/udhcpc/default.script \"$@\""), "-O", "0xe0")
	bound(t, second, "10.0.0.100", "10.0.0.109")
	for _, want := range []string{"domain=all.example", fmt.Sprintf("opt224=%x", "light blue")} {
		n.file(second, "env.bound", want+"\n")
	}
	if text := n.file(second, "env.bound", "lease=3600\n"); strings.Contains(text, "boot_file") {
		t.Errorf("what is for another class:\n%s", text)
	}

	c := newScripted(1)
	m := c.message(dhcp4.Discover)
	m.Options.Put(dhcp4.RelayAgent, []byte("\x01\x06ge-0/7\x02\x05sw7/1"))
	offer := n.offered(c, m)
	if d, _ := offer.Options.Text(dhcp4.DomainName); d != "remote.example" {
		t.Errorf("domain %q", d)
	}
	if p, _ := offer.Options.Text(17); p != "/ge" {
		t.Errorf("rootpath %q", p)
	}
}

// TestS9_RealInform: dhcpcd has an address from elsewhere and wants the rest.
func TestS9_RealInform(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	n.serve(conf("10.0.0.1/24", "DHCPlease 3600; domain inform.example; option eth0 server inform;"), "10.0.0.100")
	n.client.Addr("eth0", "10.0.0.60/24")
	n.client.Dhcpcd("eth0", "inform 10.0.0.60/24", "option domain_name")
	ack := n.await(dhcp4.ACK)
	if ack.Dst.String() != "10.0.0.60:68" || ack.Options.Has(dhcp4.LeaseTime) || !ack.Yiaddr.IsUnspecified() {
		t.Errorf("ACK to %v: %s", ack.Dst, ack.Dump(nil, dhcp4.Builtin()))
	}
	n.Until("the domain in resolv.conf", func() bool {
		return strings.Contains(n.client.ReadFile("/etc/resolv.conf"), "inform.example")
	})
}

// TestS7_Declines: each of these declines in a way of its own. We believe it,
// find out who has the address, and say all of it.
func TestS7_Declines(t *testing.T) {
	t.Parallel()
	for _, c := range clients[2:] { // udhcpc is tried elsewhere; dhclient leaves that to its script
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourServer)
			n.allow = []string{"Duplicate IP address"} // that is what it is about
			squatter := n.guest("squatter")
			squatter.Addr("eth0", "10.0.0.100/24")
			p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;"), "10.0.0.100", "10.0.0.101")
			if c.name == "dhcpcd" {
				conf := n.client.WriteFile("dhcpcd.conf", "noipv4ll\nipv4only\n")
				n.client.Start("dhcpcd", "--nobackground", "--debug", "--config", conf, "eth0")
			} else {
				c.ask(n, n.client)
			}
			decline := n.await(dhcp4.Decline, from(n.client))
			if got := addr(t, decline, dhcp4.RequestedAddress); got != netip.MustParseAddr("10.0.0.100") {
				t.Errorf("declines %v", got)
			}
			p.WaitLine(`declines 10\.0\.0\.100`)
			bound(t, n.client, "10.0.0.101", "10.0.0.101")
			mac := squatter.MAC("eth0")
			n.Until("the story in dhcpd -q", func() bool {
				q := n.command(n.server, "-q")
				return strings.Contains(q, "10.0.0.100       -") && strings.Contains(q, "abandoned  ") &&
					strings.Contains(q, "  decliner ") && strings.Contains(q, "  holder "+ether.FormatMAC(mac))
			})
		})
	}
}
