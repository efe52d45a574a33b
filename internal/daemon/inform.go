package daemon

import (
	"dhcpd/cache"
	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
)

// askRest has a network that has its address from elsewhere ask for what goes
// with it, where `option inform` says so (C14).
func (d *Daemon) askRest(n *network) {
	switch {
	case n.plan.AskInform && n.addr.IsValid():
		if n.client.Running && n.client.Lease.Net == n.addr {
			return
		}
		n.client = client.State{Config: d.identity(n), NoLink: !n.link.Carrier}
		d.step(n, client.Event{Kind: client.Start, Lease: &act.Lease{Net: n.addr, Start: d.now}, Held: true})
	case n.client.Running:
		d.step(n, client.Event{Kind: client.Stop})
	}
}

// configureRest configures what the answer says, but for the address. What the
// config file says counts over it.
func (d *Daemon) configureRest(n *network, l *act.Lease) {
	if n.origin == static {
		for c, v := range n.static.ACK.Options.All() {
			l.ACK.Options.Put(c, v)
		}
		client.Learn(l, l.ACK)
	}
	if n.plan.Script == "" {
		d.setMTU(n, l.MTU)
		d.setRoutes(n, l)
		d.nameMachine(l)
	}
	d.tellScripts(n, l, nil)
	d.pass.stale = true
}

// informed tells whether an entry of the cache is no lease, but what a server
// had to say of somebody else's address.
func informed(e *cache.Entry) bool {
	return e.Infinite() && e.Options.Has(dhcp4.ServerID) && !e.Options.Has(dhcp4.LeaseTime)
}
