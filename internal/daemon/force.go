package daemon

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"dhcpd/internal/conf"
	"dhcpd/internal/netip"
)

// Waking clients, by dhcpd -w and by itself when the config file changes: the
// server core knows how and when, the pool file whom.

// freshNonce makes a nonce (RFC 6704 section 3.1.3) of what the runtime has
// from the kernel: ChaCha8 with a random seed.
func freshNonce() (n [16]byte) {
	binary.NativeEndian.PutUint64(n[:], rand.Uint64())
	binary.NativeEndian.PutUint64(n[8:], rand.Uint64())
	return n
}

// tally is what became of the replay counters that this run may use: more than
// it can, so that one line in the pool file is enough for all of it.
type tally struct {
	ours   bool // the table's counter is the end of them,
	stored bool // and so says stable storage
}

const countersOfARun = 1 << 40

// countOn writes down which replay counters this run may use, with the first
// block that goes to the file.
func (s *service) countOn() {
	if s.tally.stored {
		return
	}
	if !s.tally.ours {
		s.tally.ours = true
		s.table.SetCounter(s.table.Counter() + countersOfARun)
	}
	s.filling.text.Count()
	s.filling.counts = true
}

// countedOn lets them be used when that block is on stable storage.
func (s *service) countedOn(b *block) {
	if b.counts && !s.tally.stored {
		s.tally.stored = true
		n := s.table.Counter()
		s.core.CountFrom(n-countersOfARun, n)
	}
}

// news returns those addresses whose clients are not to be woken already.
func (s *service) news(list []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(list, func(a netip.Addr) bool { return s.table.At(a).Wakeful() })
}

// So many clients are woken at a time, with a rest between: those of a large
// network would all come back at once.
const (
	rouseMost = 32
	rouseRest = 10 * time.Millisecond
)

// nextRouse returns when rouse has something to do.
func (s *service) nextRouse() time.Time {
	due := s.core.ForceDue()
	if !due.IsZero() && due.Before(s.rested) {
		return s.rested
	}
	return due
}

// rouse wakes those clients whose time has come.
func (s *service) rouse() {
	now := s.d.now
	if due := s.nextRouse(); due.IsZero() || now.Before(due) {
		return
	}
	s.rested = now.Add(rouseRest)
	again := max(time.Second, min(2*s.again, time.Minute))
	for range rouseMost {
		if s.stuck() {
			return
		}
		a := s.core.ForceNext(now)
		if !a.IsValid() {
			return
		}
		n := s.home(a)
		if n == nil { // nothing is served yet, or for a while, or for ever
			s.again = again
			s.core.Rouse(now.Add(again), a)
			continue
		}
		s.again = 0
		s.do(n, s.core.Force(now, s.d.cfg, &n.site, s.table, a))
	}
}

// home returns the network that a client at a is served on: behind a relay the
// first that is served at all, nil if there is none.
func (s *service) home(a netip.Addr) *network {
	home := s.d.home(a)
	for _, n := range s.d.order {
		if home == nil && n.serves() {
			home = n
		}
	}
	return home
}

// change is a change of the config, for which the leases are being looked
// through: a few at a time, since there may be many.
type change struct {
	from, to *conf.Config
	row      uint32
	at       time.Time // when to go on; zero for nothing to do
}

const rowsAtATime = 128

// changed begins to look for clients that get something else now than by old.
// If that is under way, there will be another round for what is new.
func (s *service) changed(old *conf.Config) {
	if s.table != nil && s.change.at.IsZero() {
		s.change = change{old, s.d.cfg, 0, s.d.now}
	}
}

// compare goes on with that.
func (s *service) compare() {
	c := &s.change
	if c.at.IsZero() || s.d.now.Before(c.at) {
		return
	}
	for range rowsAtATime {
		e, more := s.table.Nth(c.row)
		if !more {
			last := c.to
			if *c = (change{}); last != s.d.cfg {
				s.changed(last)
			}
			return
		}
		c.row++
		if !e.Wakeful() && s.core.Differs(s.d.now, c.from, c.to, s.table, e) {
			s.wakeUp(e.Addr())
		}
	}
	c.at = s.d.now.Add(time.Millisecond) // requests first
}

// wakeUp has the client at a woken, and the pool file know of that.
func (s *service) wakeUp(a netip.Addr) {
	if n := s.home(a); n == nil || n.plan.NoForce {
		return
	}
	s.table.Wake(a)
	s.filling.text.Wake(a)
	s.filling.due = true
	s.core.Rouse(s.d.now, a)
}
