package relay

import (
	"bytes"
	"time"

	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/netip"
	"dhcpd/pool"
)

// glean notes what an ACK on its way to a client says of where that is (R6).
// Only what is new goes to the pool file: a new end does not.
//
// A client that renews does not ask by way of the relay, unless it takes us for
// the server. Where it would lose its route by that, the end of its lease is
// not known: Kept is never.
func (r *Relay) glean(n *Network, table *pool.Table, p *Packet) {
	m := p.Msg
	term, err := m.Options.Uint32(dhcp4.LeaseTime)
	if m.Type() != dhcp4.ACK || !dhcp4.IsUnicast(m.Yiaddr) || err != nil || term == 0 {
		return
	}
	old, had := table.ByAddr(m.Yiaddr)
	if had && isOurs(&old, r.at) {
		return // the address is in our own pool, and leased from there
	}
	x := &r.record
	*x = pool.Record{}
	r.client(m, &x.Client)
	x.Addr, x.State, x.Since = m.Yiaddr, pool.Relayed, r.at
	x.Last, x.Via, x.Server = r.at, n.If, p.From
	a, err := m.Options.Addr(dhcp4.ServerID)
	through := err == nil && n.Ours(a) // as with Override
	if err == nil && !through {
		x.Server = a
	}
	if x.Agent = m.Options.Get(dhcp4.RelayAgent); x.Agent == nil { // the server knows nothing of it
		x.Agent = n.agent
	}
	x.Told = r.ends(term)
	if through || !n.Routes {
		x.Kept = x.Told
	}
	r.locate(n, &old, had)
}

// locate takes r.record, of a client on network n, into the table, in the place
// of old.
func (r *Relay) locate(n *Network, old *pool.Record, had bool) {
	x := &r.record
	if had && sameLease(old, x) {
		x.Since = old.Since
		r.do(act.Learn).Record = x
	} else {
		if old.State == pool.Relayed && old.Via != n.If {
			r.unroute(old)
		}
		if n.Routes {
			r.do(act.Route).Addr = x.Addr
		}
		r.keep()
	}
	r.asks.found(n, x.Addr)
	r.due(x.Told)
}

// isOurs tells whether a record is one that the server here answers for.
func isOurs(x *pool.Record, at pool.Time) bool {
	switch x.State {
	case pool.Bound:
		return x.Told > at || x.Kept > at
	case pool.Fixed, pool.Abandoned:
		return true
	}
	return false
}

// sameLease tells whether the same client has the same address in the same
// place.
func sameLease(a, b *pool.Record) bool {
	return a.State == b.State && a.HW == b.HW && a.Via == b.Via && a.Server == b.Server &&
		bytes.Equal(a.ID, b.ID) && bytes.Equal(a.Agent, b.Agent)
}

// client makes c who the message is from, or to.
func (r *Relay) client(m *dhcp4.Message, c *pool.Client) {
	hw := m.HW()
	c.HW = pool.HWOf(m.Htype, hw)
	if c.ID = m.Options.Get(dhcp4.ClientID); len(c.ID) == 0 {
		c.ID = append(append(r.id[:0], m.Htype), hw...)
	}
}

// ends returns when a lease of term seconds is over.
func (r *Relay) ends(term uint32) pool.Time {
	if term == dhcp4.Infinite {
		return pool.Infinite
	}
	return r.at + pool.Time(term)
}

// forgo notes that a client gives an address up: by a RELEASE, or a DECLINE. It
// must be its own, and it must be where it was.
func (r *Relay) forgo(n *Network, table *pool.Table, m *dhcp4.Message) {
	var a netip.Addr
	switch m.Type() {
	case dhcp4.Release:
		a = m.Ciaddr
	case dhcp4.Decline:
		a, _ = m.Options.Addr(dhcp4.RequestedAddress)
	default:
		return
	}
	x, _ := table.ByAddr(a)
	var c pool.Client
	if r.client(m, &c); x.State == pool.Relayed && x.Via == n.If && x.HW == c.HW {
		r.forget(&x)
	}
}

// forget takes an address out of the table.
func (r *Relay) forget(x *pool.Record) {
	r.unroute(x)
	r.record = pool.Record{}
	r.record.Addr = x.Addr
	r.keep()
}

func (r *Relay) unroute(x *pool.Record) {
	a := r.do(act.Unroute)
	a.Addr, a.If = x.Addr, x.Via
}

// keep has r.record written, in its time: nobody waits for it.
func (r *Relay) keep() {
	a := r.do(act.Commit)
	a.Record, a.Lazy = &r.record, true
}

// due sets the time of the next Sweep, if the lease that ends then is the
// first to end.
func (r *Relay) due(end pool.Time) {
	if end == pool.Infinite {
		return
	}
	if at := time.Unix(int64(end), 0); r.wake.IsZero() || at.Before(r.wake) {
		r.wake = at
	}
}

// Start has Sweep called at some time, to look at all that the table holds then.
func (r *Relay) Start(at time.Time) { r.wake = at }

// Wake returns when Sweep is to be called, the zero Time for never.
func (r *Relay) Wake() time.Time { return r.wake }

// shortest is how many seconds a lease whose end is not known counts on at least.
const shortest = 60

// Sweep forgets a lease that is over. It is to be called as long as it returns
// something, the actions of the call before being done.
func (r *Relay) Sweep(now time.Time, table *pool.Table) []act.Action {
	r.begin(now)
	x, next, ok := table.Gleaned(r.at)
	switch {
	case ok && x.Kept == 0: // for all we know it was extended
		r.record = x
		r.record.Told = r.at + max(x.Told-x.Last, shortest)
		r.do(act.Learn).Record = &r.record
		return r.acts
	case ok:
		r.forget(&x)
		return r.acts
	}
	r.wake = time.Time{}
	if next != 0 {
		r.due(next)
	}
	return nil
}
