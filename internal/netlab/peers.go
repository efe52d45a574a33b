package netlab

import (
	"fmt"
	"os"
	"strings"
	"time"

	"dhcpd/internal/netip"
)

// Serving is what a peer is to serve, the same for each kind of server.
type Serving struct {
	If        string
	Net       netip.Prefix // the network, with the server's own address in it
	Low, High netip.Addr   // its addresses to lease
	Lease     time.Duration
	T1, T2    time.Duration // options 58 and 59; zero to leave them out
	Fixed     map[[6]byte]netip.Addr
}

// Serve returns a Serving for an interface that has an address like
// 10.0.0.1/24: it leases .100 to .109, for an hour.
func Serve(name, prefix string) Serving {
	p := netip.MustParsePrefix(prefix)
	a := p.Addr().As4()
	nth := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{a[0], a[1], a[2], n}) }
	return Serving{If: name, Net: p, Low: nth(100), High: nth(109), Lease: time.Hour}
}

func (s *Serving) mask() string {
	m := ^uint32(0) << (32 - s.Net.Bits())
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// seconds writes a time as all the configuration files have it.
func seconds(d time.Duration) string { return fmt.Sprint(int(d.Seconds())) }

func colons(mac [6]byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", mac[:]), " ", ":")
}

// Ready returns a server once its socket is there.
func (h *Host) Ready(p *Proc) *Proc {
	h.lab.t.Helper()
	h.lab.Until("a socket on port 67: "+p.said, func() bool {
		if p.Ended() {
			p.fail("has ended")
		}
		return h.listens(67)
	})
	return p
}

// listens tells whether someone on the host has a UDP socket on the port.
func (h *Host) listens(port uint16) bool {
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", h.first.Process.Pid))
	return strings.Contains(string(table), fmt.Sprintf(":%04X 00000000:0000", port))
}

// Dnsmasq serves with dnsmasq, which can't lease for less than two minutes.
func (h *Host) Dnsmasq(s Serving, more ...string) *Proc {
	h.lab.t.Helper()
	args := []string{"--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--port=0",
		"--log-facility=-", "--log-dhcp", "--no-ping", "--bind-interfaces", "--interface=" + s.If,
		"--dhcp-leasefile=" + h.Dir + "/dnsmasq.leases",
		fmt.Sprintf("--dhcp-range=%s,%s,%s,%s", s.Low, s.High, s.mask(), seconds(s.Lease)),
	}
	if s.T1 != 0 {
		args = append(args, "--dhcp-option=option:T1,"+seconds(s.T1))
	}
	if s.T2 != 0 {
		args = append(args, "--dhcp-option=option:T2,"+seconds(s.T2))
	}
	for mac, a := range s.Fixed {
		args = append(args, fmt.Sprintf("--dhcp-host=%s,%s", colons(mac), a))
	}
	return h.Ready(h.Start("dnsmasq", append(args, more...)...))
}

// ISC serves with ISC's dhcpd; more are lines for its configuration file.
func (h *Host) ISC(s Serving, more ...string) *Proc {
	h.lab.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "authoritative;\nping-check false;\n")
	for _, which := range []string{"default", "min", "max"} {
		fmt.Fprintf(&b, "%s-lease-time %s;\n", which, seconds(s.Lease))
	}
	if s.T1 != 0 {
		fmt.Fprintf(&b, "option dhcp-renewal-time %s;\n", seconds(s.T1))
	}
	if s.T2 != 0 {
		fmt.Fprintf(&b, "option dhcp-rebinding-time %s;\n", seconds(s.T2))
	}
	for mac, a := range s.Fixed {
		fmt.Fprintf(&b, "host h%x { hardware ethernet %s; fixed-address %s; }\n", mac, colons(mac), a)
	}
	for _, line := range more {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "subnet %s netmask %s {\n\trange %s %s;\n\toption routers %s;\n}\n",
		s.Net.Masked().Addr(), s.mask(), s.Low, s.High, s.Net.Addr())
	leases := h.WriteFile("isc.leases", "")
	conf := h.WriteFile("isc.conf", b.String())
	return h.Ready(h.Start("/usr/sbin/dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", conf, "-lf", leases, s.If))
}

// Udhcpd serves with busybox's udhcpd; more are lines for its configuration
// file.
func (h *Host) Udhcpd(s Serving, more ...string) *Proc {
	h.lab.t.Helper()
	leases := h.WriteFile("udhcpd.leases", "")
	var b strings.Builder
	fmt.Fprintf(&b, "interface %s\nstart %s\nend %s\n", s.If, s.Low, s.High)
	fmt.Fprintf(&b, "lease_file %s\npidfile %s/udhcpd.pid\nmin_lease %s\n", leases, h.Dir, seconds(s.Lease))
	fmt.Fprintf(&b, "option lease %s\noption subnet %s\noption router %s\n", seconds(s.Lease), s.mask(), s.Net.Addr())
	if s.T1 != 0 {
		fmt.Fprintf(&b, "option 0x3a %08x\n", int(s.T1.Seconds()))
	}
	if s.T2 != 0 {
		fmt.Fprintf(&b, "option 0x3b %08x\n", int(s.T2.Seconds()))
	}
	for mac, a := range s.Fixed {
		fmt.Fprintf(&b, "static_lease %s %s\n", colons(mac), a)
	}
	for _, line := range more {
		fmt.Fprintln(&b, line)
	}
	// Its check by ARP before an offer (-a) would only cost time here.
	return h.Ready(h.Start("udhcpd", "-f", "-a", "0", h.WriteFile("udhcpd.conf", b.String())))
}

// Kea serves with ISC's Kea; more are members of its Dhcp4 object.
func (h *Host) Kea(s Serving, more ...string) *Proc {
	h.lab.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `{"Dhcp4": {"interfaces-config": {"interfaces": ["%s"]},
"lease-database": {"type": "memfile", "persist": false},
"loggers": [{"name": "kea-dhcp4", "severity": "DEBUG", "debuglevel": 40, "output_options": [{"output": "stdout"}]}],
"valid-lifetime": %s,
`, s.If, seconds(s.Lease))
	for name, t := range map[string]time.Duration{"renew-timer": s.T1, "rebind-timer": s.T2} {
		if t != 0 {
			fmt.Fprintf(&b, "\"%s\": %s,\n", name, seconds(t))
		}
	}
	for _, member := range more {
		fmt.Fprintf(&b, "%s,\n", member)
	}
	fmt.Fprintf(&b, `"subnet4": [{"subnet": "%v", "pools": [{"pool": "%v - %v"}], "reservations": [`, s.Net.Masked(), s.Low, s.High)
	lead := ""
	for mac, a := range s.Fixed {
		fmt.Fprintf(&b, `%s{"hw-address": "%s", "ip-address": "%v"}`, lead, colons(mac), a)
		lead = ", "
	}
	fmt.Fprintf(&b, `], "option-data": [{"name": "routers", "data": "%v"}]}]}}`, s.Net.Addr())
	return h.Ready(h.Start("env", "KEA_PIDFILE_DIR=/run", "KEA_LOCKFILE_DIR=/run",
		"kea-dhcp4", "-c", h.WriteFile("kea.conf", b.String()+"\n")))
}

// Udhcpc runs busybox's client, with Debian's script.
func (h *Host) Udhcpc(name string, more ...string) *Proc {
	h.lab.t.Helper()
	args := []string{"-f", "-i", name, "-p", "/run/udhcpc.pid", "-s", "/etc/udhcpc/default.script", "-T", "2"}
	return h.Start("udhcpc", append(args, more...)...)
}

// Dhclient runs ISC's client, with Debian's script; more are lines for its
// configuration file.
func (h *Host) Dhclient(name string, more ...string) *Proc {
	h.lab.t.Helper()
	conf := h.WriteFile("dhclient.conf", "initial-interval 2;\n"+strings.Join(more, "\n")+"\n")
	return h.Start("dhclient", "-4", "-d", "-v", "-cf", conf,
		"-lf", h.Dir+"/dhclient.leases", "-pf", "/run/dhclient.pid", name)
}

// Dhcpcd runs Roy Marples' client, without its five seconds of probing; more
// are lines for its configuration file.
func (h *Host) Dhcpcd(name string, more ...string) *Proc {
	h.lab.t.Helper()
	conf := h.WriteFile("dhcpcd.conf", strings.Join(append([]string{
		"noarp", "noipv4ll", "ipv4only", "option domain_name_servers", "option interface_mtu",
	}, more...), "\n")+"\n")
	return h.Start("dhcpcd", "--nobackground", "--debug", "--config", conf, name)
}
