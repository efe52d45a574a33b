package daemon

import (
	"maps"
	"slices"

	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/rdisc"
)

// number takes interfaces into the list that the config numbers them by. True:
// the config file is to be read again because of a new one.
func (d *Daemon) number(links []link.Interface) (news bool) {
	for i := range links {
		l := &links[i]
		if !d.ifSet[l.Name] {
			d.ifSet[l.Name] = true
			d.ifs = append(d.ifs, conf.Ifname{Name: l.Name, Index: l.Index, Ether: usable(l)})
			news = news || d.stale || d.cfg != nil && d.cfg.Awaits(l.Name)
		}
	}
	if len(d.ifs) > d.first+2*len(links)+mostGone {
		d.forgetGone(links)
	}
	return news
}

// mostGone is how many interfaces are remembered that came and went. Where each
// container brings a new name there is no end of them.
const mostGone = 1000

// forgetGone forgets them, but for those that were there at the start.
func (d *Daemon) forgetGone(links []link.Interface) {
	here := map[string]bool{}
	for i := range links {
		here[links[i].Name] = true
	}
	kept := d.ifs[:d.first]
	for _, f := range d.ifs[d.first:] {
		if here[f.Name] {
			kept = append(kept, f)
		} else {
			delete(d.ifSet, f.Name)
		}
	}
	d.ifs = kept
}

// lookAgain lists the interfaces once more.
func (d *Daemon) lookAgain() {
	links, err := d.host.Interfaces()
	if err != nil {
		d.check(err)
		return
	}
	news := d.number(links)
	d.look(links)
	if news {
		d.reload() // it says something of an interface that it waited for
	}
	d.check(d.service.letIn())
}

// look compares the interfaces with those of the last look.
func (d *Daemon) look(links []link.Interface) {
	gone := make(map[int]*network, len(d.nets))
	for i, n := range d.nets {
		gone[i] = n
	}
	ours := make(map[netip.Addr]bool, len(d.addrs))
	for i := range links {
		l := &links[i]
		delete(gone, l.Index)
		if n := d.nets[l.Index]; n != nil {
			d.update(n, l)
		} else {
			d.appear(l)
		}
		for _, a := range l.Addrs {
			ours[a.Prefix.Addr()] = true
		}
	}
	if !maps.Equal(ours, d.addrs) {
		d.addrs = ours
		d.service.stale = true // the pool must not give away an address of ours
	}
	for i, n := range gone {
		d.vanish(i, n)
	}
}

// appear takes up an interface that wasn't there before.
func (d *Daemon) appear(l *link.Interface) {
	n := &network{link: *l}
	if d.opt.Test > 0 {
		n.asIf = new(asIf)
	}
	d.nets[l.Index] = n
	delete(d.missed, l.Name)
	d.order = append(d.order, n)
	for i := len(d.order) - 1; i > 0 && d.order[i-1].link.Index > l.Index; i-- {
		d.order[i-1], d.order[i] = d.order[i], d.order[i-1]
	}
	n.refreshSite(d)
	d.rouse(n)
	d.resettle = true
}

// vanish forgets an interface that is gone.
func (d *Daemon) vanish(index int, n *network) {
	if d.allowed(&n.link) && n.busy() && len(d.missed) < mostGone {
		d.missed[n.name()] = true
	}
	d.stepped = true
	n.client, _ = client.Step(d.now, n.client, client.Event{Kind: client.Stop})
	n.host, n.router = rdisc.Host{}, rdisc.Advertiser{}
	d.shut(n)
	d.listenRouters(n)
	d.pass.stale = true
	delete(d.nets, index)
	d.order = without(d.order, n)
	d.say.debug(1, n.name()+": gone")
	d.resettle = true
}

// without takes n out of a list. The generic function for it would describe the
// whole network to the runtime, and with it bring in the formatting of times.
func without(list []*network, n *network) []*network {
	kept := list[:0]
	for _, x := range list {
		if x != n {
			kept = append(kept, x)
		}
	}
	return kept
}

// update notes what has changed about an interface.
func (d *Daemon) update(n *network, l *link.Interface) {
	was := n.link
	n.link = *l
	n.refreshSite(d)
	if was.Name != l.Name {
		d.renamed(was.Name, l.Name)
		d.resettle = true // the config may say other things of this name
	}
	switch {
	case usable(&was) && (!usable(l) || was.MAC != l.MAC):
		// A port of something else now, or another station to everybody: what
		// was given to it is not its own any more.
		d.say.debug(1, n.name()+": Ethernet address "+ether.FormatMAC(l.MAC)+", was "+ether.FormatMAC(was.MAC))
		d.letGo(n)
	case usable(l) && !(usable(&was) && d.allowed(&was)): // it has left what it was a port of, or has a name that is allowed
		d.rouse(n)
	case n.origin == foreign: // whoever configured it may have thought again
		if a, _ := permanent(l); n.addr != a.Prefix {
			n.addr, d.resettle = a.Prefix, true
		}
		d.updateClient(n, &was)
	default:
		d.restore(n)
		d.updateClient(n, &was)
	}
	d.advertise(n)
}

// rouse brings up a link that is ours to configure.
func (d *Daemon) rouse(n *network) {
	if !d.ours(n) {
		return
	}
	l := &n.link
	d.say.debug(1, l.Name+": Ethernet address "+ether.FormatMAC(l.MAC))
	if !l.Up {
		d.check(d.host.SetUp(l.ID))
	}
	d.resettle = true
}

// letGo takes off an interface what we have put onto it, and forgets it. If it
// is still ours to configure, it begins anew.
func (d *Daemon) letGo(n *network) {
	switch {
	case n.origin == static:
		d.unconfigure(n, n.static)
		d.forget(n)
	case n.origin == dynamic && n.client.Held:
		d.unconfigure(n, n.client.Lease)
		d.forget(n)
	}
	d.step(n, client.Event{Kind: client.Stop})
	n.origin, n.static, n.client = none, nil, client.State{}
	d.resettle = true
}

// restore puts back an address of ours that someone has removed: at once if
// the config file names it, else when the server confirms the lease.
func (d *Daemon) restore(n *network) {
	there := slices.ContainsFunc(n.link.Addrs, func(a link.Address) bool { return a.Prefix == n.addr })
	if there || d.opt.Test > 0 || !n.addr.IsValid() || n.plan.Script != "" {
		return
	}
	l := n.client.Lease
	switch {
	case n.origin == static:
		d.say.once(n.name() + ": address " + n.addr.String() + " was removed; it is set again")
		d.configure(n, n.static, nil)
	case !n.client.Held || !l.Infinite() && !d.now.Before(l.End): // that is the kernel's doing
	default:
		d.say.once(n.name() + ": address " + n.addr.String() + " was removed")
		n.addr = netip.Prefix{}
		d.step(n, client.Event{Kind: client.Start, Lease: l})
	}
}

// updateClient tells a network's client what has happened to its link.
func (d *Daemon) updateClient(n *network, was *link.Interface) {
	l := &n.link
	lost := was.Carrier && !l.Carrier || was.Flaps != l.Flaps && was.Carrier
	found := l.Carrier && (!was.Carrier || lost)
	ready := l.Ready && !was.Ready
	if !n.client.Running || !lost && !found && !ready {
		return
	}
	n.ears.deaf, n.denied = false, false
	if lost {
		n.host.Down(d.now)
		d.step(n, client.Event{Kind: client.LinkDown})
	}
	switch {
	case found:
		d.step(n, client.Event{Kind: client.LinkUp})
	case ready:
		d.step(n, client.Event{Kind: client.LinkReady})
	}
}
