package daemon

import (
	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/rdisc"
)

// Router discovery (RFC 1256), the host's side: the gateway that DHCP gave is
// kept warm until a router advertises itself.

// seeks tells whether routers may be looked for on a network. Who is a router
// there is no host (RFC 1256 section 1).
func seeks(p *conf.Plan) bool { return !p.NoDiscovery && !p.Router && p.Script == "" }

// discovers tells whether routers are looked for on a network with that lease.
// What goes with an address that is there for ever stands, and what a server says
// that has proved who it is.
func (n *network) discovers(l *act.Lease) bool {
	return n.origin == dynamic && seeks(&n.plan) && !l.Authentic()
}

// lookForRouters is called when a lease is configured, or with nil when it has
// been taken off.
func (d *Daemon) lookForRouters(n *network, l *act.Lease) {
	if l != nil && n.discovers(l) {
		n.host.Bound(d.now, d.random(), l.Net, d.given(l))
		d.sayRouter(n)
	} else {
		n.host = rdisc.Host{}
	}
	d.stepped = true
	d.listenRouters(n)
}

// discoverDue does what is due on a network.
func (d *Daemon) discoverDue(n *network) {
	if w := n.router.Due; !w.IsZero() && !d.now.Before(w) {
		d.advertiseDue(n)
	}
	if w := n.host.Due; w.IsZero() || d.now.Before(w) {
		return
	}
	d.listenRouters(n)
	if n.host.Tick(d.now, d.random()) && n.ears.routers != nil {
		d.say.debug(2, n.name()+": router solicitation sent")
		d.frame = rdisc.AppendSolicitation(d.frame[:0], n.link.MAC, n.client.Lease.Net.Addr())
		d.check(n.ears.routers.Write(d.frame))
	}
	d.sayRouter(n)
	d.putRoutes(n, n.client.Lease) // the route, too, is refreshed
}

// hearRouters takes what the ears for routers bring.
func (d *Daemon) hearRouters(n *network, h heard) {
	if h.err != nil {
		d.say.debug(1, n.name()+": "+h.err.Error())
		d.shutFrames(n, &n.ears.routers) // until the link is back
		return
	}
	m, err := ether.ParseICMPFrame(h.data)
	switch {
	case err != nil:
	case d.isUs(m.From): // another interface of ours, on the same wire
		return
	case m.Type == ether.RouterSolicitation && n.router.On():
		err = n.router.Hear(d.now, d.random(), n.site.Addrs, &m)
	case m.Type == ether.RouterAdvertisement && n.host.On():
		d.say.debug(2, n.name()+": advertised: "+routerName(m.Src, m.From))
		if err = n.host.Hear(d.now, d.random(), &m); n.host.News {
			d.sayRouter(n)
			d.putRoutes(n, n.client.Lease)
		}
	}
	d.stepped = true
	if err != nil {
		d.drop(&d.count.of[strange], n.name(), err.Error())
	}
}

// sayRouter says whether another router is to be used than before.
func (d *Daemon) sayRouter(n *network) {
	h := &n.host
	if !h.News {
		return
	}
	h.News = false
	text := routerName(h.Former.Addr, h.Former.MAC) + " is gone"
	if g := h.Gateway(); h.Router.Addr.IsValid() {
		text = routerName(g, h.Router.MAC) + " advertises itself, and is used"
	} else if g.IsValid() {
		text += "; back to the gateway " + g.String()
	}
	d.say.often(d.now, remark, n.name()+": "+text)
}

func routerName(a netip.Addr, hw ether.MAC) string {
	return "router " + a.String() + " at " + ether.FormatMAC(hw)
}

// listenRouters opens or shuts the ears for router discovery.
func (d *Daemon) listenRouters(n *network) {
	e := &n.ears
	if !n.host.On() && !n.router.On() {
		d.shutFrames(n, &e.routers)
	} else if e.routers == nil {
		deaf := e.deaf
		e.routers = d.openFrames(n, link.Routers)
		e.deaf = deaf // to DHCP and ARP, which matter more
	}
	if !n.router.On() {
		e.group.Close()
		e.group = nil
	} else if e.group == nil {
		var err error
		e.group, err = link.JoinRouters(n.link.ID)
		d.check(err)
	}
}
