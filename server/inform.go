package server

import (
	"dhcpd/internal/dhcp4"
)

// inform answers a client that has its address and wants what goes with it
// (RFC 2131 section 4.3.5): an ACK without address and lease time. The
// address is not looked up among the leases (section 3.4), but the client
// must be one that we would serve, unless the config says anyone.
func (s *Server) inform() {
	if s.msg.Ciaddr.IsUnspecified() {
		s.drop("a DHCPINFORM without ciaddr")
		return
	}
	if !s.site.Settings.Inform {
		if _, ok := s.choose(); !ok {
			s.drop("a DHCPINFORM from a client that we would not serve")
			return
		}
	}
	for _, l := range s.links {
		if s.gather(place{addr: s.msg.Ciaddr, link: l}) == "" {
			s.begin(dhcp4.ACK, l)
			s.reply.Ciaddr = s.msg.Ciaddr
			s.configure()
			s.send()
			return
		}
	}
	s.drop("no information for ciaddr on the client's network")
}

// bootp answers a BOOTP request (RFC 951, RFC 1534 section 2): an address for
// ever, since the client knows no leases. One of the pool would never come
// back, so the config must allow it.
func (s *Server) bootp() {
	p, ok := s.entry()
	if !ok && s.site.Settings.BOOTP {
		p, ok = s.choose()
	}
	if !ok {
		s.drop("no address for the BOOTP client")
		return
	}
	if why := s.gather(p); why != "" {
		s.drop(why)
		return
	}
	s.term = dhcp4.Infinite
	s.commit(p)
	s.begin(dhcp4.BOOTP, p.link)
	s.reply.Ciaddr = s.msg.Ciaddr
	s.assign(p)
	s.configure()
	s.send()
}
