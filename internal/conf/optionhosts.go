package conf

import (
	"strconv"
	"strings"

	"dhcpd/internal/ascii"
	"dhcpd/internal/netip"
)

// hostItems reads hosts up to one of the words that end the list. Each is a
// choice of addresses; those that are not known are left out.
func (k *compiler) hostItems(args line, ends ...string) (hosts [][]uint32, rest line) {
	for len(args) > 0 && args[0].atom() {
		for _, w := range ends {
			if args[0].is(w) {
				return hosts, args
			}
		}
		if addrs := k.addrs(&args[0]); len(addrs) > 0 {
			hosts = append(hosts, addrs)
		}
		args = args[1:]
	}
	return hosts, args
}

func choose(hosts [][]uint32, near uint32) []netip.Addr {
	var list []netip.Addr
	for _, addrs := range hosts {
		list = append(list, netip.AddrFrom(nearest(addrs, near)))
	}
	return list
}

func parseLeaseQuery(k *compiler, args line) apply {
	var q LeaseQuery
	var from [][]uint32
	for len(args) > 1 {
		n := len(args)
		switch rest := args[1:]; {
		case args[0].is("from"):
			q.Limited = true
			from, args = k.hostItems(rest, "show", "limit", "active")
		case args[0].is("show"):
			for args = rest; len(args) > 0 && !args[0].is("limit") && !args[0].is("active"); args = args[1:] {
				q.Show.Add(k.codes(args[:1])[0])
			}
		case args[0].is("limit"):
			q.Limit, args = k.decimal(&rest[0], "limit", 1, 1<<31-1), rest[1:]
		case args[0].is("active") && rest[0].is("insecure"): // two steps: RFC 7724 section 8.1
			q.Active, args = true, rest[1:]
		}
		if len(args) >= n-1 {
			return nil
		}
	}
	if len(args) > 0 {
		return nil
	}
	return func(s *Settings, near uint32) {
		copied := q
		copied.From = choose(from, near)
		s.LeaseQuery = &copied
	}
}

func parseRelay(k *compiler, args line) apply {
	n := len(args)
	hosts, args := k.hostItems(args, "hops", "fallback")
	if len(args) == n {
		return nil
	}
	var hops, fallback int
	for ; len(args) >= 2; args = args[2:] {
		switch {
		case args[0].is("hops"):
			hops = k.decimal(&args[1], "number of hops", 1, 16)
		case args[0].is("fallback"):
			fallback = k.decimal(&args[1], "number of seconds", 1, 1<<31-1)
		default:
			return nil
		}
	}
	if len(args) > 0 {
		return nil
	}
	return func(s *Settings, near uint32) {
		s.Relay, s.RelayHops, s.RelayFallback = choose(hosts, near), hops, fallback
	}
}

func parseAgent(_ *compiler, args line) apply {
	if len(args) != 1 || args[0].atom() {
		return nil
	}
	var a Agent
	for _, l := range args[0].lines {
		if !agentLine(&a, l) {
			fail(l[0].at, "Unknown agent setting "+
				suggest(l[0].text, "circuit", "remote", "relay", "trusted", "select", "override", "flags", "routes", "ask"))
		}
	}
	return func(s *Settings, _ uint32) {
		copied := a
		s.Agent = &copied
	}
}

func agentLine(a *Agent, l line) bool {
	switch ascii.Lower(l[0].text) {
	case "circuit":
		a.Circuit = agentID(l, "interface")
		return true
	case "remote":
		a.Remote = agentID(l, "mac")
		return true
	case "relay":
		if a.Relay = agentID(l, "mac"); len(a.Relay.Text) > longestRelay {
			fail(l[0].at, "A relay ID has at most "+strconv.Itoa(longestRelay)+" octets")
		}
		return true
	case "trusted":
		a.Trusted = true
	case "select":
		a.Select = true
	case "override":
		a.Override = true
	case "flags":
		a.Flags = true
	case "routes":
		a.Routes = true
	case "ask":
		a.Ask = true
	default:
		return false
	}
	if len(l) > 1 {
		fail(l[0].at, "Usage: "+ascii.Lower(l[0].text))
	}
	return true
}

// longestID is how many octets a circuit ID or remote ID may have, so that both
// and all else that a relay says fit into an option.
const (
	longestID    = 100
	longestRelay = 36 // a UUID, in text
)

func agentID(l line, auto string) AgentID {
	switch {
	case len(l) == 2 && l[1].is(auto):
		return AgentID{Auto: true}
	case len(l) == 3 && l[1].is("text") && l[2].atom() && l[2].text != "" && len(l[2].text) <= longestID:
		return AgentID{Text: strings.Clone(l[2].text)}
	}
	fail(l[0].at, "Usage: "+ascii.Lower(l[0].text)+" "+auto+"|text T")
	return AgentID{}
}
