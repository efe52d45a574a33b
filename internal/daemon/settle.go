package daemon

import (
	"slices"

	"dhcpd/client"
	"dhcpd/internal/conf"
	"dhcpd/internal/safe"
)

// loadConf reads the config file and sees to it that it is read again when it
// or the hosts file changes. One that can't be understood changes nothing.
func (d *Daemon) loadConf() error {
	cfg, err := conf.Load(d.opt.Conf, conf.Env{More: d.opt.More, Interfaces: d.ifs, Resolve: d.names.addrs})
	if err != nil {
		return err
	}
	if d.cfg == nil || !slices.Equal(cfg.Files(), d.cfg.Files()) {
		d.watch.Close()
		d.watch = safe.NewWatch(d.edited, append(slices.Clip(cfg.Files()), conf.HostsFile)...)
	}
	d.cfg = cfg
	d.names.want(cfg.Names(), d.edited, d.ended)
	d.say.told = nil // what is still wrong is worth saying again
	for _, p := range cfg.Problems() {
		d.say.once(p)
	}
	return nil
}

// reload reads the config file again. One that can't be understood changes
// nothing.
func (d *Daemon) reload() {
	d.count.of[reloads]++
	old := d.cfg
	err := d.loadConf()
	if d.stale = err != nil; d.stale {
		d.count.of[rejected]++
		d.say.often(d.now, remark, outOfReach(err)+"; the configuration stays as it was")
		return
	}
	d.reloaded(old)
}

// reloaded lets follow what follows from another config.
func (d *Daemon) reloaded(old *conf.Config) {
	d.service.stale = true
	d.resettle = true
	d.service.changed(old)
}

// settle asks the config file about all our networks, as if it were a server
// answering a query for each (B2), and lets follow what follows.
func (d *Daemon) settle() {
	d.resettle = false
	asked, plans := d.plans()
	// The pool before the first address: a second daemon must not get that far.
	if slices.ContainsFunc(plans, func(p conf.Plan) bool { return works(&p) }) && d.opt.Test == 0 && d.opt.Once == 0 {
		if d.fatal = d.service.open(); d.fatal != nil {
			return
		}
	}
	for i, plan := range plans {
		d.follow(asked[i], plan)
	}
	if !d.any((*network).dealtWith) {
		d.say.once("no Ethernet " + d.which() + "is there; waiting for one")
	}
	d.awaitOthers()
	d.check(d.service.letIn())
}

// plans are what the config file says of the networks that we may deal with.
func (d *Daemon) plans() (asked []*network, plans []conf.Plan) {
	var nets []conf.Net
	for _, n := range d.order {
		if d.allowed(&n.link) && !n.link.Port {
			nets = append(nets, conf.Net{Name: n.name(), Index: n.link.Index, MAC: n.link.MAC,
				Ether: usable(&n.link), Addr: n.addr.Addr()})
			asked = append(asked, n)
		}
	}
	return asked, d.cfg.Own(nets)
}

// awaitOthers has the networks with `option wait` wait until every network that
// is to be served or relayed for has been configured, all at one time (B4).
func (d *Daemon) awaitOthers() {
	if !d.any(func(n *network) bool { return works(&n.plan) && !n.addr.IsValid() }) {
		d.complete = true
	}
	for _, n := range d.order {
		n.waits = n.plan.Wait && !d.complete
	}
}

// follow does what the config file says of a network now.
func (d *Daemon) follow(n *network, plan conf.Plan) {
	if d.opt.Once > 0 { // nobody is served; the resolver is told even if the file doesn't say so
		plan.Server, plan.Relay, plan.Router, plan.NoDiscovery = false, nil, false, true
		if plan.ResolvConf == "" {
			plan.ResolvConf = resolvConf
		}
	}
	before := seeks(&n.plan)
	n.plan = plan
	n.site.Settings = plan.Settings
	byConf := plan.Static && d.opt.Test < 2
	switch {
	case byConf:
		d.configureStatic(n)
		d.askRest(n)
	case plan.Ignore && n.origin == dynamic:
		d.letGo(n)
	case n.origin == static: // no longer named there
		d.letGo(n)
		fallthrough
	case n.origin == none && usable(&n.link):
		d.begin(n)
	case n.origin == dynamic:
		n.client.Config = d.identity(n)
		if before != seeks(&plan) && n.client.Held && n.plan.Script == "" {
			d.setRoutes(n, n.client.Lease)
		}
	case n.origin == foreign:
		d.askRest(n)
	}
	d.advertise(n)
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
