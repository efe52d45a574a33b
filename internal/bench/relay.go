package main

import (
	"fmt"
	"os"
	"strings"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// The clients of a relay broadcast; its server is the echo, on a wire of its
// own. All relays have the same addresses.
var (
	relayDown = netip.MustParseAddr("10.32.0.1")
	relayUp   = netip.MustParseAddr("172.16.0.1")
	echoAt    = netip.MustParseAddr("172.16.0.2")
)

// relayed makes a relay with its clients and its server, and with more networks,
// which come first; start starts it.
func (b *bench) relayed(name string, more int, start func(h *netlab.Host) *netlab.Proc) *contender {
	if b.lab == nil {
		b.lab = netlab.New(b.t)
	}
	relay, clients, server := b.lab.Host(name), b.lab.Host(name+"-clients"), b.lab.Host(name+"-server")
	relay.Run("ip", "-batch", relay.WriteFile("wires", wires(more)))
	b.lab.Wire(relay, "eth0", clients, "eth0")
	b.lab.Wire(relay, "eth1", server, "eth0")
	relay.Addr("eth0", relayDown.String()+"/11")
	relay.Addr("eth1", relayUp.String()+"/24")
	server.Addr("eth0", echoAt.String()+"/24")
	server.Run("ip", "route", "add", "10.32.0.0/11", "via", relayUp.String())
	self, err := os.Executable()
	b.check(err)
	server.Ready(server.Start(self, "echo"))
	c := &contender{name: name, clients: clients, proc: relay.Ready(start(relay))}
	clients.Do(func() {
		c.wire, err = newCrowd(echoAt, netip.Addr{})
		b.check(err)
	})
	c.wire.server = netip.AddrPortFrom(dhcp4.Everyone, dhcp4.ServerPort)
	c.wire.index = clients.Iface("eth0").Index
	b.t.Cleanup(c.wire.close)
	_, err = c.wire.run(cold, 0, 1, 1) // the socket is there before it relays
	b.check(err)
	c.wire.fresh = 1
	return c
}

// wires makes further networks. Between any two there is an interface that
// the relay has nothing to do with: the other end of the first one's wire.
func wires(n int) string {
	b := new(strings.Builder)
	for i := range n {
		fmt.Fprintf(b, "link add net%d up type veth peer name idle%[1]d\nlink set idle%[1]d up\n", i)
		fmt.Fprintf(b, "addr add 10.%d.%d.1/24 dev net%d\n", 64+i>>8, i&255, i)
	}
	return b.String()
}

// relaying starts dhcpd as a relay of its clients' network and so many more.
func (b *bench) relaying(more int) func(h *netlab.Host) *netlab.Proc {
	return func(h *netlab.Host) *netlab.Proc {
		text, name := new(strings.Builder), "eth0"
		for i := range more + 1 {
			fmt.Fprintf(text, "option %q relay %v;\noption %[1]q agent { circuit interface; remote mac; };\n", name, echoAt)
			name = fmt.Sprintf("net%d", i)
		}
		return h.Start(b.dhcpd, "-i", "eth*", "-i", "net*", "-f", h.WriteFile("dhcp.conf", text.String()),
			"-c", h.Dir+"/dhcp.cache", "-p", h.Dir+"/dhcp.pool")
	}
}

// relays measures the relay: of many networks, against one that knows nothing,
// and against itself with a single network.
func (b *bench) relays() {
	self, err := os.Executable()
	b.check(err)
	ring := []*contender{
		b.relayed("many", b.networks-1, b.relaying(b.networks-1)),
		b.relayed("one", 0, b.relaying(0)),
		b.relayed("passer", 0, func(h *netlab.Host) *netlab.Proc {
			return h.Start(self, "pass", "eth0", relayDown.String(), echoAt.String())
		}),
	}
	b.section(fmt.Sprintf("relay over veth, option 82, %s networks, 64 in flight", number(float64(b.networks))),
		"one that knows nothing")
	for _, k := range []kind{cold, warm} {
		sums := b.turns(ring, k, b.exchanges, 64, func(c *contender) *crowd { return c.wire })
		many, one, pass := &sums[0], &sums[1], &sums[2]
		b.row(fmt.Sprintf("%v: exchanges/s", k), median(many.rates), median(pass.rates), none)
		b.row("  against the same with one network", median(many.rates), median(one.rates), none)
		b.row("  CPU µs an exchange: user", many.user*1e6/many.exchanges, pass.user*1e6/pass.exchanges, none)
		b.row("  CPU µs an exchange: system", many.sys*1e6/many.exchanges, pass.sys*1e6/pass.exchanges, none)
		if again := many.again + one.again + pass.again; again > 0 {
			b.note("messages sent again after %v: %d", lost, again)
		}
	}
	for _, c := range ring {
		c.proc.Kill()
	}
}
