package server

import (
	"dhcpd/internal/auth"
	"dhcpd/internal/dhcp4"
)

// replay are the replay counters (RFC 3118 section 2) that may be used: from
// next up to end. Storage knows that they are.
type replay struct{ next, end uint64 }

// CountFrom says that storage knows that these replay counters are used.
func (s *Server) CountFrom(from, to uint64) { s.replay = replay{from, to} }

// canCount tells whether there is a replay counter left to be used: in the first
// moments of a run there is none.
func (s *Server) canCount() bool { return s.replay.next < s.replay.end }

func (s *Server) count() uint64 {
	s.replay.next++
	return s.replay.next - 1
}

// authentic says why the message is not to be believed, fine if it is: on a
// network where clients have keys (RFC 3118 section 5.6), each its own or the
// network's. A DISCOVER and an INFORM only ask that the reply be authenticated.
func (s *Server) authentic() reason {
	s.key, s.heard = s.keyOf(), 0 // what only asks proves nothing, its counter neither
	t, o := s.msg.Type(), auth.Of(s.msg)
	asks := t == dhcp4.Discover || t == dhcp4.Inform
	switch {
	case s.key == nil || t > dhcp4.Inform:
		s.key = nil
		return fine
	case asks != (o.Kind == auth.Asks), !asks && (o.Kind != auth.Keyed || o.ID != s.key.ID):
		return unproven
	case !asks && o.Replay <= s.lastCount():
		return replayed
	case !asks && !auth.Check(s.msg.Wire, s.key.Secret):
		return forged
	case !s.canCount():
		return uncounted
	}
	if !asks {
		s.heard = o.Replay
	}
	return fine
}

// lastCount is the replay counter of the client's last message that proved
// itself: RFC 3118 section 5.6.1.
func (s *Server) lastCount() (n uint64) {
	for r := range s.table.AllOf(s.query.ID) {
		n = max(n, r.Counter)
	}
	return n
}

// keepCount puts that of this message into the record.
func (s *Server) keepCount() {
	if s.key != nil {
		s.record.Counter = max(s.heard, s.record.Counter, 1)
	}
}

// prove puts option 90 into the reply: the digest is made when it is written.
func (s *Server) prove(t dhcp4.Type) {
	switch {
	case s.key != nil:
		auth.Put(&s.reply, auth.Option{Kind: auth.Keyed, Replay: s.count(), ID: s.key.ID})
	case t == dhcp4.ACK && s.nonce != nil:
		auth.Put(&s.reply, auth.Option{Kind: auth.Nonce, Replay: s.count(), Nonce: s.nonce})
	}
}

// able tells whether the client is to have a nonce (RFC 6704 section 3.1.3).
func (s *Server) able() bool {
	return s.key == nil && auth.IsAble(s.msg) && !s.site.Settings.NoForce && s.Fresh != nil
}

// giveNonce sees to the nonce in the client's record. It stays the same, and is
// sent again only to a client that begins anew and so may have lost it. It
// tells whether there is a new one.
func (s *Server) giveNonce() (news bool) {
	r := &s.record
	switch {
	case !s.able():
		r.Nonce = nil
	case !s.canCount(): // a moment after the start
	case len(r.Nonce) != len(s.fresh):
		s.fresh = s.Fresh()
		r.Nonce = s.fresh[:]
		s.nonce, news = r.Nonce, true
	case s.msg.Ciaddr.IsUnspecified():
		s.fresh = [16]byte(r.Nonce)
		s.nonce = s.fresh[:]
	}
	return news
}
