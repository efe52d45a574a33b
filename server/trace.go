package server

import (
	"encoding/hex"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Tried is a rule for the client's address that was tried on a network, and
// what came of it: for dhcpd -e.
type Tried struct {
	Rule string
	Net  netip.Prefix // the network; not valid if the config does not know one
	Addr netip.Addr   // that the rule found; not valid for none
	Why  string       // it is not the client's; "" if it is
}

// ruleEntry is the rule before those of order.
const ruleEntry = "client line"

// Query is the one that the last message was answered by.
func (s *Server) Query() *conf.Query { return &s.query }

// Secured tells whether the client of the last message has to prove who it is.
func (s *Server) Secured() bool { return s.key != nil }

// tried says what came of a rule, to who wants to know.
//
//go:noinline
func (s *Server) tried(rule string, l link, a netip.Addr, ok bool) {
	if s.Trace == nil {
		return
	}
	t := Tried{Rule: rule, Net: l.net, Addr: a}
	switch {
	case !l.net.IsValid():
		t.Addr, t.Why = l.on, noNetwork.String()
	case !a.IsValid() || a.IsUnspecified():
		t.Addr, t.Why = netip.Addr{}, "none"
		for i := range order {
			if full := s.full(l); order[i].name == rule && order[i].fresh && full != fine {
				t.Why = full.String()
			}
		}
	case !ok:
		t.Why = s.objection(a, rule, l)
	}
	*s.Trace = append(*s.Trace, t)
}

// objection says what keeps a from the client. It decides nothing: that a rule
// has refused the address is known already.
func (s *Server) objection(a netip.Addr, rule string, l link) string {
	e := s.table.At(a)
	holder, held := e.HeldBy(s.at)
	mine := e.Is(s.query.ID)
	text, lendable := s.cfg.Lendable(a)
	switch {
	case s.ours(a):
		return "an address of this machine"
	case a == s.msg.Giaddr:
		return "the relay's own address"
	case e.Runs(s.at) && !mine:
		return "leased to " + hex.EncodeToString(e.ID())
	case rule == order[0].name && !e.Runs(s.at):
		return "ended"
	case s.table.Shut():
		return corrupt.String()
	case !s.isOn(a, l):
		return "not on this network"
	case !lendable:
		return text
	case e.State() == pool.Relayed:
		return "leased by another server, as a relay has seen"
	case !e.Member():
		return "not in the pool"
	case e.State() == pool.Abandoned && rule != "abandoned":
		return "abandoned"
	case held && !s.is(holder.ID):
		return "offered to " + hex.EncodeToString(holder.ID)
	case s.wait:
		return unchecked.String()
	}
	return "somebody answers for it"
}
