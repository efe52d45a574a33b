package daemon

import (
	"bytes"
	"math"
	"slices"
	"time"

	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/hook"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"

	"golang.org/x/sys/unix"
)

// configure puts a lease onto a network's interface, in place of old if that
// isn't nil. What the kernel refuses is said, and the rest still done.
func (d *Daemon) configure(n *network, l, old *act.Lease) {
	if n.plan.Script == "" {
		d.setUpNetwork(n, l, old)
	}
	d.tellScripts(n, l, old)
	d.pass.stale = true
	if n.addr != l.Net {
		d.say.debug(1, n.name()+": address "+l.Net.String())
		n.addr = l.Net
		d.resettle = true // the config file may know more, now that there is an address
	}
}

// setUpNetwork does so without a script (C12).
func (d *Daemon) setUpNetwork(n *network, l, old *act.Lease) {
	if old != nil && old.Net != l.Net {
		// First: Linux drops secondary addresses with their primary (C3).
		d.dropAddress(n, old.Net)
	}
	left := d.lifetime(n, l)
	a := link.Address{Prefix: l.Net, Broadcast: broadcast(l), Valid: left, Preferred: left}
	err := d.host.SetAddress(n.link.ID, a)
	d.check(err)
	if n.denied = err != nil; !n.denied {
		d.gained(n, a)
	}
	d.setMTU(n, l.MTU)
	d.setRoutes(n, l)
	d.nameMachine(l)
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
	d.service.stale = true
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
	d.service.stale = true
}

// unconfigure takes a lease off the interface; its routes go with it.
func (d *Daemon) unconfigure(n *network, l *act.Lease) {
	if n.plan.Script == "" {
		d.setRoutes(n, nil)
		d.setMTU(n, 0)
		d.dropAddress(n, l.Net)
	}
	d.callScripts(n, hook.Deconfig, netip.Prefix{}, nil)
	d.pass.stale = true
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

// broadcast returns the broadcast address of a lease: option 28 if it is on the
// subnet, or else what follows from the netmask.
func broadcast(l *act.Lease) netip.Addr {
	if l.ACK != nil {
		a, err := l.ACK.Options.Addr(dhcp4.BroadcastAddress)
		if err == nil && l.Net.Contains(a) && a != l.Net.Addr() {
			return a
		}
	}
	return l.Net.Broadcast()
}

// linkLocal is an address of the link. It is set anew at least every 65 s, and
// goes by itself if we are killed.
func linkLocal(a netip.Addr) link.Address {
	const life = 180
	return link.Address{Prefix: netip.PrefixFrom(a, 16), Broadcast: netip.AddrFrom4([4]byte{169, 254, 255, 255}),
		Scope: unix.RT_SCOPE_LINK, Valid: life, Preferred: life}
}

// setMTU sets the MTU that a lease names, and for 0 the one from before.
func (d *Daemon) setMTU(n *network, mtu int) {
	if n.mtu == 0 {
		n.mtu = n.link.MTU
	}
	if mtu == 0 {
		mtu = n.mtu
	}
	if mtu == n.link.MTU {
		return
	}
	if err := d.host.SetMTU(n.link.ID, mtu); err != nil {
		d.say.once(err.Error()) // the next renewal will name it again
		return
	}
	n.link.MTU, n.site.MTU = mtu, mtu
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
	client.Learn(l, m)
	if mtu, err := m.Options.Uint16(dhcp4.InterfaceMTU); err == nil {
		l.MTU = int(mtu)
	}
	return l
}

// nameMachine takes the host name of a lease where the machine has none (C11).
func (d *Daemon) nameMachine(l *act.Lease) {
	if l.ACK == nil || !l.ACK.Options.Has(dhcp4.HostName) {
		return
	}
	name, _ := l.ACK.Options.Text(dhcp4.HostName)
	if link.Nameless(d.host.Hostname()) && dhcp4.IsHostName(name) {
		d.check(d.host.SetHostname(name))
	}
}
