package server

import (
	"dhcpd/internal/dhcp4"
)

// inform answers a client that has its address and wants what goes with it
// (RFC 2131 section 4.3.5): an ACK without address and lease time. That says
// not to look for a lease. But who is a stranger to us may be another
// server's client, so that is left to the config (S9).
func (s *Server) inform() {
	if s.msg.Ciaddr.IsUnspecified() {
		s.drop(informNowhere)
		return
	}
	if s.yields(s.msg.Ciaddr) {
		return
	}
	if !s.site.Settings.Inform && !s.served() {
		s.drop(informUnserved)
		return
	}
	for _, l := range s.links {
		if p := (place{addr: s.msg.Ciaddr, link: l}); s.gather(p) == fine {
			s.begin(dhcp4.ACK, p)
			s.reply.Ciaddr = s.msg.Ciaddr
			s.configure()
			s.send()
			return
		}
	}
	s.drop(informUnknown)
}

// served tells whether the client is one of ours: the config has an address for
// it, or its ciaddr is a lease from here.
func (s *Server) served() bool {
	if _, ok := s.entry(); ok {
		return true
	}
	r, ok := s.table.ByAddr(s.msg.Ciaddr)
	return ok && s.runs(&r) && s.is(r.ID)
}

// bootp answers a BOOTP request (RFC 951, RFC 1534 section 2): an address for
// ever, since the client knows no leases. One of the pool would never come
// back, so the config must allow it.
func (s *Server) bootp() {
	if s.yields() {
		return
	}
	p, ok := s.entry()
	why := noBOOTP
	if !ok && s.site.Settings.BOOTP {
		p, why = s.choose()
		ok = why == fine
	}
	if !ok {
		s.drop(why)
		return
	}
	if why := s.gather(p); why != fine {
		s.drop(why)
		return
	}
	s.term = dhcp4.Infinite
	s.commit(p)
	s.begin(dhcp4.BOOTP, p)
	s.reply.Ciaddr = s.msg.Ciaddr
	s.assign(p)
	s.configure()
	s.send()
}
