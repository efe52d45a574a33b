package daemon

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
	"dhcpd/pool"
	"dhcpd/relay"
	"dhcpd/server"
)

// batchSize is how many datagrams one system call takes in.
const batchSize = 64

// maxDatagram is the room for one request, in octets: more than any Ethernet
// without jumbo frames brings.
const maxDatagram = 2048

// wait is the reader of port 67. It waits for the first requests after a
// pause; as long as more are there the loop reads them itself (listen).
func (s *service) wait(udp datagrams) {
	for b := range s.idle {
		err := udp.Receive(b)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			b.Reset() // a passing fault of the network: nothing came
		}
		s.received <- b
	}
}

// batch answers a batch of requests.
func (s *service) batch(b *link.Batch) {
	s.collect()
	s.table.Tick(pool.Time(s.d.now.Unix()))
	s.quota = quota(b)
	for i := range b.Len() {
		s.answer(b.At(i))
	}
	s.read, s.busy = b, b.Len() == batchSize
}

// listen reads what came meanwhile, for one of the next turns; if nothing did,
// the reader is to wait for it.
func (s *service) listen() {
	b := s.read
	if b == nil {
		return
	}
	s.read = nil
	if err := s.udp.TryReceive(b); err == nil && b.Len() > 0 {
		s.received <- b
	} else {
		s.idle <- b
	}
}

// answer answers one request, or passes on what it has no answer for.
func (s *service) answer(m *link.Msg) {
	d := s.d
	n := d.nets[m.Index]
	if m.Index == loopback && dhcp4.PeekType(m.Data) == dhcp4.LeaseQuery {
		n = d.networkOf(m.To.Addr())
	}
	if n == nil {
		d.drop(&d.count.of[unserved], "index "+strconv.Itoa(m.Index), "the network is not served")
		return
	}
	if m.Cut {
		d.drop(&d.count.of[long], n.name(), "message is too long")
		return
	}
	err := d.msg.Parse(m.Data)
	if err != nil && !(relay.Passes(err) && s.nets.Any()) {
		d.drop(&d.count.of[malformed], n.name(), err.Error())
		return
	}
	d.say.packet(n.name(), "received from", m.From.Addr(), &d.msg, d.cfg.Dict())
	switch {
	case d.msg.Op == dhcp4.BootReply && !s.nets.Any():
		d.drop(&d.count.of[astray], n.name(), "a reply, and no relay here that waits for one")
	case d.msg.Op == dhcp4.BootReply:
		s.down(n, m)
	case d.msg.Type() == dhcp4.LeaseQuery && err == nil && n.tells():
		s.answerQuery(n, m)
	case n.relays():
		s.answerOrRelay(n, m, err == nil)
	case !n.serves():
		d.drop(&d.count.of[unserved], n.name(), "the network is not served")
	case err != nil:
		d.drop(&d.count.of[malformed], n.name(), err.Error())
	default:
		s.decide(n, m)
	}
}

// decide has the server decide about the message just read.
func (s *service) decide(n *network, m *link.Msg) (answered bool) {
	s.d.count.received.count(&s.d.msg)
	n.site.To, n.site.From = m.To.Addr(), m.From.Addr()
	actions := s.core.Decide(s.d.now, s.d.cfg, &n.site, s.table, &s.d.msg)
	s.do(n, actions)
	return server.Answered(actions)
}

// do does what the server decided about one message. What is sent after a
// Commit waits for it. If the disk is too far behind nothing of it is done: the
// client will ask again.
func (s *service) do(n *network, actions []act.Action) {
	box := &s.direct
	for i := range actions {
		switch a := &actions[i]; a.Verb {
		case act.Commit:
			if s.stuck() {
				s.d.drop(&s.d.count.of[behind], "pool", "too much waits for the disk")
				return
			}
			box = s.commit(a)
		case act.Learn:
			s.table.Set(a.Record)
		case act.Route, act.Unroute:
			s.routeLease(n, a)
		case act.Send:
			s.d.count.send(a)
			s.send(n, a, box)
		case act.Hold:
			s.table.Hold(a.Addr, a.Client, a.Agent, a.Until)
		case act.Unhold:
			s.table.Unhold(a.Addr)
		case act.Check:
			s.checks.ask(n, a.Addr)
		case act.Connect:
			go s.fetch(a.To.Source, a.Addr, bytes.Clone(a.Octets))
		case act.Note:
			s.d.note(nameOf(n), a)
		}
	}
}

// due does what is due.
func (s *service) due() {
	if s.table == nil {
		return
	}
	if s.stale {
		s.regroup()
	}
	s.checks.due()
	s.watch()
	if w := s.core.Wake(); !w.IsZero() && !s.d.now.Before(w) {
		s.sweep()
	}
	s.rouse()
	s.compare()
	if w := s.relay.Wake(); !w.IsZero() && !s.d.now.Before(w) {
		s.forgetRelayed()
	}
	if w := s.relay.AskWake(); !w.IsZero() && !s.d.now.Before(w) {
		s.do(nil, s.relay.Ask(s.d.now, s.table))
	}
}

// wake returns when due is to be called, the zero Time for never.
func (s *service) wake() time.Time {
	next := earlier(earlier(s.checks.wake(), s.core.Wake()), earlier(s.relay.Wake(), s.relay.AskWake()))
	_, pause := s.core.Pausing()
	return earlier(earlier(next, pause), earlier(s.nextRouse(), s.change.at))
}

// sweep lets the server look after abandoned addresses, on no network of its
// own.
func (s *service) sweep() { s.do(nil, s.core.Sweep(s.d.now, s.d.cfg, s.table)) }

// regroup tells the table which of its addresses may be given out where, and
// says which may not for want of a lease time (S10).
func (s *service) regroup() {
	s.stale = false
	if s.d.any((*network).tells) {
		s.table.Index() // now, rather than when the first one asks
	}
	s.table.Tick(pool.Time(s.d.now.Unix()))
	first, more := "", 0
	s.table.Regroup(func(a netip.Addr) (netip.Prefix, bool) {
		on, why, ok := s.d.lendable(a)
		switch {
		case why == "" || !s.table.Member(a):
		case first == "":
			first = why
		default:
			more++
		}
		return on, ok
	})
	if more > 0 {
		first += " (and " + strconv.Itoa(more) + " more that can't be given out)"
	}
	if first != "" {
		s.d.say.once(first)
	}
	s.sweep()
}

// lendable tells which network an address is on, and whether it may be given
// out; why is what the config file has against that.
func (d *Daemon) lendable(a netip.Addr) (on netip.Prefix, why string, ok bool) {
	on, known := d.cfg.Network(a)
	why, ok = d.cfg.Lendable(a)
	return on, why, ok && known && !d.addrs[a]
}
