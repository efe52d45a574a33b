package pool

import "net/netip"

// Regroup asks, for each address, which network it is on and whether the
// config lets it be given out: after each reading of the config file.
func (t *Table) Regroup(network func(netip.Addr) (on netip.Prefix, lendable bool)) {
	t.network = network
	for a, e := range t.rows {
		e.on, e.lendable = network(a)
	}
}

// Add takes a into the pool.
func (t *Table) Add(a netip.Addr) {
	e := t.rows[a]
	if e == nil {
		e = &entry{Record: Record{Addr: a}}
		t.rows[a] = e
	}
	e.member = true
	if t.network != nil {
		e.on, e.lendable = t.network(a)
	}
}

// Remove takes a out of the pool; its record stays.
func (t *Table) Remove(a netip.Addr) {
	if e := t.rows[a]; e != nil {
		e.member = false
	}
}

// SetFree makes an abandoned address one that was never used. It changes no
// other.
func (t *Table) SetFree(a netip.Addr) {
	if e := t.rows[a]; e != nil && e.State == Abandoned {
		e.Record = Record{Addr: a}
	}
}

// Shut tells whether no address of the pool may be given out, because the
// pool file is corrupt.
func (t *Table) Shut() bool { return t.shut }

// SetShut says whether no address of the pool may be given out.
func (t *Table) SetShut(shut bool) { t.shut = shut }

// IsFree tells whether a may be given out: a member that the config lets be
// given out, not leased, not abandoned and not held.
func (t *Table) IsFree(a netip.Addr, now Time) bool {
	e := t.rows[a]
	return e != nil && !t.shut && e.member && e.lendable && e.State < Abandoned && e.Told <= now && e.until <= now
}

// Oldest returns the free address on network on that was never used, or else
// the one whose last lease ended longest ago.
func (t *Table) Oldest(on netip.Prefix, now Time) (a netip.Addr, ok bool) {
	for x, e := range t.rows {
		if e.on == on && t.IsFree(x, now) && (!ok || e.Told < t.rows[a].Told) {
			a, ok = x, true
		}
	}
	return a, ok
}

// OldestAbandoned returns the address on network on that was abandoned
// longest ago.
func (t *Table) OldestAbandoned(on netip.Prefix) (a netip.Addr, ok bool) {
	for x, e := range t.rows {
		if e.on == on && e.State == Abandoned && (!ok || e.Since < t.rows[a].Since) {
			a, ok = x, true
		}
	}
	return a, ok
}

// Hold keeps an address that was OFFERed for a client. It lives in memory
// only, and ends at until, with Unhold, or when a record of a is applied.
func (t *Table) Hold(a netip.Addr, c Client, until Time) {
	if e := t.rows[a]; e != nil {
		e.hold, e.until = c, until
	}
}

// Unhold ends the hold of a, if there is one.
func (t *Table) Unhold(a netip.Addr) { t.Hold(a, Client{}, 0) }

// HeldBy returns the client that a is held for.
func (t *Table) HeldBy(a netip.Addr, now Time) (Client, bool) {
	if e := t.rows[a]; e != nil && e.until > now {
		return e.hold, true
	}
	return Client{}, false
}

// HeldFor returns the address on network on that is held for the client.
func (t *Table) HeldFor(id []byte, on netip.Prefix, now Time) (netip.Addr, bool) {
	for a, e := range t.rows {
		if e.until > now && e.on == on && string(e.hold.ID) == string(id) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// Tick lets holds that are over go. Leases end by themselves.
func (t *Table) Tick(now Time) {}
