package server

import (
	"bytes"

	"dhcpd/internal/dhcp4"
)

// reserved are the options that the server itself sets or must never send
// (S11): neither the config nor the client's list has a say in them.
var reserved = setOf(
	dhcp4.RequestedAddress, dhcp4.LeaseTime, dhcp4.Overload, dhcp4.MessageType,
	dhcp4.ServerID, dhcp4.ParameterList, dhcp4.MessageText, dhcp4.MaxSize,
	dhcp4.ClientID, dhcp4.RelayAgent, dhcp4.SubnetSelection, dhcp4.RapidCommit,
	dhcp4.Authentication, dhcp4.ForceRenewNonce,
)

func setOf(codes ...dhcp4.Code) (set dhcp4.Set) {
	for _, c := range codes {
		set.Add(c)
	}
	return set
}

// gather collects what the config has for the client at p (dhcp-conf.md,
// "Gathering"). It says what is wrong, fine for nothing.
func (s *Server) gather(p place) reason {
	if !s.asker.Gather(p.addr, &s.info) ||
		!s.info.Net(p.addr).Contains(p.link.on) && !s.cfg.Joined(p.addr, p.link.on) {
		return noInformation
	}
	return fine
}

// configure puts in what was gathered: the header fields, and the options
// that the client names in its order (RFC 2132 section 9.8), or all of them
// if it names none. What must come back comes first, since what does not fit
// is left out from the end.
func (s *Server) configure() {
	r := &s.reply
	r.Siaddr = s.info.Siaddr
	copy(r.Sname[:], s.info.Sname)
	copy(r.File[:], s.info.File)
	s.echo(dhcp4.ClientID)        // RFC 6842 section 3
	s.echo(dhcp4.SubnetSelection) // RFC 3011 section 2
	s.left = s.info.Options.Set()
	s.left.RemoveAll(&reserved)
	list := s.msg.Options.Get(dhcp4.ParameterList)
	for _, c := range list {
		s.put(dhcp4.Code(c))
	}
	for _, c := range s.info.Options.Codes() {
		if len(list) == 0 || s.site.Settings.Always.Has(c) {
			s.put(c)
		}
	}
	s.echo(dhcp4.RelayAgent) // RFC 3046 section 2.2; Append makes it the last
}

// wants tells whether option c is to be sent: the client names it, or nothing
// at all, or the config insists on it.
func (s *Server) wants(c dhcp4.Code) bool {
	list := s.msg.Options.Get(dhcp4.ParameterList)
	return len(list) == 0 || bytes.IndexByte(list, byte(c)) >= 0 || s.site.Settings.Always.Has(c)
}

// put puts in option c as gathered, if it was and is not in yet.
func (s *Server) put(c dhcp4.Code) {
	if !s.left.Has(c) {
		return
	}
	s.left.Remove(c)
	switch {
	case c == dhcp4.RenewalTime || c == dhcp4.RebindingTime:
		// T1 and T2 only mean something within a lease (S12, S9, S14).
		t, err := s.info.Options.Uint32(c)
		term, errTerm := s.reply.Options.Uint32(dhcp4.LeaseTime)
		if err != nil || errTerm != nil || t >= term {
			return
		}
	case c == dhcp4.Router && s.wants(dhcp4.Netmask):
		s.put(dhcp4.Netmask) // the netmask goes first: RFC 2132 section 3.3
	}
	s.reply.Options.Put(c, s.info.Options.Get(c))
}

// TooBig is the diagnostic (dhcpd(8)) for the reply m, which had no room for
// the options left: Append says which.
func TooBig(m *dhcp4.Message, left dhcp4.Set, d *dhcp4.Dict) string {
	b := append([]byte(nil), "DHCP packet too big, no room in the "...)
	b = append(b, m.Type().String()...)
	b = append(b, " for"...)
	for c := range left.All() {
		t, _ := d.ByCode(c)
		b = append(append(b, ' '), t.Name...)
	}
	return string(b)
}
