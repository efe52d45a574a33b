package server

import (
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// request answers a DHCPREQUEST. What kind it is shows by its fields only:
//
// RFC 2131 table 4:
//
//	             INIT-REBOOT  SELECTING  RENEWING    REBINDING
//	-----------  -----------  ---------  ----------  ----------
//	sent to      broadcast    broadcast  unicast     broadcast
//	server ID    MUST NOT     MUST       MUST NOT    MUST NOT
//	requested IP MUST         MUST       MUST NOT    MUST NOT
//	ciaddr       zero         zero       IP address  IP address
func (s *Server) request() {
	m := s.msg
	asked, errAsked := s.requested()
	server, errServer := m.Options.Addr(dhcp4.ServerID)
	ciaddr := !m.Ciaddr.IsUnspecified()
	switch {
	case errAsked == dhcp4.ErrMalformed || errServer == dhcp4.ErrMalformed:
		s.drop(badRequest)
	case errServer == nil && !s.isUs(server):
		s.notSelected(server)
	case s.yields(asked, m.Ciaddr):
	case errServer == nil && errAsked == nil:
		s.selecting(asked)
	case ciaddr && m.Giaddr.IsUnspecified() && s.ours(s.site.To):
		s.renewing()
	case ciaddr:
		s.rebinding()
	case errAsked == nil:
		s.initReboot(asked)
	default:
		s.drop(noRequest)
	}
}

// notSelected hears that the client took another server's OFFER: ours is
// over (RFC 2131 section 3.1 step 4).
func (s *Server) notSelected(server netip.Addr) {
	for _, l := range s.links {
		if !l.net.IsValid() {
			continue
		}
		if a, ok := s.table.HeldFor(s.query.ID, l.net, s.at); ok {
			s.unhold(a)
		}
	}
	s.drop(otherServer)
	if s.msg.Giaddr.IsUnspecified() {
		s.meet(server, [6]byte{}, true)
	}
}

// selecting answers the client that takes our OFFER of a. It gets it if it is
// what we would OFFER now, or still hold for it.
func (s *Server) selecting(a netip.Addr) {
	p, why := s.choose()
	ok := why == fine
	if ok && !p.fixed && p.addr != a && s.holds(a) {
		p.addr = a
		p.link, ok = s.linkOf(a)
	}
	switch {
	case ok && p.addr == a:
		s.ack(p)
	case why == standby:
		s.drop(standby)
	case !ok && s.table.Shut():
		s.drop(corrupt)
	case s.standsFor():
		s.drop(otherServer)
	case ok || s.responsible(a):
		s.nak(notThisAddress)
	default:
		s.drop(noNetwork)
	}
}

// standsFor tells whether a client that selects us may mean a server that we
// relay to: that told it to (RFC 5107).
func (s *Server) standsFor() bool {
	return s.relays() && s.site.Settings.Agent != nil && s.site.Settings.Agent.Override
}

// holds tells whether a is held for this client and still its to have.
func (s *Server) holds(a netip.Addr) bool {
	e := s.table.At(a)
	c, ok := e.HeldBy(s.at)
	return ok && s.is(c.ID) && s.free(e)
}

// initReboot answers a client that was here before, or elsewhere, and wants
// to know whether its address is still good.
func (s *Server) initReboot(a netip.Addr) { s.verify(a) }

// renewing answers a client that asks us, its server, for more time. No relay
// is involved: ciaddr is to be trusted, and says where the client is.
func (s *Server) renewing() { s.verify(s.msg.Ciaddr) }

// rebinding answers a client whose server did not: it asks all of them.
func (s *Server) rebinding() { s.verify(s.msg.Ciaddr) }

// verify answers a client that says that a is its address.
//
// RFC 2131 section 4.3.2, as S6 reads it:
//
//	the config has an address for the client   ACK for that, NAK for another
//	a is not on the client's network           NAK, if we know that network
//	the last lease on a was the client's       ACK, unless someone else has it
//	the client has a record of another address NAK
//	there is no record of the client           silence, but see stranger
func (s *Server) verify(a netip.Addr) {
	entry, ok := s.entry()
	l, on := s.linkOf(a)
	switch {
	case ok && entry.addr == a:
		s.ack(entry)
	case ok:
		s.nak(notThisAddress)
	case s.site.Standby:
		s.drop(standby)
	case !on && s.responsible(a):
		s.nak(notThisNetwork)
	case !on:
		s.drop(noNetwork)
	case s.table.Shut():
		s.drop(corrupt) // who knows whose it is
	case s.owns(a):
		s.ack(place{addr: a, link: l})
	case s.known():
		s.nak(notThisAddress)
	default:
		s.stranger(place{addr: a, link: l})
	}
}

// stranger answers a client of this network that says it has an address, and
// of which there is no record. Another server may know it, unless the config
// says that there is none. To a client that only remembers the address a NAK
// saves time. One that uses it may go on (S19), if nobody else can have it.
func (s *Server) stranger(p place) {
	inUse := !s.msg.Ciaddr.IsUnspecified()
	switch {
	case s.site.Settings.Authoritative && !inUse:
		s.nak(notKnown)
	case !inUse || !s.free(s.table.At(p.addr)) || !s.forgetful(p):
		s.drop(noRecord)
	case s.clear(p.addr, forLost):
		s.ack(p)
	case s.wait:
		s.await(p.addr)
		s.drop(unchecked)
	default:
		s.drop(noRecord)
	}
}

// forgetful tells whether the record of a client that has the address of p may
// be lost: nobody else could have given it, or records were lost less than a
// lease time ago.
func (s *Server) forgetful(p place) bool {
	if s.site.Settings.Authoritative {
		return true
	}
	if s.lost.IsZero() || s.prepare(p) != fine {
		return false
	}
	most, _ := s.info.Options.Uint32(dhcp4.LeaseTime)
	return most == dhcp4.Infinite || s.now.Sub(s.lost) < time.Duration(most)*time.Second
}
