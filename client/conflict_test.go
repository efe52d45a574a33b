package client

import (
	"testing"

	"dhcpd/internal/dhcp4"
)

var (
	used  = Event{Kind: Conflict, MAC: theirs}
	asked = Event{Kind: Conflict, MAC: theirs, Asking: true}
)

// TestC5_Defence: the first conflict is answered by an announcement; a second
// one within 10 s ends the lease, a later one is answered again.
func TestC5_Defence(t *testing.T) {
	const text = "log: 10.0.0.5 is already in use by 02:00:00:00:00:09"
	for _, p := range []Phase{Bound, Renewing, Rebinding} {
		r := newRig(t).reach(p)
		begin := r.elapsed()
		wake := r.s.Wake.Sub(t0).Seconds()
		r.same(r.do(used), text+"; defending it", "announce 10.0.0.5")
		r.is(p, wake)
		r.same(r.at(begin+10).do(used), text+"; defending it", "announce 10.0.0.5")
		r.same(r.at(begin+19).do(used), text+"; giving it up",
			"DHCPDECLINE xid 0 secs 0"+toAll, "unconfigure 10.0.0.5/24", "forget")
		r.is(Init, begin+29)
	}
}

// TestC5_Asking: who only probes for our address hears from the kernel whose
// it is. While we ask for it ourselves, it is a conflict.
func TestC5_Asking(t *testing.T) {
	r := newRig(t).reach(Requesting)
	held := r.s
	r.same(r.do(asked), "log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09")
	r.s = held
	r.got(reply(dhcp4.ACK, 1))
	r.same(r.do(asked))
	for _, p := range []Phase{Bound, Rebooting, Renewing, Rebinding} {
		r := newRig(t).reach(p)
		r.same(r.do(asked))
		r.is(p, r.s.Wake.Sub(t0).Seconds())
	}
}

// TestC5_Possessive: a kept address is defended too, and then given up; there
// is no lease to decline.
func TestC5_Possessive(t *testing.T) {
	r := newRig(t)
	r.s.Config.Possessive = true
	r.reach(Rebinding).at(3601).wake(7)
	r.s.Config.Possessive = true
	r.same(r.do(used), "log: 10.0.0.5 is already in use by 02:00:00:00:00:09; defending it", "announce 10.0.0.5")
	r.same(r.do(used), "log: 10.0.0.5 is already in use by 02:00:00:00:00:09; giving it up",
		"unconfigure 10.0.0.5/24", "forget")
	r.is(Init, 3611)
}

// TestC5_Watched: the address is watched for as long as it is ours, and there
// is a wire.
func TestC5_Watched(t *testing.T) {
	for p := Init; p <= Rebinding; p++ {
		r := newRig(t).reach(p)
		want := p >= Requesting && p != InitReboot && p != Informing
		if r.s.Watched().IsValid() != want {
			t.Errorf("%v: watches %v", p, r.s.Watched())
		}
		r.do(Event{Kind: Stop})
		if r.s.Watched().IsValid() {
			t.Errorf("%v: watches when stopped", p)
		}
	}
}

// TestC5_Probe: three more probes, 1 to 2 s apart, the first within a second
// of the ACK, and 2 s of silence; the lease counts from its REQUEST.
func TestC5_Probe(t *testing.T) {
	r := newRig(t).reach(Probing)
	r.is(Probing, 2.5)
	if r.s.Held {
		t.Error("configured already")
	}
	r.same(r.got(reply(dhcp4.ACK, 1)), "drop: DHCPACK that answers no DHCPREQUEST of ours")
	r.same(r.got(reply(dhcp4.NAK, 1)), "drop: DHCPNAK that answers no DHCPREQUEST of ours")
	r.same(r.wakeWhenDue(2), "probe 10.0.0.5")
	r.is(Probing, 4)
	for _, at := range []float64{5.5, 7.5} {
		r.same(r.wakeWhenDue(2), "probe 10.0.0.5")
		r.is(Probing, at)
	}
	r.same(r.wakeWhenDue(2), "configure 10.0.0.5/24", "save 10.0.0.5/24", "announce 10.0.0.5")
	r.is(Bound, 9.5)
	r.wakeWhenDue(2)
	r.is(Bound, 1801)
}

// TestC5_ProbeAnswered: declined at once, since the lease is ours.
func TestC5_ProbeAnswered(t *testing.T) {
	for _, e := range []Event{used, asked} {
		r := newRig(t).reach(Probing)
		r.same(r.at(3).do(e), "log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09",
			"DHCPDECLINE xid 0 secs 0"+toAll)
		r.is(Init, 13)
	}
}

// TestC5_ProbeKnown: a lease of an earlier run is probed for before it is used,
// also if no server confirms it; one that is in use is not.
func TestC5_ProbeKnown(t *testing.T) {
	begin := func(held bool) *rig {
		r := newRig(t)
		r.s.Config.Probe = true
		r.do(Event{Kind: Start, Lease: lease(t0), Held: held, Rand: even(2)})
		return r
	}
	r := begin(true)
	r.same(r.got(reply(dhcp4.ACK, 2)), "configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24", "announce 10.0.0.5")
	r = begin(false)
	r.same(r.got(reply(dhcp4.ACK, 2)))
	r.is(Probing, 0.5)
	r = begin(false)
	r.same(r.at(10).wake(3))
	r.is(Probing, 10.5)
	r.same(r.do(used), "log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09", "forget")
	r.is(Init, 20)
}

// TestC5_ProbeUnconfirmed: so does one that was found on the interface and then
// removed, of which we know no message.
func TestC5_ProbeUnconfirmed(t *testing.T) {
	r := newRig(t)
	r.s.Config.Probe = true
	found := lease(t0)
	found.ACK = nil
	r.do(Event{Kind: Start, Lease: found, Rand: even(2)})
	r.at(10).wake(3)
	for range 3 {
		r.same(r.wakeWhenDue(4), "probe 10.0.0.5")
	}
	r.same(r.wakeWhenDue(4), "configure 10.0.0.5/24", "announce 10.0.0.5")
	if r.s.Phase != Bound {
		t.Errorf("in %v", r.s.Phase)
	}
}

// TestC5_ProbeTooLong: a lease that ends meanwhile is none.
func TestC5_ProbeTooLong(t *testing.T) {
	r := newRig(t)
	r.s.Config.Probe = true
	r.start(1)
	r.got(reply(dhcp4.Offer, 1))
	r.got(reply(dhcp4.ACK, 1, lasting(3)))
	for range 3 {
		r.wakeWhenDue(2)
	}
	r.same(r.wakeWhenDue(5), "DHCPDISCOVER xid 5 secs 0"+toAll)
}
