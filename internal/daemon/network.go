package daemon

import (
	"path"
	"time"

	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/ether"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/internal/rdisc"
	"dhcpd/relay"
	"dhcpd/server"
)

// origin says where a network has its address from.
type origin uint8

const (
	none    origin = iota // nothing to do with it: not an Ethernet, or not ours to touch
	static                // the config file
	foreign               // someone else, before us
	dynamic               // a DHCP server: the client runs
)

// network is an interface that we run on.
type network struct {
	link   link.Interface
	origin origin
	plan   conf.Plan    // what the config file says of it
	static *act.Lease   // of a static network: that, as a lease
	addr   netip.Prefix // its address; invalid while unconfigured
	mtu    int          // of the interface before we set it; 0 if we haven't
	routes []link.Route // those that we set
	saved  time.Time    // when its lease was last written to the cache
	swept  bool         // what an earlier run left of those is gone
	client client.State // of a dynamic network, or of one that asks for the rest
	host   rdisc.Host   // what it knows of routers
	router rdisc.Advertiser
	ears   ears
	site   server.Site
	waits  bool // it has `option wait`, and others that are to be served are not configured yet
	relay  relay.Network
	routed bool  // it has routes to relayed clients
	denied bool  // the kernel has refused its address, or a socket to ask for one
	asIf   *asIf // in test mode, what the kernel would know
}

// name returns the name of the interface.
func (n *network) name() string { return n.link.Name }

// serves tells whether DHCP clients are served here.
func (n *network) serves() bool { return n.plan.Server && n.addr.IsValid() && !n.waits }

// relays tells whether the requests of DHCP clients here are relayed.
func (n *network) relays() bool { return len(n.plan.Relay) > 0 && n.addr.IsValid() && !n.waits }

// works tells whether the network is to be served, or relayed for.
func works(p *conf.Plan) bool { return p.Server || len(p.Relay) > 0 }

// settled tells whether the network is configured for ever, and its router too,
// so that there is nothing left to do for it.
func (n *network) settled() bool {
	return n.host.Due.IsZero() && (!n.client.Running || n.client.Forever())
}

// due returns when there is something to do for it, the zero Time for never.
func (n *network) due() time.Time {
	return earlier(n.client.Wake, earlier(n.host.Due, n.router.Due))
}

// dealtWith tells whether the network has its address, or somebody who sees to
// that, or is to have none.
func (n *network) dealtWith() bool { return n.origin != none || n.plan.Ignore }

// busy tells whether there is, or may be, work to do for the network: it is
// served, advertised, or not configured for ever.
func (n *network) busy() bool {
	return works(&n.plan) || n.plan.Router || usable(&n.link) && !n.settled()
}

// usable tells whether an interface is one of those that we configure: an
// Ethernet that is no part of something else (B1).
func usable(l *link.Interface) bool { return l.Ether && !l.Port }

// allowed tells whether -i, or the kernel's command line, allows an interface.
func (d *Daemon) allowed(l *link.Interface) bool {
	if d.opt.MAC != ([6]byte{}) && l.MAC != d.opt.MAC {
		return false
	}
	if len(d.opt.Interfaces) == 0 {
		return true
	}
	for _, p := range d.opt.Interfaces {
		if ok, _ := path.Match(p, l.Name); ok {
			return true
		}
	}
	return false
}

// which names the interfaces that are allowed, where not all are, with a space
// behind each.
func (d *Daemon) which() (names string) {
	if d.opt.MAC != ([6]byte{}) {
		names = ether.FormatMAC(d.opt.MAC) + " "
	}
	for _, p := range d.opt.Interfaces {
		names += p + " "
	}
	return names
}

// ours tells whether a network is an Ethernet that we may configure.
func (d *Daemon) ours(n *network) bool { return usable(&n.link) && d.allowed(&n.link) }

// global returns the addresses of an interface that can be anybody's concern:
// neither of the link nor link-local (B3).
func global(l *link.Interface) []link.Address {
	var out []link.Address
	for _, a := range l.Addrs {
		if a.Scope == 0 && !a.Prefix.Addr().IsLinkLocalUnicast() && !a.Prefix.Addr().IsLoopback() {
			out = append(out, a)
		}
	}
	return out
}

// refreshSite tells the server what the interface is like now.
func (n *network) refreshSite(d *Daemon) {
	n.site.If, n.site.Index, n.site.MTU = n.link.Name, n.link.Index, n.link.MTU
	n.site.MAC = n.link.MAC
	// No client can know us by an address that does not leave the machine.
	n.site.Ours = func(a netip.Addr) bool { return d.addrs[a] && !a.IsLoopback() }
	n.site.Addrs = n.site.Addrs[:0]
	for _, a := range n.link.Addrs {
		n.site.Addrs = append(n.site.Addrs, a.Prefix)
	}
}
