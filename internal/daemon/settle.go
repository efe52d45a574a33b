package daemon

import (
	"maps"
	"net/netip"
	"slices"

	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/safe"
)

// loadConf reads the config file and sees to it that it is read again when it
// changes. One that can't be understood changes nothing.
func (d *Daemon) loadConf() error {
	cfg, err := conf.Load(d.opt.Conf, conf.Env{Interfaces: d.ifs})
	if err != nil {
		return err
	}
	if d.cfg == nil || !slices.Equal(cfg.Files(), d.cfg.Files()) {
		d.watch.Close()
		d.watch = safe.NewWatch(cfg.Files()...)
	}
	d.cfg = cfg
	d.say.told = nil // what is still wrong is worth saying again
	for _, p := range cfg.Problems() {
		d.say.once(p)
	}
	return nil
}

// number takes interfaces into the list that the config numbers them by. True:
// one was new.
func (d *Daemon) number(links []link.Interface) (news bool) {
	for i := range links {
		l := &links[i]
		if !d.ifSet[l.Name] {
			d.ifSet[l.Name], news = true, true
			d.ifs = append(d.ifs, conf.Ifname{Name: l.Name, Index: l.Index, Ether: usable(l)})
		}
	}
	return news
}

// reload reads the config file again. One that can't be understood changes
// nothing.
func (d *Daemon) reload() {
	if err := d.loadConf(); err != nil {
		d.say.log(err.Error() + "; the configuration stays as it was")
		return
	}
	d.service.regroup()
	d.resettle = true
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
		d.reload() // it may say something of an interface that it waited for
	}
	d.service.eavesdrop()
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
		d.service.regroup() // the pool must not give away an address of ours
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
	if usable(l) && d.allowed(l.Name) {
		d.say.debug(1, l.Name+": Ethernet address "+ether.FormatMAC(l.MAC))
		if !l.Up {
			d.check(d.host.SetUp(l.ID))
		}
	}
	d.resettle = true
}

// vanish forgets an interface that is gone.
func (d *Daemon) vanish(index int, n *network) {
	if d.allowed(n.name()) && n.busy() {
		d.missed[n.name()] = true
	}
	n.client, _ = client.Step(d.now, n.client, client.Event{Kind: client.Stop})
	d.shut(n)
	delete(d.nets, index)
	d.order = slices.DeleteFunc(d.order, func(x *network) bool { return x == n })
	d.say.debug(1, n.name()+": gone")
	d.resettle = true
}

// update notes what has changed about an interface.
func (d *Daemon) update(n *network, l *link.Interface) {
	was := n.link
	n.link = *l
	n.refreshSite(d)
	switch n.origin {
	case dynamic:
		d.updateClient(n, &was)
	case foreign: // whoever configured it may have thought again
		a, _ := permanent(l)
		if n.addr != a.Prefix {
			n.addr, d.resettle = a.Prefix, true
		}
	}
}

// updateClient tells a network's client what has happened to its link.
func (d *Daemon) updateClient(n *network, was *link.Interface) {
	l := &n.link
	lost := was.Carrier && !l.Carrier || was.Flaps != l.Flaps && was.Carrier
	found := l.Carrier && (!was.Carrier || lost)
	if lost || found {
		n.ears.deaf = false
	}
	switch {
	case !usable(l): // it has become a port of something else
		d.step(n, client.Event{Kind: client.Stop})
	case lost && found:
		d.step(n, client.Event{Kind: client.LinkDown})
		d.step(n, client.Event{Kind: client.LinkUp})
	case lost:
		d.step(n, client.Event{Kind: client.LinkDown})
	case found:
		d.step(n, client.Event{Kind: client.LinkUp})
	}
}

// settle asks the config file about all our networks, as if it were a server
// answering a query for each (B2), and lets follow what follows.
func (d *Daemon) settle() {
	d.resettle = false
	var nets []conf.Net
	var asked []*network
	for _, n := range d.order {
		if d.allowed(n.name()) && !n.link.Port {
			nets = append(nets, conf.Net{Name: n.name(), Index: n.link.Index, MAC: n.link.MAC,
				Ether: usable(&n.link), Addr: n.addr.Addr()})
			asked = append(asked, n)
		}
	}
	plans := d.cfg.Own(nets)
	// The pool before the first address: a second daemon must not get that far.
	if slices.ContainsFunc(plans, func(p conf.Plan) bool { return p.Server }) && d.opt.Test == 0 {
		if d.fatal = d.service.open(); d.fatal != nil {
			return
		}
	}
	for i, plan := range plans {
		d.follow(asked[i], plan)
	}
	d.check(d.service.letIn())
}

// follow does what the config file says of a network now.
func (d *Daemon) follow(n *network, plan conf.Plan) {
	n.plan = plan
	n.site.Settings = plan.Settings
	byConf := plan.Static && d.opt.Test < 2
	switch {
	case byConf:
		d.configureStatic(n)
	case n.origin == static: // no longer named there
		d.unconfigure(n, n.static)
		n.origin, n.static = none, nil
		d.forget(n)
		fallthrough
	case n.origin == none && usable(&n.link):
		d.begin(n)
	case n.origin == dynamic:
		n.client.Config = d.identity(n)
	}
}

// configureStatic gives a network the address that the config file names. The
// same address that is there already stays untouched; another one is left.
func (d *Daemon) configureStatic(n *network) {
	lease, old := planLease(&n.plan, d.now), n.static
	if n.origin == static && sameLease(lease, old) {
		return
	}
	if n.origin == dynamic {
		if n.client.Held {
			old = n.client.Lease
		}
		d.step(n, client.Event{Kind: client.Stop})
	}
	if !n.link.Up {
		d.check(d.host.SetUp(n.link.ID))
	}
	n.origin, n.static = static, lease
	d.configure(n, lease, old)
	d.remember(n, lease)
}
