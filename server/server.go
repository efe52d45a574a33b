// Package server is the answer to one message (RFC 2131 section 4.3), as a
// pure function: from the configuration, the pool and a message to a list of
// actions. It reads the pool and never writes it; what is to change, it asks
// for by Commit, Hold and Unhold.
package server

import (
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/conf"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// Server decides. What it knows comes in with each call, but for what it may
// forget: what the wire said a moment ago, and how often it refused what. The
// rest is scratch memory, so that deciding costs no allocation. The zero Server
// is ready. It serves one caller at a time.
type Server struct {
	// The question.
	now   time.Time
	at    pool.Time
	cfg   *conf.Config
	site  *Site
	table *pool.Table
	msg   *dhcp4.Message

	// Who asks, and from where.
	query conf.Query
	asker conf.Asker
	agent []byte // what the relay says of it: option 82
	hw    pool.HW
	ether [1 + 16]byte // memory for query.HW
	links []link

	nearby struct { // what the config last said of an address that is not in the pool
		cfg *conf.Config
		link
	}

	// The answer.
	info   conf.Info
	left   dhcp4.Set  // options of info that are not in the reply yet
	term   uint32     // the lease time granted, in seconds
	self   netip.Addr // who we are to the client: option 54
	source netip.Addr // the address of ours that the reply comes from
	reply  dhcp4.Message
	record pool.Record
	acts   []act.Action

	// Authentication and waking.
	Fresh  func() [16]byte // makes the nonces of RFC 6704, not to be foreseen; nil: no client gets one
	Random func() uint64   // for the networks that have RoguePause set
	key    *conf.Key       // that the client has to use, nil for none
	heard  uint64          // the replay counter of its message
	nonce  []byte          // to be sent to it
	fresh  [16]byte        // memory for that
	replay replay
	forces forces
	tries  int       // of what ForceNext returned
	before conf.Info // of Differs

	account account // of leasequeries
	list    []byte  // scratch

	wait bool // there will be an answer, once the wire has been asked

	// Trace gets each rule for the client's address that is tried; nil: it is
	// nobody's business.
	Trace *[]Tried

	counts  Counts
	checks  map[netip.Addr]check
	forgot  time.Time // when checks were last looked through
	waiting []waiting
	lost    time.Time // when records were lost; zero for never
	others  []Other

	// Of Sweep.
	wake  time.Time
	swept pool.Time
	due   []netip.Addr
}

// Decide answers msg, which came in at site, from cfg and table: the whole
// server. The actions, and all that they point to, are good until the next
// call; the caller applies them to the table before that. Every message gets
// at least one action, if only a Note with the reason why there is no answer:
// see Answered.
func (s *Server) Decide(now time.Time, cfg *conf.Config, site *Site, table *pool.Table, msg *dhcp4.Message) []act.Action {
	s.open(now, cfg, site, table)
	s.msg = msg
	s.decide()
	return s.acts
}

// open begins a call.
func (s *Server) open(now time.Time, cfg *conf.Config, site *Site, table *pool.Table) {
	s.now, s.at = now, pool.Time(now.Unix())
	s.cfg, s.site, s.table, s.msg = cfg, site, table, nil
	s.acts = s.acts[:0]
	s.key, s.nonce = nil, nil
}

// decide answers s.msg.
func (s *Server) decide() {
	s.links, s.wait, s.nonce = s.links[:0], false, nil
	if s.msg.Op == dhcp4.BootRequest && s.msg.Type() == dhcp4.LeaseQuery {
		s.leaseQuery()
		return
	}
	if why := s.inspect(); why != fine {
		s.drop(why)
	} else {
		s.dispatch()
	}
}

// RecordsLost says that the pool file was found torn or corrupt, and records
// may be missing: of leases that are good for one lease time yet.
func (s *Server) RecordsLost(now time.Time) { s.lost = now }

// Answered tells whether the message was the server's: it sends or commits
// something, asks the wire before it does, or has something for the log. Any
// other may go to a relay (dhcpd(8), "Relay Operation").
func Answered(actions []act.Action) bool {
	for i := range actions {
		switch a := &actions[i]; a.Verb {
		case act.Send, act.Commit, act.Check:
			return true
		case act.Note:
			if a.Level == act.Log {
				return true
			}
		}
	}
	return false
}

// inspect says why the message is not for a server here, fine if it is.
func (s *Server) inspect() reason {
	m := s.msg
	switch {
	case !s.site.Settings.Server:
		return notServed
	case m.Op != dhcp4.BootRequest:
		return notRequest
	case len(s.site.Addrs) == 0:
		return noOwnAddress
	case !m.Giaddr.IsUnspecified() && !dhcp4.IsUnicast(m.Giaddr):
		return badGiaddr
	case !m.Ciaddr.IsUnspecified() && !dhcp4.IsUnicast(m.Ciaddr):
		return badCiaddr
	}
	if why := s.identify(); why != fine {
		return why
	}
	if why := s.authentic(); why != fine {
		return why
	}
	return s.locate()
}

func (s *Server) dispatch() {
	switch s.msg.Type() {
	case dhcp4.BOOTP:
		s.bootp()
	case dhcp4.Discover:
		s.discover()
	case dhcp4.Request:
		s.request()
	case dhcp4.Decline:
		s.decline()
	case dhcp4.Release:
		s.release()
	case dhcp4.Inform:
		s.inform()
	default:
		s.drop(notForServer)
	}
}

// identify finds out who asks. A client is known by its client identifier if
// it sends one, else by its hardware address, with the type of it in front
// (RFC 2131 section 4.2).
func (s *Server) identify() reason {
	m := s.msg
	if m.Htype == dhcp4.HtypeEther && m.Hlen != 6 {
		return badHlen
	}
	q := &s.query
	q.ID, q.HW, q.Class = m.Options.Get(dhcp4.ClientID), nil, m.Options.Get(dhcp4.ClassID)
	hw := m.HW()
	if s.hw = pool.HWOf(m.Htype, hw); len(hw) > 0 {
		s.ether[0] = m.Htype
		q.HW = s.ether[:1+copy(s.ether[1:], hw)]
	}
	if len(q.ID) == 0 {
		q.ID = q.HW
	}
	if len(q.ID) == 0 {
		return nobody
	}
	s.agent = s.relayed()
	q.Circuit = dhcp4.Sub(s.agent, dhcp4.CircuitID)
	q.Remote = dhcp4.Sub(s.agent, dhcp4.RemoteID)
	s.asker = s.cfg.Ask(q)
	return fine
}

func (s *Server) client() pool.Client { return pool.Client{ID: s.query.ID, HW: s.hw} }

// drop notes why there is no answer.
//
//go:noinline
func (s *Server) drop(why reason) { s.because(why, act.Drop) }

func (s *Server) because(why reason, l act.Level) {
	s.counts[why]++
	s.note(l, why.String())
}

func (s *Server) log(text string) {
	s.note(act.Log, text)
}

func (s *Server) note(l act.Level, text string) {
	a := s.next(act.Note)
	a.Level, a.Text = l, text
}

// next returns the next action, to be filled in: an Action is large. So is
// this, inlined in all the places that it is called from.
//
//go:noinline
func (s *Server) next(v act.Verb) *act.Action {
	s.acts = append(s.acts, act.Action{Verb: v})
	return &s.acts[len(s.acts)-1]
}

// in returns the time after d.
func (s *Server) in(d time.Duration) pool.Time { return s.at + pool.Time(d/time.Second) }

// requested reads option 50, the address that the client asks for.
func (s *Server) requested() (netip.Addr, error) {
	return s.msg.Options.Addr(dhcp4.RequestedAddress)
}
