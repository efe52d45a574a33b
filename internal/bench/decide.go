package main

import (
	"fmt"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/server"
)

// desk is a server with all around it.
type desk struct {
	core  server.Server
	cfg   *conf.Config
	site  server.Site
	table *pool.Table
	now   time.Time
	n     int // leases
}

// member is the n-th address of the pool.
func member(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 48 + byte(n>>16), byte(n >> 8), byte(n)})
}

// lease is the record of the n-th client, which has the n-th address.
func lease(n int, now, end pool.Time) *pool.Record {
	mac := macOf(n)
	r := &pool.Record{Addr: member(n), State: pool.Bound, Since: now, Told: end, Kept: end + 3600}
	r.ID = append([]byte{1}, mac[:]...)
	r.HW = pool.HWOf(dhcp4.HtypeEther, mac[:])
	r.Last = now
	return r
}

// desk makes one with n leases, and some free addresses.
func (b *bench) desk(n int) *desk {
	cfg, err := conf.Parse("dhcp.conf", serverConf, conf.Env{Interfaces: []conf.Ifname{
		{Name: "lo", Index: 1}, {Name: "eth0", Index: 2, Ether: true}}})
	b.check(err)
	d := &desk{cfg: cfg, table: pool.NewTable(), now: time.Unix(1_800_000_000, 0), n: n}
	d.site = server.Site{If: "eth0", Index: 2, MTU: 1500, Addrs: []netip.Prefix{netip.MustParsePrefix("10.32.0.1/11")}}
	d.site.To, d.site.From = d.site.Addrs[0].Addr(), netip.IPv4Unspecified()
	d.site.Ours = func(a netip.Addr) bool { return a == d.site.To }
	d.site.Settings.Server, d.site.Settings.LeaseQuery = true, new(conf.LeaseQuery)
	for i := range n + n/10 + 1 {
		d.table.Add(member(i))
	}
	for i := range n {
		r := lease(i, pool.Time(d.now.Unix()), pool.Time(d.now.Unix()+3600))
		r.Host = "host" // as it has said before
		d.table.Apply(r)
	}
	d.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		on, known := cfg.Network(a)
		_, ok := cfg.Lendable(a)
		return on, known && ok
	})
	return d
}

// asked decides about m from clients all over the table, and tells whether
// all got an answer. Nothing is applied, so the table stays as it is.
func (b *bench) asked(d *desk, m *dhcp4.Message, each func(m *dhcp4.Message, i int)) work {
	at := 0
	return func(n int) {
		for range n {
			at = (at + 7919) % d.n
			each(m, at)
			actions := d.core.Decide(d.now, d.cfg, &d.site, d.table, m)
			if a := &actions[len(actions)-1]; a.Verb != act.Send || a.Msg.Type() == dhcp4.NAK || a.Msg.Type() == dhcp4.LeaseUnknown {
				b.t.Fatalf("bench: no answer for client %d: %s", at, a.Text)
			}
		}
	}
}

// decide measures the server's decisions.
func (b *bench) decide() {
	b.section(fmt.Sprintf("decide, at %s leases", number(float64(b.leases))), "the same at "+number(float64(b.few)))
	large, small := b.desk(b.leases), b.desk(b.few)
	server := large.site.To
	known := func(m *dhcp4.Message, i int) { become(m, i) }
	for _, ask := range []struct {
		name string
		typ  dhcp4.Type
		each func(m *dhcp4.Message, i int)
	}{
		{"DISCOVER, new client", dhcp4.Discover, func(m *dhcp4.Message, i int) { become(m, 1<<23+i) }},
		{"DISCOVER, known client", dhcp4.Discover, known},
		{"REQUEST, selecting", dhcp4.Request, func(m *dhcp4.Message, i int) {
			become(m, i)
			m.Options.PutAddr(dhcp4.ServerID, server)
			m.Options.PutAddr(dhcp4.RequestedAddress, member(i))
		}},
		{"REQUEST, renewing", dhcp4.Request, func(m *dhcp4.Message, i int) {
			become(m, i)
			m.Ciaddr = member(i)
		}},
		{"LEASEQUERY by address", dhcp4.LeaseQuery, func(m *dhcp4.Message, i int) {
			m.Giaddr, m.Ciaddr, m.Hlen, m.Chaddr = server, member(i), 0, [16]byte{}
			m.Options.Del(dhcp4.ClientID)
		}},
		{"LEASEQUERY by MAC", dhcp4.LeaseQuery, func(m *dhcp4.Message, i int) {
			become(m, i)
			m.Giaddr = server
			m.Options.Del(dhcp4.ClientID)
		}},
	} {
		b.compareRow(ask.name,
			b.asked(large, asking(from(dhcp4.BootRequest, ask.typ, 0)), ask.each),
			b.asked(small, asking(from(dhcp4.BootRequest, ask.typ, 0)), ask.each))
	}
}
