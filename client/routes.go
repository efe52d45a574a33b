package client

import (
	"slices"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Learn reads out of a message what else there is to be configured: gateways,
// routes, MTU. What no host could make use of is left out.
func Learn(l *act.Lease, msg *dhcp4.Message) {
	l.MTU = mtu(msg)
	// RFC 3442: a client that gets option 121 (or 249) must not look at 3 and 33.
	all, err := msg.Options.Routes(nil)
	if err != nil {
		l.Gateway, l.Routes = gateways(msg), staticRoutes(msg)
		return
	}
	l.Gateway, l.Routes = nil, nil
	for _, r := range all {
		switch {
		case r.Dst.Bits() == 0 && isHost(r.Gateway):
			l.Gateway = append(l.Gateway, r.Gateway)
		case r.Dst.Bits() > 0 && !r.Dst.Addr().IsLoopback() && (isHost(r.Gateway) || r.Gateway == noAddr):
			l.Routes = append(l.Routes, r)
		}
	}
}

// gateways returns those routers that can be hosts at all.
func gateways(msg *dhcp4.Message) []netip.Addr {
	all, _ := msg.Options.Addrs(nil, dhcp4.Router)
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !isHost(a) })
}

// staticRoutes returns the routes of option 33: pairs of a destination, whose
// netmask is that of its class, and a router (RFC 2132 section 5.8). A
// destination that is no network by that is a host. The default route is not
// allowed here.
func staticRoutes(msg *dhcp4.Message) (list []dhcp4.NetRoute) {
	all, _ := msg.Options.Addrs(nil, dhcp4.StaticRoute)
	for ; len(all) >= 2; all = all[2:] {
		if !isHost(all[0]) || !isHost(all[1]) {
			continue
		}
		to := netip.PrefixFrom(all[0], all[0].ClassBits())
		if to != to.Masked() {
			to = netip.PrefixFrom(all[0], 32)
		}
		list = append(list, dhcp4.NetRoute{Dst: to, Gateway: all[1]})
	}
	return list
}

// hidden returns the gateway of option 3 that option 121 or 249 hides without naming
// a default route itself: an error of the server, most likely.
func hidden(l *act.Lease) (netip.Addr, bool) {
	all := gateways(l.ACK)
	if len(l.Gateway) > 0 || len(all) == 0 {
		return netip.Addr{}, false
	}
	return all[0], true
}
