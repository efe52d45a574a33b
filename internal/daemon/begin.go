package daemon

import (
	"time"

	"dhcpd/cache"
	"dhcpd/client"
	"dhcpd/internal/act"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/hook"
	"dhcpd/internal/link"
	"dhcpd/internal/netip"
)

// begin decides how an Ethernet that the config file has no address for gets
// one (B3): someone else has configured it, or the client does, with the
// lease of an earlier run if there is one.
func (d *Daemon) begin(n *network) {
	lease, held := d.known(n)
	if !held && d.opt.Test == 0 {
		if a, ok := permanent(&n.link); ok {
			n.origin, n.addr = foreign, a.Prefix
			d.say.debug(1, n.name()+": "+a.Prefix.String()+" is there already")
			d.resettle = true
			d.askRest(n)
			return
		}
	}
	if n.plan.Ignore {
		return
	}
	n.origin = dynamic
	if held {
		n.addr = lease.Net
	} else {
		d.callScripts(n, hook.Deconfig, netip.Prefix{}, nil) // before the first DISCOVER
	}
	d.pass.stale = true
	n.client = client.State{Config: d.identity(n), NoLink: !n.link.Carrier}
	d.step(n, client.Event{Kind: client.Start, Lease: lease, Held: held})
}

// permanent returns the first address that was given to an interface for ever.
func permanent(l *link.Interface) (link.Address, bool) {
	for _, a := range global(l) {
		if a.Valid == link.Forever {
			return a, true
		}
	}
	return link.Address{}, false
}

// known returns the lease that a network has from an earlier run, and whether
// its address is on the interface. One that has ended is returned only if its
// address is there still: to be removed, or kept as a possession.
func (d *Daemon) known(n *network) (lease *act.Lease, held bool) {
	if d.opt.Test > 0 {
		return nil, false
	}
	if e := d.entry(n); e != nil && e.MAC == n.link.MAC && !informed(e) {
		lease = entryLease(e)
	}
	over := lease != nil && !lease.Infinite() && !lease.End.After(d.now)
	for _, a := range global(&n.link) {
		end := d.now.Add(time.Duration(a.Valid) * time.Second)
		switch {
		case lease != nil && lease.Net == a.Prefix && a.Valid == link.Forever:
			if !over || n.plan.Possessive || n.plan.Script != "" { // scripts know no lifetimes
				return lease, true
			}
		case lease != nil && lease.Net == a.Prefix:
			// The earlier end counts. The kernel's clock stands still while the
			// machine sleeps, and someone may have cut the address's time short.
			if lease.Infinite() || end.Before(lease.End) {
				lease = until(*lease, end)
			}
			return lease, true
		case (lease == nil || over) && a.Valid != link.Forever:
			return until(act.Lease{Net: a.Prefix, Start: d.now}, end), true
		}
	}
	if over {
		return nil, false
	}
	return lease, false
}

// until returns l with the given end. T1 and T2 are kept if they fit, else
// they are what RFC 2131 section 4.4.5 makes of what is left.
func until(l act.Lease, end time.Time) *act.Lease {
	l.End = end
	if l.T1.IsZero() || !l.T1.Before(l.T2) || !l.T2.Before(end) {
		left := end.Sub(l.Start)
		l.T1, l.T2 = l.Start.Add(left/2), l.Start.Add(left/8*7)
	}
	return &l
}

// testTimes are what test levels 3, 4 and 5 put in place of the times of a
// lease (dhcpd(8)).
var testTimes = map[int]client.Times{
	3: {T1: 60 * time.Second, T2: 120 * time.Second, Lease: 180 * time.Second},
	4: {T1: 60 * time.Second, T2: 60 * time.Second, Lease: 120 * time.Second},
	5: {T1: 60 * time.Second, T2: 60 * time.Second, Lease: 60 * time.Second},
}

// entryLease is the lease that the cache holds.
func entryLease(e *cache.Entry) *act.Lease {
	m := new(dhcp4.Message)
	m.Reset(dhcp4.BootReply)
	m.Yiaddr = e.Addr.Addr()
	if e.Siaddr.IsValid() {
		m.Siaddr = e.Siaddr
	}
	copy(m.Sname[:], e.Sname)
	copy(m.File[:], e.File)
	for c, v := range e.Options.All() {
		m.Options.Put(c, v)
	}
	l := &act.Lease{Net: e.Addr, Server: e.Server, Start: e.Start, T1: e.T1, T2: e.T2, End: e.End, ACK: m}
	client.Learn(l, m)
	return l
}

// leaseEntry is what the cache shall hold of a lease.
func leaseEntry(n *network, l *act.Lease) cache.Entry {
	e := cache.Entry{Name: n.name(), MAC: n.link.MAC, Addr: l.Net, Server: l.Server,
		Start: l.Start, T1: l.T1, T2: l.T2, End: l.End, Siaddr: netip.IPv4Unspecified()}
	if m := l.ACK; m != nil {
		e.Siaddr, e.Sname, e.File = m.Siaddr, m.SnameText(), m.FileText()
		for c, v := range m.Options.All() {
			e.Options.Put(c, v)
		}
	}
	return e
}
