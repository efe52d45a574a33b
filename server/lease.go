package server

import (
	"bytes"
	"time"

	"dhcpd/internal/act"
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
	t := s.now.Add(time.Duration(s.term) * time.Second)
	if t.Nanosecond() > 0 {
		return pool.Time(t.Unix() + 1)
	}
	return pool.Time(t.Unix())
}

// commit asks for the client's binding to be kept, before the ACK leaves.
//
// Storage promises more than the client is told (design.md, "Two ends"): one
// more lease time, at most a day. So a renewal within that rests on a record
// that is there already: it is Lazy.
func (s *Server) commit(p place) {
	old, had := s.table.ByAddr(p.addr)
	r := &s.record
	*r = pool.Record{Addr: p.addr, State: pool.Bound, Since: s.at, Client: s.client()}
	if p.fixed {
		r.State = pool.Fixed
	}
	same := had && old.State == r.State && s.is(old.ID)
	if same {
		r.Since, r.Extra = old.Since, old.Extra
		r.Check = false // the client itself was heard
		r.Decliner, r.Holder = nil, pool.HW{}
	}
	s.note()
	r.Told = s.ends()
	most := r.Told
	if r.Told != pool.Infinite {
		most += pool.Time(min(s.term, day))
	}
	r.Kept = most
	lazy := same && r.Told <= old.Kept && old.Kept <= most && r.HW == old.HW &&
		bytes.Equal(r.Agent, old.Agent) && bytes.Equal(r.Class, old.Class)
	if lazy {
		r.Kept = old.Kept
	}
	s.acts = append(s.acts, act.Action{Verb: act.Commit, Record: r, Lazy: lazy})
}

// note puts into the record what the message tells about the client. What it
// leaves out stays: a renewal does not pass the relay that adds option 82.
func (s *Server) note() {
	o, r := &s.msg.Options, &s.record
	r.Last = s.at
	if o.Has(dhcp4.RelayAgent) {
		r.Agent = o.Get(dhcp4.RelayAgent)
	}
	if o.Has(dhcp4.ClassID) {
		r.Class = o.Get(dhcp4.ClassID)
	}
	// The comparison costs no allocation; the new string does, but only once.
	if name := bytes.TrimRight(o.Get(dhcp4.HostName), "\x00"); len(name) > 0 && string(name) != r.Host {
		r.Host = string(name)
	}
}
