package main

import (
	"fmt"
	"os"

	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
)

// Each contender has a server and a host of clients at the other end of a
// wire; there are clients on the server's own loopback interface as well. All
// have the same addresses: the pool is the upper half of each network.
const serverConf = `
interface eth0 10.32.0.1;
interface lo 10.64.0.1;
host 10.32.0.0/11 { gateway 10.32.0.1; DHCPlease 3600; option eth0 server; option eth0 leasequery; };
host 10.64.0.0/11 { gateway 10.64.0.1; DHCPlease 3600; option lo server; };
`

// contender is a server under load.
type contender struct {
	name    string
	proc    *netlab.Proc
	pool    string // its pool file, if it is dhcpd
	clients *netlab.Host
	wire    *crowd
	lo      *crowd // nil if there is none
}

// contend makes a contender; start starts its server.
func (b *bench) contend(name string, loopback bool, start func(h *netlab.Host) *netlab.Proc) *contender {
	if b.lab == nil {
		b.lab = netlab.New(b.t)
	}
	server, clients := b.lab.Host(name), b.lab.Host(name+"-clients")
	b.lab.Wire(server, "eth0", clients, "eth0")
	server.Addr("eth0", "10.32.0.1/11")
	server.Addr("lo", "10.64.0.1/11")
	clients.Addr("eth0", "10.32.0.2/11")
	// One neighbour for all clients: ARP is not what is measured.
	server.Run("ip", "route", "add", "10.48.0.0/12", "via", "10.32.0.2")
	clients.Run("ip", "route", "add", "local", "10.48.0.0/12", "dev", "lo")
	c := &contender{name: name, pool: server.Dir + "/dhcp.pool", clients: clients, proc: server.Ready(start(server))}
	open := func(h *netlab.Host, server, giaddr netip.Addr) (w *crowd) {
		h.Do(func() {
			var err error
			w, err = newCrowd(server, giaddr)
			b.check(err)
		})
		w.rest = b.rest
		b.t.Cleanup(w.close)
		return w
	}
	c.wire = open(clients, netip.MustParseAddr("10.32.0.1"), netip.MustParseAddr("10.32.0.2"))
	if loopback {
		c.lo = open(server, netip.MustParseAddr("10.64.0.1"), netip.Addr{})
	}
	// The socket is there before the server is.
	for _, w := range []*crowd{c.wire, c.lo} {
		if w != nil {
			_, err := w.run(cold, 0, 1, 1)
			b.check(err)
			w.fresh = 1
		}
	}
	return c
}

// daemon starts dhcpd on a host. If it has no pool yet it gets one that lasts
// for all the new clients of a run.
func (b *bench) daemon(h *netlab.Host) *netlab.Proc {
	files := []string{"-f", h.WriteFile("dhcp.conf", serverConf), "-c", h.Dir + "/dhcp.cache", "-p", h.Dir + "/dhcp.pool"}
	if _, err := os.Stat(h.Dir + "/dhcp.pool"); err != nil {
		last := member((4*b.exchanges+b.paced)*b.rounds + 100).As4() // two windows, leasequeries and a flood
		h.Run(b.dhcpd, append(append([]string{"-a"}, files...),
			fmt.Sprintf("10.48.0.0-10.%d.%d.%d", last[1], last[2], last[3]),
			fmt.Sprintf("10.80.0.0-10.%d.%d.%d", last[1]+32, last[2], last[3]))...)
	}
	return h.Start(b.dhcpd, files...)
}

// contenders are ours, the echo and the one that syncs.
func (b *bench) contenders() []*contender {
	if b.ring != nil {
		return b.ring
	}
	self, err := os.Executable()
	b.check(err)
	b.ring = []*contender{
		b.contend("ours", true, b.daemon),
		b.contend("echo", true, func(h *netlab.Host) *netlab.Proc { return h.Start(self, "echo") }),
		b.contend("sync", true, func(h *netlab.Host) *netlab.Proc { return h.Start(self, "echo", "-sync", h.Dir+"/log") }),
	}
	return b.ring
}
