package server

import (
	"bytes"

	"dhcpd/internal/act"
	"dhcpd/internal/ascii"
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

const (
	shortest = 60           // seconds: no client gets less by asking, whatever it asks for
	day      = 24 * 60 * 60 // seconds: the most that storage promises beyond what the client was told
)

// prepare gathers what goes with p and finds the lease time (S12): the
// config's, or the shorter one that the client asks for. It says what is
// wrong, fine for nothing.
func (s *Server) prepare(p place) reason {
	if why := s.gather(p); why != fine {
		return why
	}
	most, err := s.info.Options.Uint32(dhcp4.LeaseTime)
	if err != nil && !p.fixed {
		return noLease // the log had it at start: S10
	}
	if err != nil {
		most = dhcp4.Infinite
	}
	if s.site.Longest != 0 && !p.fixed {
		most = min(most, s.site.Longest)
	}
	s.term = most
	asked, err := s.msg.Options.Uint32(dhcp4.LeaseTime)
	if err == nil && asked != 0 && asked < most {
		s.term = max(asked, min(shortest, most))
	}
	return fine
}

// ends returns when a lease of term seconds that starts now is over, rounded
// up: never before the client thinks so.
func (s *Server) ends() pool.Time {
	if s.term == dhcp4.Infinite {
		return pool.Infinite
	}
	t := s.at + pool.Time(s.term)
	if s.now.Nanosecond() > 0 {
		t++
	}
	return t
}

// commit asks for the client's binding to be kept, before the ACK leaves.
//
// Storage promises more than the client is told (design.md, "Two ends"): one
// more lease time, at most a day. So a renewal within that rests on a record
// that is there already: it is Lazy.
//
// A lease that gets shorter is kept until the end that the client was told
// before: the ACK may get lost, and then it knows of no other. Of one without
// an end a day is enough, since such a client would never come to renew it.
func (s *Server) commit(p place) {
	state := pool.Bound
	if p.fixed {
		state = pool.Fixed
	}
	old, r := s.table.At(p.addr), &s.record
	same := old.State() == state && old.Is(s.query.ID)
	if same {
		old.Read(r)
		r.Check, r.Asleep = false, false // the client itself was heard
		r.Decliner, r.Holder = nil, pool.HW{}
	} else {
		*r = pool.Record{Addr: p.addr, State: state, Since: s.at}
	}
	promised, told, last := r.Kept, r.Told, r.Last
	news := s.learn() || old.Wakeful() // that it was woken is to be known
	if told == pool.Infinite {
		told = s.at + day
	}
	if r.Told = s.ends(); !s.anew() || s.at-last <= repeats {
		r.Told = max(r.Told, told)
	}
	r.Kept = r.Told
	if r.Told != pool.Infinite {
		r.Kept += pool.Time(min(s.term, day))
	}
	lazy := same && !news && r.Told <= promised && promised <= r.Kept
	if lazy {
		r.Kept = promised
	}
	a := s.next(act.Commit)
	a.Record, a.Lazy = r, lazy
}

// repeats is for how many seconds a client may send one DHCPREQUEST again: as
// long as the OFFER is held. The answers to all of them are good to it, so a
// later one takes nothing back.
const repeats = 64

// anew tells whether the client has no lease that it would go by if our answer
// got lost: it selects us, or knows nothing of renewals.
func (s *Server) anew() bool {
	return s.msg.Options.Has(dhcp4.ServerID) || s.msg.Type() != dhcp4.Request
}

// learn puts into the record what the message tells about the client. A class
// or a name that it leaves out stays; option 82 only where the message did not
// pass the relay that adds it: see relayed. It tells whether there is news that
// storage must know at once.
func (s *Server) learn() (news bool) {
	o, r := &s.msg.Options, &s.record
	news = r.HW != s.hw
	r.Client, r.Last = s.client(), s.at
	s.keepCount()
	if s.giveNonce() {
		news = true
	}
	if !bytes.Equal(s.agent, r.Agent) {
		news, r.Agent = true, s.agent
	}
	if v := o.Get(dhcp4.ClassID); v != nil {
		news = news || !bytes.Equal(v, r.Class)
		r.Class = v
	}
	// The comparison costs no allocation; the new string does, but only once.
	if name := ascii.TrimRight(o.Get(dhcp4.HostName), 0); len(name) > 0 && string(name) != r.Host {
		r.Host = string(name)
	}
	return news
}
