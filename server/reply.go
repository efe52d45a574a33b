package server

import (
	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
)

// begin starts a reply of type t to a client at p: the header, and the
// options that say what it is and from whom.
//
// RFC 2131 table 3, with the client ID as RFC 6842 changed it:
//
//	                  DHCPOFFER       DHCPACK                 DHCPNAK
//	----------------  --------------  ----------------------  --------------
//	op                BOOTREPLY       BOOTREPLY               BOOTREPLY
//	htype, hlen       from client     from client             from client
//	hops, secs        0               0                       0
//	xid, chaddr       from client     from client             from client
//	flags, giaddr     from client     from client             from client
//	ciaddr            0               from client             0
//	yiaddr            offered         assigned (INFORM: 0)    0
//	siaddr            next server     next server             0
//	sname, file       from config     from config             unused
//	requested IP      MUST NOT        MUST NOT                MUST NOT
//	lease time        MUST            MUST (INFORM MUST NOT)  MUST NOT
//	overload          MAY             MAY                     MUST NOT
//	message type      MUST            MUST                    MUST
//	parameter list    MUST NOT        MUST NOT                MUST NOT
//	message           SHOULD          SHOULD                  SHOULD
//	client ID         if it was sent  if it was sent          if it was sent
//	vendor class      MAY             MAY                     MAY
//	server ID         MUST            MUST                    MUST
//	maximum size      MUST NOT        MUST NOT                MUST NOT
//	all others        MAY             MAY                     MUST NOT
//
// A BOOTP reply is an ACK without what makes it DHCP (RFC 1534 section 2).
func (s *Server) begin(t dhcp4.Type, p place) {
	m, r := s.msg, &s.reply
	r.Reset(dhcp4.BootReply)
	r.Htype, r.Hlen, r.Chaddr = m.Htype, m.Hlen, m.Chaddr
	r.Xid, r.Flags, r.Giaddr = m.Xid, m.Flags, m.Giaddr
	s.source = s.address(p)
	s.self = s.source
	if a, ok := s.override(); ok {
		s.self = a
	}
	if t != dhcp4.BOOTP {
		r.SetType(t)
		s.prove(t)
		r.Options.PutAddr(dhcp4.ServerID, s.self)
	}
}

// assign puts in the address and, but for BOOTP, its lease time.
func (s *Server) assign(p place) {
	s.reply.Yiaddr = p.addr
	if s.reply.Type() != dhcp4.BOOTP {
		s.reply.Options.PutUint32(dhcp4.LeaseTime, s.term)
	}
}

// echo returns option c as it came, if it came.
func (s *Server) echo(c dhcp4.Code) {
	if s.msg.Options.Has(c) {
		s.reply.Options.Put(c, s.msg.Options.Get(c))
	}
}

// offer OFFERs p.
func (s *Server) offer(p place) {
	s.begin(dhcp4.Offer, p)
	if s.able() && s.canCount() {
		s.reply.Options.Put(dhcp4.ForceRenewNonce, auth.Able)
	}
	s.assign(p)
	s.configure()
	s.send()
}

// ack binds p to the client and, once that is stored, says so.
func (s *Server) ack(p place) {
	if why := s.prepare(p); why != fine {
		s.drop(why)
		return
	}
	s.commit(p)
	s.begin(dhcp4.ACK, p)
	s.reply.Ciaddr = s.msg.Ciaddr
	s.assign(p)
	if s.msg.Type() == dhcp4.Discover { // RFC 4039 section 4
		s.reply.Options.Put(dhcp4.RapidCommit, nil)
	}
	s.configure()
	s.send()
}

// nak refuses an address.
func (s *Server) nak(why reason) {
	if s.yields() {
		return
	}
	s.because(why, act.Refusal)
	s.heeded(s.msg.Ciaddr)
	s.begin(dhcp4.NAK, place{link: s.links[0]})
	if !s.reply.Giaddr.IsUnspecified() {
		// The relay is to broadcast it: the client may not be where its
		// address is (RFC 2131 section 4.3.2).
		s.reply.Flags |= dhcp4.Broadcast
	}
	s.reply.Options.PutText(dhcp4.MessageText, why.String())
	s.echo(dhcp4.ClientID)
	s.echo(dhcp4.RelayAgent)
	s.send()
}

// send sends the reply.
func (s *Server) send() {
	mtu := s.site.MTU
	if mtu == 0 || !s.msg.Giaddr.IsUnspecified() {
		mtu = etherMTU
	}
	a := s.next(act.Send)
	a.Msg, a.Limit = &s.reply, s.msg.Limit(mtu)
	if s.key != nil {
		a.Key = s.key.Secret
	}
	a.To = destination(s.msg, &s.reply, s.source, s.local())
}

// etherMTU is what is taken for the MTU on the way to a relay.
const etherMTU = 1500
