package daemon

import (
	"dhcpd/internal/act"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// leaseMetric is that of the host routes to relayed clients (R5). No default
// route of ours has it.
const leaseMetric = routeMetric

// leaseRoute is the route to a client on a network without a netmask of its
// own.
func (n *network) leaseRoute(a netip.Addr) link.Route {
	return link.Route{To: netip.PrefixFrom(a, 32), Source: n.addr.Addr(), Metric: leaseMetric, Protocol: link.ProtocolDHCP}
}

// routeLease does what the relay wants done about one route. One to the same
// client by another network is replaced.
func (s *service) routeLease(n *network, a *act.Action) {
	d := s.d
	if a.Verb == act.Route {
		if n == nil {
			return // it has just gone
		}
		d.check(d.host.ReplaceRoute(n.link.ID, n.leaseRoute(a.Addr)))
		return
	}
	for _, n := range d.order {
		if n.routed && n.name() == a.If {
			d.check(d.host.DeleteRoute(n.link.ID, n.leaseRoute(a.Addr)))
		}
	}
}

// keepRoutes sees to it that a network has the routes that it should have,
// when that has changed: it has come up, or the config file wants them now. An
// earlier run may have left some.
func (s *service) keepRoutes(n *network) {
	want := n.relays() && n.relay.Routes && n.link.Up
	if want == n.routed {
		return
	}
	n.routed = want
	d := s.d
	routes, err := d.host.Routes(n.link.ID)
	d.check(err)
	for _, r := range routes {
		x, _ := s.table.ByAddr(r.To.Addr())
		ours := r.Protocol == link.ProtocolDHCP && r.Metric == leaseMetric && r.To.IsSingleIP() && !r.Via.IsValid()
		if ours && !(want && n.has(&x)) {
			d.check(d.host.DeleteRoute(n.link.ID, r))
		}
	}
	if !want {
		return
	}
	for x := range s.table.All() {
		if n.has(&x) {
			d.check(d.host.ReplaceRoute(n.link.ID, n.leaseRoute(x.Addr)))
		}
	}
}

// has tells whether a relayed client is on the network.
func (n *network) has(x *pool.Record) bool { return x.State == pool.Relayed && x.Via == n.name() }
