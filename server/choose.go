package server

import (
	"bytes"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// holdTime is how long an address that was OFFERed is kept for the client.
const holdTime = 64 * time.Second

// place is an address for the client.
type place struct {
	addr  netip.Addr
	link  link
	fixed bool // a client entry's address, not one of the pool
}

// discover answers a DHCPDISCOVER: an OFFER, and the address held. A client
// that will take what it gets has the ACK at once, if the config allows that
// (RFC 4039 section 3.1): it may not be the only server.
func (s *Server) discover() {
	if s.yields() {
		return
	}
	p, why := s.choose()
	if why != fine {
		s.drop(why)
		return
	}
	if s.site.Settings.Rapid && s.msg.Options.Has(dhcp4.RapidCommit) && s.key == nil { // a DISCOVER proves nothing
		s.settleFor(p)
		s.ack(p)
		return
	}
	if why := s.prepare(p); why != fine {
		s.drop(why)
		return
	}
	if !p.fixed {
		s.hold(p)
	}
	s.offer(p)
}

// settleFor gives up the address of an OFFER before that was another than p: a
// client takes only one.
func (s *Server) settleFor(p place) {
	if old, ok := s.table.HeldFor(s.query.ID, p.link.net, s.at); ok && old != p.addr {
		s.unhold(old)
	}
}

// hold keeps the address of an OFFER.
func (s *Server) hold(p place) {
	s.settleFor(p)
	a := s.next(act.Hold)
	a.Addr, a.Client, a.Agent, a.Until = p.addr, s.client(), s.agent, s.in(holdTime)
}

func (s *Server) unhold(a netip.Addr) {
	s.next(act.Unhold).Addr = a
}

// The order in which a client's address is looked for (RFC 2131 section
// 4.3.1), after its entry in the config.
var order = [...]struct {
	name  string
	find  func(*Server, link) (netip.Addr, bool)
	fresh bool // it takes one more address of the pool
}{
	{"current lease", (*Server).current, false},
	{"previous lease", (*Server).previous, false},
	{"asked for", (*Server).asked, true},
	{"offered before", (*Server).offered, false},
	{"free address", (*Server).oldest, true},
	{"offered to another", (*Server).early, true},
	{"abandoned", (*Server).last, true},
}

// choose picks the client's address. Where it may be on several networks, a
// rule is tried on all of them before the next one. The reason says why there
// is none.
func (s *Server) choose() (place, reason) {
	if p, ok := s.entry(); ok {
		return p, fine
	}
	if s.site.Standby {
		return place{}, standby
	}
	why := noAddress
	if s.table.Shut() {
		why = corrupt
	}
	for _, rule := range order {
		for _, l := range s.links {
			if !l.net.IsValid() {
				continue
			}
			if rule.fresh {
				if full := s.full(l); full != fine {
					why = full
					s.tried(rule.name, l, netip.Addr{}, false)
					continue
				}
			}
			a, ok := rule.find(s, l)
			s.tried(rule.name, l, a, ok)
			if ok {
				return place{addr: a, link: l}, fine
			}
			if s.wait {
				return place{}, unchecked
			}
		}
	}
	return place{}, why
}

// entry finds the address that a client entry gives. It does not count while
// another client still has a lease on it from the time before the entry: an
// ACK is a promise.
func (s *Server) entry() (place, bool) {
	for _, l := range s.links {
		a, ok := s.asker.Fixed(l.on)
		ok = ok && !s.ours(a) && !s.leased(a)
		s.tried(ruleEntry, l, a, ok)
		if ok {
			return place{addr: a, link: l, fixed: true}, true
		}
	}
	return place{}, false
}

// leased tells whether another client has a lease on a from the pool.
func (s *Server) leased(a netip.Addr) bool {
	e := s.table.At(a)
	return e.State() == pool.Bound && e.Runs(s.at) && !e.Is(s.query.ID)
}

// current is the client's lease, while it runs.
func (s *Server) current(l link) (netip.Addr, bool) {
	e := s.table.Of(s.query.ID, l.net)
	return e.Addr(), e.Runs(s.at) && s.lendable(e)
}

// previous is the client's last address, if nobody has it now.
func (s *Server) previous(l link) (netip.Addr, bool) {
	e := s.table.Of(s.query.ID, l.net)
	return e.Addr(), s.free(e) && s.sound(e.Addr())
}

// asked is the address that the client would like.
func (s *Server) asked(l link) (netip.Addr, bool) {
	a, err := s.requested()
	if err != nil {
		return a, false
	}
	e := s.table.At(a)
	return a, s.free(e) && e.On(l.net) && s.sound(a)
}

// offered is what an OFFER before this one held for the client.
func (s *Server) offered(l link) (netip.Addr, bool) {
	a, ok := s.table.HeldFor(s.query.ID, l.net, s.at)
	return a, ok && s.free(s.table.At(a)) && s.sound(a)
}

// oldest is the address that was never used or whose last lease ended longest
// ago. That of the relay may be in the pool by mistake: the next one does. It
// is not set aside for that: who sends a DISCOVER can write any giaddr.
func (s *Server) oldest(l link) (netip.Addr, bool) {
	a, ok := s.table.Oldest(l.net, s.at)
	if ok && (!s.usable(a) || s.doubtful(a)) {
		return s.candidate(l)
	}
	return a, ok
}

// sound tells whether nothing but the wire could object to a, and it doesn't.
func (s *Server) sound(a netip.Addr) bool { return !s.doubtful(a) || s.clear(a, forOffer) }

// usable tells whether a is neither ours nor the relay's.
func (s *Server) usable(a netip.Addr) bool { return !s.ours(a) && a != s.msg.Giaddr }

// lendable tells whether e may be the client's from the pool at all: it is in
// it, the config says nothing against it, and it is neither ours nor the
// relay's.
func (s *Server) lendable(e pool.Entry) bool { return e.Lendable() && s.usable(e.Addr()) }

// free tells whether the client may have e from the pool: nobody has it, by
// lease or OFFER, unless that was this client's.
func (s *Server) free(e pool.Entry) bool {
	if c, held := e.HeldBy(s.at); held {
		return s.is(c.ID) && (e.Is(c.ID) || !e.Runs(s.at)) && s.lendable(e)
	}
	return e.Free(s.at) && s.usable(e.Addr())
}

func (s *Server) is(id []byte) bool { return bytes.Equal(id, s.query.ID) }

// runs tells whether r is a lease that has not ended.
func (s *Server) runs(r *pool.Record) bool { return runs(r, s.at) }

// owns tells whether the last lease on a was this client's and a is still its
// to have: the lease runs, or nobody else has got a since.
func (s *Server) owns(a netip.Addr) bool {
	e := s.table.At(a)
	return e.Is(s.query.ID) && (e.Runs(s.at) && s.lendable(e) || s.free(e))
}

// known tells whether there is a record of this client on its network. Where we
// relay, one of the past says nothing: the client may be another server's now.
func (s *Server) known() bool {
	for _, l := range s.links {
		if !l.net.IsValid() {
			continue
		}
		if e := s.table.Of(s.query.ID, l.net); e.Known() && e.State() != pool.Relayed && (!s.relays() || e.Runs(s.at)) {
			return true
		}
	}
	return false
}

// relays tells whether what we don't answer goes to other servers.
func (s *Server) relays() bool { return len(s.site.Settings.Relay) > 0 }
