package netlab

import "dhcpd/internal/netip"

// Busybox has a relay too, dhcprelay, but Debian's busybox is built without
// it.

// Forward makes a host a router between its interfaces, or ends that.
func (h *Host) Forward(on bool) {
	h.lab.t.Helper()
	value := "0"
	if on {
		value = "1"
	}
	h.Run("sh", "-c", "echo "+value+" >/proc/sys/net/ipv4/ip_forward")
}

// Relaying is what a relay is to pass on, the same for each kind of relay.
type Relaying struct {
	Down   string     // the interface of the clients
	At     netip.Addr // its address
	Up     string     // the interface towards the server
	Server netip.Addr
}

// Dhcrelay relays with ISC's dhcrelay; more are flags of its own, as -a.
func (h *Host) Dhcrelay(r Relaying, more ...string) *Proc {
	h.lab.t.Helper()
	args := append([]string{"-4", "-d", "--no-pid", "-id", r.Down, "-iu", r.Up}, more...)
	return h.Ready(h.Start("dhcrelay", append(args, r.Server.String())...))
}

// DhcpHelper relays with Simon Kelley's dhcp-helper.
func (h *Host) DhcpHelper(r Relaying, more ...string) *Proc {
	h.lab.t.Helper()
	args := append([]string{"-n", "-u", "root", "-r", "/run/dhcp-helper.pid", "-i", r.Down}, more...)
	return h.Ready(h.Start("dhcp-helper", append(args, "-s", r.Server.String())...))
}

// DnsmasqRelay relays with dnsmasq.
func (h *Host) DnsmasqRelay(r Relaying, more ...string) *Proc {
	h.lab.t.Helper()
	args := []string{"--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--port=0",
		"--log-facility=-", "--log-dhcp", "--dhcp-relay=" + r.At.String() + "," + r.Server.String()}
	return h.Ready(h.Start("dnsmasq", append(args, more...)...))
}
