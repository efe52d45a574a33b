package daemon

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// tells tells whether leasequeries are answered here.
func (n *network) tells() bool { return n.plan.LeaseQuery != nil && (n.serves() || n.relays()) }

// loopback is the index of the interface by which this machine asks itself.
const loopback = 1

// networkOf returns the network that has an address of ours, nil if none has.
func (d *Daemon) networkOf(a netip.Addr) *network {
	for _, n := range d.order {
		for _, p := range n.site.Addrs {
			if p.Addr() == a {
				return n
			}
		}
	}
	return nil
}

// answerQuery answers a DHCPLEASEQUERY. It is for us alone: it is not relayed.
func (s *service) answerQuery(n *network, m *link.Msg) {
	if s.quota == 0 {
		s.d.drop(&s.d.count.of[yielded], n.name(), "leasequeries give way to DHCP messages")
		return
	}
	s.quota--
	s.decide(n, m)
}

// quota is how many leasequeries of a batch are answered: no more than half of
// it if it is full, so that more is waiting, and there are other messages in
// it.
func quota(b *link.Batch) int {
	n := b.Len()
	if n < batchSize {
		return n
	}
	for i := range n {
		if dhcp4.PeekType(b.At(i).Data) != dhcp4.LeaseQuery {
			return n / 2
		}
	}
	return n
}
