package server

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Other is another server on one of our networks.
type Other struct {
	If     string // the network's interface
	Index  int    // its index
	Addr   netip.Addr
	HW     [6]byte   // the Ethernet address that its last reply came from; zero if only a client named it
	Heard  time.Time // last
	Paused time.Time // since when its network is not served because of it; zero if it is
	next   time.Time // when to ask whether anybody is there, or to serve again
	asked  int       // how often that was, since another server was heard
}

// mostOthers is how many are remembered; more are not reported.
const mostOthers = 64

// Others returns the other servers that were heard, in the order of their first
// word. It is good until the next call of any method.
func (s *Server) Others() []Other { return s.others }

// Heard hears a reply that a server sent to clients on a network that we
// serve, from an address, in a frame from hw. Another server there is reported
// once (S18). A DHCPACK may be all that is left of a server that pauses for us.
func (s *Server) Heard(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, from netip.Addr, hw [6]byte, m *dhcp4.Message) []act.Action {
	s.open(now, cfg, site, table)
	switch t := m.Type(); t {
	case dhcp4.Offer, dhcp4.ACK, dhcp4.NAK:
		if a, err := m.Options.Addr(dhcp4.ServerID); err == nil && dhcp4.IsUnicast(a) {
			from = a // it may have come through a relay
		}
		if m.Op == dhcp4.BootReply {
			s.meet(from, hw, t != dhcp4.ACK)
		}
	}
	return s.acts
}

// meet hears of a server on the network, ours or another, and whether it has
// answered as those do that serve everybody. Where we relay, others are to be
// expected.
func (s *Server) meet(a netip.Addr, hw [6]byte, serves bool) {
	if !dhcp4.IsUnicast(a) || s.site.Ours(a) || len(s.site.Settings.Relay) > 0 {
		return
	}
	s.counts[overheard]++
	o := s.other(a)
	o.Heard = s.now
	if hw != ([6]byte{}) {
		o.HW = hw
	}
	if serves && s.site.Settings.RoguePause {
		s.pause(o)
	}
}

// other returns what is known of the server at a. One too many takes the place
// of the last one, and is not reported.
func (s *Server) other(a netip.Addr) *Other {
	for i := range s.others {
		if o := &s.others[i]; o.Index == s.site.Index && o.Addr == a {
			return o
		}
	}
	if len(s.others) < mostOthers {
		s.others = append(s.others, Other{})
		s.log("Another DHCP server is on this network: " + a.String())
	}
	o := &s.others[len(s.others)-1]
	if o.Index != s.site.Index {
		*o = Other{If: s.site.If, Index: s.site.Index}
	}
	o.Addr = a
	return o
}
