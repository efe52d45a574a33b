package daemon

import (
	"time"

	"dhcpd/cache"
	"dhcpd/client"
	"dhcpd/internal/dhcp4"
	"dhcpd/internal/link"
	"dhcpd/internal/safe"
)

// What -o ends with, as its exit status: of several networks that of the one
// that came furthest.
const (
	success       = 0
	noEthernet    = 2
	noCarrier     = 3
	noOffer       = 4
	naked         = 5
	inUse         = 6
	kernelRefused = 7
)

var endings = [...]string{
	noEthernet:    "no Ethernet is there to be configured",
	noCarrier:     "no network has a carrier",
	noOffer:       "no server gives an address",
	naked:         "a server refuses the address (DHCPNAK)",
	inUse:         "the address that is offered is in use by another host",
	kernelRefused: "the system refuses; see above",
}

// race is what -o waits for: the networks race for an address.
type race struct {
	end    time.Time // when all is over
	first  time.Time // when the first network was configured; zero if none is
	last   time.Time // when the last one was, by a lease
	leases int       // how many are, by a lease
	wake   time.Time // when to look again; zero for never

	over      bool
	status    int  // how it went, once it is over
	unwritten bool // a file could not be written
}

// resolvConf is what -o writes besides the cache and Options.NetConf.
const resolvConf = "/etc/resolv.conf"

// others is how much longer the others may take than the first.
const others = 2 * time.Second

// objections is how long another host has to say that the address is its own:
// the answer to the probe that went before the REQUEST may come after the ACK, or
// lie with a reader yet when the ACK is taken in.
const objections = 50 * time.Millisecond

// reached tells how far a network has come.
func (n *network) reached() int {
	ready := n.link.Carrier // a fixed address is of no use before: a link takes seconds to come up
	if n.origin == dynamic {
		ready = n.client.Held && n.client.Phase >= client.Bound
	}
	switch {
	case n.denied:
		return kernelRefused
	case n.addr.IsValid() && ready:
		return success
	case n.client.Declines > 0:
		return inUse
	case n.client.Naks > 0:
		return naked
	case n.link.Carrier:
		return noOffer
	}
	return noCarrier
}

// judge finds out whether the race is over, and how it went.
func (d *Daemon) judge() {
	r, furthest, won, trying, leases := &d.race, noEthernet, false, false, 0
	if r.end.IsZero() {
		r.end = d.now.Add(time.Duration(d.opt.Once) * time.Second)
	}
	for _, n := range d.order {
		if !d.ours(n) || n.plan.Ignore && n.origin == none {
			continue
		}
		s := n.reached()
		won = won || s == success
		if s == success && n.origin == dynamic {
			leases++
		}
		trying = trying || n.link.Carrier && s != success && s != kernelRefused
		furthest = max(furthest, s)
	}
	if won {
		furthest = success
	}
	r.status, r.wake = furthest, r.until(d.now, won, trying, leases)
	r.over = furthest == kernelRefused && !trying || !d.now.Before(r.wake)
}

// until returns when the race is over if nothing else happens, given whether a
// network has won, others are trying, and how many have a lease.
func (r *race) until(now time.Time, won, trying bool, leases int) time.Time {
	if leases != r.leases {
		r.leases, r.last = leases, now
	}
	if !won {
		r.first = time.Time{} // whoever had won has lost the address again
		return r.end
	}
	if r.first.IsZero() {
		r.first = now
	}
	if trying {
		return earlier(r.end, r.first.Add(others))
	}
	return earlier(r.end, r.last.Add(objections))
}

// endRace tells the world how the race went, and returns the exit status.
func (d *Daemon) endRace() int {
	status := d.race.status
	if status != success {
		d.say.log(endings[status])
		return status
	}
	for _, n := range d.order {
		if !d.ours(n) || n.reached() != success {
			continue
		}
		if l := n.lease(); l != nil && l.ACK != nil && !l.ACK.Options.Has(dhcp4.DNSServer) {
			d.say.log(n.name() + ": " + l.Net.String() + ", without a name server")
		}
		if err := d.writeNetConf(n); err != nil {
			d.say.log(err.Error())
			status = kernelRefused
		}
	}
	return status
}

// writeNetConf leaves what the rest of an initramfs wants to know (C17).
func (d *Daemon) writeNetConf(n *network) error {
	if d.opt.Test > 0 {
		return nil
	}
	e, proto, left := cache.Entry{Name: n.name(), Addr: n.addr}, "static", time.Duration(0)
	if l := n.lease(); l != nil {
		e = leaseEntry(n, l)
		if !l.Infinite() {
			left = l.End.Sub(l.Start)
		}
	}
	if n.origin == dynamic {
		proto = "dhcp"
	}
	why, err := safe.Publish(d.opt.NetConf+n.name()+".conf", cache.NetConf(&e, proto, link.Boottime(), left))
	if err == nil {
		err = why
	}
	return err
}
