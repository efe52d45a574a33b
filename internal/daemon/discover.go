package daemon

import (
	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
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
		before := n.host.Router
		n.host.Bound(d.now, d.random(), l.Net, d.given(l))
		d.sayRouter(n, before)
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
	before := n.host.Router
	if n.host.Tick(d.now, d.random()) && n.ears.routers != nil {
		d.say.debug(2, n.name()+": router solicitation sent")
		d.frame = rdisc.AppendSolicitation(d.frame[:0], n.link.MAC, n.client.Lease.Net.Addr())
		d.check(n.ears.routers.Write(d.frame))
	}
	d.sayRouter(n, before)
	d.putRoutes(n, n.client.Lease) // the route, too, is refreshed
}

// hearRouters takes what the ears for routers bring.
func (d *Daemon) hearRouters(n *network, h heard) {
	if h.err != nil {
		d.say.debug(1, n.name()+": "+h.err.Error())
		d.shutFrames(n, &n.ears.routers) // until the link is back
		return
	}
	eth, ip, m, err := ether.ParseICMPFrame(h.data)
	switch {
	case err != nil:
	case d.isUs(eth.Src): // another interface of ours, on the same wire
		return
	case m.Type == ether.RouterSolicitation && n.router.On():
		err = n.router.Hear(d.now, d.random(), n.site.Addrs, &ip, &m)
	case m.Type == ether.RouterAdvertisement && n.host.On():
		d.say.debug(2, n.name()+": router advertisement from "+ip.Src.String()+" at "+ether.FormatMAC(eth.Src))
		before := n.host.Router
		if err = n.host.Hear(d.now, d.random(), eth.Src, &ip, &m); before.Addr != n.host.Router.Addr {
			d.putRoutes(n, n.client.Lease)
		}
		d.sayRouter(n, before)
	}
	d.stepped = true
	if err != nil {
		d.drop(&d.count.of[strange], n.name(), err.Error())
	}
}

// sayRouter says whether another router is to be used than before.
func (d *Daemon) sayRouter(n *network, before rdisc.Router) {
	r, text := &n.host.Router, ""
	switch {
	case r.Addr == before.Addr && r.MAC == before.MAC:
		return
	case r.Addr.IsValid():
		text = routerName(r) + " advertises itself, and is used"
	default:
		text = routerName(&before) + " is gone"
		if g := n.host.Gateway(); g.IsValid() {
			text += "; back to the gateway " + g.String()
		}
	}
	d.say.often(d.now, remark, n.name()+": "+text)
}

func routerName(r *rdisc.Router) string {
	return "router " + r.Addr.String() + " at " + ether.FormatMAC(r.MAC)
}

// listenRouters opens or shuts the ears for router discovery.
func (d *Daemon) listenRouters(n *network) {
	e := &n.ears
	var err error
	switch {
	case !n.host.On() && !n.router.On():
		d.shutFrames(n, &e.routers)
	case e.routers == nil:
		if e.routers, err = link.OpenFrames(n.link.ID, link.Routers); err != nil {
			e.routers = nil // not an interface with nothing in it
			break
		}
		d.say.debug(3, n.name()+": packet socket opened")
		go d.listenFrames(n, e.routers, link.Routers)
	}
	switch {
	case err != nil:
		d.say.once(err.Error())
	case !n.router.On():
		e.group.Close()
		e.group = nil
	case e.group == nil:
		e.group, err = link.JoinRouters(n.link.ID)
		d.check(err)
	}
}
