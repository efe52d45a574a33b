package server

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// leaseQuery answers a DHCPLEASEQUERY (RFC 4388 section 6.3): by address, by
// hardware address, by client identifier, or, if it has none of those, by
// remote ID (RFC 6148). Giaddr is where the answer goes and nothing else: no
// network is looked for. Who may ask is judged by it too, since only that host
// learns anything.
func (s *Server) leaseQuery() {
	m, q := s.msg, s.site.Settings.LeaseQuery
	switch {
	case q == nil:
		s.drop(queryOff)
		return
	case !dhcp4.IsUnicast(m.Giaddr):
		s.drop(queryNowhere)
		return
	case len(s.site.Addrs) == 0:
		s.drop(noOwnAddress)
		return
	case !MayAsk(q, m.Giaddr):
		s.drop(queryStranger)
		return
	case s.table.Shut():
		s.drop(corrupt) // who knows whose it is
		return
	}
	k, n := key(m)
	byAddr := !m.Ciaddr.IsUnspecified()
	if byAddr {
		n++
	}
	if n == 0 {
		k.Remote = onlyRemote(m.Options.Get(dhcp4.RelayAgent))
	}
	switch {
	case n > 1 || n == 0 && k.Remote == nil:
		s.drop(queryUnclear)
	case q.Limit > 0 && !s.site.asked.allows(s.at, q.Limit):
		s.drop(queryLimit)
	case byAddr:
		s.queryAddr(m.Ciaddr)
	default:
		s.queryClient(k)
	}
}

// asked counts what was asked for in one second.
type asked struct {
	at pool.Time
	n  int
}

// allows tells whether one more is within the limit.
func (a *asked) allows(at pool.Time, limit int) bool {
	if a.at != at {
		a.at, a.n = at, 0
	}
	a.n++
	return a.n <= limit
}

// onlyRemote returns the remote ID of an option 82 that has nothing else (RFC
// 6148 section 4.1), nil for any other.
func onlyRemote(agent []byte) []byte {
	if v := dhcp4.Sub(agent, dhcp4.RemoteID); len(v)+2 == len(agent) {
		return v
	}
	return nil
}

// queryAddr answers a query by address (RFC 4388 section 6.4.1). A lease is
// told as soon as the table has it, a moment before it is stored and its ACK
// leaves. Should a crash come between, the client has got no answer and asks
// again, and gets that address if it is free still.
func (s *Server) queryAddr(a netip.Addr) {
	e := s.table.At(a)
	switch {
	case e.Runs(s.at):
		s.find(pool.Key{ID: e.ID()}, a)
		s.leaseActive()
	case e.Member() || s.cfg.Reserved(a) && !s.ours(a):
		s.beginAnswer(dhcp4.LeaseUnassigned)
		s.send()
	default:
		s.leaseUnknown()
	}
}

// queryClient answers a query by what a client has: of several leases with the
// one of the latest transaction.
func (s *Server) queryClient(k pool.Key) {
	if s.find(k, netip.Addr{}) {
		s.leaseActive()
	} else {
		s.leaseUnknown()
	}
}

// find makes s.list all addresses that are leased to whom k names, as many as
// fit into the reply: first the one asked about, or else that of the latest
// transaction, whose lease is then s.record.
func (s *Server) find(k pool.Key, about netip.Addr) (found bool) {
	most := s.msg.Limit(etherMTU) - dhcp4.MinSize
	s.list = s.list[:0]
	search := s.table.Search(k)
	for e := search.Next(); e.Known(); e = search.Next() {
		if !e.Runs(s.at) {
			continue
		}
		a := e.Addr().As4()
		if !found || len(s.list)+4 <= most {
			s.list = append(s.list, a[:]...)
		}
		if !found || e.Addr() == about || !about.IsValid() && e.Last() > s.record.Last {
			copy(s.list[len(s.list)-4:], s.list)
			copy(s.list, a[:])
			e.Read(&s.record)
			found = true
		}
	}
	return found
}

// leaseUnknown says that we know of no lease. Nothing else is in it, but the
// option 82 that it was asked by (RFC 6148 section 4.3).
func (s *Server) leaseUnknown() {
	s.beginAnswer(dhcp4.LeaseUnknown)
	if _, n := key(s.msg); n == 0 && s.msg.Ciaddr.IsUnspecified() {
		s.echo(dhcp4.RelayAgent)
	}
	s.send()
}

// leaseActive tells of the lease in s.record, and of all addresses in s.list if
// there are several.
func (s *Server) leaseActive() {
	s.beginAnswer(dhcp4.LeaseActive)
	o := &s.reply.Options
	o.PutAddr(dhcp4.ServerID, s.source)
	x := &s.account
	x.cfg, x.show, x.info, x.reply = s.cfg, &s.site.Settings.LeaseQuery.Show, &s.info, &s.reply
	x.list = s.msg.Options.Get(dhcp4.ParameterList)
	x.tell(&s.record, s.now)
	if len(s.list) > 4 || s.named(dhcp4.AssociatedIP) {
		o.Put(dhcp4.AssociatedIP, s.list)
	}
	s.send()
}

// named tells whether the message asks for option c.
func (s *Server) named(c dhcp4.Code) bool {
	for _, x := range s.msg.Options.Get(dhcp4.ParameterList) {
		if dhcp4.Code(x) == c {
			return true
		}
	}
	return false
}

// beginAnswer begins the answer to a leasequery, with what that asks about.
func (s *Server) beginAnswer(t dhcp4.Type) {
	m, r := s.msg, &s.reply
	r.Reset(dhcp4.BootReply)
	r.Htype, r.Hlen, r.Chaddr = m.Htype, m.Hlen, m.Chaddr
	r.Xid, r.Flags, r.Ciaddr, r.Giaddr = m.Xid, m.Flags, m.Ciaddr, m.Giaddr
	r.SetType(t)
	s.source = s.address(place{})
}
