package server

import (
	"dhcpd/internal/dhcp4"
	"dhcpd/pool"
)

// Pass is what an answer to a DHCPACTIVELEASEQUERY (RFC 7724) looks for among
// the addresses that it is given.
type Pass uint8

const (
	News    Pass = iota // something was written about each of them
	Changes             // what has changed, though nobody may have said so
	Ends                // leases that have ended, which nobody writes down
)

// Active tells whether the query that was opened is for what changes as it
// changes, so that its answer has no end.
func (b *Bulk) Active() bool { return b.active }

// Since is the time since when all that has changed is asked for, before what
// is to come; not ok: only that.
func (b *Bulk) Since() (from pool.Time, ok bool) { return b.from, b.window }

// Look begins a pass: over what happened at a time or later.
func (b *Bulk) Look(p Pass, from pool.Time) { b.pass, b.from, b.to = p, from, pool.Infinite }

// readActive finds out what a DHCPACTIVELEASEQUERY asks for. It has one
// qualifier and no key: RFC 7724 sections 4, 7.3, 8.2.
func (b *Bulk) readActive() (s dhcp4.Status, why string) {
	s, why = b.read()
	switch {
	case s != dhcp4.Success:
		return dhcp4.MalformedQuery, why
	case !b.all:
		return dhcp4.MalformedQuery, "an active leasequery is about all addresses"
	case b.query.Options.Has(dhcp4.QueryEnd):
		return dhcp4.MalformedQuery, "an active leasequery has no end"
	}
	return s, why
}

// news tells whether the pass is about an address in that state since then.
// What is only offered has not changed.
func (b *Bulk) news(s *pool.Seen, state dhcp4.LeaseState, since pool.Time) bool {
	switch b.pass {
	case Changes:
		if state == dhcp4.Transitioning { // which it is just now
			since = max(s.Since, s.Told)
		}
		return b.within(s.Last) || b.within(since)
	case Ends:
		return state != dhcp4.Active && (s.State == pool.Bound || s.State == pool.Fixed) && b.within(s.Told)
	}
	return s.State != pool.Free || s.Member
}
