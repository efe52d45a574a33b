package server

import (
	"bytes"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/auth"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// waits are for how long an answer to a FORCERENEW is waited for, before it is
// sent again and, in the end, given up (RFC 3203 section 2.2, F2).
var waits = [...]time.Duration{4 * time.Second, 8 * time.Second, 16 * time.Second,
	32 * time.Second, 64 * time.Second, 4 * time.Second}

// force is a client to be woken.
type force struct {
	addr netip.Addr
	due  time.Time
}

// forces are the clients to be woken, by how often that was tried. As each of
// a row waits equally long, the first of them is the first that is due.
type forces [len(waits) + 1][]force

// Rouse begins to wake the clients at these addresses, which the table knows to
// be Wakeful: by Force, at the times of ForceDue. Whoever is heard meanwhile is
// so no longer, and so need not be told about here.
func (s *Server) Rouse(now time.Time, list ...netip.Addr) {
	for _, a := range list {
		s.forces[0] = append(s.forces[0], force{a, now})
	}
}

// ForceDue returns when Force is to be called next, the zero Time for never.
func (s *Server) ForceDue() (t time.Time) {
	for i := range s.forces {
		if row := s.forces[i]; len(row) > 0 && (t.IsZero() || row[0].due.Before(t)) {
			t = row[0].due
		}
	}
	return t
}

// ForceNext returns the next address that Force is due for, the zero Addr for
// none.
func (s *Server) ForceNext(now time.Time) (a netip.Addr) {
	for tries := range s.forces {
		row := &s.forces[tries]
		if len(*row) == 0 || now.Before((*row)[0].due) {
			continue
		}
		a, s.tries = (*row)[0].addr, tries
		if *row = (*row)[1:]; len(*row) == 0 {
			*row = nil // the memory of many
		}
		break
	}
	return a
}

// again has Force called again after a while.
func (s *Server) again(a netip.Addr, tries int, wait time.Duration) {
	s.forces[tries] = append(s.forces[tries], force{a, s.now.Add(wait)})
}

// Force wakes the client at a, which ForceNext has just returned, by a
// FORCERENEW out of site, once more perhaps, or gives it up.
func (s *Server) Force(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, a netip.Addr) []act.Action {
	s.open(now, cfg, site, table)
	e := table.At(a)
	if !e.Wakeful() {
		return nil // it was heard
	}
	r := &s.record
	e.Read(r)
	s.recall(r)
	s.key = s.keyOf()
	switch {
	case !e.Runs(s.at):
		s.log(a.String() + " has no lease that runs; there is nobody to wake")
		s.forget()
	case site.Settings.NoForce:
		s.log(a.String() + " is not woken: option noforce")
		s.forget()
	case s.key == nil && len(r.Nonce) != len(s.fresh):
		s.log(a.String() + " can't be woken: there is neither a key nor a nonce for its client")
		s.forget()
	case s.tries == len(waits):
		s.counts[unanswered]++
		s.log(a.String() + " does not answer DHCPFORCERENEW; given up")
		// Perhaps it never got its nonce: the next time it is heard it gets one.
		r.Asleep, r.Nonce = true, nil
		s.forget()
	case len(site.Addrs) == 0 || !s.canCount():
		s.again(a, s.tries, time.Second)
	default:
		s.again(a, s.tries+1, waits[s.tries])
		s.wakeUp(r)
	}
	return s.acts
}

// forget ends the waking: any record of the address does.
func (s *Server) forget() { s.next(act.Commit).Record = &s.record }

// heeded hears a client that is to be woken, and is told to go elsewhere.
func (s *Server) heeded(a netip.Addr) {
	if e := s.table.At(a); e.Wakeful() && e.Is(s.query.ID) {
		e.Read(&s.record)
		s.record.Asleep = false
		s.forget()
	}
}

// recall puts the question that a client asked last, as far as its record tells.
func (s *Server) recall(r *pool.Record) {
	s.hw, s.agent = r.HW, r.Agent
	question(&s.query, &s.ether, r)
	s.asker = s.cfg.Ask(&s.query)
}

// question makes q what the client of r asked last, by what its relay said of it
// then; hw is memory for it.
func question(q *conf.Query, hw *[1 + 16]byte, r *pool.Record) {
	hw[0] = r.HW.Type
	q.ID, q.Class, q.HW = r.ID, r.Class, nil
	if r.HW != (pool.HW{}) {
		q.HW = hw[:1+copy(hw[1:], r.HW.Addr[:min(r.HW.Len, 16)])]
	}
	q.Circuit = dhcp4.Sub(r.Agent, dhcp4.CircuitID)
	q.Remote = dhcp4.Sub(r.Agent, dhcp4.RemoteID)
}

// keyOf is the key of the client that asks, its own or else the network's; nil
// where none are used.
func (s *Server) keyOf() *conf.Key {
	k := s.site.Settings.Key
	if k != nil {
		if own := s.asker.Key(nil); own != nil {
			k = own
		}
	}
	return k
}

// wakeUp sends the FORCERENEW: to the client's address alone (RFC 3203 section
// 2.2), which the routes lead to even if that is behind a relay.
func (s *Server) wakeUp(r *pool.Record) {
	m, count := &s.reply, s.count()
	m.Reset(dhcp4.BootReply)
	m.Htype, m.Hlen, m.Chaddr = r.HW.Type, r.HW.Len, r.HW.Addr
	m.Xid, m.Ciaddr = uint32(count), r.Addr
	m.SetType(dhcp4.ForceRenew)
	a := s.next(act.Send)
	if s.key != nil {
		auth.Put(m, auth.Option{Kind: auth.Keyed, Replay: count, ID: s.key.ID})
		a.Key = s.key.Secret
	} else {
		auth.Put(m, auth.Option{Kind: auth.Woken, Replay: count})
		s.fresh = [16]byte(r.Nonce)
		a.Key = s.fresh[:]
	}
	self := s.site.Addrs[0].Addr()
	for _, x := range s.site.Addrs {
		if x.Contains(r.Addr) {
			self = x.Addr()
			break
		}
	}
	a.Msg, a.To = m, act.Dest{Addr: r.Addr, Port: dhcp4.ClientPort, Source: self}
	if over, ok := s.override(); ok {
		self = over
	}
	m.Options.PutAddr(dhcp4.ServerID, self)
	if !bytes.Equal(r.ID, s.query.HW) {
		m.Options.Put(dhcp4.ClientID, r.ID)
	}
}

// Differs tells whether the client at a, with a lease that runs, gets something
// else by cfg than by old: another address, or something else with it. Who
// can't be woken is not looked at, nor what a client has left.
func (s *Server) Differs(now time.Time, old, cfg *conf.Config, table *pool.Table, e pool.Entry) bool {
	s.open(now, cfg, nil, table)
	if !e.Runs(s.at) || !e.Rousable() {
		return false
	}
	e.Read(&s.record)
	if on := e.Network(); on.IsValid() && table.Of(s.record.ID, on).Addr() != e.Addr() {
		return false // it has moved on
	}
	a := s.entitled(cfg, &s.info)
	b := s.entitled(old, &s.before)
	return a != b || a.IsValid() && !sameInfo(&s.info, &s.before)
}

// entitled returns the address that the client of s.record gets by cfg when it
// renews, and what goes with it; the zero Addr for none.
func (s *Server) entitled(cfg *conf.Config, info *conf.Info) netip.Addr {
	r := &s.record
	s.cfg = cfg
	s.recall(r)
	a, fixed := s.asker.Fixed(r.Addr)
	if !fixed || s.leased(a) {
		a = r.Addr
		if _, ok := cfg.Lendable(a); !ok || !s.table.Member(a) {
			return netip.Addr{}
		}
	}
	if !s.asker.Gather(a, info) {
		return netip.Addr{}
	}
	return a
}

// sameInfo tells whether two answers of the config are the same.
func sameInfo(a, b *conf.Info) bool {
	if a.Siaddr != b.Siaddr || !bytes.Equal(a.Sname, b.Sname) || !bytes.Equal(a.File, b.File) ||
		a.Options.Set() != b.Options.Set() {
		return false
	}
	for c, v := range a.Options.All() {
		if !bytes.Equal(v, b.Options.Get(c)) {
			return false
		}
	}
	return true
}
