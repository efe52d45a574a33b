package server

import (
	"time"

	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// patience is how long an OFFER is sure to be held when nothing else is free.
const patience = 10 * time.Second

// full tells whether the config's limit keeps a client from getting one more
// address on l (S16), fine if not. Clients that we know are always served, and
// one that was given an OFFER counts already.
func (s *Server) full(l link) reason {
	most, perCircuit := s.site.Settings.Limit, s.site.Settings.CircuitLimit
	if most == 0 && perCircuit == 0 || s.known() {
		return fine
	}
	if _, ok := s.table.HeldFor(s.query.ID, l.net, s.at); ok {
		return fine
	}
	network, circuit := s.table.InUse(l.net, s.agent, s.at)
	switch {
	case perCircuit > 0 && circuit >= perCircuit:
		return circuitFull
	case most > 0 && network >= most:
		return networkFull
	}
	return fine
}

// early is the address of the OFFER that has waited longest to be taken up,
// and for 10 s at least: nothing else is free. A flood of DISCOVERs from
// clients that do not exist must not keep the others out for a minute.
func (s *Server) early(l link) (netip.Addr, bool) {
	if t := s.msg.Type(); t != dhcp4.Discover && t != dhcp4.BOOTP {
		return netip.Addr{}, false
	}
	a, until, ok := s.table.OldestHold(l.net, s.at)
	waited := holdTime - time.Duration(until-s.at)*time.Second
	e := s.table.At(a)
	c, _ := e.HeldBy(s.at)
	if !ok || waited < patience || len(c.ID) == 0 || !s.usable(a) { // held for nobody: it is in use
		return a, false
	}
	good := s.sound
	if e.State() == pool.Abandoned { // it was OFFERed as the last resort
		good = func(a netip.Addr) bool { return s.clear(a, forLast) }
	}
	if !good(a) {
		return a, false
	}
	s.counts[offerCut]++
	return a, true
}
