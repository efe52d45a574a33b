package peertest

import (
	"os"
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
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
	var calls string
	n.refuse(netip.MustParseAddr(a), "no $(touch /tmp/x)", func() { calls = told(n, "nak eth0 / ") })
	want := "deconfig eth0 /   [] []    ()\nbound eth0 " + a + "/24 "
	if !strings.HasPrefix(calls, want) {
		t.Errorf("no %q at the beginning of\n%s", want, calls)
	}
	told(n, "(no $(touch /tmp/x))\ndeconfig eth0 ")
	n.Until("an empty resolv.conf", func() bool { return n.client.ReadFile("/etc/resolv.conf") == "# made by dhcpd(8)\n" })
	p.Stop()
}

// TestC12_InPlace: a resolv.conf that can't be replaced, as in a container or on
// a read-only root, is written all the same, and one line says how.
func TestC12_InPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mount, path, why string }{
		{"mounted", "mount --bind $D/own /etc/resolv.conf", "/etc/resolv.conf", "device or resource busy"},
		{"read-only folder", "mkdir $D/ro; : >$D/ro/file; mount --bind $D/ro $D/ro; mount -o remount,bind,ro $D/ro; mount --bind $D/own $D/ro/file",
			"$D/ro/file", "read-only file system"},
		{"link of a read-only folder", "mkdir $D/ro; ln -s ../own $D/ro/file; mount --bind $D/ro $D/ro; mount -o remount,bind,ro $D/ro",
			"$D/ro/file", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			dir := func(s string) string { return strings.ReplaceAll(s, "$D", n.client.Dir) }
			own := n.client.WriteFile("own", strings.Repeat("# long\n", 100))
			n.client.Run("sh", "-ec", dir(tt.mount))
			n.client.WriteFile("dhcp.conf", `option resolvconf "`+dir(tt.path)+`";`)
			s := netlab.Serve("eth0", "10.0.0.1/24")
			s.Lease, s.T1 = 2*time.Minute, 3*time.Second
			server := n.server.Dnsmasq(s, "--dhcp-option=6,10.0.0.1")
			p := n.start(n.client)
			wrote := func(want string) {
				n.Helper()
				n.Until("an own file that is "+want, func() bool { text, _ := os.ReadFile(own); return string(text) == want })
			}
			wrote("# made by dhcpd(8)\nnameserver 10.0.0.1\n")
			server.Kill()
			n.server.Dnsmasq(s, "--dhcp-option=6,10.0.0.8")
			wrote("# made by dhcpd(8)\nnameserver 10.0.0.8\n")
			if out := p.Output(); strings.Count(out, tt.why+"; the file is written in place\n") != min(len(tt.why), 1) {
				t.Errorf("it said:\n%s", out)
			}
			if left := n.client.Run("sh", "-c", dir("ls "+tt.path+".new || :")); strings.HasPrefix(left, "/") {
				t.Errorf("%sis left", left)
			}
		})
	}
}
