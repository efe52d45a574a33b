package client

import (
	"math"
	"slices"
	"testing"
	"time"

	"dhcpd/internal/dhcp4"
)

const toAll = " to 255.255.255.255 from 0.0.0.0"

// TestC1_Backoff: 4, 8, 16, 32, 64 s, then every 64 s, one xid all along.
func TestC1_Backoff(t *testing.T) {
	r := newRig(t)
	r.same(r.start(1), "DHCPDISCOVER xid 1 secs 0"+toAll)
	for _, c := range []struct {
		at   float64
		line string
	}{
		{4, "DHCPDISCOVER xid 1 secs 4" + toAll},
		{12, "DHCPDISCOVER xid 1 secs 12" + toAll},
		{28, "DHCPDISCOVER xid 1 secs 28" + toAll},
		{60, "DHCPDISCOVER xid 1 secs 60" + toAll},
		{124, "DHCPDISCOVER xid 1 secs 124" + toAll},
		{188, "DHCPDISCOVER xid 1 secs 188" + toAll},
		{252, "DHCPDISCOVER xid 1 secs 252" + toAll},
	} {
		r.is(Selecting, c.at)
		r.same(r.wakeWhenDue(0x77), c.line)
	}
}

// TestC1_Jitter: each delay is uniform over ±1 s.
func TestC1_Jitter(t *testing.T) {
	for _, c := range []struct {
		half uint64 // the upper half of the randomness
		want time.Duration
	}{
		{0, 3 * time.Second},
		{1 << 30, 3500 * time.Millisecond},
		{1 << 31, 4 * time.Second},
		{3 << 30, 4500 * time.Millisecond},
		{math.MaxUint32, 5*time.Second - time.Nanosecond},
	} {
		s, _ := Step(t0, State{Config: &Config{MAC: ours}}, Event{Kind: Start, Rand: c.half << 32})
		if got := s.Wake.Sub(t0); got != c.want {
			t.Errorf("randomness %x: %v, not %v", c.half, got, c.want)
		}
	}
}

// TestC1_EarlyWake: a Wake before its time does nothing.
func TestC1_EarlyWake(t *testing.T) {
	r := newRig(t)
	r.start(1)
	r.same(r.at(3.9).wake(2))
	r.is(Selecting, 4)
}

// TestC2_FirstGoodOffer: those that are no good are passed over; the probe
// leaves before the REQUEST.
func TestC2_FirstGoodOffer(t *testing.T) {
	r := newRig(t)
	r.start(1)
	r.at(1)
	r.same(r.got(reply(dhcp4.Offer, 1, without(dhcp4.ServerID))),
		"drop: no server identifier, or not a host's address")
	r.same(r.got(reply(dhcp4.Offer, 1, without(dhcp4.LeaseTime))),
		"drop: no lease time, or a malformed one")
	r.same(r.got(reply(dhcp4.Offer, 1)), "probe 10.0.0.5",
		"DHCPREQUEST xid 1 secs 0"+toAll)
	r.same(r.got(reply(dhcp4.Offer, 1, giving(other), from(second))),
		"drop: DHCPOFFER that is not waited for")
	r.is(Requesting, 5)
	if r.s.Want != addr || r.s.Server != server || r.s.Watched() != addr {
		t.Errorf("asks %v for %v, watches %v", r.s.Server, r.s.Want, r.s.Watched())
	}
}

// TestC3_Ack: configured, saved, announced twice. No waiting for ARP.
func TestC3_Ack(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.same(r.at(1.01).got(reply(dhcp4.ACK, 1)),
		"configure 10.0.0.5/24", "save 10.0.0.5/24", "announce 10.0.0.5")
	r.is(Bound, 3.01)
	r.same(r.wakeWhenDue(2), "announce 10.0.0.5")
	r.is(Bound, 1+1800) // T1 counts from the REQUEST
	if !r.s.Held || r.s.Lease.ACK.Yiaddr != addr || r.s.Watched() != addr {
		t.Errorf("%+v", r.s)
	}
}

// TestC3_NoAnswer: REQUESTs again after 4, 8, 16, 32 s; given up 64 s after
// the OFFER.
func TestC3_NoAnswer(t *testing.T) {
	r := newRig(t).reach(Requesting)
	for _, at := range []float64{5, 13, 29, 61} {
		r.is(Requesting, at)
		r.same(r.wakeWhenDue(0x77), "DHCPREQUEST xid 1 secs 0"+toAll)
	}
	r.is(Requesting, 65)
	r.same(r.wakeWhenDue(3), "debug: No answer from 10.0.0.1 for 10.0.0.5; starting over",
		"DHCPDISCOVER xid 3 secs 0"+toAll)
	r.is(Selecting, 69)
}

// TestC3_LateAnswer: a lease counts from the first REQUEST, even if a
// repeated one was answered; one that has ended by then is no lease.
func TestC3_LateAnswer(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.at(5).wake(0)
	r.same(r.at(31).got(reply(dhcp4.ACK, 1, lasting(30))), "drop: the lease is over already")
	r.same(r.at(31).got(reply(dhcp4.ACK, 1, lasting(50))), "configure 10.0.0.5/24",
		"save 10.0.0.5/24", "announce 10.0.0.5", // and T1 is past:
		"DHCPREQUEST xid 99 secs 0 to 10.0.0.1 from 10.0.0.5")
	if got := r.s.Lease.End.Sub(t0); got != 51*time.Second {
		t.Errorf("the lease ends after %v", got)
	}
}

// TestC3_ChangedAddress: in a renewal, the old one goes and the new one comes
// in one action.
func TestC3_ChangedAddress(t *testing.T) {
	for _, p := range []Phase{Renewing, Rebinding} {
		r := newRig(t).reach(p)
		r.same(r.got(reply(dhcp4.ACK, 2, giving(other))),
			"probe 10.0.0.6", "configure 10.0.0.6/24 in place of 10.0.0.5/24", "save 10.0.0.6/24", "announce 10.0.0.6")
	}
}

// TestC3_ChangedAddressInUse: the link is asked about an address that comes
// with a renewal, too, and a conflict is about that one.
func TestC3_C4_ChangedAddressInUse(t *testing.T) {
	r := newRig(t).reach(Renewing)
	r.same(r.got(reply(dhcp4.ACK, 2, giving(other)))[:1], "probe 10.0.0.6")
	if r.s.Watched() != other {
		t.Errorf("watches %v", r.s.Watched())
	}
	s, acts := Step(r.now, r.s, Event{Kind: Conflict, MAC: theirs, Rand: even(7)})
	r.s = s
	r.same(script(acts), "log: 10.0.0.6 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09", "DHCPDECLINE xid 7 secs 0"+toAll,
		"unconfigure 10.0.0.6/24", "forget")
	if a, _ := sent(acts)[0].Options.Addr(dhcp4.RequestedAddress); a != other {
		t.Errorf("it declines %v", a)
	}
	r.is(Init, r.elapsed()+10)
}

// TestC4_Decline: the conflict is held back until the ACK.
func TestC4_Decline(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.same(r.do(Event{Kind: Conflict, MAC: theirs}),
		"log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09")
	r.same(r.do(Event{Kind: Conflict, MAC: [6]byte{2, 0, 0, 0, 0, 8}})) // said once
	r.is(Requesting, 5)
	r.same(r.at(5).wake(0), "DHCPREQUEST xid 1 secs 0"+toAll) // it is finished first
	s, acts := Step(r.at(6).now, r.s, Event{Kind: Got, Msg: reply(dhcp4.ACK, 1), Rand: even(5)})
	r.s = s
	r.same(script(acts), "DHCPDECLINE xid 5 secs 0"+toAll)
	text, _ := sent(acts)[0].Options.Text(dhcp4.MessageText)
	if text != "in use by 02:00:00:00:00:09" {
		t.Errorf("it says %q", text)
	}
	r.is(Init, 16) // at least 10 s
	if r.s.Held || r.s.Lease != nil {
		t.Error("something was configured")
	}
	r.same(r.wakeWhenDue(6), "DHCPDISCOVER xid 6 secs 0"+toAll)
}

// TestC4_NoConflict: our own frames are none, nor is what comes when nothing
// is asked for, and an earlier OFFER's conflict doesn't hold against the next.
func TestC4_NoConflict(t *testing.T) {
	r := newRig(t).reach(Selecting)
	r.same(r.do(Event{Kind: Conflict, MAC: theirs}))
	r.acquire(Requesting)
	r.same(r.do(Event{Kind: Conflict, MAC: ours}))
	r.same(r.do(Event{Kind: Conflict}))
	r.do(Event{Kind: Conflict, MAC: theirs})
	r.at(65).wake(3)
	r.wakeWhenDue(4) // until then others go first
	r.got(reply(dhcp4.Offer, 3, giving(other)))
	r.same(r.got(reply(dhcp4.ACK, 3, giving(other))),
		"configure 10.0.0.6/24", "save 10.0.0.6/24", "announce 10.0.0.6")
}

// TestC4_AnswerAfterTheACK: an answer to the probe that loses the race with
// the ACK counts, until the second announcement.
func TestC4_AnswerAfterTheACK(t *testing.T) {
	r := newRig(t).reach(Requesting)
	r.got(reply(dhcp4.ACK, r.s.Xid))
	if r.s.Phase != Bound {
		t.Fatalf("in %s", r.s.Phase)
	}
	r.same(r.do(Event{Kind: Conflict, MAC: theirs}),
		"log: 10.0.0.5 offered by 10.0.0.1 is already in use by 02:00:00:00:00:09",
		"DHCPDECLINE xid 0 secs 0"+toAll, "unconfigure 10.0.0.5/24", "forget")
	r.is(Init, 11)
}

// TestC8_Nak: who may say no, and in which phase.
func TestC8_Nak(t *testing.T) {
	nak := func(a ...func(*dhcp4.Message)) *dhcp4.Message { return reply(dhcp4.NAK, 2, a...) }
	const again = "DHCPDISCOVER xid 99 secs 0" + toAll
	const unasked = "drop: DHCPNAK that answers no DHCPREQUEST of ours"
	const stranger = "drop: server identifier is not that of the server asked"
	for _, c := range []struct {
		name  string
		phase Phase
		msg   *dhcp4.Message
		want  []string
	}{
		{"requesting", Requesting, reply(dhcp4.NAK, 1), []string{"log: Got a NAK from 10.0.0.1", again}},
		{"requesting, other server", Requesting, reply(dhcp4.NAK, 1, from(second)), []string{stranger}},
		{"no server", Requesting, reply(dhcp4.NAK, 1, without(dhcp4.ServerID)),
			[]string{"drop: no server identifier, or not a host's address"}},
		{"rebooting", Rebooting, nak(), []string{"log: Got a NAK from 10.0.0.1",
			"unconfigure 10.0.0.5/24", "forget", again}},
		{"rebooting, other server", Rebooting, nak(from(second)), []string{
			"log: Got a NAK from 10.0.0.2", "unconfigure 10.0.0.5/24", "forget", again}},
		{"renewing", Renewing, nak(), []string{"log: Got a NAK from 10.0.0.1",
			"unconfigure 10.0.0.5/24", "forget", again}},
		{"renewing, other server", Renewing, nak(from(second)), []string{stranger}},
		{"rebinding", Rebinding, nak(from(second)), []string{"log: Got a NAK from 10.0.0.2",
			"unconfigure 10.0.0.5/24", "forget", again}},
		{"wrong xid", Renewing, reply(dhcp4.NAK, 3), []string{"drop: xid is not ours"}},
		{"foreign client identifier", Renewing, nak(with(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 2)),
			[]string{"drop: client identifier is not ours"}},
		{"our client identifier", Requesting, reply(dhcp4.NAK, 1, with(dhcp4.ClientID, 1, 2, 0, 0, 0, 0, 1)),
			[]string{"log: Got a NAK from 10.0.0.1", again}},
		{"selecting", Selecting, reply(dhcp4.NAK, 1), []string{unasked}},
		{"bound", Bound, reply(dhcp4.NAK, 1), []string{unasked}},
	} {
		r := newRig(t).reach(c.phase)
		if got := r.got(c.msg); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// TestC8_NakBackoff: at once the first time, then with the delays of C1; an
// ACK ends the series.
func TestC8_NakBackoff(t *testing.T) {
	r := newRig(t)
	r.start(1)
	offer := func() {
		t.Helper()
		r.got(reply(dhcp4.Offer, r.s.Xid))
		if r.s.Phase == Selecting { // others go first
			r.wakeWhenDue(0)
			r.got(reply(dhcp4.Offer, r.s.Xid))
		}
	}
	refuse := func() {
		t.Helper()
		offer()
		r.got(reply(dhcp4.NAK, r.s.Xid))
	}
	refuse()
	if r.s.Phase != Selecting {
		t.Fatalf("after the first NAK: %v", r.s.Phase)
	}
	for _, wait := range []float64{4, 8, 16, 32, 64, 64} {
		refuse()
		r.is(Init, r.elapsed()+wait)
		r.wakeWhenDue(r.s.Xid + 1)
	}
	offer()
	r.got(reply(dhcp4.ACK, r.s.Xid))
	r.at(1e5)
	for r.s.Phase != Renewing {
		r.now = r.s.Wake
		r.wake(0x50)
	}
	r.got(reply(dhcp4.NAK, 0x50))
	if r.s.Phase != Selecting {
		t.Errorf("after a lease, the first NAK: %v", r.s.Phase)
	}
}

// TestC8_OthersFirst: a server that offers and then refuses, or falls silent,
// does not keep us from another, however quick it is; where there is no other,
// it gets a second chance with the second DISCOVER.
func TestC8_C2_OthersFirst(t *testing.T) {
	const later = "drop: DHCPOFFER of a server whose last one came to nothing: others go first"
	for _, silent := range []bool{false, true} {
		for _, alone := range []bool{false, true} {
			r := newRig(t).reach(Requesting)
			if silent {
				r.at(65).wake(9)
			} else {
				r.got(reply(dhcp4.NAK, 1))
			}
			r.same(r.got(reply(dhcp4.Offer, r.s.Xid)), later)
			next := from(second)
			if alone {
				r.wakeWhenDue(10)
				next = from(server)
			}
			r.got(reply(dhcp4.Offer, r.s.Xid, next))
			r.got(reply(dhcp4.ACK, r.s.Xid, next))
			r.is(Bound, r.elapsed()+2)
		}
	}
}

// TestC8_Text: the diagnostic of the man page, whoever writes it.
func TestC8_Text(t *testing.T) {
	says := with(dhcp4.MessageText, []byte("it's\n\x1b[2Jgone\x00")...)
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Msg: reply(dhcp4.NAK, 1)}, "Got a NAK from 10.0.0.1"},
		{Event{Msg: reply(dhcp4.NAK, 1), From: server}, "Got a NAK from 10.0.0.1"},
		{Event{Msg: reply(dhcp4.NAK, 1), From: second}, "Got a NAK from 10.0.0.1 through 10.0.0.2"},
		{Event{Msg: reply(dhcp4.NAK, 1, func(m *dhcp4.Message) { m.Giaddr = second })},
			"Got a NAK from 10.0.0.1 through 10.0.0.2"},
		{Event{Msg: reply(dhcp4.NAK, 1, says), From: second},
			`Got a NAK from 10.0.0.1 through 10.0.0.2 saying 'it\'s\012\033[2Jgone'`},
	} {
		r := newRig(t).reach(Requesting)
		c.e.Kind = Got
		if got := r.do(c.e)[0]; got != "log: "+c.want {
			t.Errorf("%s", got)
		}
	}
}
