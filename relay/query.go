package relay

import (
	"slices"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/ask"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// asker asks the servers of networks with Ask who has an address that is wanted
// and that the table does not know: RFC 4388 sections 6.5, 6.6 and 6.8.
type asker struct {
	nets    []*Network // that ask
	places  Nets
	servers []*upstream
	queries []query            // those that were sent to a server stand before those that wait for it
	known   map[fact]pool.Time // what is not asked again before some time
	msg     dhcp4.Message
	answer  ask.Answer
	wake    time.Time
}

// upstream is a server that is asked.
type upstream struct {
	addr   netip.Addr
	heard  time.Time // when it last answered: the per-server timer of section 6.6
	knows  bool      // it has, once
	sent   int       // how often it was asked since
	since  time.Time // and from when on
	next   time.Time // while it is silent: it is not asked before
	failed int       // bulk queries in a row
	bulk
}

// query is one question for one server.
type query struct {
	addr netip.Addr
	on   *Network // where addr was wanted
	to   *upstream
	xid  uint32
	sent int       // how often
	next time.Time // when it is sent again
}

// fact is that a server does not know the lease of an address.
type fact struct{ server, addr netip.Addr }

// Limits of section 6.6, and of memory: those below the access network decide
// what is wanted.
const (
	lively      = time.Minute // a server that has answered is asked in parallel for so long
	parallel    = 100
	mostSent    = 5 // at intervals of 4, 8, 16, 32 and 64 seconds: RFC 2131 section 4.1
	firstGap    = 4 * time.Second
	strangerGap = 16 * time.Second // about one in ten seconds, to who may not understand
	mostGap     = 64 * time.Second
	unknownFor  = 5 * 60
	mostQueries = 2000
	mostKnown   = 1 << 14
)

// Want is that a packet for an address has come, out by network n, and that
// address is where nobody knows. It is asked about if that has not been done.
func (r *Relay) Want(now time.Time, n *Network, table *pool.Table, a netip.Addr) []act.Action {
	r.begin(now)
	if !n.Ask || !n.covers(a) || r.located(table, a) {
		return nil
	}
	x, before := &r.asks, len(r.asks.queries)
	for _, s := range x.servers {
		if !n.asksOf(s.addr) || x.known[fact{s.addr, a}] > r.at || x.asked(s, a) {
			continue
		}
		if len(x.queries) == mostQueries {
			r.drop(tooMany)
			break
		}
		x.queries = append(x.queries, query{addr: a, on: n, to: s})
	}
	if len(x.queries) > before {
		r.askAll(table)
	}
	return r.acts
}

// covers tells whether an address may be one of a client on the network: no
// other is asked about (section 7). Where the network has none of its own, the
// routes of the machine have said so.
func (n *Network) covers(a netip.Addr) bool {
	numbered := false
	for _, p := range n.Addrs {
		if p.Contains(a) && !p.IsSingleIP() {
			return dhcp4.IsUnicast(a) && !n.Ours(a)
		}
		numbered = numbered || !p.IsSingleIP()
	}
	return !numbered && n.Routes && dhcp4.IsUnicast(a) && !n.Ours(a)
}

func (n *Network) asksOf(server netip.Addr) bool {
	return slices.Contains(n.targets, server)
}

// located tells whether somebody is known to have an address.
func (r *Relay) located(table *pool.Table, a netip.Addr) bool {
	x, _ := table.ByAddr(a)
	return x.State == pool.Relayed && (x.Told > r.at || x.Kept == 0) || isOurs(&x, r.at)
}

// asked tells whether a server is being asked about an address.
func (x *asker) asked(s *upstream, a netip.Addr) bool {
	for i := range x.queries {
		if q := &x.queries[i]; q.to == s && q.addr == a {
			return true
		}
	}
	return false
}

// forget drops the queries for which drop holds.
func (x *asker) forget(drop func(*query) bool) {
	kept := x.queries[:0]
	for i := range x.queries {
		if !drop(&x.queries[i]) {
			kept = append(kept, x.queries[i])
		}
	}
	clear(x.queries[len(kept):])
	x.queries = kept
}

// askAll asks all servers what is due, and finds out when it is to be called
// again.
func (r *Relay) askAll(table *pool.Table) {
	x := &r.asks
	x.wake = time.Time{}
	r.out = r.out[:0]
	for _, s := range x.servers {
		r.askServer(s, table)
		if s.due.IsZero() {
			continue
		}
		if !r.now.Before(s.due) {
			r.connect(s)
		} else {
			x.until(s.due)
		}
	}
}

// until has askAll called at that time, at the latest.
func (x *asker) until(t time.Time) {
	if x.wake.IsZero() || t.Before(x.wake) {
		x.wake = t
	}
}

// askServer sends what a server may be asked now: a hundred questions at a time
// while it answers, else one.
func (r *Relay) askServer(s *upstream, table *pool.Table) {
	limit, sent := 1, 0
	live := s.live(r.now)
	if live {
		limit = parallel
	}
	r.asks.forget(func(q *query) bool {
		switch {
		case q.to != s:
			return false
		case r.located(table, q.addr): // by another server's answer, or gleaned
			return true
		case sent == limit && (q.sent > 0 || !live && r.now.Sub(s.since) >= lively):
			return true // it is silent, and only polled
		case q.sent > 0 && r.now.Before(q.next):
		case q.sent == mostSent && live:
			r.know(s, q.addr, r.at+unknownFor)
			return true
		case sent == limit:
			return false
		case q.sent == 0 && r.now.Before(s.told): // the bulk query may tell it
			r.asks.until(s.told)
			return false
		case !live && r.now.Before(s.next):
			r.asks.until(s.next)
			return false
		default:
			r.post(q)
		}
		sent++
		r.asks.until(q.next)
		return false
	})
	if live && sent > 0 {
		r.asks.until(s.heard.Add(lively))
	}
}

// live tells whether a server has answered in the last minute.
func (s *upstream) live(now time.Time) bool {
	return s.knows && now.Sub(s.heard) < lively
}

// post sends one question, once more. To its server that is silent the interval
// is the server's, whatever the question.
func (r *Relay) post(q *query) {
	s := q.to
	if q.sent == 0 {
		q.xid = uint32(r.Random())
	}
	if s.sent == 0 {
		s.since = r.now
	}
	q.sent++
	s.sent++
	n, gap := s.sent, firstGap
	if s.live(r.now) {
		n = q.sent
	}
	if !s.knows {
		gap = strangerGap
	}
	gap = min(gap<<min(n-1, mostSent), mostGap)
	q.next = r.now.Add(gap - time.Second + time.Duration(r.Random()%uint64(2*time.Second)))
	s.next = q.next

	x, k := &r.asks, ask.Key{Addr: q.addr}
	k.Query(&x.msg, q.xid, q.on.giaddr)
	at := len(r.out)
	r.out, _ = x.msg.Append(r.out, dhcp4.MinLimit)
	a := r.do(act.Send)
	a.Msg, a.Octets = &x.msg, r.out[at:]
	a.To = act.Dest{Addr: q.to.addr, Port: dhcp4.ServerPort, Source: q.on.giaddr}
}

// know notes that a server need not be asked about an address before some time.
// What does not fit into memory may be asked once more.
func (r *Relay) know(s *upstream, a netip.Addr, until pool.Time) {
	x := &r.asks
	if len(x.known) >= mostKnown || x.known == nil {
		x.known = make(map[fact]pool.Time)
	}
	x.known[fact{s.addr, a}] = until
}

// found notes that an address has a lease: it was gleaned, or told.
func (x *asker) found(n *Network, a netip.Addr) {
	if len(x.known) == 0 {
		return
	}
	for _, s := range n.targets {
		delete(x.known, fact{s, a})
	}
}

// AskWake returns when Ask is to be called, the zero Time for never.
func (r *Relay) AskWake() time.Time { return r.asks.wake }

// Ask asks what is due.
func (r *Relay) Ask(now time.Time, table *pool.Table) []act.Action {
	r.begin(now)
	r.askAll(table)
	return r.acts
}
