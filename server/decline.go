package server

import (
	"encoding/hex"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// decline hears that someone else uses the address that the client was given
// (RFC 2131 section 4.3.3): it is not to be given out again. Only the holder
// is believed, or anyone could empty the pool.
func (s *Server) decline() {
	a, err := s.requested()
	server, errServer := s.msg.Options.Addr(dhcp4.ServerID)
	if err != nil || errServer != nil || !s.isUs(server) {
		s.drop(declineUnclear)
		return
	}
	r, ok := s.table.ByAddr(a)
	if !ok || !s.is(r.ID) || !s.runs(&r) {
		s.drop(declineOthers)
		return
	}
	fixed, ok := s.asker.Fixed(a)
	switch {
	case ok && fixed == a: // what the config gives, a client can't take away
		s.log(declines(s.query.ID, a, s.msg))
	case s.declined() >= quota:
		s.drop(declineOften)
		s.ask(a, forDecline)
	default:
		s.log(declines(s.query.ID, a, s.msg))
		s.abandon(r, pool.HW{}, declined)
		s.record.Decliner = s.query.ID
		s.ask(a, forHolder)
	}
}

// quota is how many of a client's DECLINEs are believed in an hour. The others
// only if the wire confirms them, or one client could empty the pool.
const quota = 3

// declined returns how many DECLINEs of the client were believed in the last
// hour.
func (s *Server) declined() (n int) {
	for r := range s.table.AllOf(s.query.ID) {
		if s.is(r.Decliner) && r.Last > s.at-60*60 {
			n++
		}
	}
	return n
}

// declines is the diagnostic of dhcpd(8), with the client identifier in
// hexadecimal as -q has it. The message may be nil.
func declines(id []byte, a netip.Addr, m *dhcp4.Message) string {
	b := hex.AppendEncode(nil, id)
	b = a.AppendTo(append(b, " declines "...))
	if m != nil && m.Options.Has(dhcp4.MessageText) {
		b = append(b, " saying "...)
		b = dhcp4.AppendSaid(b, m.Options.Get(dhcp4.MessageText))
	}
	return string(b)
}

// release hears that the client needs its address no more (RFC 2131 section
// 4.3.4). The record stays, so that the client gets it again if it comes back
// in time.
func (s *Server) release() {
	server, err := s.msg.Options.Addr(dhcp4.ServerID)
	r, ok := s.table.ByAddr(s.msg.Ciaddr)
	switch {
	case err == dhcp4.ErrMalformed || err == nil && !s.isUs(server):
		s.drop(releaseElsewhere)
	case !ok || !s.is(r.ID) || !s.runs(&r):
		s.drop(releaseOthers)
	case r.State == pool.Fixed:
		s.end(r, pool.Fixed) // still the client's, but not in use
	default:
		s.end(r, pool.Released)
	}
}

// end ends lease r now and leaves the address in state.
func (s *Server) end(r pool.Record, state pool.State) {
	s.record = r
	s.record.State = state
	s.record.Since, s.record.Told, s.record.Kept, s.record.Last = s.at, s.at, s.at, s.at
	s.keepCount()
	s.next(act.Commit).Record = &s.record
}
