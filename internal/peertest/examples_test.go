package peertest

import (
	"os"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// An example is a configuration from dist/examples on a host of its own, which
// has the interfaces that the example is about.
type example struct {
	*network
	host *netlab.Host
}

func newExample(t *testing.T) *example {
	t.Helper()
	n := &network{T: t, Lab: netlab.New(t)}
	return &example{n, n.Host("example")}
}

// attach puts a new host at the other end of an interface of the example's.
func (e *example) attach(name, peer string) *netlab.Host {
	e.Helper()
	h := e.Host(peer)
	e.Lab.Wire(e.host, name, h, "eth0")
	return h
}

// run checks the example with -n, fills the pool, and starts dhcpd with it.
func (e *example) run(file string, pool ...string) *netlab.Proc {
	e.Helper()
	text, err := os.ReadFile("../../dist/examples/" + file)
	if err != nil {
		e.Fatal(err)
	}
	e.host.WriteFile("dhcp.conf", string(text))
	if len(pool) > 0 {
		e.command(e.host, "-a", pool...)
	}
	if said := e.command(e.host, "-n"); said != "" {
		e.Errorf("dhcpd -n: %s", said)
	}
	return e.up(e.host)
}

// rename gives a host the Ethernet address that a client line has.
func rename(h *netlab.Host, mac string) { h.Run("ip", "link", "set", "eth0", "address", mac) }

// TestN3_ExampleHomeRouter: an address from the provider, name servers, and
// both kinds of client at home.
func TestN3_ExampleHomeRouter(t *testing.T) {
	t.Parallel()
	e := newExample(t)
	provider := e.attach("eth0", "provider")
	provider.Addr("eth0", "198.51.100.1/24")
	provider.Dnsmasq(netlab.Serve("eth0", "198.51.100.1/24"), "--dhcp-option=option:dns-server,198.51.100.53")
	home := e.Switch()
	home.Plug(e.host, "eth1")
	guest, printer := e.Host("guest"), e.Host("printer")
	home.Plug(guest, "eth0")
	home.Plug(printer, "eth0")
	rename(printer, "00:00:5e:00:53:10")

	e.run("home-router.conf", "192.168.1.100-192.168.1.199")
	guest.Udhcpc("eth0")
	printer.Dhclient("eth0")
	bound(t, guest, "192.168.1.100", "192.168.1.199")
	bound(t, printer, "192.168.1.10", "192.168.1.10")
	bound(t, e.host, "198.51.100.100", "198.51.100.109")
	e.Until("the provider's name server", func() bool {
		return strings.Contains(e.host.ReadFile("/etc/resolv.conf"), "nameserver 198.51.100.53")
	})
}

// TestN3_ExampleBranchOffice: the office's own machine is served here, a
// stranger by headquarters, and while those are silent, from the pool.
func TestN3_ExampleBranchOffice(t *testing.T) {
	t.Parallel()
	e := newExample(t)
	hq := e.attach("eth0", "hq")
	hq.Addr("eth0", "10.1.0.67/24")
	hq.Addr("eth0", "10.1.0.1/24")
	hq.Run("ip", "route", "add", "10.2.0.0/24", "via", "10.1.0.2")
	server := hq.ISC(netlab.Serve("eth0", "10.2.0.1/24"), "subnet 10.1.0.0 netmask 255.255.255.0 { }")
	office := e.Switch()
	office.Plug(e.host, "eth1")
	plotter, visitor, late := e.Host("plotter"), e.Host("visitor"), e.Host("late")
	for _, h := range []*netlab.Host{plotter, visitor, late} {
		office.Plug(h, "eth0")
	}
	rename(plotter, "00:00:5e:00:53:20")

	p := e.run("branch-office.conf", "10.2.0.240-10.2.0.254")
	visitor.Udhcpc("eth0")
	plotter.Udhcpc("eth0")
	bound(t, visitor, "10.2.0.100", "10.2.0.109")
	bound(t, plotter, "10.2.0.20", "10.2.0.20")
	server.Kill()
	late.Udhcpc("eth0")
	p.WaitLine("no server answers what is relayed; the pool serves")
	bound(t, late, "10.2.0.240", "10.2.0.254")
}

// TestN3_ExampleAccessConcentrator: two subscribers on lines of their own, each
// with a route.
func TestN3_ExampleAccessConcentrator(t *testing.T) {
	t.Parallel()
	e := newExample(t)
	servers := e.attach("eth0", "servers")
	servers.Addr("eth0", "10.9.0.67/24")
	servers.Run("ip", "route", "add", "100.64.0.0/24", "via", "10.9.0.2")
	servers.Dnsmasq(netlab.Serve("eth0", "100.64.0.1/24"), "--dhcp-option=option:router,100.64.0.1")
	one, two := e.attach("line1", "one"), e.attach("line2", "two")

	e.run("access-concentrator.conf")
	one.Udhcpc("eth0")
	two.Dhclient("eth0")
	for line, h := range map[string]*netlab.Host{"line1": one, "line2": two} {
		a := bound(t, h, "100.64.0.100", "100.64.0.109")
		e.Until("a route to "+a.String(), func() bool {
			return strings.Contains(e.host.Run("ip", "route", "get", a.String()), "dev "+line)
		})
		if shown := e.command(e.host, "-q"); !strings.Contains(shown, a.String()+" ") || !strings.Contains(shown, `circuit "`+line+`"`) {
			t.Errorf("dhcpd -q does not show %v on %s:\n%s", a, line, shown)
		}
	}
}

// TestN3_ExampleNetbootLab: what each kind of machine is told to load.
func TestN3_ExampleNetbootLab(t *testing.T) {
	t.Parallel()
	e := newExample(t)
	e.server, e.client = e.host, e.attach("eth0", "machine")
	e.wire = e.Capture(e.server, "eth0")
	e.run("netboot-lab.conf", "192.0.2.100-192.0.2.199")
	for i, m := range []struct{ class, file string }{
		{"PXEClient:Arch:00000:UNDI:002001", "pxelinux.0"},
		{"PXEClient:Arch:00007:UNDI:003016", "bootx64.efi"},
		{"PXEClient:Arch:00011:UNDI:003016", "bootaa64.efi"},
		{"HTTPClient:Arch:00016:UNDI:003001", "http://192.0.2.1/bootx64.efi"},
		{"Linux", ""},
	} {
		c := newScripted(uint16(i))
		discover := c.message(dhcp4.Discover)
		discover.Options.Put(dhcp4.ClassID, []byte(m.class))
		offer := e.offered(c, discover)
		if got := offer.FileText(); got != m.file {
			t.Errorf("%s is told to load %q, want %q", m.class, got, m.file)
		}
		if offer.Siaddr != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("%s is told to boot from %v", m.class, offer.Siaddr)
		}
		if http := string(offer.Options.Get(dhcp4.ClassID)) == "HTTPClient"; http != strings.HasPrefix(m.class, "HTTP") {
			t.Errorf("%s is given the class %q", m.class, offer.Options.Get(dhcp4.ClassID))
		}
	}
}
