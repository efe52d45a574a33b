package server

import (
	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// Site is where one message came in. The daemon keeps one for each network
// and sets To and From for each message.
type Site struct {
	If       string                // name of the interface
	Index    int                   // its index; replies leave through it
	Addrs    []netip.Prefix        // its addresses with their netmasks, in the kernel's order
	To       netip.Addr            // where the message was sent to
	From     netip.Addr            // and by whom; 0.0.0.0 from a client without address
	Ours     func(netip.Addr) bool // tells an address of this machine, whatever the interface
	MAC      [6]byte               // of the interface
	MTU      int                   // of the interface; 0 counts as 1500
	Settings conf.Settings         // the network's options; Server and Inform count here
	Standby  bool                  // the servers that we relay to give the addresses: ours are for client entries only
	Longest  uint32                // seconds that a lease from the pool may have; 0 for what the config says

	asked asked // leasequeries
}

// link is one network that the client may be on.
type link struct {
	on  netip.Addr   // an address there: the relay's, the client's or our own
	net netip.Prefix // not valid: known at most by a client's own entry
}

// locate finds the client's network (S20): what the relay or the client
// selects goes before giaddr, and that before the interface. By interface it
// may be on any network that the interface has an address on, and the first
// one is the kernel's first. It says what is wrong, fine for nothing.
func (s *Server) locate() reason {
	m, o := s.msg, &s.msg.Options
	selected, errLink := dhcp4.SubOption(o.Get(dhcp4.RelayAgent), dhcp4.LinkSelection)
	subnet, err := o.Addr(dhcp4.SubnetSelection)
	switch {
	case errLink == nil && len(selected) == 4: // wins over RFC 3011: RFC 3527 section 3
		s.addLink(netip.AddrFrom4([4]byte(selected)))
	case errLink == nil:
		return badLink
	case err == nil:
		s.addLink(subnet)
	case err == dhcp4.ErrMalformed:
		return badSubnet
	case !m.Giaddr.IsUnspecified():
		s.addLink(m.Giaddr)
	case !m.Ciaddr.IsUnspecified() && s.ours(s.site.To):
		s.addLink(m.Ciaddr)
	default:
		for _, p := range s.site.Addrs {
			s.addLink(p.Addr())
		}
	}
	return fine
}

// network returns the network that a is on. The table knows that of its own
// addresses, and of the others one is asked for again and again: ours, or the
// relay's.
func (s *Server) network(a netip.Addr) (netip.Prefix, bool) {
	if n := &s.nearby; n.cfg == s.cfg && n.on == a {
		return n.net, n.net.IsValid()
	}
	if net := s.table.At(a).Network(); net.IsValid() {
		return net, true
	}
	net, ok := s.cfg.Network(a)
	s.nearby.cfg, s.nearby.link = s.cfg, link{a, net}
	return net, ok
}

// addLink adds the network that a is on, once.
func (s *Server) addLink(a netip.Addr) {
	net, ok := s.network(a)
	for _, l := range s.links {
		if ok && l.net == net {
			return
		}
	}
	s.links = append(s.links, link{a, net})
}

// linkOf returns the client's network that a is on.
func (s *Server) linkOf(a netip.Addr) (link, bool) {
	net, ok := s.network(a)
	for _, l := range s.links {
		if ok && l.net == net {
			return l, true
		}
	}
	return link{}, false
}

// isOn tells whether a is on the network of l, if that is known.
func (s *Server) isOn(a netip.Addr, l link) bool {
	net, ok := s.network(a)
	return ok && net == l.net
}

// responsible tells whether we have information for the client's network, so
// that a NAK is ours to give for address a (S6). A network of the interface
// that the config knows nothing of is another server's: what it gave there
// is none of our business.
func (s *Server) responsible(a netip.Addr) bool {
	known := false
	for _, l := range s.links {
		if l.net.IsValid() {
			known = true
			continue
		}
		for _, p := range s.site.Addrs {
			if p.Addr() == l.on && p.Contains(a) {
				return false
			}
		}
	}
	return known
}

// address is the one of ours by which a client at p knows us: one that it can
// reach (RFC 2131 section 4.1). If it names one of ours, then that: clients
// take a NAK only from the server that they asked.
func (s *Server) address(p place) netip.Addr {
	if a, err := s.msg.Options.Addr(dhcp4.ServerID); err == nil && s.ours(a) {
		return a
	}
	if a := s.onLink(p); a.IsValid() {
		return a
	}
	if s.ours(s.site.To) { // behind a relay: it reached us there
		return s.site.To
	}
	return s.site.Addrs[0].Addr()
}

// onLink is the interface's first address on the client's network, the zero
// Addr if there is none: where several netblocks share the wire, rather one
// that the client reaches without a router.
func (s *Server) onLink(p place) (first netip.Addr) {
	if !s.msg.Giaddr.IsUnspecified() {
		return first
	}
	for _, x := range s.site.Addrs {
		a := x.Addr()
		if a != p.link.on && !s.isOn(a, p.link) {
			continue
		}
		if x.Contains(p.addr) {
			return a
		}
		if !first.IsValid() {
			first = a
		}
	}
	return first
}

// destination says how a reply to m travels, from our address source. Local
// tells whether the client is on the link.
//
// RFC 2131 section 4.1:
//
//	giaddr  ciaddr  BROADCAST   OFFER, ACK              NAK
//	------  ------  ---------   ------------------      ------------------
//	set     any     any         giaddr, port 67         giaddr, port 67
//	0       set     any         ciaddr, port 68         broadcast, port 68
//	0       0       1           broadcast, port 68      broadcast, port 68
//	0       0       0           yiaddr at chaddr, 68    broadcast, port 68
//
// An INFORM is answered to ciaddr in any case (section 4.3.5). A NAK to a
// client that renews from behind a relay, and so without giaddr, goes to
// ciaddr: no broadcast of ours would get there.
func destination(m, reply *dhcp4.Message, source netip.Addr, local bool) act.Dest {
	d := act.Dest{Addr: dhcp4.Everyone, Port: dhcp4.ClientPort, Source: source}
	mac, ether := m.Ether()
	ciaddr, giaddr := !m.Ciaddr.IsUnspecified(), !m.Giaddr.IsUnspecified()
	nak := reply.Type() == dhcp4.NAK
	switch {
	case m.Type() == dhcp4.Inform && ciaddr:
		d.Addr = m.Ciaddr
	case giaddr:
		d.Addr, d.Port = m.Giaddr, dhcp4.ServerPort
	case ciaddr && !(nak && local):
		d.Addr = m.Ciaddr
	case nak || m.Flags&dhcp4.Broadcast != 0 || !ether:
	default:
		d.Addr, d.Raw, d.HW = reply.Yiaddr, true, mac
	}
	return d
}

// local tells whether the client is on the link: not known by a relay, and
// not by an address that our interface has no neighbours at.
func (s *Server) local() bool {
	if !s.msg.Giaddr.IsUnspecified() {
		return false
	}
	if s.msg.Ciaddr.IsUnspecified() || !s.ours(s.site.To) {
		return true
	}
	for _, p := range s.site.Addrs {
		if p.Contains(s.msg.Ciaddr) {
			return true
		}
	}
	net, ok := s.network(s.msg.Ciaddr)
	for _, p := range s.site.Addrs {
		if ok && s.isOn(p.Addr(), link{net: net}) {
			return true
		}
	}
	return false
}

// ours tells whether a is an address of this machine. Most are those of the
// interface.
func (s *Server) ours(a netip.Addr) bool {
	for i := range s.site.Addrs {
		if s.site.Addrs[i].Addr() == a {
			return true
		}
	}
	return s.site.Ours(a)
}
