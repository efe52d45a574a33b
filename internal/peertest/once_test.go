package peertest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"dhcpd/internal/ether"
	"dhcpd/internal/netlab"
)

// runOnce runs dhcpd -o on a host, whose kernel was started with these arguments,
// and returns its exit status and what it says.
func (n *network) runOnce(h *netlab.Host, kernel string, more ...string) (status int, said string) {
	n.Helper()
	h.Run("mount", "--bind", h.WriteFile("cmdline", kernel+"\n"), "/proc/cmdline")
	defer h.Run("umount", "/proc/cmdline")
	p := h.Start(dhcpd, append(more, files(h)...)...)
	n.ran = append(n.ran, p)
	return p.Wait(), p.Output()
}

// TestL8_C17_Once: a lease, the files for the initramfs, and a hand-over to the
// daemon of the real root, which never takes the address off.
func TestL8_C17_Once(t *testing.T) {
	eachServer(t, func(t *testing.T, s *peer) {
		n := newNetwork(t, ourClient)
		s.serve(n.server, netlab.Serve("eth0", "10.0.0.1/24"))
		n.client.Down("eth0")
		status, said := n.runOnce(n.client, "ro quiet", "-o")
		if status != 0 {
			t.Fatalf("exit status %d: %s", status, said)
		}
		a := bound(t, n.client, "10.0.0.100", "10.0.0.109")
		if left := lifetime(t, n.client); left > 3600 || left < 3500 {
			t.Errorf("the address has a lifetime of %d s, want an hour", left)
		}
		conf := n.client.ReadFile("/run/net-eth0.conf")
		for _, line := range []string{
			"DEVICE='eth0'", "PROTO='dhcp'", "IPV4ADDR='" + a.String() + "'", "IPV4NETMASK='255.255.255.0'",
			"IPV4GATEWAY='10.0.0.1'", "DHCPLEASETIME='3600'", "UPTIME='[0-9]+'",
		} {
			if !regexp.MustCompile("(?m)^" + line + "$").MatchString(conf) {
				t.Errorf("/run/net-eth0.conf has no %s:\n%s", line, conf)
			}
		}
		if out := n.client.Run("sh", "-c", ". /run/net-eth0.conf; echo $IPV4ADDR"); strings.TrimSpace(out) != a.String() {
			t.Errorf("a shell reads %q from it", out)
		}
		watch := n.client.Start("ip", "monitor", "address")
		n.start(n.client).WaitLine("REBOOTING -> BOUND")
		if got := bound(t, n.client, "10.0.0.100", "10.0.0.109"); got != a || strings.Contains(watch.Output(), "Deleted") {
			t.Errorf("handed over: %v, was %v\n%s", got, a, watch.Output())
		}
	})
}

// TestL8_Statuses: why there is no address.
func TestL8_Statuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		says   string
		set    func(n *network)
	}{
		{"config", 1, `"[^"]*", line 1: Unknown`, func(n *network) { n.client.WriteFile("dhcp.conf", "nonsense;") }},
		{"ethernet", 2, "no Ethernet is there", nil},
		{"carrier", 3, "no network has a carrier", func(n *network) {
			n.client.Run("ip", "link", "del", "eth0")
			n.sw.Plug(n.client, "eth0").Cut()
		}},
		{"offer", 4, "no server gives an address", func(*network) {}},
		{"nak", 5, "DHCPNAK", func(n *network) {
			elsewhere := n.server.ISC(netlab.Serve("eth0", "10.0.0.1/24"))
			n.runOnce(n.client, "", "-o")
			elsewhere.Kill()
			n.client.Run("ip", "addr", "flush", "dev", "eth0") // as of a machine that was switched off
			n.server.Run("ip", "addr", "flush", "dev", "eth0")
			n.serve(conf("10.5.0.1/24", "DHCPlease 3600;"))
		}},
		{"conflict", 6, "in use by another host", func(n *network) {
			squatter := n.guest("squatter")
			squatter.Addr("eth0", "10.0.0.100/24")
			serving := netlab.Serve("eth0", "10.0.0.1/24")
			serving.High = serving.Low
			n.server.ISC(serving)
			n.allow = []string{"Duplicate IP address"}
		}},
		{"busy", 7, "in use by another dhcpd", func(n *network) { n.start(n.client) }},
		{"refused", 7, "write /etc/resolv.conf: read-only file system", func(n *network) {
			n.server.Dnsmasq(netlab.Serve("eth0", "10.0.0.1/24"), "--dhcp-option=option:dns-server,10.0.0.1")
			n.client.Run("mount", "-o", "remount,ro", "/etc")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			n.silent = true
			kernel := "ip=:::::wlan0:dhcp"
			if tt.set != nil {
				kernel = ""
				tt.set(n)
			}
			status, said := n.runOnce(n.client, kernel, "-o2")
			if status != tt.status || !regexp.MustCompile(tt.says).MatchString(said) {
				t.Errorf("exit status %d, want %d, and it says %s", status, tt.status, said)
			}
		})
	}
}

// TestL8_N2_KernelArguments: an address that the kernel's command line names,
// the interface to ask on, and nothing at all.
func TestL8_N2_KernelArguments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kernel string
		eth0, eth1   string // their addresses, "" for none
	}{
		{"off", "ip=off", "", ""},
		{"fixed", "ip=10.0.0.5::10.0.0.1:255.255.255.0:box:eth1:off", "", "10.0.0.5/24"},
		{"device", "ip=:::::eth0:dhcp", "10.0.0.", ""},
		{"bootif", "BOOTIF=%s", "", "10.0.0."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, ourClient)
			n.silent = true
			n.server.ISC(netlab.Serve("eth0", "10.0.0.1/24"))
			n.sw.Plug(n.client, "eth1")
			kernel := tt.kernel
			if strings.Contains(kernel, "%s") {
				kernel = fmt.Sprintf(kernel, "01-"+strings.ReplaceAll(ether.FormatMAC(n.client.MAC("eth1")), ":", "-"))
			}
			if status, said := n.runOnce(n.client, kernel, "-o"); status != 0 {
				t.Fatalf("exit status %d: %s", status, said)
			}
			for name, want := range map[string]string{"eth0": tt.eth0, "eth1": tt.eth1} {
				list := n.client.Addrs(name)
				if want == "" && len(list) > 0 || want != "" && (len(list) != 1 || !strings.HasPrefix(list[0].String(), want)) {
					t.Errorf("%s has %v, want %q", name, list, want)
				}
			}
			if tt.eth1 == "10.0.0.5/24" {
				conf := n.client.ReadFile("/run/net-eth1.conf")
				if !strings.Contains(conf, "PROTO='static'") || !strings.Contains(conf, "HOSTNAME='box'") {
					t.Errorf("/run/net-eth1.conf:\n%s", conf)
				}
			}
		})
	}
}
