package server

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
)

// relayed returns what a relay says of the client: option 82 as it came. A
// client that renews reaches us without one, and gets what it got by the same
// conditions when it last came through the relay: its record knows.
func (s *Server) relayed() []byte {
	m := s.msg
	if m.Options.Has(dhcp4.RelayAgent) {
		return m.Options.Get(dhcp4.RelayAgent)
	}
	if m.Ciaddr.IsUnspecified() || !m.Giaddr.IsUnspecified() || !s.ours(s.site.To) {
		return nil
	}
	e := s.table.At(m.Ciaddr)
	if !e.Is(s.query.ID) {
		return nil
	}
	return e.Agent()
}

// override is the address that the relay wants the client to know us by: its
// own, so that the client renews through it (RFC 5107 section 4).
func (s *Server) override() (netip.Addr, bool) {
	v := dhcp4.Sub(s.agent, dhcp4.ServerOverride)
	if len(v) != 4 {
		return netip.Addr{}, false
	}
	a := netip.AddrFrom4([4]byte(v))
	return a, dhcp4.IsUnicast(a)
}

// isUs tells whether a client that names server a means us.
func (s *Server) isUs(a netip.Addr) bool {
	over, ok := s.override()
	return ok && a == over || s.ours(a)
}
