package client

import (
	"strings"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
)

// remember starts a client with a lease of an hour that began at t0.
func remember(t *testing.T, held bool) *rig {
	r := newRig(t)
	r.do(Event{Kind: Start, Lease: lease(t0), Held: held, Rand: even(2)})
	return r
}

// TestC9_Confirmed: REQUEST with option 50, no 54; any server's ACK will do.
func TestC9_Confirmed(t *testing.T) {
	for _, held := range []bool{false, true} {
		r := newRig(t)
		got := r.do(Event{Kind: Start, Lease: lease(t0), Held: held, Rand: even(2)})
		r.same(got, "probe 10.0.0.5", "DHCPREQUEST xid 2 secs 0"+toAll)
		r.is(Rebooting, 4)
		configure := "configure 10.0.0.5/24"
		if held {
			configure += " in place of 10.0.0.5/24"
		}
		r.same(r.at(1).got(reply(dhcp4.ACK, 2, from(second))),
			configure, "save 10.0.0.5/24", "announce 10.0.0.5")
		if r.s.Phase != Bound || r.s.Lease.Server != second || !r.s.Lease.End.Equal(t0.Add(time.Hour)) {
			t.Errorf("%v, %+v", r.s.Phase, r.s.Lease)
		}
	}
}

// TestC9_NoAnswer: after 10 s the lease goes on where its time is.
func TestC9_NoAnswer(t *testing.T) {
	for _, c := range []struct {
		at   float64 // of the start
		last string  // what follows the announcement
		want Phase
	}{
		{0, "announce 10.0.0.5", Bound},
		{1795, "DHCPREQUEST xid 4 secs 0 to 10.0.0.1 from 10.0.0.5", Renewing},
		{3145, "DHCPREQUEST xid 4 secs 0 to 255.255.255.255 from 10.0.0.5", Rebinding},
	} {
		r := newRig(t).at(c.at)
		r.do(Event{Kind: Start, Lease: lease(t0), Rand: even(2)})
		r.same(r.wakeWhenDue(3), "DHCPREQUEST xid 2 secs 4"+toAll)
		got := r.wakeWhenDue(4)
		if r.elapsed() != c.at+10 {
			t.Errorf("decided after %v s", r.elapsed()-c.at)
		}
		if got[0] != "configure 10.0.0.5/24" || got[len(got)-1] != c.last || r.s.Phase != c.want {
			t.Errorf("started at %v: %q, %v", c.at, got, r.s.Phase)
		}
	}
}

// TestC9_NoAnswerHeld: what is configured is not taken off for a moment.
func TestC9_NoAnswerHeld(t *testing.T) {
	r := remember(t, true)
	r.at(4).wake(3)
	r.same(r.at(10).wake(4), "configure 10.0.0.5/24 in place of 10.0.0.5/24", "announce 10.0.0.5")
	r.same(r.wakeWhenDue(5), "announce 10.0.0.5")
	r.is(Bound, 1800)
}

// TestC9_NoServerKnown: a running lease of which nobody knows who gave it is
// not asked for from nobody: from T1 on all servers are.
func TestC9_NoServerKnown(t *testing.T) {
	r := newRig(t)
	l := lease(t0)
	l.Server, l.ACK = anyServer, nil
	r.do(Event{Kind: Start, Lease: l, Held: true, Rand: even(2)})
	for r.s.Phase != Bound {
		r.wakeWhenDue(2)
	}
	r.wakeWhenDue(2) // the second announcement
	r.same(r.wakeWhenDue(3), "DHCPREQUEST xid 3 secs 0 to 255.255.255.255 from 10.0.0.5")
	r.is(Rebinding, 1800+900)
	r.same(r.got(reply(dhcp4.ACK, 3)), "configure 10.0.0.5/24 in place of 10.0.0.5/24", "save 10.0.0.5/24")
	r.is(Bound, 3600)
}

// TestC9_EndsMeanwhile: a lease that ends while we ask.
func TestC9_EndsMeanwhile(t *testing.T) {
	r := newRig(t).at(3595)
	r.do(Event{Kind: Start, Lease: lease(t0), Held: true, Rand: even(2)})
	r.wakeWhenDue(3)
	r.is(Rebooting, 3600)
	r.same(r.wakeWhenDue(4), "log: The lease of 10.0.0.5 has ended", "unconfigure 10.0.0.5/24",
		"forget", "DHCPDISCOVER xid 4 secs 0"+toAll)
}

// TestC9_Ended: an old lease is only good as a wish.
func TestC9_Ended(t *testing.T) {
	r := newRig(t).at(3600)
	s, acts := Step(r.now, r.s, Event{Kind: Start, Lease: lease(t0), Rand: even(2)})
	r.same(script(acts), "log: The lease of 10.0.0.5 has ended", "forget",
		"DHCPDISCOVER xid 2 secs 0"+toAll)
	if want, _ := sent(acts)[0].Options.Addr(dhcp4.RequestedAddress); want != addr || s.Held {
		t.Errorf("it asks for %v", want)
	}
}

// TestC9_EndedPossessive: what is on the interface stays, no more than that.
func TestC9_EndedPossessive(t *testing.T) {
	for held, want := range map[bool]string{
		false: "log: The lease of 10.0.0.5 has ended",
		true:  "log: The lease of 10.0.0.5 has ended; the address is kept",
	} {
		r := newRig(t).at(3600)
		r.s.Config.Possessive = true
		got := r.do(Event{Kind: Start, Lease: lease(t0), Held: held, Rand: even(2)})
		if got[0] != want || r.s.Held != held || r.s.Phase != Selecting {
			t.Errorf("held %v: %q, %v, held %v", held, got, r.s.Phase, r.s.Held)
		}
	}
}

// TestC9_Nak: start over, and don't ask for that address again.
func TestC9_Nak(t *testing.T) {
	r := remember(t, false)
	s, acts := Step(t0, r.s, Event{Kind: Got, Msg: reply(dhcp4.NAK, 2), Rand: even(3)})
	r.same(script(acts), "log: Got a NAK from 10.0.0.1", "forget", "DHCPDISCOVER xid 3 secs 0"+toAll)
	if s.Lease != nil || sent(acts)[0].Options.Has(dhcp4.RequestedAddress) {
		t.Error("the address is still wanted")
	}
}

// TestC9_Conflict: another host has it: DECLINE if the server ACKs, else none.
func TestC9_Conflict(t *testing.T) {
	r := remember(t, true)
	r.same(r.do(Event{Kind: Conflict, MAC: theirs}),
		"log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09")
	asked := r.s
	r.same(r.at(1).got(reply(dhcp4.ACK, 2)), "DHCPDECLINE xid 99 secs 0"+toAll,
		"unconfigure 10.0.0.5/24", "forget")
	r.is(Init, 11)
	r.s = asked
	r.same(r.at(10).wake(4), "unconfigure 10.0.0.5/24", "forget", "DHCPDISCOVER xid 4 secs 0"+toAll)
}

// TestB7_Carrier: no query without one; the first one leaves with it.
func TestB7_Carrier(t *testing.T) {
	r := newRig(t)
	r.same(r.do(Event{Kind: LinkDown}))
	r.same(r.start(1))
	r.is(Init, -1)
	r.same(r.at(50).do(Event{Kind: LinkUp, Rand: even(2)}), "DHCPDISCOVER xid 2 secs 0"+toAll)
	for _, p := range []Phase{Selecting, Requesting} {
		r := newRig(t).reach(p)
		r.same(r.do(Event{Kind: LinkDown}))
		r.is(Init, -1)
		r.same(r.at(50).do(Event{Kind: LinkUp, Rand: even(2)}), "DHCPDISCOVER xid 2 secs 0"+toAll)
		r.is(Selecting, 54)
	}
}

// TestB7_Ready: what may have been lost, unnoticed, in a queue that was not
// open yet is said again at once when it is.
func TestB7_Ready(t *testing.T) {
	ready := Event{Kind: LinkReady, Rand: even(3)}
	for _, c := range []struct {
		phase Phase
		want  string
	}{
		{Init, ""}, {Probing, ""}, {InitReboot, ""}, {Bound, ""}, {Renewing, ""}, {Rebinding, ""},
		{Selecting, "DHCPDISCOVER xid 1 secs 2" + toAll},
		{Requesting, "DHCPREQUEST xid 1 secs 0" + toAll},
		{Rebooting, "DHCPREQUEST xid 2 secs 2" + toAll},
		{Informing, "DHCPINFORM xid 1 secs 2 to 255.255.255.255 from 10.0.0.5"},
	} {
		r := newRig(t).reach(c.phase)
		if c.phase == Selecting || c.phase == Requesting || c.phase == Rebooting || c.phase == Informing {
			r.at(2)
		}
		if got := strings.Join(r.do(ready), " "); got != c.want || r.s.Phase != c.phase {
			t.Errorf("%v: %q, to %v", c.phase, got, r.s.Phase)
		}
	}
}

// TestB7_BoundCarrier: a lease is kept, not renewed, and confirmed on return;
// but it ends when it ends.
func TestB7_BoundCarrier(t *testing.T) {
	for _, p := range []Phase{Rebooting, Bound, Renewing, Rebinding} {
		r := newRig(t).reach(p)
		r.same(r.do(Event{Kind: LinkDown}))
		r.is(InitReboot, 3601)
		if !r.s.Held {
			t.Errorf("%v: not held", p)
		}
		down := r.s
		r.same(r.at(3500).do(Event{Kind: LinkUp, Rand: even(3)}),
			"probe 10.0.0.5", "DHCPREQUEST xid 3 secs 0"+toAll)
		r.is(Rebooting, 3504)
		r.s = down
		r.same(r.wakeWhenDue(4), "log: The lease of 10.0.0.5 has ended",
			"unconfigure 10.0.0.5/24", "forget")
		r.is(Init, -1)
	}
}

// TestB7_WaitsStay: a cable pulled and put back doesn't shorten the wait after
// a DECLINE.
func TestB7_WaitsStay(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.do(Event{Kind: Conflict, MAC: theirs})
	r.at(2).got(reply(dhcp4.ACK, 1))
	r.same(r.at(3).do(Event{Kind: LinkDown}))
	r.same(r.at(4).do(Event{Kind: LinkUp, Rand: even(2)}))
	r.is(Init, 12)
	r.do(Event{Kind: LinkDown})
	r.same(r.wakeWhenDue(3))
	r.is(Init, -1)
	r.same(r.at(20).do(Event{Kind: LinkUp, Rand: even(4)}), "DHCPDISCOVER xid 4 secs 0"+toAll)
}

// TestB7_NoStrayAnnouncement: the second one doesn't outlive carrier or lease.
func TestB7_NoStrayAnnouncement(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.at(2).got(reply(dhcp4.ACK, 1, lasting(2)))
	r.same(r.at(4).wake(3), "log: The lease of 10.0.0.5 has ended", "unconfigure 10.0.0.5/24",
		"forget", "DHCPDISCOVER xid 3 secs 0"+toAll)
	r = newRig(t).reach(Requesting)
	r.at(2).got(reply(dhcp4.ACK, 1))
	r.do(Event{Kind: LinkDown})
	r.is(InitReboot, 3601)
}

// TestC15_Stop: nothing is sent, the address stays, nothing moves any more.
func TestC15_Stop(t *testing.T) {
	for p := Init; p <= Rebinding; p++ {
		r := newRig(t).reach(p)
		held := r.s.Held
		r.same(r.do(Event{Kind: Stop}))
		r.is(p, -1)
		if r.s.Held != held || r.s.Frames() {
			t.Errorf("%v: %+v", p, r.s)
		}
		for _, e := range []Event{{Kind: Wake}, {Kind: LinkDown}, {Kind: LinkUp},
			{Kind: Conflict, MAC: theirs}, {Kind: Got, Msg: reply(dhcp4.ACK, r.s.Xid)}} {
			if got := r.do(e); got != nil {
				t.Errorf("%v, stopped: %q", p, got)
			}
		}
	}
}

// TestB8_StartAnew: with another Config, from any phase, keeping the lease.
func TestB8_StartAnew(t *testing.T) {
	r := newRig(t).reach(Bound)
	r.s.Config = &Config{MAC: ours, Hostname: "ada"}
	_, acts := Step(r.now, r.s, Event{Kind: Start, Lease: r.s.Lease, Held: r.s.Held, Rand: even(5)})
	r.same(script(acts), "probe 10.0.0.5", "DHCPREQUEST xid 5 secs 0"+toAll)
	if name, _ := sent(acts)[0].Options.Text(dhcp4.HostName); name != "ada" {
		t.Errorf("the name is %q", name)
	}
}

// TestD2_Names: as the RFC and the debug lines spell them.
func TestD2_Names(t *testing.T) {
	want := []string{"INIT", "SELECTING", "REQUESTING", "INFORMING", "PROBING", "INIT-REBOOT", "REBOOTING", "BOUND",
		"RENEWING", "REBINDING"}
	for i, name := range want {
		if got := Phase(i).String(); got != name {
			t.Errorf("phase %d is %s", i, got)
		}
	}
}

// TestB10_Frames: raw frames are needed wherever the kernel can't do it.
func TestB10_Frames(t *testing.T) {
	for p := Init; p <= Rebinding; p++ {
		r := newRig(t).reach(p)
		if got, want := r.s.Frames(), p != Bound && p != Renewing; got != want {
			t.Errorf("%v: %v", p, got)
		}
	}
}
