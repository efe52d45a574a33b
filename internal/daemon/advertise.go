package daemon

import (
	"dhcpd/internal/netip"
	"dhcpd/internal/rdisc"
	"dhcpd/internal/safe"
)

// Router discovery (RFC 1256), the router's side: `option router`.

// advertise begins to advertise this machine as a router on a network, or ends
// that, as the config file, the link and its addresses say.
func (d *Daemon) advertise(n *network) {
	l, r := &n.link, &n.router
	want := n.plan.Router && d.opt.Test == 0 && l.Up && l.Carrier && len(global(l)) > 0
	s := rdisc.Settings{MaxAdvertisementInterval: n.plan.RouterInterval, PreferenceLevel: n.plan.RouterPreference}
	switch {
	case want && !(r.On() && r.Settings == s):
		r.Start(d.now, s)
		if b, err := safe.ReadFile("/proc/sys/net/ipv4/conf/" + l.Name + "/forwarding"); err == nil && string(b) == "0\n" {
			d.say.once(l.Name + ": is advertised as a router, but the machine does not forward there")
		}
	case !want && r.On():
		d.retire(n)
		*r = rdisc.Advertiser{}
	}
	d.stepped = true
	d.listenRouters(n)
}

// advertiseDue sends the advertisement that is due.
func (d *Daemon) advertiseDue(n *network) {
	d.listenRouters(n)
	n.router.Tick(d.now, d.random())
	d.sendAdvertisement(n, n.router.AdvertisementLifetime())
}

// retire tells the network that this is a router no longer (RFC 1256 section
// 4.3).
func (d *Daemon) retire(n *network) {
	if n.router.On() && n.link.Carrier {
		d.sendAdvertisement(n, 0)
	}
}

func (d *Daemon) sendAdvertisement(n *network, lifetime uint16) {
	var left []netip.Prefix
	for _, a := range global(&n.link) {
		left = append(left, a.Prefix)
	}
	for len(left) > 0 && n.ears.routers != nil {
		d.frame, left = rdisc.AppendAdvertisement(d.frame[:0], n.link.MAC, left, lifetime, n.router.PreferenceLevel, n.link.MTU)
		d.check(n.ears.routers.Write(d.frame))
		d.say.debug(2, n.name()+": router advertisement sent")
	}
}
