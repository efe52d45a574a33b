package relay

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Answers tells whether a reply is one to a question of a relay, and not for a
// client (RFC 4388 section 6.1).
func Answers(m *dhcp4.Message) bool {
	switch m.Type() {
	case dhcp4.LeaseUnassigned, dhcp4.LeaseUnknown, dhcp4.LeaseActive:
		return true
	}
	return false
}

// Answer takes in what a server says about an address (section 6.5). The
// network is that of the client.
func (r *Relay) Answer(now time.Time, table *pool.Table, p *Packet) (*Network, []act.Action) {
	r.begin(now)
	x, a := &r.asks, &r.asks.answer
	var q query
	for i := range x.queries {
		if x.queries[i].sent > 0 && x.queries[i].xid == p.Msg.Xid {
			q = x.queries[i]
		}
	}
	if q.to == nil || p.Clients && p.From != q.to.addr || !a.Read(p.Msg, r.at) ||
		a.Type != dhcp4.LeaseUnknown && a.Addr != q.addr {
		r.drop(noQuery)
		return nil, r.acts
	}
	s, n := q.to, q.on
	x.forget(func(y *query) bool { return y.sent > 0 && y.xid == q.xid && y.to == s })
	s.heard, s.knows, s.sent = now, true, 0
	switch {
	case a.Type == dhcp4.LeaseActive && a.Told > r.at:
		if on := r.place(a, n); on != nil {
			n = on
			r.learn(n, s, a, table)
		}
	case a.Type == dhcp4.LeaseUnassigned: // until a lease is gleaned
		r.know(s, q.addr, pool.Infinite)
	default:
		r.know(s, q.addr, r.at+unknownFor)
	}
	r.askAll(table)
	return n, r.acts
}

// place finds the network that a client is on: by what the relay has said, which
// the server has kept, or by its address. Else it is where it was wanted.
func (r *Relay) place(a *ask.Answer, wanted *Network) *Network {
	x := &r.asks
	if n := x.places.byMark[string(x.places.mark(netip.IPv4Unspecified(), a.Agent))]; n != nil && len(a.Agent) > 0 {
		return n
	}
	if wanted != nil && wanted.covers(a.Addr) {
		return wanted
	}
	for _, n := range x.nets {
		if n.covers(a.Addr) && !n.Addr.IsSingleIP() {
			return n
		}
	}
	return wanted
}

// learn makes a record of a lease that a server tells of, if it says something
// later than what is known (section 6.8, RFC 6926 section 7.6).
func (r *Relay) learn(n *Network, s *upstream, a *ask.Answer, table *pool.Table) {
	old, had := table.ByAddr(a.Addr)
	if had && (isOurs(&old, r.at) || old.State == pool.Relayed && !a.Better(&old)) {
		return
	}
	x := &r.record
	*x = a.Record
	x.State, x.Via, x.Class, x.Host = pool.Relayed, n.If, nil, ""
	if !x.Server.IsValid() {
		x.Server = s.addr
	}
	if x.Agent == nil {
		x.Agent = n.agent
	}
	if x.Since == 0 {
		x.Since = r.at
	}
	if !n.Routes || n.Override { // else it may be extended past us: see glean
		x.Kept = x.Told
	}
	r.locate(n, &old, had)
}
