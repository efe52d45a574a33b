package server

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// A server that pauses asks for an address itself, so many times, and each time
// after a wait that nobody can foresee: so much, and up to twice that. When
// the last one has had its time for an answer, there is no other server. Of two
// that pause for each other, one is back first, and then answers the other.
const (
	pauseAsks   = 3
	pauseGap    = 10 * time.Second
	pauseAnswer = 2 * time.Second
)

// Pausing returns the other server whose network has to be looked at next: by
// Watch, at that time. It is nil if none makes us pause.
func (s *Server) Pausing() (o *Other, at time.Time) {
	for i := range s.others {
		if x := &s.others[i]; !x.next.IsZero() && (o == nil || x.next.Before(at)) {
			o, at = x, x.next
		}
	}
	return o, at
}

// pausing returns the other server for whose sake we pause here, nil if we don't.
func (s *Server) pausing() *Other {
	for i := range s.others {
		if o := &s.others[i]; o.Index == s.site.Index && !o.next.IsZero() {
			return o
		}
	}
	return nil
}

// pause stops serving the network for the sake of o, or goes on with that.
func (s *Server) pause(o *Other) {
	if p := s.pausing(); p != nil {
		o = p
	} else {
		o.Paused = s.now
		s.counts[pauses]++
		s.log("Serving pauses, because of DHCP server " + o.Addr.String())
	}
	o.asked = 0
	s.later(o)
}

// later has Watch look again when nobody can foresee it.
func (s *Server) later(o *Other) {
	o.next = s.now.Add(pauseGap + time.Duration(s.Random()%uint64(pauseGap)))
}

// Watch looks whether there is any other server on the network of o, or serves it
// again. Site is nil if the network is not to be served any more.
func (s *Server) Watch(now time.Time, cfg *conf.Config, o *Other, site *Site) []act.Action {
	s.open(now, cfg, site, nil)
	switch {
	case site == nil || !site.Settings.RoguePause:
	case o.asked < pauseAsks:
		s.seek(o)
		return s.acts
	default:
		s.log("Serving goes on: no other DHCP server answers")
	}
	o.Paused, o.next = time.Time{}, time.Time{}
	return s.acts
}

// seek sends the DHCPDISCOVER of a client that is on the network like any other.
// It does not take what it is offered.
func (s *Server) seek(o *Other) {
	if o.asked++; o.asked < pauseAsks {
		s.later(o)
	} else {
		o.next = s.now.Add(pauseAnswer)
	}
	m := &s.reply
	m.Reset(dhcp4.BootRequest)
	m.SetType(dhcp4.Discover)
	m.Htype, m.Hlen, m.Xid = dhcp4.HtypeEther, 6, uint32(s.Random())
	copy(m.Chaddr[:], s.site.MAC[:])
	m.Flags = dhcp4.Broadcast
	a := s.next(act.Send)
	a.Msg = m
	a.To = act.Dest{Addr: dhcp4.Everyone, Port: dhcp4.ServerPort, Source: netip.IPv4Unspecified()}
}

// yields leaves the client to the other server for whose sake we pause, unless
// it asks for an address that is its lease from us: that was a promise. Clients
// behind a relay are on another network.
func (s *Server) yields(asked ...netip.Addr) bool {
	if !s.site.Settings.RoguePause || s.pausing() == nil || !s.local() {
		return false
	}
	for _, a := range asked {
		if e := s.table.At(a); e.Is(s.query.ID) && e.Runs(s.at) {
			return false
		}
	}
	s.drop(yielding)
	return true
}
