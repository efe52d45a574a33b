package link

import "dhcpd/internal/netip"

// Null is a Host that only looks and acts as if (test mode): addresses, routes,
// MTU and host name stay as they are. Links are brought up all the same, because
// a link that is down hears nothing.
type Null struct{ Host }

func (Null) SetMTU(ID, int) error                 { return nil }
func (Null) SetAddress(ID, Address) error         { return nil }
func (Null) DeleteAddress(ID, netip.Prefix) error { return nil }
func (Null) AddRoute(ID, Route) error             { return nil }
func (Null) ReplaceRoute(ID, Route) error         { return nil }
func (Null) DeleteRoute(ID, Route) error          { return nil }
func (Null) SetHostname(string) error             { return nil }
