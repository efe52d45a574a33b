package server

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

const (
	checkGood  = 5 * time.Minute // how long the answer of the wire is believed
	checkAgain = 4 * time.Minute // the next candidates are checked again in time
	checkLost  = 5 * time.Second // a check without an outcome is made again
	checksMost = 4096            // as many are remembered
	ahead      = 16              // candidates that are kept checked
)

// check is what the wire said about an address, or will say.
type check struct {
	asked  time.Time // zero: there is no question under way
	why    purpose   // of that question
	at     time.Time // when the wire said the rest; zero for never
	heard  bool      // somebody answered
	holder pool.HW   // who; the zero HW behind a relay
}

// purpose is what the answer is for, apart from knowing it.
type purpose uint8

const (
	forOffer     purpose = iota
	forLast              // the address was abandoned, but nothing else is free
	forProbation         // it was abandoned, and may be good again
	forDecline           // a client declines it and has declined much
	forHolder            // it was declined: by whom is it used?
	forLost              // its record is lost: a client says that it has it
)

// Outcome is the answer to act.Check: whether anybody has the address, and if
// it was heard by ARP, the hardware address of the first that answered.
type Outcome struct {
	Addr  netip.Addr
	Heard bool
	HW    pool.HW
}

// ask has the wire asked about a, unless it is being asked.
func (s *Server) ask(a netip.Addr, why purpose) {
	c, known := s.checks[a]
	if s.now.Sub(c.asked) < checkLost {
		return
	}
	if !known && len(s.checks) >= checksMost && !s.forgetChecks() {
		return // it will be asked for again
	}
	if s.checks == nil {
		s.checks = map[netip.Addr]check{}
	}
	c.asked, c.why = s.now, why
	s.checks[a] = c
	s.next(act.Check).Addr = a
}

// forgetChecks makes room for new checks, if there is any: it looks once in a
// while, since a flood may ask for it all the time.
func (s *Server) forgetChecks() bool {
	if s.now.Sub(s.forgot) < checkLost {
		return false
	}
	s.forgot = s.now
	for a, c := range s.checks {
		if s.now.Sub(c.at) >= checkGood && s.now.Sub(c.asked) >= checkLost {
			delete(s.checks, a)
		}
	}
	return len(s.checks) < checksMost
}

// answered returns what the wire said about a, if that still counts.
func (s *Server) answered(a netip.Addr) (check, bool) {
	c, ok := s.checks[a]
	return c, ok && s.now.Sub(c.at) < checkGood
}

// clear tells whether the client may be offered a as far as the wire knows:
// nobody answered for it, or only the client itself. If the wire must be asked
// first, the client has to come again: s.wait.
func (s *Server) clear(a netip.Addr, why purpose) bool {
	c, ok := s.answered(a)
	if !ok {
		s.ask(a, why)
		s.wait = true
		return false
	}
	return !c.heard || c.holder != pool.HW{} && c.holder == s.hw
}

// doubtful tells whether a must be checked before it is offered: the config
// wants it, or its last lease ended in a jump of the clock (design.md, "The
// pool file", step 8), so that its holder may believe in it still.
func (s *Server) doubtful(a netip.Addr) bool {
	if t := s.msg.Type(); t != dhcp4.Discover && t != dhcp4.BOOTP {
		return false
	}
	if s.site.Settings.Probe {
		return true
	}
	e := s.table.At(a)
	return e.Check() && !e.Is(s.query.ID)
}

// candidate is the first of the next free addresses that the wire knows
// nothing against. While clients come, the next ones are kept checked, so that
// no OFFER has to wait (S15).
func (s *Server) candidate(l link) (best netip.Addr, found bool) {
	var list [ahead]netip.Addr
	wait, busy := false, 0
	for _, a := range list[:s.table.Next(list[:], l.net, s.at)] {
		if !s.usable(a) {
			continue
		}
		c, ok := s.answered(a)
		switch {
		case !s.doubtful(a) || ok && !c.heard:
			if !found {
				best, found = a, true
			}
		case !ok:
			wait = true
		default: // its last holder has it still; a few such may stay where they are
			if busy++; busy > ahead/2 {
				s.setAside(a)
			}
		}
		if s.doubtful(a) && (!ok || s.now.Sub(c.at) >= checkAgain) {
			s.ask(a, forOffer)
		}
	}
	s.wait = wait && !found
	return best, found
}

// last is the last resort (S7): the address that was abandoned longest ago, if
// nobody answers for it now.
func (s *Server) last(l link) (netip.Addr, bool) {
	if t := s.msg.Type(); t != dhcp4.Discover && t != dhcp4.BOOTP {
		return netip.Addr{}, false
	}
	a, ok := s.table.OldestAbandoned(l.net)
	return a, ok && s.usable(a) && s.clear(a, forLast)
}
