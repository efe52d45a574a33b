// Package bootargs reads what the kernel's command line says of networks: ip=
// as in the kernel's Documentation/admin-guide/nfs/nfsroot.rst, also in the
// forms that initramfs tools have added, and BOOTIF= of PXELINUX.
package bootargs

import (
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Args is what a command line says.
type Args struct {
	Devices []string // the interfaces to configure; none for any
	MAC     [6]byte  // the Ethernet address of the only one; zero for any
	Off     bool     // none is to be configured
	Conf    string   // lines of dhcp.conf(5): fixed addresses, host names
	Bad     []string // arguments that make no sense, each with the reason
}

// Parse reads a command line. What it doesn't understand it leaves out.
func Parse(line string) *Args {
	a := new(Args)
	var ips []string
	for _, word := range ascii.Fields(line) {
		if word == "--" {
			break // the rest is for init
		}
		if v, ok := strings.CutPrefix(word, "ip="); ok {
			ips = append(ips, v)
		}
		if v, ok := strings.CutPrefix(word, "BOOTIF="); ok {
			a.bootif(word, v)
		}
	}
	for _, v := range ips { // after BOOTIF, which says where an address without a device goes
		a.ip(v)
	}
	if len(a.Devices) > 0 {
		a.MAC = [6]byte{} // they were named one by one
	}
	return a
}

// bootif reads 01-aa-bb-cc-dd-ee-ff, where 01 is Ethernet and may be missing.
func (a *Args) bootif(word, v string) {
	v = strings.ReplaceAll(v, "-", ":")
	if len(v) == 20 && v[:3] == "01:" {
		v = v[3:]
	}
	octets := strings.Split(v, ":")
	if len(octets) != 6 {
		a.bad(word, "not an Ethernet address")
		return
	}
	var mac [6]byte
	for i, s := range octets {
		n, ok := ascii.Uint(s, 16, 8)
		if !ok {
			a.bad(word, "not an Ethernet address")
			return
		}
		mac[i] = byte(n)
	}
	a.MAC = mac
}

// The fields of ip=, which colons part.
const (
	client = iota
	server
	gateway
	mask
	host
	device
	auto
	dns0
	dns1
	ntp
	fields
)

// ip reads the value of one ip=.
func (a *Args) ip(v string) {
	var f [fields]string
	switch words := strings.Split(v, ":"); {
	case strings.Contains(v, "["): // IPv6
		return
	case len(words) == 1 && isAuto(v):
		f[auto] = v
	case len(words) > 1 && isAuto(words[1]): // eth0:dhcp; behind it an MTU and an Ethernet address: not ours to set
		f[device], f[auto] = words[0], words[1]
	default:
		copy(f[:], words)
		if _, ok := ascii.Uint(f[dns0], 10, 32); ok { // an MTU and an Ethernet address: not ours to set
			f[dns0], f[dns1], f[ntp] = "", "", ""
		}
	}
	switch f[auto] {
	case "", "dhcp", "on", "any", "all", "both", "bootp", "single-dhcp", "off", "none", "static":
	case "dhcp6", "auto6", "either6", "link6", "link-local", "ibft": // somebody else does it: IPv6, or the firmware
		return
	default:
		a.bad("ip="+v, "'"+f[auto]+"' is no way to configure a network that there is here")
		return
	}
	if f[device] != "" && !isDevice(f[device]) || f[host] != "" && !dhcp4.IsHostName(f[host]) {
		a.bad("ip="+v, "no interface or host can have that name")
		return
	}
	if f[client] == "0.0.0.0" {
		f[client] = ""
	}
	never := f[auto] == "off" || f[auto] == "none" || f[auto] == "static"
	if f[client] == "" && never {
		a.Off = true // no way and no address
		return
	}
	static := f[client] != "" && (never || f[auto] == "")
	if static && !a.fixed(&f) {
		a.bad("ip="+v, "not an IPv4 address, or not a netmask")
		return
	}
	if f[device] != "" {
		a.Devices = append(a.Devices, f[device])
	}
	if f[host] != "" && !static {
		a.Conf += "option " + quoted(f[device]) + "hostname '" + f[host] + "';\n"
	}
}

// isAuto tells whether a word says how to configure a network.
func isAuto(s string) bool { return s != "" && s[0] >= 'a' && s[0] <= 'z' }

// isDevice tells whether an interface can be called that.
func isDevice(s string) bool { return len(s) < 16 && !strings.ContainsAny(s, "/'\"\\*?[") }

func quoted(name string) string {
	if name == "" {
		return ""
	}
	return "'" + name + "' "
}

// fixed makes an interface element of an address. It is false if an address
// is none.
func (a *Args) fixed(f *[fields]string) bool {
	addr, ok := netip.ParseAddr(f[client])
	if !ok {
		return false
	}
	bits, ok := netmask(f[mask], addr)
	if !ok {
		return false
	}
	body := "netmask /" + strconv.Itoa(bits) + ";"
	for _, t := range []struct {
		tag    string
		values []string
	}{
		{"siaddr", f[server : server+1]}, {"gateway", f[gateway : gateway+1]},
		{"DNSserver", f[dns0 : dns1+1]}, {"NTPserver", f[ntp : ntp+1]},
	} {
		list := ""
		for _, v := range t.values {
			if x, ok := netip.ParseAddr(v); v != "" && !ok {
				return false
			} else if v != "" && !x.IsUnspecified() {
				list += " " + v
			}
		}
		if list != "" {
			body += " " + t.tag + list + ";"
		}
	}
	if f[host] != "" {
		body += " hostname '" + f[host] + "';"
	}
	a.Conf += a.where(f[device]) + addr.String() + " { " + body + " };\n"
	return true
}

// where begins the element of a fixed address: for an interface, for that of
// BOOTIF, or for the first.
func (a *Args) where(device string) string {
	switch {
	case device != "":
		return "interface " + quoted(device)
	case a.MAC != [6]byte{}:
		s := "client "
		for i, c := range a.MAC {
			if i > 0 {
				s += ":"
			}
			s += strconv.FormatUint(uint64(c), 16)
		}
		return s + " "
	}
	return "interface ip0 "
}

// netmask reads a netmask or its length; for "" it is that of the address's
// class, as the kernel has it.
func netmask(s string, addr netip.Addr) (bits int, ok bool) {
	if s == "" {
		return addr.ClassBits(), true
	}
	if n, ok := ascii.Uint(s, 10, 8); ok {
		return int(n), n > 0 && n <= 32
	}
	m, isAddr := netip.ParseAddr(s)
	bits, ok = netip.MaskBits(m.Number())
	return bits, isAddr && ok && bits > 0
}

//go:noinline
func (a *Args) bad(word, why string) { a.Bad = append(a.Bad, word+": "+why) }
