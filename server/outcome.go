package server

import (
	"bytes"
	"slices"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Checked hears what the wire said about an address (act.Check), at the site
// where the question came from, and says what follows. As Decide's, the
// actions are good until the next call.
func (s *Server) Checked(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, o Outcome) []act.Action {
	s.open(now, cfg, site, table)
	c := s.checks[o.Addr]
	if c.asked.IsZero() {
		return nil // it took too long and was forgotten
	}
	c.asked, c.at, c.heard, c.holder = time.Time{}, now, o.Heard, o.HW
	s.checks[o.Addr] = c
	r, ok := table.ByAddr(o.Addr)
	switch {
	case !ok:
	case r.State == pool.Abandoned:
		s.checkedAbandoned(r, c)
	case c.why == forLost:
	case s.runs(&r):
		if c.why == forDecline && c.heard && c.holder != r.HW {
			s.log(declines(r.ID, r.Addr, nil))
			s.abandon(r, c.holder, declined)
			s.record.Decliner = r.ID
			s.setAside(r.Addr)
		}
	case table.At(r.Addr).Free(s.at) && c.heard && (c.holder == pool.HW{} || c.holder != r.HW):
		s.log(r.Addr.String() + " is in use, though nobody has a lease on it")
		s.abandon(r, c.holder, inUse)
		s.setAside(r.Addr)
	}
	s.resume(o.Addr)
	return s.acts
}

// checkedAbandoned hears who uses an abandoned address, if anybody does.
func (s *Server) checkedAbandoned(r pool.Record, c check) {
	switch {
	case !c.heard && c.why == forProbation:
		s.counts[unused]++
		s.note(act.Debug1, r.Addr.String()+" is free again: nobody answers for it")
		last := r.Last
		s.end(r, pool.Released)
		s.record.Last = last // the client had no part in this
	case c.heard && c.holder != r.Holder && c.holder != (pool.HW{}):
		s.record = r
		s.record.Holder = c.holder
		s.next(act.Commit).Record = &s.record
	}
	if c.heard {
		s.setAside(r.Addr)
	}
}

// setAside keeps an address that is in use at the moment out of the way of the
// clients that will ask for the next one.
func (s *Server) setAside(a netip.Addr) {
	hold := s.next(act.Hold)
	hold.Addr, hold.Until = a, s.in(checkGood)
}

// abandon takes the address of r out of use.
func (s *Server) abandon(r pool.Record, holder pool.HW, why reason) {
	s.counts[why]++
	s.end(r, pool.Abandoned)
	s.record.Decliner, s.record.Holder = nil, holder
	s.wake = earlier(s.wake, s.now.Add(pool.FirstProbe*time.Second))
}

// Wake returns when Sweep is to be called next, the zero Time for never.
func (s *Server) Wake() time.Time { return s.wake }

// Sweep has those abandoned addresses probed whose time has come. It is called
// at the time of Wake, and whenever the addresses of the pool have changed.
func (s *Server) Sweep(now time.Time, cfg *conf.Config, table *pool.Table) []act.Action {
	s.open(now, cfg, nil, table)
	if len(s.due) == 0 {
		s.sweep()
	}
	n := min(len(s.due), ahead)
	for _, a := range s.due[:n] {
		if r, ok := table.ByAddr(a); ok && r.State == pool.Abandoned {
			s.ask(a, forProbation)
		}
	}
	if s.due = s.due[n:]; len(s.due) == 0 {
		s.sweep()
	}
	if len(s.due) > 0 {
		s.wake = now.Add(2 * time.Second) // a few at a time
	}
	return s.acts
}

// sweep notes the addresses that are due and when the next one will be.
func (s *Server) sweep() {
	if s.swept == 0 {
		s.swept = s.at
	}
	next := pool.Infinite
	for a, since := range s.table.Abandoned {
		if s.table.Shut() {
			break // who knows what is true
		}
		if pool.NextProbe(since, s.swept) <= s.at {
			s.due = append(s.due, a)
		}
		next = min(next, pool.NextProbe(since, s.at))
	}
	s.swept, s.wake = s.at, time.Time{}
	if next != pool.Infinite {
		s.wake = time.Unix(int64(next), 0)
	}
}

// earlier returns the earlier of two times, where zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// waiting is a request whose answer hangs on the wire.
type waiting struct {
	addr     netip.Addr
	to, from netip.Addr
	msg      []byte
}

// mostWaiting is how many requests may wait at a time; the others are asked
// again by their clients.
const mostWaiting = 64

// await keeps the request until the wire has said something about a.
func (s *Server) await(a netip.Addr) {
	c, ok := s.checks[a]
	if !ok {
		return // too many are under way
	}
	c.why = forLost // whatever it was asked for: that it answers is no conflict
	s.checks[a] = c
	same := func(w waiting) bool { return w.addr == a }
	s.waiting = slices.DeleteFunc(s.waiting, same)
	if len(s.waiting) >= mostWaiting {
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
	b := bytes.Clone(s.msg.Wire)
	if b == nil {
		b, _ = s.msg.Append(nil, 1<<16)
	}
	s.waiting = append(s.waiting, waiting{addr: a, to: s.site.To, from: s.site.From, msg: b})
}

// resume answers the request that waited for a.
func (s *Server) resume(a netip.Addr) {
	for i, w := range s.waiting {
		if w.addr != a {
			continue
		}
		s.waiting = slices.Delete(s.waiting, i, i+1)
		var m dhcp4.Message
		if m.Parse(w.msg) == nil {
			s.site.To, s.site.From = w.to, w.from
			s.msg = &m
			s.decide()
		}
		return
	}
}
