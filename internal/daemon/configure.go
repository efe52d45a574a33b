package daemon

import (
	"bytes"
	"math"
	"net/netip"
	"slices"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
)

// routeMetric is that of the default routes that we set, plus the interface's
// index: above what people set by hand, and each network has its own.
const routeMetric = 1024

// configure puts a lease onto a network's interface, in place of old if that
// isn't nil. What the kernel refuses is said, and the rest still done.
func (d *Daemon) configure(n *network, l, old *act.Lease) {
	on := n.link.ID
	if old != nil && old.Net != l.Net {
		// First: Linux drops secondary addresses with their primary (C3).
		d.dropAddress(n, old.Net)
	}
	left := d.lifetime(n, l)
	a := link.Address{Prefix: l.Net, Broadcast: broadcast(l), Valid: left, Preferred: left}
	if err := d.host.SetAddress(on, a); err != nil {
		d.check(err)
	} else {
		d.gained(n, a)
	}
	if l.MTU > 0 && l.MTU != n.link.MTU {
		d.check(d.host.SetMTU(on, l.MTU))
	}
	if old != nil && len(old.Gateway) > 0 && (len(l.Gateway) == 0 || old.Gateway[0] != l.Gateway[0]) {
		d.check(d.host.DeleteRoute(on, defaultRoute(n, old)))
	}
	if len(l.Gateway) > 0 {
		d.check(d.host.ReplaceRoute(on, defaultRoute(n, l)))
	}
	if n.addr != l.Net {
		d.say.debug(1, n.name()+": address "+l.Net.String())
		n.addr = l.Net
		d.resettle = true // the config file may know more, now that there is an address
	}
}

// gained notes an address before the kernel's news of it comes: requests may
// be there sooner.
func (d *Daemon) gained(n *network, a link.Address) {
	if d.addrs[a.Prefix.Addr()] {
		return
	}
	d.addrs[a.Prefix.Addr()] = true
	n.link.Addrs = append(n.link.Addrs, a)
	n.refreshSite(d)
	d.service.regroup()
}

// dropAddress removes an address, and does not wait for the kernel's news of it.
func (d *Daemon) dropAddress(n *network, p netip.Prefix) {
	if err := d.host.DeleteAddress(n.link.ID, p); err != nil {
		d.check(err)
		return
	}
	delete(d.addrs, p.Addr())
	n.link.Addrs = slices.DeleteFunc(n.link.Addrs, func(a link.Address) bool { return a.Prefix == p })
	n.refreshSite(d)
	d.service.regroup()
}

// unconfigure takes a lease off the interface; its routes go with it.
func (d *Daemon) unconfigure(n *network, l *act.Lease) {
	if len(l.Gateway) > 0 {
		d.check(d.host.DeleteRoute(n.link.ID, defaultRoute(n, l)))
	}
	d.dropAddress(n, l.Net)
	d.say.debug(1, n.name()+": address "+l.Net.String()+" removed")
	n.addr = netip.Prefix{}
	d.resettle = true
}

// lifetime returns how long the kernel shall keep the address without us, in
// seconds: the lease, so that a killed daemon leaves no address behind (C11).
func (d *Daemon) lifetime(n *network, l *act.Lease) uint32 {
	if l.Infinite() || n.plan.Possessive {
		return link.Forever
	}
	left := (l.End.Sub(d.now) + time.Second - 1) / time.Second
	return uint32(min(max(left, 1), time.Duration(link.Forever)-1))
}

// broadcast returns the broadcast address of a lease: option 28, or else what
// follows from the netmask.
func broadcast(l *act.Lease) netip.Addr {
	if l.ACK != nil {
		if a, err := l.ACK.Options.Addr(dhcp4.BroadcastAddress); err == nil {
			return a
		}
	}
	if l.Net.Bits() > 30 {
		return netip.Addr{}
	}
	a := l.Net.Addr().As4()
	for bit := l.Net.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// defaultRoute returns the route by a lease's first gateway. One outside of
// the subnet is reached over the link all the same (C11).
func defaultRoute(n *network, l *act.Lease) link.Route {
	via := l.Gateway[0]
	return link.Route{
		To:       netip.PrefixFrom(netip.IPv4Unspecified(), 0),
		Via:      via,
		OnLink:   !l.Net.Contains(via),
		Source:   l.Net.Addr(),
		Metric:   uint32(routeMetric + n.link.Index),
		Protocol: link.ProtocolDHCP,
	}
}

// sameLease tells whether the config file says the same as before.
func sameLease(a, b *act.Lease) bool {
	if a.Net != b.Net {
		return false
	}
	x, _ := a.ACK.Append(nil, math.MaxUint16)
	y, _ := b.ACK.Append(nil, math.MaxUint16)
	return bytes.Equal(x, y)
}

// planLease returns what the config file says of one of our own networks, as
// if a server had said it, for ever.
func planLease(p *conf.Plan, now time.Time) *act.Lease {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Yiaddr = p.Addr.Addr()
	l := &act.Lease{Net: p.Addr, Start: now, ACK: m}
	if p.Info == nil {
		return l
	}
	m.Siaddr = p.Info.Siaddr
	copy(m.Sname[:], p.Info.Sname)
	copy(m.File[:], p.Info.File)
	for c, v := range p.Info.Options.All() {
		m.Options.Put(c, v)
	}
	l.Gateway, _ = m.Options.Addrs(nil, dhcp4.Router)
	if mtu, err := m.Options.Uint16(dhcp4.InterfaceMTU); err == nil {
		l.MTU = int(mtu)
	}
	return l
}
