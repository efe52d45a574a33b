package server

import (
	"net/netip"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// rogue is another server on one of our networks.
type rogue struct {
	index int
	addr  netip.Addr
}

// mostRogues is how many are remembered; more are not reported.
const mostRogues = 64

// Heard hears a reply that a server sent to clients on a network that we
// serve, from an address. Another server there is reported once (S18).
func (s *Server) Heard(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, from netip.Addr, m *dhcp4.Message) []act.Action {
	s.open(now, cfg, site, table)
	switch m.Type() {
	case dhcp4.Offer, dhcp4.ACK, dhcp4.NAK:
		if a, err := m.Options.Addr(dhcp4.ServerID); err == nil && unicast(a) {
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
	if !unicast(a) || s.site.Ours(a) || len(s.site.Settings.Relay) > 0 {
		return
	}
	r := rogue{s.site.Index, a}
	if s.rogues[r] || len(s.rogues) >= mostRogues {
		return
	}
	if s.rogues == nil {
		s.rogues = map[rogue]bool{}
	}
	s.rogues[r] = true
	s.log("Another DHCP server is on this network: " + a.String())
}
