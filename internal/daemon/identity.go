package daemon

import (
	"dhcpd/client"
	"dhcpd/internal/dhcp4"
)

// identity is who a network's client is, and what it is to do.
func (d *Daemon) identity(n *network) *client.Config {
	p := &n.plan
	c := &client.Config{
		MAC:        n.link.MAC,
		ClientID:   p.ClientID,
		ClassID:    p.Class,
		Hostname:   p.Hostname,
		FQDN:       p.FQDN,
		More:       p.Request,
		MTU:        n.link.MTU,
		Possessive: p.Possessive,
		Probe:      p.Probe,
		Rapid:      p.Rapid,
		IPv6Only:   p.IPv6Only,
		LinkLocal:  p.LinkLocal,
		Anonymous:  p.Anonymous,
		Release:    p.Release,
		Inform:     n.origin != dynamic,
		Times:      testTimes[min(d.opt.Test, 5)],
	}
	if p.DUID && c.ClientID == nil {
		c.ClientID = d.nodeID(n)
	}
	for _, o := range p.Send {
		if o.Code == dhcp4.ClientID {
			c.ClientID = o.Value
		} else {
			c.Send = append(c.Send, client.Option(o))
		}
	}
	return c
}

// nodeID returns the client identifier of RFC 4361 section 6.1: 255, a number
// for the interface, and the DUID of the machine, which is the Ethernet
// address of its first interface (RFC 8415 section 11.4).
func (d *Daemon) nodeID(n *network) []byte {
	if d.duid == ([6]byte{}) {
		d.any(func(n *network) bool {
			d.duid = n.link.MAC
			return usable(&n.link)
		})
	}
	const duidLL = 3
	id := append([]byte{255}, n.link.MAC[2:]...)
	return append(append(id, 0, duidLL, 0, dhcp4.HtypeEther), d.duid[:]...)
}
