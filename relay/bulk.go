package relay

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// bulk is what a server is asked by TCP: all that was lost, at once (RFC 6926).
type bulk struct {
	due     time.Time // when a connection is to be made; zero: there is no need, or there is one
	told    time.Time // until then it is likely that all will be told, and nothing else is asked
	open    []uint32  // the questions that are not answered yet, by xid
	skew    ask.Skew
	id      netip.Addr // what the server calls itself
	learned int
}

// The first try to connect again comes after eight seconds, and each next one after
// twice as long, mostTries times.
const (
	mostTries = 8
	tellsSoon = 10 * time.Second
)

// Asks says for which networks there may be something to ask. Those that the
// table has lost, or never had, are asked about at once.
func (r *Relay) Asks(now time.Time, list []*Network, table *pool.Table, lost bool) {
	x := &r.asks
	for _, n := range x.nets {
		n.here = false
	}
	x.nets = x.nets[:0]
	x.places.byMark = map[string]*Network{}
	var servers []*upstream
	for _, n := range list {
		if !n.Ask {
			continue
		}
		n.here = true
		x.nets = append(x.nets, n)
		x.places.single(n)
		for _, a := range n.targets {
			if find(servers, a) == nil {
				servers = append(servers, x.upstream(a))
			}
		}
	}
	x.servers = servers
	x.forget(func(q *query) bool { return !q.on.here || !q.on.asksOf(q.to.addr) })
	r.recover(now, table, lost)
}

// find returns the server with that address, nil if there is none.
func find(list []*upstream, a netip.Addr) *upstream {
	for _, s := range list {
		if s.addr == a {
			return s
		}
	}
	return nil
}

// upstream is find among those that are asked, with a new one for none.
func (x *asker) upstream(a netip.Addr) *upstream {
	if s := find(x.servers, a); s != nil {
		return s
	}
	return &upstream{addr: a}
}

// single notes a network by what it says in option 82, unless another one says
// the same.
func (x *Nets) single(n *Network) {
	k := string(x.mark(netip.IPv4Unspecified(), n.agent))
	if _, there := x.byMark[k]; there {
		n = nil
	}
	x.byMark[k] = n
}

// recover has the servers of networks that nothing is known of asked for all.
func (r *Relay) recover(now time.Time, table *pool.Table, lost bool) {
	fresh := map[string]*Network{}
	for _, n := range r.asks.nets {
		if !n.begun {
			n.begun, n.lost = true, true
			fresh[n.If] = n
		}
	}
	if len(fresh) == 0 {
		return
	}
	for x := range table.All() {
		if n := fresh[x.Via]; x.State == pool.Relayed && n != nil && !lost {
			n.lost = false
		}
	}
	for _, n := range fresh {
		for _, s := range r.asks.servers {
			if n.lost && n.asksOf(s.addr) && s.open == nil {
				s.due = now
				r.asks.until(now)
			}
		}
	}
}

// connect has a server asked by TCP about the networks that were lost: by their
// relay ID, their remote ID, or, if one of them has neither, for all.
func (r *Relay) connect(s *upstream) {
	s.due, s.open, s.skew, s.learned, s.id = time.Time{}, nil, ask.Skew{}, 0, s.addr
	source, at := netip.Addr{}, len(r.out)
	var before ask.Key
	for _, n := range r.asks.nets {
		if !n.lost || !n.asksOf(s.addr) {
			continue
		}
		source = n.giaddr
		k := ask.Key{Relay: n.Relay}
		if k.Relay == nil {
			k.Remote = n.Remote
		}
		all := k.All()
		if all { // the others, too
			r.out, s.open = r.out[:at], nil
		}
		if all || !bytes.Equal(k.Relay, before.Relay) || !bytes.Equal(k.Remote, before.Remote) {
			xid := uint32(r.Random())<<10 + uint32(len(s.open))
			s.open = append(s.open, xid)
			k.Query(&r.asks.msg, xid, netip.Addr{})
			r.out = r.asks.msg.AppendFrame(r.out)
		}
		if before = k; all {
			break
		}
	}
	if len(s.open) > 0 {
		s.told = r.now.Add(tellsSoon)
		a := r.do(act.Connect)
		a.Addr, a.To.Source, a.Octets = s.addr, source, r.out[at:]
	}
}

// Bulk takes in a message of the answer to what Connect has asked a server. Over
// tells that there are no more, or that they are of no use.
func (r *Relay) Bulk(now time.Time, table *pool.Table, server netip.Addr, m *dhcp4.Message) (n *Network, list []act.Action, over bool) {
	r.begin(now)
	s, a := r.asks.upstream(server), &r.asks.answer
	i := slices.Index(s.open, m.Xid)
	if i < 0 { // RFC 6926 section 7.3: the connection is to be closed
		r.drop(noQuery)
		return nil, r.acts, true
	}
	if id, err := m.Options.Addr(dhcp4.ServerID); err == nil { // only the first has it
		s.id = id
	}
	if m.Type() == dhcp4.LeaseQueryDone {
		last := len(s.open) - 1
		s.open[i], s.open = s.open[last], s.open[:last]
		if status, text := m.Options.Status(); status != dhcp4.Success {
			r.say(s, string(dhcp4.AppendSaid([]byte(status.String()+" saying "), text)))
		} else if len(s.open) == 0 {
			s.failed = 0
			r.say(s, strconv.Itoa(s.learned)+" leases learned")
		}
		return nil, r.acts, len(s.open) == 0
	}
	if !a.Read(m, s.skew.Written(m, r.at)) {
		return nil, nil, false
	}
	n = r.place(a, nil)
	switch {
	case n == nil:
	case a.Type == dhcp4.LeaseActive && a.Told > r.at:
		a.Server = s.id
		s.learned++
		r.learn(n, s, a, table)
	}
	return n, r.acts, false
}

// say says something about a bulk query.
func (r *Relay) say(s *upstream, what string) {
	a := r.do(act.Note)
	a.Level, a.Text = act.Log, "bulk leasequery of "+s.addr.String()+": "+what
}

// Ended is that the connection to a server is no more, or could not be made.
// What was learned by then counts (RFC 6926 section 7.8).
func (r *Relay) Ended(now time.Time, table *pool.Table, server netip.Addr, why error) []act.Action {
	r.begin(now)
	s := r.asks.upstream(server)
	left := len(s.open) > 0
	s.open, s.told = nil, time.Time{}
	if left {
		if s.failed++; s.failed == 1 && why != nil {
			r.say(s, why.Error()+"; it is asked as packets arrive")
		}
		if s.failed < mostTries {
			s.due = now.Add(firstGap << s.failed)
		}
	}
	r.askAll(table)
	return r.acts
}
