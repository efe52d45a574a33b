package relay

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Nets finds the network that a reply is for. The zero Nets has none.
type Nets struct {
	byGiaddr map[netip.Addr]*Network // nil where several have the same
	byMark   map[string]*Network     // those several, by what option 82 says; nil where that is the same, too
	key      []byte                  // scratch
}

// Reset makes these the networks that we relay for, all of them prepared.
// Several may have one giaddr: those without a network of their own
// (unnumbered), and those with link selection. Option 82 tells them apart.
func (x *Nets) Reset(list []*Network) {
	x.byGiaddr = make(map[netip.Addr]*Network, len(list))
	x.byMark = make(map[string]*Network)
	for _, n := range list {
		x.add(n.Addr.Addr(), n)
		if n.giaddr != n.Addr.Addr() {
			x.add(n.giaddr, n)
		}
	}
	for _, n := range list {
		for _, a := range [...]netip.Addr{n.Addr.Addr(), n.giaddr} {
			if x.byGiaddr[a] != nil {
				continue
			}
			mark, to := string(x.mark(a, n.agent)), n
			if other, known := x.byMark[mark]; known && other != n {
				to = nil
			}
			x.byMark[mark] = to
		}
	}
}

func (x *Nets) add(giaddr netip.Addr, n *Network) {
	if _, known := x.byGiaddr[giaddr]; known {
		n = nil
	}
	x.byGiaddr[giaddr] = n
}

// Any tells whether there is any.
func (x *Nets) Any() bool { return len(x.byGiaddr) > 0 }

// Find returns the network whose clients a reply is for, nil if there is none
// such; several tells whether that is because there are too many.
func (x *Nets) Find(m *dhcp4.Message) (n *Network, several bool) {
	n, known := x.byGiaddr[m.Giaddr]
	if n != nil || !known {
		return n, false
	}
	n = x.byMark[string(x.mark(m.Giaddr, m.Options.Get(dhcp4.RelayAgent)))]
	return n, n == nil
}

// mark is what makes a network known by its option 82: circuit ID, remote ID
// and link selection. A server may have changed their order.
func (x *Nets) mark(giaddr netip.Addr, agent []byte) []byte {
	a := giaddr.As4()
	x.key = append(x.key[:0], a[:]...)
	for _, code := range [...]uint8{dhcp4.CircuitID, dhcp4.RemoteID, dhcp4.LinkSelection} {
		x.key = dhcp4.AppendSub(x.key, code, dhcp4.Sub(agent, code))
	}
	return x.key
}
