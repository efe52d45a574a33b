package peertest

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netlab"
)

// told waits for a call in the log of script.
func told(n *network, want string) string {
	n.Helper()
	return n.file(n.client, "calls", want)
}

// logScript writes down how it is called.
func logScript(n *network) string {
	n.Helper()
	path := n.client.WriteFile("script", "#!/bin/sh\necho \"$1 $interface $ip/$mask $subnet $router [$dns] [$domain] $lease $serverid $opt53 ($message)\" >>"+
		n.client.Dir+"/calls\n")
	n.client.Run("chmod", "755", path)
	return path
}

// TestC12_Debian: the script that Debian's udhcpc comes with configures, and
// nobody else does.
func TestC12_Debian(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	n.client.WriteFile("dhcp.conf", `option "eth0" script "/etc/udhcpc/default.script";`)
	n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"), "--domain=example.org", "--dhcp-option=6,10.0.0.1", "--dhcp-option=26,1400")
	n.client.Addr("eth0", "169.254.3.4/16") // which deconfig takes away
	p := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.client.Until("a default route", func() bool {
		return strings.Contains(n.client.Run("ip", "-4", "route"), "default via 10.0.0.1 dev eth0 \n")
	})
	n.Until("a resolv.conf", func() bool {
		return n.client.ReadFile("/etc/resolv.conf") == "domain example.org\nnameserver 10.0.0.1\n"
	})
	text := n.client.Run("ip", "-4", "addr", "show", "dev", "eth0")
	if !strings.Contains(text, "valid_lft forever") || !strings.Contains(text, "mtu 1400") {
		t.Errorf("not the script's work: %s", text)
	}
	n.file(n.client, "dhcp.cache", a.String())
	if p.Stop(); len(n.client.Addrs("eth0")) != 1 {
		t.Error("the address went with the daemon")
	}
	n.start(n.client) // which takes it over, without a deconfig
	n.await(dhcp4.ACK)
	bound(t, n.client, a.String(), a.String())
}

// TestC12_Calls: the words and variables of a whole life, told also where we
// configure ourselves.
func TestC12_Calls(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourClient)
	path := logScript(n)
	n.client.WriteFile("dhcp.conf", `option "eth0" notify "`+path+`"; option "eth0" resolvconf "/etc/resolv.conf";`)
	s := netlab.Serve("eth0", "10.0.0.1/24")
	s.Lease, s.T1 = 2*time.Minute, 3*time.Second
	server := n.server.Dnsmasq(s, "--domain=example.org", "--dhcp-option=6,10.0.0.1", "--dhcp-option=119,eng.example.org,example.org")
	p := n.start(n.client)
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109").String()
	told(n, "renew eth0 "+a+"/24 255.255.255.0 10.0.0.1 [10.0.0.1] [example.org] 120 10.0.0.1 05 ()\n")
	n.Until("a resolv.conf", func() bool {
		return n.client.ReadFile("/etc/resolv.conf") == "# made by dhcpd(8)\nsearch eng.example.org example.org\nnameserver 10.0.0.1\n"
	})
	if mode := n.client.Run("stat", "-c", "%a", "/etc/resolv.conf"); mode != "644\n" {
		t.Errorf("resolv.conf has mode %s", mode)
	}
	server.Kill()
	acked := map[uint32]bool{}
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == dhcp4.ACK {
			acked[p.Xid] = true
		}
	}
	request := n.await(dhcp4.Request, renewing(netip.MustParseAddr(a)), func(p *packet) bool { return !acked[p.Xid] })
	refuse(n, request, "no $(touch /tmp/x)")
	calls := told(n, "nak eth0 / ")
	want := "deconfig eth0 /   [] []    ()\nbound eth0 " + a + "/24 "
	if !strings.HasPrefix(calls, want) {
		t.Errorf("no %q at the beginning of\n%s", want, calls)
	}
	told(n, "(no $(touch /tmp/x))\ndeconfig eth0 ")
	n.Until("an empty resolv.conf", func() bool { return n.client.ReadFile("/etc/resolv.conf") == "# made by dhcpd(8)\n" })
	p.Stop()
}
