package daemon

import (
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/relay"
)

// headersUDP is what IP and UDP take of an MTU.
const headersUDP = 20 + 8

// fallbackLease is the longest lease, in seconds, that the pool gives in place of
// servers that are silent.
const fallbackLease = 300

// answerOrRelay answers a request that came in where we relay, or, if there is
// no answer, relays it (R3). While the servers are silent it does both: only
// what is sent to them can show that they are back. Readable is false for a
// request that a server can't make sense of.
func (s *service) answerOrRelay(n *network, m *link.Msg, readable bool) {
	silent := s.fallBack(n)
	answered := n.site.Settings.Server && readable && s.decide(n, m)
	if answered && !silent {
		return
	}
	p := s.packet(n, m)
	s.do(n, s.relay.Up(s.d.now, &n.relay, s.table, &p))
	if !silent && n.relay.Silent() {
		s.d.say.often(s.d.now, remark, n.name()+": no server answers what is relayed; the pool serves")
		s.fallBack(n)
		if readable {
			s.decide(n, m)
		}
	}
}

// fallBack sets what the server may do on a network that we relay for, and
// tells whether it stands in for the others.
func (s *service) fallBack(n *network) (silent bool) {
	silent = n.relay.Silent()
	n.site.Settings.Server = n.plan.Server || silent
	n.site.Standby, n.site.Longest = n.relay.WaitsFor() && !silent, 0
	if silent {
		n.site.Longest = fallbackLease
	}
	return silent
}

// down relays a reply that came in on network on.
func (s *service) down(on *network, m *link.Msg) {
	if relay.Answers(&s.d.msg) {
		s.heardAnswer(on, m)
		return
	}
	to, several := s.nets.Find(&s.d.msg)
	if to == nil {
		s.do(on, s.relay.Lost(several))
		return
	}
	n := s.d.nets[to.Index]
	if n == nil {
		s.d.drop(&s.d.count.of[unserved], on.name(), "the network of its client has just gone")
		return
	}
	silent := to.Silent()
	p := s.packet(on, m)
	s.do(n, s.relay.Down(s.d.now, to, s.table, &p))
	if silent && !to.Silent() {
		s.d.say.often(s.d.now, remark, n.name()+": a server answers again; requests are relayed")
	}
}

// packet is the message just read, which came in on a network.
func (s *service) packet(on *network, m *link.Msg) relay.Packet {
	return relay.Packet{Msg: &s.d.msg, Data: m.Data, From: m.From.Addr(), To: m.To.Addr(),
		Clients: on.serves() || on.relays()}
}

// relink tells the relay what the networks are like now, and whether there is
// any that we relay for.
func (s *service) relink() bool {
	var list []*relay.Network
	ways := map[netip.Addr]way{}
	for _, n := range s.d.order {
		if n.relays() {
			s.prepareRelay(n, ways)
			list = append(list, &n.relay)
		} else {
			n.site.Standby, n.site.Longest = false, 0
		}
		s.keepRoutes(n)
	}
	s.nets.Reset(list)
	s.asker.prepare(s, list)
	return len(list) > 0
}

// way is how we reach a server.
type way struct {
	from  netip.Addr // our address
	limit int        // octets of UDP payload; 0 if not known
}

func (s *service) prepareRelay(n *network, ways map[netip.Addr]way) {
	r := &n.relay
	r.If, r.Index, r.Addr, r.Addrs = n.name(), n.link.Index, n.addr, n.site.Addrs
	r.Ours, r.Settings = n.site.Ours, relaySettings(n)
	r.Out, r.Limit = netip.Addr{}, 0
	for _, server := range r.Targets() {
		w, known := ways[server]
		if !known {
			w = s.wayTo(server)
			ways[server] = w
		}
		if !r.Out.IsValid() {
			r.Out = w.from
		}
		if w.limit > 0 && (r.Limit == 0 || w.limit < r.Limit) {
			r.Limit = w.limit
		}
	}
	r.Prepare()
}

func (s *service) wayTo(server netip.Addr) (w way) {
	from, ok := s.d.doors.source(server)
	if !ok {
		return w
	}
	w.from = from
	for _, n := range s.d.order {
		for _, p := range n.site.Addrs {
			if p.Addr() == from && n.link.MTU > 0 {
				w.limit = n.link.MTU - headersUDP
			}
		}
	}
	return w
}

// relaySettings is what the config says of relaying for a network.
func relaySettings(n *network) relay.Settings {
	p := &n.plan
	r := relay.Settings{
		Servers:  p.Relay,
		Hops:     p.RelayHops,
		Fallback: time.Duration(p.RelayFallback) * time.Second,
	}
	if a := p.Agent; a != nil {
		r.Circuit = agentID(a.Circuit, []byte(n.name()))
		r.Remote = agentID(a.Remote, n.link.MAC[:])
		r.Relay = agentID(a.Relay, n.link.MAC[:])
		r.Trusted, r.Select, r.Override, r.Flags, r.Routes = a.Trusted, a.Select, a.Override, a.Flags, a.Routes
		r.Ask = a.Ask
	}
	return r
}

func agentID(id conf.AgentID, auto []byte) []byte {
	switch {
	case id.Auto:
		return auto
	case id.Text != "":
		return []byte(id.Text)
	}
	return nil
}

// forgetRelayed forgets the relayed leases that are over. What can't be written
// now must wait.
func (s *service) forgetRelayed() {
	for !s.stuck() {
		actions := s.relay.Sweep(s.d.now, s.table)
		if actions == nil {
			return
		}
		s.do(nil, actions)
	}
	s.relay.Start(s.d.now.Add(time.Second))
}
