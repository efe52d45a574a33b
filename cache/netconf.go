package cache

import (
	"strconv"
	"strings"
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// NetConf returns what an initramfs wants to know of a network, in the form of
// klibc's ipconfig, for /run/net-NAME.conf: shell variables, quoted as the
// cache is. Proto is how it was configured, as dhcp; up is since when the
// machine runs, and left what is left of the lease, 0 for ever.
func NetConf(e *Entry, proto string, up, left time.Duration) string {
	var b []byte
	set := func(name, value string) {
		b = append(append(b, name...), '=')
		b = append(appendQuoted(b, value), '\n')
	}
	o := &e.Options
	addr := func(name string, a netip.Addr) {
		if !a.IsValid() {
			a = netip.IPv4Unspecified()
		}
		set(name, a.String())
	}
	one := func(name string, c dhcp4.Code, other netip.Addr) {
		list, _ := o.Addrs(nil, c)
		addr(name, append(list, other)[0])
	}
	text := func(name string, c dhcp4.Code) {
		s, _ := o.Text(c)
		set(name, s)
	}
	set("DEVICE", e.Name)
	set("PROTO", proto)
	addr("IPV4ADDR", e.Addr.Addr())
	one("IPV4BROADCAST", dhcp4.BroadcastAddress, e.Addr.Broadcast())
	addr("IPV4NETMASK", e.Addr.Netmask())
	one("IPV4GATEWAY", dhcp4.Router, netip.Addr{})
	servers, _ := o.Addrs(nil, dhcp4.DNSServer)
	servers = append(servers, netip.Addr{}, netip.Addr{})
	addr("IPV4DNS0", servers[0])
	addr("IPV4DNS1", servers[1])
	text("HOSTNAME", dhcp4.HostName)
	text("DNSDOMAIN", dhcp4.DomainName)
	text("NISDOMAIN", 40)
	root := e.Siaddr
	if !root.IsValid() || root.IsUnspecified() { // who names no other means itself
		root = e.Server
	}
	addr("ROOTSERVER", root)
	text("ROOTPATH", 17)
	set("filename", e.File)
	set("UPTIME", strconv.Itoa(int(up/time.Second)))
	set("DHCPLEASETIME", strconv.Itoa(int(left/time.Second)))
	search, _ := o.Domains(nil, dhcp4.DomainSearch)
	set("DOMAINSEARCH", strings.Join(search, " "))
	return string(b)
}
