package peertest

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
)

// odd is a lease with something in it that makes no sense, or too much of it,
// and what shall come of it: in the kernel, in the files, in the log. What
// begins with ! is not to be there.
type odd struct {
	name          string
	changes       []func(*dhcp4.Message)
	kernel, files []string
	log           string
}

var (
	usual  = []string{"inet 10.6.6.100/24 brd 10.6.6.255 ", "valid_lft 3", "mtu 1500 ", "default via 10.6.6.1 dev eth0 proto dhcp src 10.6.6.100"}
	router = put(dhcp4.Router, 10, 6, 6, 1)
)

// but is the usual, with other lines in place of those that say something of
// the same.
func but(lines ...string) []string {
	return append(slices.DeleteFunc(slices.Clone(usual), func(u string) bool {
		return slices.ContainsFunc(lines, func(l string) bool { return strings.Fields(u)[0] == strings.Fields(strings.TrimPrefix(l, "!"))[0] })
	}), lines...)
}

func text(c dhcp4.Code, s string) func(*dhcp4.Message) { return put(c, []byte(s)...) }

func many(n int, octets ...byte) []byte { return bytes.Repeat(octets, n) }

var oddities = []odd{
	{name: "T1 over T2", changes: []func(*dhcp4.Message){put(dhcp4.RenewalTime, 0, 0, 9, 0), put(dhcp4.RebindingTime, 0, 0, 1, 0)},
		kernel: usual, files: []string{"T1 1800 T2 3150 end 3600"}},
	{name: "T1 and T2 over the lease", changes: []func(*dhcp4.Message){put(dhcp4.RenewalTime, 0, 1, 9, 0), put(dhcp4.RebindingTime, 0, 2, 1, 0)},
		kernel: usual, files: []string{"T1 1800 T2 3150 end 3600"}},
	{name: "T1 of three octets", changes: []func(*dhcp4.Message){put(dhcp4.RenewalTime, 0, 0, 9)}, kernel: usual, files: []string{"T1 1800 T2 3150 end 3600"}},
	{name: "netmask with a hole", changes: []func(*dhcp4.Message){put(dhcp4.Netmask, 255, 0, 255, 0)},
		kernel: but("inet 10.6.6.100/8 brd 10.255.255.255 "), log: "The netmask of 10.6.6.100 from 10.6.6.6 makes no sense; taking 10.6.6.100/8"},
	{name: "netmask zero", changes: []func(*dhcp4.Message){put(dhcp4.Netmask, 0, 0, 0, 0)},
		kernel: but("inet 10.6.6.100/8 brd 10.255.255.255 "), log: "The netmask of 10.6.6.100 from 10.6.6.6 makes no sense; taking 10.6.6.100/8"},
	{name: "gateway its own address", changes: []func(*dhcp4.Message){put(dhcp4.Router, 10, 6, 6, 100)}, kernel: but("!default via")},
	{name: "gateways that are no hosts", changes: []func(*dhcp4.Message){put(dhcp4.Router, 0, 0, 0, 0, 224, 0, 0, 1, 255, 255, 255, 255, 127, 0, 0, 1, 10, 6, 6, 1)}, kernel: usual},
	{name: "gateway of five octets", changes: []func(*dhcp4.Message){put(dhcp4.Router, 10, 6, 6, 1, 10)}, kernel: but("!default via")},
	{name: "gateway outside", changes: []func(*dhcp4.Message){put(dhcp4.Router, 192, 0, 2, 1)},
		kernel: but("default via 192.0.2.1 dev eth0 proto dhcp src 10.6.6.100", "192.0.2.1 dev eth0 proto dhcp scope link src 10.6.6.100")},
	{name: "64 gateways", changes: []func(*dhcp4.Message){put(dhcp4.Router, many(64, 10, 6, 6, 1)...)}, kernel: usual},
	{name: "two default routes", changes: []func(*dhcp4.Message){put(dhcp4.ClasslessRoute, 0, 10, 6, 6, 2, 0, 10, 6, 6, 3)},
		kernel: but("default via 10.6.6.2 dev eth0 proto dhcp src 10.6.6.100", "!via 10.6.6.3")},
	{name: "a route of 33 bits", changes: []func(*dhcp4.Message){put(dhcp4.ClasslessRoute, 33, 10, 9, 9, 9, 9, 10, 6, 6, 2)}, kernel: but("!via 10.6.6.2", usual[3])},
	{name: "a route cut short", changes: []func(*dhcp4.Message){put(dhcp4.ClasslessRoute, 24, 10, 9, 9, 10, 6, 6)}, kernel: usual},
	{name: "routes to nowhere", changes: []func(*dhcp4.Message){put(dhcp4.ClasslessRoute, 8, 127, 10, 6, 6, 2, 24, 10, 9, 9, 224, 0, 0, 1)},
		kernel: but("!via 10.6.6.2", "!10.9.9", "!default via")},
	{name: "static routes to nowhere", changes: []func(*dhcp4.Message){put(dhcp4.StaticRoute, 0, 0, 0, 0, 10, 6, 6, 2, 127, 0, 0, 1, 10, 6, 6, 2, 224, 0, 0, 1, 10, 6, 6, 2)},
		kernel: but("!via 10.6.6.2", usual[3])},
	{name: "the route to ourselves", changes: []func(*dhcp4.Message){put(dhcp4.ClasslessRoute, 32, 10, 6, 6, 100, 10, 6, 6, 2)}, kernel: but("!default via")},
	{name: "MTU 67", changes: []func(*dhcp4.Message){put(dhcp4.InterfaceMTU, 0, 67)}, kernel: usual},
	{name: "MTU 575", changes: []func(*dhcp4.Message){put(dhcp4.InterfaceMTU, 2, 0x3f)}, kernel: usual},
	{name: "MTU of one octet", changes: []func(*dhcp4.Message){put(dhcp4.InterfaceMTU, 200)}, kernel: usual},
	{name: "MTU 0", changes: []func(*dhcp4.Message){put(dhcp4.InterfaceMTU, 0, 0)}, kernel: usual},
	{name: "broadcast address elsewhere", changes: []func(*dhcp4.Message){put(dhcp4.BroadcastAddress, 192, 0, 2, 255)}, kernel: usual},
	{name: "broadcast address its own", changes: []func(*dhcp4.Message){put(dhcp4.BroadcastAddress, 10, 6, 6, 100)}, kernel: usual},
	{name: "names for a shell", changes: []func(*dhcp4.Message){text(dhcp4.HostName, "a;touch /tmp/pwned"), text(dhcp4.DomainName, "$(touch /tmp/pwned)\nnameserver 6.6.6.6")},
		kernel: usual, files: []string{"hostname localhost", "!\nnameserver 6.6.6.6", "!touch", "bound script: bad, bad\n"}},
	{name: "names with what DNS lacks", changes: []func(*dhcp4.Message){text(dhcp4.HostName, "-ada-"), text(dhcp4.DomainName, "a..b")},
		kernel: usual, files: []string{"hostname localhost", "!search", "bound script: bad, bad\n"}},
	{name: "a name of 255 octets", changes: []func(*dhcp4.Message){text(dhcp4.HostName, strings.Repeat("a", 255)), text(dhcp4.DomainName, strings.Repeat("b.", 127)+"b")},
		kernel: usual, files: []string{"hostname localhost"}},
	{name: "a search list that points to itself", changes: []func(*dhcp4.Message){put(dhcp4.DomainSearch, 1, 'a', 0xc0, 0)}, kernel: usual, files: []string{"!search"}},
	{name: "a search list that points past its end", changes: []func(*dhcp4.Message){put(dhcp4.DomainSearch, 1, 'a', 0xc0, 200)}, kernel: usual, files: []string{"!search"}},
	{name: "name servers that are no hosts", changes: []func(*dhcp4.Message){put(dhcp4.DNSServer, 0, 0, 0, 0, 255, 255, 255, 255, 224, 0, 0, 1, 10, 6, 6, 9)},
		kernel: usual, files: []string{"nameserver 10.6.6.9\n", "!nameserver 0.0.0.0", "!nameserver 255", "!nameserver 224"}},
	{name: "300 name servers", changes: []func(*dhcp4.Message){put(dhcp4.DNSServer, many(300, 10, 6, 6, 9)...)}, kernel: usual, files: []string{"nameserver 10.6.6.9\n"}},
	{name: "everything empty", changes: []func(*dhcp4.Message){func(m *dhcp4.Message) {
		for c := dhcp4.Code(2); c < 255; c++ {
			if !m.Options.Has(c) && c != dhcp4.ClientID && c != dhcp4.Overload {
				m.Options.Put(c, nil)
			}
		}
	}}, kernel: but("!default via")},
	{name: "everything of one octet", changes: []func(*dhcp4.Message){func(m *dhcp4.Message) {
		for c := dhcp4.Code(2); c < 255; c++ {
			if !m.Options.Has(c) && c != dhcp4.ClientID && c != dhcp4.Overload {
				m.Options.Put(c, []byte{255})
			}
		}
	}}, kernel: but("!default via")},
}

// TestC11_C12_OddLeases: of a lease with odd things in it what makes sense is
// taken, and nothing else.
func TestC11_C12_OddLeases(t *testing.T) {
	t.Parallel()
	for i := range oddities {
		o := &oddities[i]
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			o.try(t)
		})
	}
}

func (o *odd) try(t *testing.T) {
	n := newNetwork(t, ourClient)
	n.allow = []string{"."} // what the liar sends is none of our business
	n.client.Run("hostname", "localhost")
	script := n.client.WriteFile("script", "#!/bin/sh\necho \"$1 script: $hostname, $domain\" >>"+n.client.Dir+"/calls\n")
	n.client.Run("chmod", "755", script)
	option(n, `resolvconf "/etc/resolv.conf"`, "nodiscovery", `notify "`+script+`"`)
	l := newLiar(n)
	changes := o.changes
	if !strings.Contains(o.name, "everything") {
		changes = append([]func(*dhcp4.Message){router}, changes...)
	}
	p := n.start(n.client)
	request := l.offer(n.await(dhcp4.Discover), changes...)
	l.insist(request, l.reply(request, dhcp4.ACK, changes...), func() { bound(t, n.client, "10.6.6.100", "10.6.6.100") })
	cache := n.file(n.client, "dhcp.cache", "10.6.6.100")
	if o.log != "" {
		p.WaitLine(regexp.QuoteMeta(o.log))
	}
	l.heard(p, request) // so that the turn is over
	o.compare(t, o.kernel, n.client.Run("ip", "addr", "show", "dev", "eth0")+n.client.Run("ip", "route", "show", "table", "all"))
	calls := told(n, "bound script: ")
	p.Stop()
	resolv, _ := os.ReadFile(n.client.Path("/etc/resolv.conf"))
	o.compare(t, o.files, "hostname "+n.client.Run("hostname")+times(t, cache)+string(resolv)+calls)
	if _, err := os.Stat("/tmp/pwned"); err == nil {
		t.Error("a command from the wire was run")
	}
}

// times tells when T1, T2 and the end of the lease in a cache are, in seconds
// after its start.
func times(t *testing.T, cache string) string {
	t.Helper()
	at := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^eth0 (start|renew|rebind|end) '(\d+)'`).FindAllStringSubmatch(cache, -1) {
		at[m[1]], _ = strconv.Atoi(m[2])
	}
	s := strconv.Itoa
	return "T1 " + s(at["renew"]-at["start"]) + " T2 " + s(at["rebind"]-at["start"]) + " end " + s(at["end"]-at["start"]) + "\n"
}

func (o *odd) compare(t *testing.T, want []string, got string) {
	t.Helper()
	for _, w := range want {
		w, not := strings.CutPrefix(w, "!")
		if strings.Contains(got, w) == not {
			t.Errorf("%q there: %v\n%s", w, not, got)
		}
	}
}
