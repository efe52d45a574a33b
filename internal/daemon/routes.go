package daemon

import (
	"slices"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// routeMetric is that of the routes that we set, plus the interface's index:
// above what people set by hand, and each network has its own.
const routeMetric = 1024

// metric is that of the routes that we set out of this network.
func (n *network) metric() uint32 { return uint32(routeMetric + n.link.Index) }

// setRoutes puts the routes of a lease in the place of those before; none if
// l is nil. They have its address as their source, so that they go with it.
func (d *Daemon) setRoutes(n *network, l *act.Lease) {
	d.lookForRouters(n, l)
	d.putRoutes(n, l)
}

func (d *Daemon) putRoutes(n *network, l *act.Lease) {
	var want []link.Route
	if l != nil {
		want = d.routes(n, l)
	}
	if !n.swept { // an earlier run may have left some, by another config
		n.swept = true
		n.routes = append(n.routes, d.leftRoutes(n)...)
	}
	for _, r := range want {
		d.check(d.host.ReplaceRoute(n.link.ID, r))
	}
	for _, r := range n.routes {
		if !slices.ContainsFunc(want, func(w link.Route) bool { return w.To == r.To && w.Metric == r.Metric }) {
			d.check(d.host.DeleteRoute(n.link.ID, r))
		}
	}
	n.routes = want
}

// leftRoutes returns the routes of ours that are there already.
func (d *Daemon) leftRoutes(n *network) []link.Route {
	all, err := d.host.Routes(n.link.ID)
	d.check(err)
	return slices.DeleteFunc(all, func(r link.Route) bool {
		return r.Protocol != link.ProtocolDHCP || r.Metric != n.metric()
	})
}

// routes returns the routes that a lease asks for. Those on the link come
// first: the kernel must know the way to a gateway before that by it.
func (d *Daemon) routes(n *network, l *act.Lease) (list []link.Route) {
	all := l.Routes
	gateway := d.given(l)
	if n.host.On() {
		gateway = n.host.Gateway()
	}
	if gateway.IsValid() {
		all = append(slices.Clip(all), dhcp4.NetRoute{Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Gateway: gateway})
	}
	var far []link.Route
	for _, r := range all {
		w := link.Route{To: r.Dst, Source: l.Net.Addr(), Metric: n.metric(), Protocol: link.ProtocolDHCP}
		if r.Gateway.IsUnspecified() || d.isOurs(l, r.Gateway) {
			list = addRoute(list, w)
			continue
		}
		w.Via, w.OnLink = r.Gateway, !l.Net.Contains(r.Gateway)
		far = addRoute(far, w)
		if w.OnLink { // C11: outside of the subnet, and yet on the link
			w.To, w.Via, w.OnLink = netip.PrefixFrom(r.Gateway, 32), netip.Addr{}, false
			list = addRoute(list, w)
		}
	}
	return append(list, far...)
}

// given returns the first gateway of a lease that is not ourselves, as it is on a
// router that is configured by what it serves; invalid for none.
func (d *Daemon) given(l *act.Lease) netip.Addr {
	for _, a := range l.Gateway {
		if !d.isOurs(l, a) {
			return a
		}
	}
	return netip.Addr{}
}

// isOurs tells whether an address is one of this machine, or will be.
func (d *Daemon) isOurs(l *act.Lease, a netip.Addr) bool { return a == l.Net.Addr() || d.addrs[a] }

// addRoute adds r, if there is no other way to there yet.
//
//go:noinline
func addRoute(list []link.Route, r link.Route) []link.Route {
	if slices.ContainsFunc(list, func(x link.Route) bool { return x.To == r.To }) {
		return list
	}
	return append(list, r)
}
