package peertest

import (
	"os"
	"strings"
	"testing"

	"dhcpd/internal/ether"
	"dhcpd/internal/netip"
	"dhcpd/internal/netlab"
	"dhcpd/pool"
)

// lease writes the pool file of a server of ours: all subscribers have a lease,
// behind a relay that says this.
func lease(t *testing.T, h *netlab.Host, agent string) {
	t.Helper()
	file, loaded, err := pool.Open(h.Dir+"/dhcp.pool", pool.NewClock(nil))
	if err != nil {
		t.Fatal(err)
	}
	b := file.NewBlock(loaded.Table)
	for i := range crowded {
		a, mac := subscriber(i)
		r := pool.Record{Addr: a, State: pool.Bound, Since: 1, Told: pool.Infinite, Kept: pool.Infinite}
		r.ID, r.HW = append([]byte{1}, mac[:]...), pool.HW{Type: 1, Len: 6}
		copy(r.HW.Addr[:], mac[:])
		r.Agent, r.Last = []byte(agent), 1
		b.Add(&r, false)
	}
	if _, err := file.Commit(b); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestR7_Q5_Bulk: a relay that finds nothing in its pool file has all leases back
// from one query, without waiting for packets.
func TestR7_Q5_Bulk(t *testing.T) {
	t.Parallel()
	for name, agent := range map[string]string{
		"relay ID":  "relay text \"north-7\"; remote text n7;",
		"remote ID": "remote text n7;",
		"all":       "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newRelaying(t)
			n.silent = true // on the clients' wire
			n.widen()
			lease(t, n.server, "\x01\x04eth1\x02\x02n7\x0c\x07north-7")
			n.serve(conf("10.0.0.1/24")+"host 10.0.4.0/22 { gateway 10.0.7.1; DHCPlease 3600; };\noption eth0 leasequery;\n",
				"10.0.4.1-10.0.6.200")
			p := n.run(plainRelay + "option eth1 agent { circuit interface; ask; " + agent + " };\n")
			p.WaitLine("bulk leasequery of 10.0.0.1: 500 leases learned")
			n.back(func() {})
			if list := n.queries(n.upper); len(list) > 0 {
				t.Errorf("asked about %v besides", list)
			}
			if kept := strings.Count(n.file(n.relay, "dhcp.pool", " relayed "), " relayed "); kept < crowded {
				t.Errorf("%d records in the pool file", kept)
			}
			// It is there now, and nobody is asked again.
			const connections = "connections for bulk leasequeries"
			n.counts(n.server, connections)
			before := countIn(n.command(n.server, "-q"), connections)
			p.Stop()
			n.up(n.relay)
			n.back(func() {})
			if now := countIn(n.command(n.server, "-q"), connections); now != before {
				t.Errorf("%d connections, and now %d: asked again", before, now)
			}
		})
	}
}

// TestR7_R5_Example: the access concentrator of dhcp.conf(5), as it is written
// there. Routes and table are lost, and are back after the start, each client on
// its own line.
func TestR7_R5_Example(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../man/dhcp.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "An access concentrator:")
	_, text, _ = strings.Cut(text, ".Bd -literal -offset indent\n")
	text, _, ok := strings.Cut(text, ".Ed\n")
	if !ok {
		t.Fatal("dhcp.conf(5) has no such example")
	}
	n := newRelaying(t)
	n.silent = true // on the wire that this relay has no use for
	n.server.Addr("eth0", "198.51.100.2/24")
	n.relay.Addr("eth0", "198.51.100.1/24")
	n.server.Run("ip", "route", "add", "203.0.113.0/24", "via", "198.51.100.1")
	n.serve("option eth0 server; option eth0 leasequery; netmask /24; DHCPlease 3600;\n"+
		"host 203.0.113.0/24 { gateway 203.0.113.1; };\n", "203.0.113.100-203.0.113.109")
	lines := map[string]*netlab.Host{"line1": n.Lab.Host("one"), "line2": n.Lab.Host("two")}
	for name, h := range lines {
		n.Wire(n.relay, name, h, "eth0")
	}
	p := n.run(text)
	home := map[string]netip.Addr{}
	for name, h := range lines {
		h.Udhcpc("eth0")
		home[name] = bound(t, h, "203.0.113.100", "203.0.113.109")
	}
	there := func() {
		t.Helper()
		for name, a := range home {
			n.Until("a route to "+a.String()+" by "+name, func() bool {
				return strings.Contains(n.relay.Run("ip", "route", "get", a.String()), "dev "+name)
			})
		}
	}
	there()
	p.Stop()
	os.Remove(n.relay.Dir + "/dhcp.pool")
	n.relay.Run("ip", "route", "flush", "proto", "dhcp")
	p = n.up(n.relay)
	p.WaitLine("bulk leasequery of 198.51.100.2: 2 leases learned")
	there()
	out := n.command(n.relay, "-q")
	for name, h := range lines {
		mac := h.MAC("eth0")
		if !strings.Contains(out, "ether "+ether.FormatMAC(mac)+"  via "+name+"  server ") {
			t.Errorf("not by %s:\n%s", name, out)
		}
	}
}
