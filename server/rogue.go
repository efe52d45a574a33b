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
	If    string // the network's interface
	Index int    // its index
	Addr  netip.Addr
	Heard time.Time // last
}

// mostOthers is how many are remembered; more are not reported.
const mostOthers = 64

// Others returns the other servers that were heard, in the order of their first
// word. It is good
// until the next call of any method.
func (s *Server) Others() []Other { return s.others }

// Heard hears a reply that a server sent to clients on a network that we
// serve, from an address. Another server there is reported once (S18).
func (s *Server) Heard(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, from netip.Addr, m *dhcp4.Message) []act.Action {
	s.open(now, cfg, site, table)
	switch m.Type() {
	case dhcp4.Offer, dhcp4.ACK, dhcp4.NAK:
		if a, err := m.Options.Addr(dhcp4.ServerID); err == nil && dhcp4.IsUnicast(a) {
			from = a // it may have come through a relay
		}
		if m.Op == dhcp4.BootReply {
			s.meet(from)
		}
	}
	return s.acts
}

// meet hears of a server on the network, ours or another. Where we relay,
// others are to be expected.
func (s *Server) meet(a netip.Addr) {
	if !dhcp4.IsUnicast(a) || s.site.Ours(a) || len(s.site.Settings.Relay) > 0 {
		return
	}
	s.counts[overheard]++
	for i := range s.others {
		if o := &s.others[i]; o.Index == s.site.Index && o.Addr == a {
			o.Heard = s.now
			return
		}
	}
	if len(s.others) < mostOthers {
		s.others = append(s.others, Other{s.site.If, s.site.Index, a, s.now})
		s.log("Another DHCP server is on this network: " + a.String())
	}
}
