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
		MTU:        min(n.link.MTU, mostHeard-14),
		Possessive: p.Possessive,
		Probe:      p.Probe,
		Rapid:      p.Rapid,
		IPv6Only:   p.IPv6Only,
		LinkLocal:  p.LinkLocal,
		Anonymous:  p.Anonymous,
		Release:    p.Release,
		Inform:     n.origin != dynamic,
		NoForce:    p.NoForce,
		Times:      testTimes[min(d.opt.Test, 5)],
	}
	if d.opt.Once > 0 && !p.Anonymous { // ROOTPATH and NISDOMAIN of /run/net-IF.conf
		c.More = append(append([]dhcp4.Code{}, p.Request...), 17, 40)
	}
	if k := p.Key; k != nil {
		c.Key = &client.Key{ID: k.ID, Secret: k.Secret}
		d.reserve()
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
// for the interface, and the DUID of the machine. That is made once, of the
// Ethernet address of the first interface (RFC 8415 section 11.4), and kept in
// the cache from the first lease on: an initramfs may see others first.
func (d *Daemon) nodeID(n *network) []byte {
	if d.duid == nil {
		first := n
		d.any(func(n *network) bool {
			first = n
			return usable(&n.link)
		})
		const duidLL = 3
		d.duid = append([]byte{0, duidLL, 0, dhcp4.HtypeEther}, first.link.MAC[:]...)
	}
	return append(append([]byte{255}, n.link.MAC[2:]...), d.duid...)
}
