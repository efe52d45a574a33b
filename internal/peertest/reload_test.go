package peertest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
)

// TestB8_Reload: a running server follows its config file and the hosts file;
// what it can't understand it reports, and goes on with what it had.
func TestB8_Reload(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	hosts := func(text string) {
		n.server.Run("sh", "-c", "echo '"+text+"' >/etc/hosts.new && mv /etc/hosts.new /etc/hosts")
	}
	hosts("10.0.0.53 ns")
	config := func(domain string) string {
		return conf("10.0.0.1/24", "DHCPlease 3600; domain "+domain+"; no DNSserver; DNSserver ns;")
	}
	p := n.serve(config("one.example"), "10.0.0.100-10.0.0.109")
	n.told("one.example", "10.0.0.53")
	n.server.WriteFile("dhcp.conf", config("two.example"))
	n.told("two.example")
	n.server.WriteFile("dhcp.conf", config("three.example")+"clinet 00 10.0.0.7;\n")
	p.WaitLine(`dhcp\.conf", line 8: Unknown tag 'clinet'.*; the configuration stays as it was`)
	n.told("two.example")
	hosts("10.0.0.54 ns")
	n.server.WriteFile("dhcp.conf", config("four.example"))
	n.told("four.example", "10.0.0.54")
	hosts("10.0.0.55 ns")
	n.told("four.example", "10.0.0.55")
	if p.Ended() {
		t.Error("dhcpd has ended")
	}
}

// told waits until the server tells a client that asks again and again what is
// wanted.
func (n *network) told(want ...string) {
	n.Helper()
	n.Until(strings.Join(want, " and ")+" from the server", func() bool {
		n.client.Udhcpc("eth0", "-q").Wait()
		text := n.client.ReadFile("/etc/resolv.conf")
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// TestB8_SIGHUP: what no watch of the folder sees, since the file itself is
// elsewhere, is read on the signal.
func TestB8_D3_SIGHUP(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	elsewhere := filepath.Join(n.Dir, "config")
	if err := os.Symlink(elsewhere, filepath.Join(n.server.Dir, "dhcp.conf")); err != nil {
		t.Fatal(err)
	}
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600; domain one.example;"), "10.0.0.100-10.0.0.109")
	n.told("one.example")
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600; domain two.example;"))
	p.Signal(syscall.SIGHUP)
	n.told("two.example")
}

// TestP1_Names: names that the hosts file does not have are asked for, once
// there is a way to a name server; what they stand for counts from then on.
func TestP1_Names(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.guest("dns")
	server.Addr("eth0", "10.0.0.53/24")
	server.Start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--no-resolv",
		"--no-hosts", "--bind-interfaces", "--interface=eth0", "--log-facility=-", "--host-record=pc.example.org,10.0.0.77")
	n.server.Run("sh", "-c", "printf 'search example.org\\nnameserver 10.0.0.53\\n' >/etc/resolv.conf")
	p := n.serve(conf("10.0.0.1/24", "DHCPlease 3600;") + "client " + ether.FormatMAC(n.client.MAC("eth0")) + " pc;\n")
	p.WaitLine(`Can't find the address of 'pc'`)
	n.client.Dhclient("eth0", "backoff-cutoff 2;")
	bound(t, n.client, "10.0.0.77", "10.0.0.77")
	if text := p.Output(); strings.Count(text, "Can't find") != 1 {
		t.Errorf("it was said more than once:\n%s", text)
	}
	out, _ := n.server.Try(dhcpd, append([]string{"-n"}, files(n.server)...)...)
	if strings.Contains(out, "Can't find") {
		t.Errorf("dhcpd -n: %s", out)
	}
}

// TestS10_Said: at start, and when the config takes the lease time away, the
// log has an address that can't be given out; its client is not served.
func TestS10_Said(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	p := n.serve(conf("10.0.0.1/24"), "10.0.0.100-10.0.0.102")
	p.WaitLine(`^dhcpd: No lease set for address 10\.0\.0\.10\d \(and 2 more that can't be given out\)$`)
	n.client.Dhclient("eth0", "backoff-cutoff 2;")
	n.await(dhcp4.Discover)
	n.await(dhcp4.Discover) // its first one was in vain
	if list := n.client.Addrs("eth0"); len(list) != 0 {
		t.Errorf("it has %v", list)
	}
	n.server.WriteFile("dhcp.conf", conf("10.0.0.1/24", "DHCPlease 3600;"))
	bound(t, n.client, "10.0.0.100", "10.0.0.102")
}

// TestS19_TornPool: the pool file ends in the middle of a client's record. The
// client comes to renew, is the only one on the wire with that address, and
// goes on with it.
func TestS19_TornPool(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, ourServer)
	server := n.serve(conf("10.0.0.1/24", "DHCPlease 600; DHCPrenewal 4; option eth0 always DHCPrenewal;"), "10.0.0.100-10.0.0.109")
	n.client.Dhclient("eth0")
	a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
	n.await(dhcp4.ACK)
	server.Kill()
	path := filepath.Join(n.server.Dir, "dhcp.pool")
	text, err := os.ReadFile(path)
	at := strings.LastIndex(string(text), a.String()+" bound ")
	if err != nil || at < 0 {
		t.Fatalf("no record of %v: %v\n%s", a, err, text)
	}
	if err := os.Truncate(path, int64(at+20)); err != nil {
		t.Fatal(err)
	}
	p := n.start(n.server)
	p.WaitLine(`dhcp\.pool`)
	n.server.Ready(p)
	request := n.await(dhcp4.Request, renewing(a))
	if ack := n.await(dhcp4.ACK, from(n.server), answering(request)); ack.Yiaddr != a {
		t.Errorf("ACK for %v, not %v", ack.Yiaddr, a)
	}
	n.file(n.server, "dhcp.pool", a.String()+" bound ")
	if !owned(n.command(n.server, "-q"), a, n.client) {
		t.Errorf("dhcpd -q:\n%s", n.command(n.server, "-q"))
	}
}
