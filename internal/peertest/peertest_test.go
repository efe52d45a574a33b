// Package peertest runs dhcpd against the DHCP programs that people use, on
// networks of netlab. Every test captures what dhcpd sends and has tshark
// read it.
package peertest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// dhcpd is the binary under test, and how it is built: with the race detector
// if the test is, or has the tag raced.
var (
	dhcpd      string
	buildFlags []string
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8") // these tests wait more than they work
	os.Exit(netlab.RunWith(&dhcpd, m, buildFlags...))
}

// A network is a switch with a server and a client, both on eth0; one of them
// is ours, and watched.
type network struct {
	*testing.T
	*netlab.Lab
	sw             *netlab.Switch
	server, client *netlab.Host
	wire           *netlab.Capture
	allow          []string // expert warnings that belong to the test
	silent         bool     // ours is to send nothing at all
	ran            []*netlab.Proc
	ports          map[*netlab.Host]*netlab.Port
}

const (
	ourClient = "client"
	ourServer = "server"
)

// newNetwork makes a network where ours is our client or our server.
func newNetwork(t *testing.T, ours string) *network {
	t.Helper()
	n := &network{T: t, Lab: netlab.New(t)}
	n.sw = n.Switch()
	n.server, n.client = n.guest(ourServer), n.guest(ourClient)
	watched := n.server
	if ours == ourClient {
		watched = n.client
		n.server.Addr("eth0", "10.0.0.1/24")
	}
	n.wire = n.Capture(watched, "eth0")
	t.Cleanup(func() { n.inspect(watched.MAC("eth0")) })
	return n
}

// inspect looks at what ours has sent, and whether it was well all the time.
func (n *network) inspect(mac ether.MAC) {
	n.Helper()
	for _, p := range n.ran {
		for _, ill := range []string{"DATA RACE", "panic:", "fatal error:"} {
			if strings.Contains(p.Output(), ill) {
				n.Errorf("%s\n%s", ill, p.Output())
			}
		}
	}
	if !n.Failed() && !n.silent && len(buildFlags) == 0 { // with the race detector it sends the same
		n.wire.Check([][6]byte{mac}, n.allow...)
	}
}

// guest adds a host to the network.
func (n *network) guest(name string) *netlab.Host {
	n.Helper()
	h := n.Lab.Host(name)
	if n.ports == nil {
		n.ports = map[*netlab.Host]*netlab.Port{}
	}
	n.ports[h] = n.sw.Plug(h, "eth0")
	return h
}

// files are the flags that name dhcpd's files on a host.
func files(h *netlab.Host) []string {
	return []string{"-f", h.Dir + "/dhcp.conf", "-c", h.Dir + "/dhcp.cache", "-p", h.Dir + "/dhcp.pool"}
}

// start starts our daemon on a host, with the files of the host's Dir.
func (n *network) start(h *netlab.Host, more ...string) *netlab.Proc {
	n.Helper()
	p := h.Start(dhcpd, append(append([]string{"-d2"}, files(h)...), more...)...)
	n.ran = append(n.ran, p)
	return p
}

// up is start, and waits until all networks are served: a socket is there
// sooner, but lets nothing in yet.
func (n *network) up(h *netlab.Host, more ...string) *netlab.Proc {
	n.Helper()
	p := h.Ready(n.start(h, more...))
	n.Until("the line that dhcpd writes when it has begun", func() bool {
		return strings.Contains(p.Output(), "Memory use: ")
	})
	return p
}

// command runs dhcpd with a verb on a host, with the files of its Dir.
func (n *network) command(h *netlab.Host, verb string, hosts ...string) string {
	n.Helper()
	return h.Run(dhcpd, append(append([]string{verb}, files(h)...), hosts...)...)
}

// file waits until one of dhcpd's files on a host holds some text, and returns
// the whole of it.
func (n *network) file(h *netlab.Host, name, text string) string {
	n.Helper()
	var all []byte
	n.Until(text+" in "+name, func() bool {
		all, _ = os.ReadFile(filepath.Join(h.Dir, name))
		return strings.Contains(string(all), text)
	})
	return string(all)
}

// conf is the configuration of our server, with its whole network's options
// and elements of the test's own in front.
func conf(network string, inside ...string) string {
	return fmt.Sprintf(`interface eth0 %s;
host %s {
	gateway %[1]s;
	DNSserver %[1]s;
	option eth0 server;
	%[3]s
};
`, netip.MustParsePrefix(network).Addr(), netip.MustParsePrefix(network).Masked(), strings.Join(inside, "\n\t"))
}

// serve starts our server with a configuration and a pool, and waits until it
// has its socket and then the address that it is given there.
func (n *network) serve(config string, pool ...string) *netlab.Proc {
	n.Helper()
	n.server.WriteFile("dhcp.conf", config)
	if len(pool) > 0 {
		n.command(n.server, "-a", pool...)
	}
	p := n.up(n.server)
	n.addressed(config)
	return p
}

// addressed waits until the server has the address that a configuration gives
// to its eth0, if there is one.
func (n *network) addressed(config string) {
	n.Helper()
	_, rest, ok := strings.Cut(config, "interface eth0 ")
	a, _, _ := strings.Cut(rest, ";")
	n.server.Until("our server's address", func() bool {
		return !ok || slices.ContainsFunc(n.server.Addrs("eth0"), func(p netip.Prefix) bool { return p.Addr().String() == a })
	})
}

// bound waits until a host's eth0 has one address, of the range, and returns
// it.
func bound(t *testing.T, h *netlab.Host, low, high string) netip.Addr {
	t.Helper()
	var a netip.Addr
	h.Until("an address from "+low+" to "+high, func() bool {
		list := h.Addrs("eth0")
		if len(list) != 1 {
			return false
		}
		a = list[0].Addr()
		return !a.Less(netip.MustParseAddr(low)) && !netip.MustParseAddr(high).Less(a)
	})
	return a
}

// addressless waits until a host's eth0 has no address.
func addressless(t *testing.T, h *netlab.Host) {
	t.Helper()
	h.Until("no address", func() bool { return len(h.Addrs("eth0")) == 0 })
}

// A packet is a DHCP message as it was on the wire.
type packet struct {
	ether.Datagram
	dhcp4.Message
}

// decode takes a frame apart. A frame of another kind, or a broken one, is
// not ok.
func decode(frame []byte) (*packet, bool) {
	d, err := ether.ParseUDPFrame(frame)
	if err != nil || d.Dst.Port() != dhcp4.ServerPort && d.Dst.Port() != dhcp4.ClientPort {
		return nil, false
	}
	p := &packet{Datagram: d}
	return p, p.Parse(d.Payload) == nil
}

// await waits for the next message of a type on the wire that also is as
// wanted, and returns it.
func (n *network) await(typ dhcp4.Type, as ...func(*packet) bool) (found *packet) {
	n.Helper()
	n.wire.Await(typ.String(), func(frame []byte) bool {
		p, ok := decode(frame)
		if !ok || p.Type() != typ {
			return false
		}
		for _, f := range as {
			if !f(p) {
				return false
			}
		}
		found = p
		return true
	})
	return found
}

// last returns the latest message of a type.
func (n *network) last(typ dhcp4.Type) (found *packet) {
	n.Helper()
	for _, frame := range n.wire.Frames() {
		if p, ok := decode(frame); ok && p.Type() == typ {
			found = p
		}
	}
	if found == nil {
		n.Fatalf("no %v among %d frames", typ, len(n.wire.Frames()))
	}
	return found
}

// What await may want of a message.

func from(h *netlab.Host) func(*packet) bool {
	mac := h.MAC("eth0")
	return func(p *packet) bool { return p.SrcMAC == mac }
}

// renewing is a REQUEST of a client that has the address.
func renewing(a netip.Addr) func(*packet) bool {
	return func(p *packet) bool { return p.Ciaddr == a && !p.Options.Has(dhcp4.ServerID) }
}

// answering matches the answers to a message: not a late one to an earlier.
func answering(m *packet) func(*packet) bool {
	return func(p *packet) bool { return p.Op == dhcp4.BootReply && p.Xid == m.Xid }
}

func addr(t *testing.T, p *packet, c dhcp4.Code) netip.Addr {
	t.Helper()
	a, err := p.Options.Addr(c)
	if err != nil {
		t.Fatalf("%v: option %d: %v", p.Type(), c, err)
	}
	return a
}
